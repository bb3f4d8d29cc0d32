import base64
import bz2
import contextlib
import gzip
import lzma
import pickle
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
