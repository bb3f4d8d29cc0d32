"""Whatever bytes a file holds, the model check ends, and no reader fails in an unforeseen way."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, NOISE, Entry, elf, look, macho, pe, zipped
from tests.checks.models.formats.test_lfs import POINTER
from tests.checks.models.formats.test_onnx import graph, model, node, tensor
from tests.checks.models.formats.test_safetensors import GOOD, made

# Small, so that a run that a mutation makes long ends soon.
LIMITS = {"inflated_bytes": 1 << 22, "members": 200, "facts": 500, "opcodes": 20_000, "file_seconds": 20}
FOREVER = settings(
    deadline=None, database=None, derandomize=True, max_examples=400, suppress_health_check=list(HealthCheck)
)


def _tar():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a", "long/" * 40 + "b", "c"):
            info = tarfile.TarInfo(name)
            info.size = len(EVIL)
            archive.addfile(info, io.BytesIO(EVIL))
    return data.getvalue()


def _npy(array):
    data = io.BytesIO()
    np.save(data, array)
    return data.getvalue()


def _zip64():
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_LZMA) as archive,
        archive.open("x", "w", force_zip64=True) as one,
    ):
        one.write(EVIL)
    return data.getvalue()


SEEDS = [
    zipped(Entry("m/data.pkl", EVIL), Entry("m/data/0", NOISE[:100]), Entry("b", b"text" * 50, method=8)),
    zipped(Entry("a", zipped(Entry("b", EVIL)))),
    _zip64(),
    _tar(),
    gzip.compress(EVIL, mtime=0),
    bz2.compress(EVIL),
    lzma.compress(EVIL),
    lzma.compress(EVIL, lzma.FORMAT_ALONE),
    zlib.compress(EVIL),
    _npy(np.arange(5)),
    _npy(np.array([{"a": 1}], object)),
    _npy(np.zeros(2, [("a", "i4"), ("b", "f8", (2, 3))])),
    made(GOOD, bytes(12)),
    model(graph(tensor("../x"), node(graph(tensor("y"), field=6), domain="d"))),
    POINTER,
    elf(),
    pe(),
    macho(),
    NOISE[:500] + EVIL,
]
NAMES = ["m.bin", "m.pkl", "m.safetensors", "m.npz"]


@st.composite
def mutated(draw):
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        how = draw(st.sampled_from(["byte", "large", "cut", "insert", "remove", "repeat", "splice"]))
        if how == "byte" and data:
            data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFE, 0xFF]) | st.integers(0, 255))
        elif how == "large":
            data[at : at + 4] = draw(
                st.sampled_from([b"\xff" * 4, b"\xff" * 8, b"\0" * 4, b"\xff\xff\xff\x7f"])
            )
        elif how == "cut":
            del data[at:]
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=20))
        elif how == "remove":
            del data[at : at + draw(st.integers(1, 50))]
        elif how == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 200))] * draw(st.integers(1, 5))
        else:
            other = draw(st.sampled_from(SEEDS))
            data[at:] = other[draw(st.integers(0, len(other) - 1)) :]
    return bytes(data)


def holds(data, name):
    seen = look(data, name, **LIMITS)
    assert not [item for item in seen.not_checked if item.reason == "reader-failed"]
    # A path or a subject can be printed.
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)


@FOREVER
@given(mutated(), st.sampled_from(NAMES))
def test_mutations_of_files_of_every_format(data, name):
    holds(data, name)


@FOREVER
@given(st.binary(max_size=600), st.sampled_from(NAMES))
def test_any_bytes(data, name):
    holds(data, name)


@FOREVER
@given(
    st.sampled_from(
        [b"PK\3\4", b"PK\5\6", b"\x93NUMPY\1\0", b"\x1f\x8b\x08", b"\x28\x53", b"\x08\x08\x3a", b"x\x9c"]
    ),
    st.binary(max_size=300),
)
def test_any_bytes_behind_a_magic(magic, data):
    holds(magic + data, "m.bin")


@FOREVER
@given(st.text(alphabet='{}[]",:\\0dtypeshape_offsets ', max_size=200))
def test_any_header_of_a_tensor_file(text):
    holds(made(text.encode(), b""), "m.safetensors")


@FOREVER
@given(st.text(alphabet="{}[]()'\",:OIif480dtypescrfoantrshpe_ ", max_size=200))
def test_any_header_of_an_array(text):
    holds(b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode(), "m.npy")


def test_the_seeds_themselves_hold():
    for data in SEEDS:
        for name in NAMES:
            holds(data, name)
