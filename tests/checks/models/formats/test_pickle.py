import base64
import io
import json
import pathlib
import pickle
import random
import sysconfig
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.pickle.hostile import BARE, TECHNIQUES

from mlgate.checks.models.formats import pickle as reader
from mlgate.checks.models.reader import HEAD, Blob, Clock, Declined, LimitReached
from mlgate.core.facts import Fact, Location, NotChecked
from mlgate.core.limits import Limits


def blob(data, name="x"):
    return Blob(
        location=Location(path=name), stream=io.BytesIO(data), size=len(data), head=data[:HEAD], name=name
    )


def read(data):
    """Everything that the reader yields, or None where it declines."""
    subject = blob(data)
    if not reader.sniff(subject):
        return None
    try:
        return list(reader.read(subject, Limits(), Clock(100)))
    except Declined:
        return None


def kinds(found):
    return [item.kind for item in found if isinstance(item, Fact)]


def reasons(found):
    return [item.reason for item in found if isinstance(item, NotChecked)]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [{"a": 1}, [1, 2], "text", 5, None, (1, "x"), {1, 2}, b"bytes", 2.5, True])
def test_reads_pickles_of_every_protocol(value, protocol):
    found = read(pickle.dumps(value, protocol))
    assert kinds(found)[0] == "pickle.stream"
    assert reasons(found) == []


@pytest.mark.parametrize("name", TECHNIQUES)
def test_reads_every_hostile_pickle(name):
    assert read(TECHNIQUES[name]) is not None


TEXTS = [
    b"",
    b"c",
    b"cat\ndog\nelephant\n",
    b"cos\nsin\ntan\n",
    b"ctime\ncmath\ncstring\ncstdio\n",
    b"cnn.com\nbbc.com\nfoo.org\n",
    b"import os\nfrom sys import argv\n",
    b"(defun f (x)\n  (* x x))\n",
    b'(include\n  "a.cmake")\n',
    b"N.B. this is a note\n",
    b"I am a text.\n",
    b"# Title\n\nSome *markdown*.\n",
    b'{"a": [1, 2]}\n',
    b"a,b,c\n1,2,3\n",
    b"Version 1.0\nname\n",
    b"Size: 10\n",
    b"]]>\n",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    b"\x80\x04abc",
    b"\x80\x02\x00\x00\x00\x00",
    b"\x89PNG\r\n\x1a\n",
    b"\x80\x01\x97\x02\x00\x00%!PS-AdobeFont",
]


@pytest.mark.parametrize("data", TEXTS)
def test_declines_what_is_no_pickle(data):
    assert read(data) is None


def test_declines_the_sources_and_texts_of_this_machine():
    home = pathlib.Path(sysconfig.get_paths()["stdlib"])
    files = [
        path for suffix in ("py", "txt", "csv", "json", "md", "cfg") for path in home.glob(f"*.{suffix}")
    ]
    files += list((home / "email").rglob("*.py")) + list((home / "site-packages").glob("*/**/METADATA"))[:200]
    assert len(files) > 100
    claimed = [path for path in files if read(path.read_bytes()) is not None]
    assert claimed == []


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.text(min_size=1, max_size=200))
def test_declines_ordinary_text(text):
    found = read(text.encode() + b"\nand so on, as texts do\n")
    assert found is None


@settings(max_examples=400, deadline=None, database=None, derandomize=True)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"c", b"(", b"}"]))
def test_is_total_on_any_bytes(data, head):
    subject = blob(head + data)
    if reader.sniff(subject):
        try:
            for item in reader.read(subject, Limits(), Clock(100)):
                assert isinstance(item, Fact | NotChecked | Blob)
                if isinstance(item, Fact):
                    # Reports hold plain values only.
                    json.dumps([item.subject, dict(item.detail)]).encode()
                    item.subject.encode()
        except Declined:
            pass


@pytest.mark.parametrize("data", [pickle.dumps({"a": [1, 2, 3]}), pickle.dumps("x" * 5000, 4), b"\x80\x04"])
def test_a_truncated_pickle_is_not_checked(data):
    found = read(data[:-1] if len(data) > 2 else data)
    assert reasons(found) == ["truncated"]
    assert "pickle.broken-after-effects" not in kinds(found)


def test_a_broken_pickle_is_not_checked_and_its_facts_stand():
    found = read(BARE[:-1] + b"\xff")
    assert reasons(found) == ["malformed"]
    assert {"pickle.call", "pickle.broken-after-effects"} <= set(kinds(found))


def test_bytes_that_mean_nothing_are_no_pickle():
    rng = random.Random(1)
    said = [data for data in (rng.randbytes(512) for _ in range(20_000)) if read(data) is not None]
    assert said == []


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02\x82\x07)R\xff",
        b"]\x82\x07)R.",
        b"]\x82\x07)R0cos\nsystem\n(Vid\ntR\xff",
    ],
)
def test_an_import_by_number_that_does_something_stays_a_pickle(data):
    assert "pickle.extension" in kinds(read(data))


def test_a_limit_is_raised_after_the_facts():
    subject = blob(BARE[:-1] + b"N0" * 200_000 + b".")
    seen = []
    with pytest.raises(LimitReached):
        seen.extend(reader.read(subject, Limits(opcodes=1000), Clock(100)))
    assert "pickle.call" in kinds(seen)


@pytest.mark.parametrize(
    "value",
    [
        BARE,
        BARE + bytes(1000),
        base64.b64encode(BARE).decode(),
        base64.b64encode(BARE),
        BARE.hex(),
        "cos\nsystem\n(S'echo hi'\ntR.",
    ],
)
def test_hands_back_nested_pickles(value):
    [inner] = [item for item in read(pickle.dumps([value])) if isinstance(item, Blob)]
    assert inner.location.member.startswith("payload@")
    assert inner.depth == 1
    assert inner.tentative
    found = list(reader.read(inner, Limits(), Clock(100)))
    assert "pickle.nested" in kinds(found)
    assert "pickle.call" in kinds(found)


def test_hands_back_compressed_payloads():
    [inner] = [item for item in read(pickle.dumps([zlib.compress(BARE)])) if isinstance(item, Blob)]
    assert inner.head.startswith(b"x\x9c")


@pytest.mark.parametrize(
    "value", [b"\x80 bytes", "os.system", "c'est la vie\n\n", b"\x80\x04\x00" * 20, "gAAAAAB" * 9]
)
def test_ordinary_payloads_are_not_handed_back(value):
    assert [item for item in read(pickle.dumps([value])) if isinstance(item, Blob)] == []


def test_the_remainder_is_handed_back_once():
    junk = b"\x00\x01junk"
    [rest] = [item for item in read(pickle.dumps([1]) + junk) if isinstance(item, Blob)]
    rest.stream.seek(0)
    assert (rest.name, rest.stream.read()) == (reader.REMAINDER, junk)


def test_facts_carry_the_stream_they_belong_to():
    first = pickle.dumps([1])
    facts = [item for item in read(first + BARE) if isinstance(item, Fact) and item.kind == "pickle.call"]
    assert [fact.detail["stream"] for fact in facts] == [len(first)]
