"""Whatever the reference reader refuses, the scan says something about."""

import json

import pytest
import safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import kinds, look

SETTINGS = settings(
    deadline=None, database=None, derandomize=True, max_examples=400, suppress_health_check=list(HealthCheck)
)
SEEDS = [
    {"__metadata__": {"format": "pt"}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}, "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}},
    {"s": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]}, "e": {"dtype": "I64", "shape": [0, 3], "data_offsets": [2, 2]}},
    {"h": {"dtype": "F4", "shape": [6], "data_offsets": [0, 3]}},
    {},
]  # fmt: skip
PIECES = ['"', "{", "}", "[", "]", ",", ":", "0", "1", "-", "-0", "1.0", "1e1", "00", " ", "\n", "null", "true", '"a"', '"a":1,', "\\u0061", "\\ud800", "é", "\x01", "NaN", '"F32"', '"__metadata__":null', '"__metadata__":{"a":1}', '"U8"', "18446744073709551616", "9223372036854775808"]  # fmt: skip


def refused(data):
    try:
        safetensors.deserialize(data)
    except Exception:  # noqa: BLE001 - its own exception and others
        return True
    return False


def said(data):
    seen = look(data, "model.safetensors")
    assert not any("safetensors reader failed" in each.message for each in seen.not_checked)
    return bool(kinds(seen) - {"core.format"} or seen.not_checked)


def file(text, data, shift=0):
    raw = text.encode("utf-8", "surrogatepass")
    return max(len(raw) + shift, 0).to_bytes(8, "little") + raw + data


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seeds_are_sound_to_both(seed):
    size = max((each["data_offsets"][1] for name, each in seed.items() if name != "__metadata__"), default=0)
    data = file(json.dumps(seed), bytes(size))
    assert not refused(data)
    assert not said(data)


@SETTINGS
@given(st.data())
def test_what_the_reference_refuses_is_named(draw):
    text = json.dumps(draw.draw(st.sampled_from(SEEDS)))
    for _ in range(draw.draw(st.integers(0, 3))):
        at = draw.draw(st.integers(0, len(text)))
        cut = draw.draw(st.integers(0, 4))
        text = text[:at] + draw.draw(st.sampled_from(["", *PIECES])) + text[at + cut :]
    data = file(
        text,
        bytes(draw.draw(st.sampled_from([0, 2, 3, 4, 11, 12, 13]))),
        draw.draw(st.sampled_from([0, 0, 0, -1, 1, 8])),
    )
    if refused(data):
        assert said(data)


NUMBERS = st.sampled_from([0, 1, 2, 3, 4, 8, 12, -1, 2**31, 2**62, 2**63, 2**64 - 1, 2**64])


@SETTINGS
@given(
    st.lists(st.tuples(st.sampled_from(["U8", "F32", "F4", "F6_E2M3", "X", "BOOL", "C64"]), st.lists(NUMBERS, max_size=3), NUMBERS, NUMBERS), max_size=3),
    st.sampled_from([0, 1, 4, 8, 12]),
)  # fmt: skip
def test_any_layout_is_judged_as_strictly(tensors, size):
    header = {
        str(n): {"dtype": d, "shape": s, "data_offsets": [a, b]} for n, (d, s, a, b) in enumerate(tensors)
    }
    data = file(json.dumps(header), bytes(size))
    if refused(data):
        assert said(data)
    elif all(side < 1 << 60 for _, shape, _, _ in tensors for side in shape):
        # Sides that overflow before a zero comes are named, though the reference reader multiplies on.
        assert not said(data)
