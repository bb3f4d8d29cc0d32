"""Pickles in base64 or hexadecimal digits, as values of JSON and YAML."""

import base64
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, TEXT_EVIL, judged, look

PLAIN = pickle.dumps({"weights": list(range(20))})


@pytest.mark.parametrize("data", [EVIL, TEXT_EVIL])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, bytes.hex])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", '{{"a": {{"b": ["{}"]}}}}'),
        ("x.json", '{{"a": "data:application/octet-stream;base64,{}"}}'),
        ("x.csv", "a,b\n1,{}\n"),
        ("x.jsonl", '{{"a": 1}}\n{{"a": "{}"}}\n'),
        ("x.yaml", "a:\n  b: {}\n"),
        ("x.yaml", "a: !!binary |\n  {}\n"),
    ],
)
def test_an_encoded_pickle_is_found(data, encode, name, text):
    encoded = encode(data)
    value = encoded if isinstance(encoded, str) else encoded.decode()
    found = judged(look(text.format(value).encode(), name))
    assert "critical" in {each.severity.value for each in found}
    assert {each.location.member.partition("!/")[0] for each in found if each.rule.startswith("MLG-PKL")} == {
        "line 1" if name == "x.json" else "line 2"
    }


@pytest.mark.parametrize(
    "value",
    [
        base64.b64encode(PLAIN).decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode(),
        "0123456789abcdef0123456789abcdef",
        "gASgASgASgASgASgASgASgAS",
    ],
)
def test_other_values_are_no_alarm(value):
    seen = look(json.dumps({"a": value}).encode(), "x.json")
    assert (judged(seen), seen.not_checked) == ((), ())


@given(st.text(alphabet="gASK8004cVOH/=\"' \n", max_size=300))
def test_any_text(text):
    look(text.encode(), "x.json")
