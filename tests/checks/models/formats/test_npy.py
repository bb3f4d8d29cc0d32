import io
import zipfile

import numpy as np
import pytest
from tests.checks.models.building import EVIL, called, format_of, judged, look, reasons


def saved(array):
    data = io.BytesIO()
    np.save(data, array)
    return data.getvalue()


def headed(text, data=b"", version=1):
    raw = text.encode("latin-1") if isinstance(text, str) else text
    return (
        b"\x93NUMPY"
        + bytes([version, 0])
        + len(raw).to_bytes(2 if version == 1 else 4, "little")
        + raw
        + data
    )


ARRAYS = [
    np.arange(10),
    np.zeros((3, 0, 2)),
    np.array(1.5),
    np.array(["text", "more"]),
    np.array([b"bytes"]),
    np.array([True]),
    np.array(["2020-01-01"], "M8[D]"),
    np.array([1], "m8[25s]"),
    np.zeros(2, "c16"),
    np.asfortranarray(np.ones((3, 4), "f2")),
    np.zeros(3, [("a", "i4"), ("b", "f8", (2, 3)), ("c", [("d", "U5")])]),
    np.zeros(3, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    np.zeros(2, [("x" * 70000, "i4")]),
    np.zeros(2, [("é", "i4")]),
]


@pytest.mark.filterwarnings("ignore:Stored array in format")
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype)[:20])
def test_what_numpy_writes_says_nothing(array):
    data = saved(array)
    for name in ("x.npy", "x.bin"):
        seen = look(data, name)
        assert [fact.kind for fact in seen.facts] == ["core.format"]
        assert not seen.not_checked
    assert format_of(seen) == "numpy"
    # One byte more or less is noticed: the size was understood.
    assert "core.unaccounted" in {fact.kind for fact in look(data + b"\0").facts}
    if array.nbytes:
        assert reasons(look(data[:-1])) == {"truncated"}


def test_arrays_one_behind_the_other_are_ordinary():
    seen = look(saved(np.arange(3)) + saved(np.ones(2)), "x.npy")
    assert [fact.kind for fact in seen.facts] == ["core.format"]


def test_an_array_of_objects_is_a_pickle_and_no_alarm():
    seen = look(saved(np.array([{"a": 1}, None], object)), "x.npy")
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-NPY-001", "low")]
    assert not seen.not_checked


@pytest.mark.parametrize(
    "descr",
    [
        "'|O'",
        "'O'",
        "'|O8'",
        "'object'",
        "'i4,O'",
        "[('a', '<i4'), ('b', '|O')]",
        "[(('t', 'n'), 'O', (2,))]",
        "('O', (2,))",
        "[('a', [('b', [('c', 'O')])])]",
    ],
)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_any_spelling_of_an_object_hands_its_pickle_on(descr, version):
    data = headed(f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n", EVIL, version)
    assert called(look(data, "x.npy")) == {"posix.system"}


def test_a_pickle_behind_the_numbers_is_found():
    assert called(look(saved(np.arange(3)) + EVIL)) == {"posix.system"}


def test_an_archive_of_arrays():
    data = io.BytesIO()
    np.savez_compressed(data, x=np.arange(5), y=np.ones((2, 2)))
    seen = look(data.getvalue(), "x.npz")
    assert [fact.kind for fact in seen.facts] == ["core.format"]
    assert format_of(seen) == "npz"
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("z.npy", EVIL)
    assert called(look(data.getvalue(), "x.npz")) == {"posix.system"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{}",
        "[]",
        "{'descr': '<i4', 'shape': (1,)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': [1]}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), 'shape': (2,)}",
        "{'descr': '<i4', 'fortran_order': __import__('os'), 'shape': ()}",
        "{'descr': " + "(" * 5000 + ")" * 5000 + "}",
        "((((",
        "))))",
        "{'a\\x62': 1}",
    ],
)
def test_a_malformed_header(header):
    seen = look(headed(header), "x.npy")
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-NPY-002", "medium")]
    assert reasons(seen) == {"unreadable-format"}


def test_a_size_that_overflows():
    seen = look(headed(f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({2**40}, {2**40}), }}"))
    assert [each.rule for each in judged(seen)] == ["MLG-NPY-002"]


@pytest.mark.parametrize(
    "data", [b"\x93NUMPY", b"\x93NUMPY\1", b"\x93NUMPY\1\0\xff\xff{", b"\x93NUMPY\2\0\xff\xff\xff\xff{"]
)
def test_a_cut_header_is_not_checked(data):
    assert reasons(look(data, "x.npy")) == {"truncated"}


@pytest.mark.parametrize(
    "descr",
    [
        "[['a', 'O']]",
        "[('a', '|' 'O')]",
        "[('a', '''O''')]",
        "[['a', ['O']]]",
        "[{'a': 'O'}]",
        "{'names': ['a'], 'formats': ['O']}",
        "('i8', 'O')",
        "[('a', 'i8', 'O')]",
        "[('a', 'i8', ('O',))]",
        "'i8,i8'",
    ],
)
def test_a_type_spelt_as_numpy_does_not_is_no_pass(descr):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n"
    seen = look(headed(header, EVIL), "x.npy")
    assert "unreadable-format" in reasons(seen)


@pytest.mark.parametrize("descr", ["'|\\x4f'", "'|' 'O'", "b'|O'"])
def test_the_data_behind_a_header_that_numpy_alone_reads(descr):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n"
    seen = look(headed(header, EVIL), "a.npy")
    assert called(seen) == {"posix.system"}
    assert "unreadable-format" in reasons(seen)
