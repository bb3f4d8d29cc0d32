import base64
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, TEXT_EVIL, called, look, reasons

CODECS = {
    "base64": base64.b64encode,
    "lines": base64.encodebytes,
    "windows": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    "urlsafe": base64.urlsafe_b64encode,
    "hex": lambda data: data.hex().encode(),
    "twice": lambda data: base64.b64encode(base64.b64encode(data)),
}


@pytest.mark.parametrize("name", ["model.b64", "model.pkl", "notes.txt", "blob"])
@pytest.mark.parametrize("how", CODECS)
@pytest.mark.parametrize(
    "payload", [EVIL + b"x" * 90, TEXT_EVIL, gzip.compress(EVIL, mtime=0)], ids=["binary", "text", "gzip"]
)
def test_what_is_encoded_is_looked_at(how, payload, name):
    assert called(look(CODECS[how](payload), name)) == {"posix.system"}


@pytest.mark.parametrize(
    "text",
    [
        b"da39a3ee5e6b4b0d3255bfef95601890afd80709\n" * 20,
        base64.b64encode(bytes(range(256))),
        b"IQ== 0\nIg== 1\n" * 100,
        b"gA" * 40 + b" is what they said",
        b"H4sIAAAAA not a gzip stream, whatever it says",
    ],
)
def test_texts_of_other_kinds_are_left_alone(text):
    for name in ("checksums.txt", "vocab.tiktoken"):
        seen = look(text, name)
        assert not seen.facts
        assert not seen.not_checked


def test_a_long_text_is_undecided():
    assert reasons(look(base64.b64encode(EVIL * 40), "a.b64", text_bytes=100)) == {"limit"}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(CODECS)))
def test_any_bytes_are_survived(data, how):
    text = CODECS[how](EVIL[:30] + data)
    assert "reader-failed" not in reasons(look(text, "a.b64")) | reasons(look(text[:-1] + b"*", "a.b64"))
