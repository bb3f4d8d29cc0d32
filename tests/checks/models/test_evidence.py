import io
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.pickle.hostile import BARE, TECHNIQUES

from mlgate.checks.models.evidence import decompile
from mlgate.core.limits import Limits


def test_shows_python():
    assert "system('echo hi')" in decompile(io.BytesIO(BARE), 0, Limits())


def test_starts_where_it_is_told():
    first = pickle.dumps([1])
    shown = decompile(io.BytesIO(first + BARE), len(first), Limits())
    assert "system('echo hi')" in shown


@pytest.mark.parametrize("name", ["broken afterwards", "under joblib's array", "cut off afterwards"])
def test_falls_back_to_its_own_rendering_where_fickling_fails(name):
    assert "os.system('echo hi')" in decompile(io.BytesIO(TECHNIQUES[name]), 0, Limits())


def test_is_bounded_in_size():
    calls = b"".join(b"cacme\nf%d\n(X\x04\x00\x00\x00texttR0" % number for number in range(3000))
    shown = decompile(io.BytesIO(b"\x80\x02" + calls + b"N."), 0, Limits())
    assert len(shown) <= 4096
    assert len(shown.splitlines()) <= 40


def test_shows_no_control_characters():
    payload = "\x1b[2J\u202e'; x"
    shown = decompile(io.BytesIO(pickle.dumps({payload: payload}, 2)), 0, Limits())
    assert shown is None or all(line.isprintable() for line in shown.splitlines())


def test_nothing_is_imported_or_run(tmp_path):
    marker = tmp_path / "ran"
    module = tmp_path / "acme_marker.py"
    module.write_text(f"open({str(marker)!r}, 'w')\n")
    data = b"\x80\x02cacme_marker\nx\n(X\x01\x00\x00\x00atR."
    assert "acme_marker" in decompile(io.BytesIO(data), 0, Limits())
    touch = (
        b"\x80\x02cos\nsystem\nX"
        + len(f"touch {marker}").to_bytes(4, "little")
        + f"touch {marker}".encode()
        + b"\x85R."
    )
    assert "touch" in decompile(io.BytesIO(touch), 0, Limits())
    assert not marker.exists()


@pytest.mark.parametrize("data", [b"", b"\x00", b"not a pickle"])
def test_there_may_be_nothing_to_show(data):
    assert decompile(io.BytesIO(data), 0, Limits()) is None


def test_a_stream_that_cannot_be_read_shows_nothing():
    stream = io.BytesIO(BARE)
    stream.close()
    assert decompile(stream, 0, Limits()) is None


def test_expansion_ends():
    data = b"\x80\x02(lq\x00" + b"".join(b"(h\x00h\x00lq\x00" for _ in range(200)) + b"."
    shown = decompile(io.BytesIO(data), 0, Limits())
    assert shown is None or len(shown) <= 4096


@settings(max_examples=15, deadline=None, database=None, derandomize=True)
@given(st.binary(max_size=200))
def test_never_raises(data):
    shown = decompile(io.BytesIO(BARE[:-1] + data), 0, Limits())
    assert shown is None or len(shown) <= 4096
