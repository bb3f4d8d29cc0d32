import base64
import bz2
import contextlib
import gzip
import hashlib
import lzma
import pickle
import random
import textwrap
import zlib

import pytest
from tests.checks.models.building import called, judged, look
from tests.checks.models.pickle.hostile import BARE

from mlgate.checks.models.pickle import nested
from mlgate.core.severity import Severity

TEXT = b"cos\nsystem\n(S'echo hi'\ntR."
PACKED = {
    "plain": bytes,
    "zlib": zlib.compress,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
WRITTEN = {
    "bytes": bytes,
    "latin-1 text": lambda data: data.decode("latin-1"),
    "base64": lambda data: base64.b64encode(data).decode(),
    "base64 bytes": base64.b64encode,
    "urlsafe base64": lambda data: base64.urlsafe_b64encode(data).decode(),
    "base64 in lines": lambda data: base64.encodebytes(data).decode(),
    "base64 in other lines": lambda data: "\r\n".join(textwrap.wrap(base64.b64encode(data).decode(), 24)),
    "base64 without padding": lambda data: base64.b64encode(data).decode().rstrip("="),
    "base64 twice": lambda data: base64.b64encode(base64.b64encode(data)).decode(),
    "hexadecimal": lambda data: data.hex(),
    "upper-case hexadecimal": lambda data: data.hex().upper(),
}


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("packer", PACKED)
@pytest.mark.parametrize("payload", [BARE, TEXT, BARE[:-3] + b"0" * 600 + b"tR."])
def test_a_payload_is_found_however_it_is_written(payload, packer, how, protocol):
    value = WRITTEN[how](PACKED[packer](payload))
    seen = look(pickle.dumps({"data": value, "sizes": [1, 2]}, protocol), "m.pkl")
    assert "os.system" in called(seen) | {fact.subject for fact in seen.facts}
    assert any(found.severity >= Severity.HIGH for found in judged(seen))


@pytest.mark.parametrize(
    "head",
    [
        b"", b"g", b"gASV", b"eNorandomword", b"Configuration", b"KeyError: 'abc' was not found here at all",
        b"https://example.com/path", b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
        b"c'est la vie\nen rose\n", b"8" * 40, b"deadbeef" * 8, b"gAAAAABmZ3JhbmQ" * 4,
        b"0123456789abcdef" * 4, "日本語のテキスト".encode(), "école normale supérieure".encode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", [True, False])
def test_ordinary_texts_are_no_payload(head, text):
    assert nested.encoding(head, text=text) is None


def test_what_is_encoded_without_end_is_followed_so_far():
    data = BARE
    for _ in range(9):
        data = base64.b64encode(data)
    assert nested.encoding(data) is None


@pytest.mark.parametrize("how", ["latin1", "hex", "base64"])
@pytest.mark.parametrize("data", [b"", b"a", b"abcde", b"ab\ncd\r\nef", b"ab=="])
def test_decoding_is_total_but_for_value_errors(how, data):
    with contextlib.suppress(ValueError):
        assert isinstance(nested.decode(data, how), bytes)


NOISE = random.Random(5)  # noqa: S311 - no secret
HONEST = {
    "digits": ["8001" * 10, "80015d" + "00" * 20, "8004" + "95" * 30, "8003" + "4b01" * 300],
    "digests": [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)],
    "digests that begin as a pickle": [
        f"800{number % 5 + 1}" + hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)
    ],
    "base64": [base64.b64encode(NOISE.randbytes(60)).decode() for _ in range(2000)],
    "base64 that begins as a pickle": [
        base64.b64encode(bytes((0x80, number % 5 + 1)) + NOISE.randbytes(60)).decode()
        for number in range(2000)
    ],
    "bytes": [bytes((0x80, number % 5 + 1)) + NOISE.randbytes(60) for number in range(2000)],
    "compressed": [
        start + NOISE.randbytes(60) for start in (b"x\x9c", b"x\x01", b"\x1f\x8b\x08") for _ in range(300)
    ],
    "powers": ["x^2 + y^2", "x^" + "1" * 30],
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_what_only_begins_as_a_pickle_is_quiet(name, protocol):
    seen = look(pickle.dumps(HONEST[name], protocol), "m.pkl")
    assert not seen.not_checked
    assert not judged(seen)


@pytest.mark.parametrize(
    "payload",
    [
        b"N0cos\nsystem\n(Vecho\ntR.",
        b"K\x01K\x02\x8c\x02os\x8c\x06system\x93\x8c\x04echo\x85R.",
        b"\x80\x00cos\nsystem\n(Vecho\ntR.",
        b"K\x01(Vecho\nios\nsystem\n.",
    ],
)
def test_a_payload_may_begin_with_any_opcode(payload):
    assert "os.system" in called(look(pickle.dumps({"data": payload * 2}, 4), "m.pkl"))


def test_a_program_in_the_data_of_a_pickle_is_seen():
    program = b"\x7fELF\2\1\1" + bytes(9) + (2).to_bytes(2, "little") + (62).to_bytes(2, "little")
    program += (1).to_bytes(4, "little") + (64).to_bytes(8, "little") * 2 + bytes(8) + bytes(4)
    program += (
        (64).to_bytes(2, "little") + (56).to_bytes(2, "little") + (1).to_bytes(2, "little") + bytes(206)
    )
    seen = look(pickle.dumps({"data": program}, 4), "m.pkl")
    assert "payload.executable" in {fact.kind for fact in seen.facts}
