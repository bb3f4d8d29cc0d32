"""Bytecode and native modules in the place of source."""

import marshal
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import collect, elf, judged, look, scope

CODE = b"\xa7\r\r\n" + bytes(12) + marshal.dumps(compile("1", "m", "exec"))
CHECKED, UNCHECKED = (CODE[:4] + bytes([flags]) + CODE[5:] for flags in (3, 1))
MODEL = b"\x80\x02}q\0."
NAMES = b"type: plug.Loader\n"


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        ({"plug.pyc": CODE}, None),
        ({"plug.pyc": CODE, "x.yaml": NAMES}, "high"),
        ({"plug.pyc": CODE, "m.pkl": MODEL}, "high"),
        ({"numpy.pyc": CODE, "m.pkl": MODEL}, "high"),
        ({"__pycache__/plug.pyc": CODE, "m.pkl": MODEL, "x.yaml": NAMES}, None),
        ({"__pycache__/plug.pyc": UNCHECKED}, "medium"),
        ({"__pycache__/plug.pyc": CHECKED}, None),
        ({"plug.so": elf()}, None),
        ({"plug.so": elf(), "m.pkl": MODEL}, None),
        ({"plug.so": elf(), "x.yaml": NAMES}, "medium"),
        ({"plug.cpython-311-x86_64-linux-gnu.so": elf(), "x.yaml": NAMES}, "medium"),
        ({"plug.so": b"no native code", "x.yaml": NAMES}, None),
        ({"libplug.so.1": elf(), "x.yaml": b"type: libplug.Loader\n"}, None),
    ],
)
def test_what_an_import_would_find(files, severity):
    found = [each for each in judged(collect(scope(files))) if each.rule == "MLG-HFR-004"]
    assert [each.severity.value for each in found] == ([severity] if severity else [])


def test_this_pythons_own_bytecode_is_known():
    import importlib.util

    assert importlib.util.MAGIC_NUMBER[2:] == b"\r\n", sys.version


@given(st.binary(max_size=200))
def test_any_bytes(data):
    look(data, "plug.pyc")
    look(b"\x7fELF" + data, "plug.so")
