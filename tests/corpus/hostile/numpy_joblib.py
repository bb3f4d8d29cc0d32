"""Arrays of objects, arrays that are none, and joblib's streams and wrappers."""

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.checks.models.building import NOISE, Entry, zipped
from tests.corpus.assemble import (
    EVIL,
    EVIL_4,
    EVIL_TEXT,
    EVIL_UNKNOWN,
    SYSTEM,
    Global,
    blob,
    call,
    many,
    named,
    new,
    push,
    text,
)
from tests.corpus.sample import Sample

PAYLOADS = {"system": EVIL, "text": EVIL_TEXT, "exec": EVIL_4, "unknown": EVIL_UNKNOWN}


def npy(
    descr: str, payload: bytes, shape: str = "(3,)", version: int = 1, pad: int = 64, order: str = "False"
) -> bytes:
    """An .npy file with a header as it is given."""
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    size = 2 if version == 1 else 4
    header += b" " * (-(len(header) + 7 + size) % pad) + b"\n"
    return (
        b"\x93NUMPY"
        + bytes((version, 0))
        + struct.pack("<H" if version == 1 else "<I", len(header))
        + header
        + payload
    )


def zipped_up(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return out.getvalue()


DESCRIPTIONS = {
    "object": "'|O'",
    "object, bare": "'O'",
    "object, little": "'<O'",
    "object, by name": "'object'",
    "object, eight bytes": "'O8'",
    "object in a record": "[('a', '<f8'), ('b', '|O')]",
    "object in a record of records": "[('a', [('b', '|O')])]",
    "object with a shape": "[('a', '|O', (2,))]",
    "object in double quotes": '"|O"',
    "object, escaped": "'|\\x4f'",
    "object, joined": "'|' 'O'",
}
WRAPS = {
    "zlib": zlib.compress,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib, stored": lambda data: zlib.compress(data, 0),
    "zlib, best": lambda data: zlib.compress(data, 9),
    "gzip, twice": lambda data: gzip.compress(gzip.compress(data, mtime=0), mtime=0),
    "gzip, two members": lambda data: gzip.compress(data[:9], mtime=0) + gzip.compress(data[9:], mtime=0),
    "gzip, an empty member first": lambda data: gzip.compress(b"", mtime=0) + gzip.compress(data, mtime=0),
    "gzip, junk after": lambda data: gzip.compress(data, mtime=0) + b"junk" * 5,
    "gzip, bad checksum": lambda data: gzip.compress(data, mtime=0)[:-8] + bytes(8),
    "gzip, cut": lambda data: gzip.compress(data + NOISE, mtime=0)[:-200],
    "bz2, two streams": lambda data: bz2.compress(data[:9]) + bz2.compress(data[9:]),
    "xz, two streams": lambda data: lzma.compress(data[:9]) + lzma.compress(data[9:]),
    "xz, no check": lambda data: lzma.compress(data, check=lzma.CHECK_NONE),
    "zlib, bad checksum": lambda data: zlib.compress(data + NOISE * 3)[:-4] + bytes(4),
    "bz2 in gzip": lambda data: gzip.compress(bz2.compress(data), mtime=0),
    "xz in zlib": lambda data: zlib.compress(lzma.compress(data)),
}
WRAPPER = Global("joblib.numpy_pickle", "NumpyArrayWrapper")


def wrapper(shape: tuple[int, ...], dtype: bytes | None = None, **more: object) -> bytes:
    """The opcodes that joblib writes before an array's bytes."""
    kind = dtype or call(Global("numpy", "dtype"), "f8", False, True)
    state = b"}(" + text("subclass") + named("numpy", "ndarray") + text("shape") + push(shape)
    state += text("order") + text("C") + text("dtype") + kind + text("allow_mmap") + b"\x88"
    for key, value in more.items():
        state += text(key) + push(value)
    return new(WRAPPER) + state + b"ub"


def samples() -> Iterator[Sample]:
    family = "numpy"
    for kind, descr in DESCRIPTIONS.items():
        for name, payload in PAYLOADS.items():
            yield Sample(
                family,
                f"{kind}, {name}",
                "numpy.load(allow_pickle=True) unpickles",
                {"a.npy": npy(descr, payload)},
            )
    for version in (1, 2, 3):
        yield Sample(
            family,
            f"object, version {version}",
            "numpy.load(allow_pickle=True) unpickles",
            {"a.npy": npy("'|O'", EVIL, version=version)},
        )
    for name in ("a.bin", "a.dat", "features", "a.txt", "a.npz", "a.pkl"):
        yield Sample(
            family, f"object array as {name}", "numpy.load goes by content", {name: npy("'|O'", EVIL)}
        )
        yield Sample(family, f"a pickle as {name}", "numpy.load falls back to pickle", {name: EVIL_4})
    for name, payload in PAYLOADS.items():
        yield Sample(
            family,
            f"after the array, {name}",
            "the next numpy.load of the same file",
            {"a.npy": npy("'<f8'", bytes(24) + payload)},
        )
        yield Sample(
            family,
            f"npz with a pickle, {name}",
            "a member that is a pickle",
            {"a.npz": zipped_up({"x.npy": npy("'<f8'", bytes(24)), "y.npy": payload})},
        )
        yield Sample(
            family,
            f"npz with an object array, {name}",
            "a member of objects",
            {"a.npz": zipped_up({"x.npy": npy("'<f8'", bytes(24)), "y.npy": npy("'|O'", payload)})},
        )
        yield Sample(
            family,
            f"npz, compressed, {name}",
            "a member of objects",
            {"a.npz": zipped_up({"y.npy": npy("'|O'", payload)}, zipfile.ZIP_DEFLATED)},
        )
        yield Sample(
            family,
            f"npz, no extension, {name}",
            "a member of objects",
            {"a.npz": zipped_up({"y": npy("'|O'", payload)})},
        )
        yield Sample(
            family,
            f"two arrays in one file, {name}",
            "several arrays one after another",
            {"a.npy": npy("'<f8'", bytes(24)) + npy("'|O'", payload)},
        )
    odd = {
        "shape beyond the file": npy("'<f8'", bytes(24), "(99999999999,)"),
        "shape overflows": npy("'<f8'", bytes(24), "(4611686018427387904, 4)"),
        "negative shape": npy("'<f8'", bytes(24), "(-1,)"),
        "header of code": npy("__import__('os').system('true')", bytes(24)),
        "header of a call in the shape": npy("'<f8'", bytes(24), "open('a')"),
        "header length beyond the file": b"\x93NUMPY\2\0\xff\xff\xff\x7f{'descr'",
        "version 9": b"\x93NUMPY\x09\0" + npy("'|O'", EVIL)[8:],
        "header deep": npy("[" * 3000 + "]" * 3000, bytes(24), version=2),
        "cut in the header": npy("'|O'", EVIL)[:30],
    }
    for name, data in odd.items():
        yield Sample(family, name, "a header that no writer makes", {"a.npy": data}, "medium")
    yield from _joblib()


def _joblib() -> Iterator[Sample]:
    family = "joblib"
    for wrap, make in WRAPS.items():
        for kind, payload in PAYLOADS.items():
            yield Sample(
                family, f"{wrap}, {kind}", "joblib.load unpacks by content", {"model.joblib": make(payload)}
            )
    for wrap in ("zlib", "gzip", "xz", "bz2"):
        for name in ("model.pkl", "model.bin", "model.z", "weights", "model.dat", "a.txt"):
            yield Sample(
                family, f"{wrap} as {name}", "joblib.load unpacks by content", {name: WRAPS[wrap](EVIL)}
            )
    body = call(SYSTEM, "true")
    unknown = call(Global("acme.deploy.shell", "execute"), "true")
    head = b"\x80\4"
    for kind, evil in (("system", body), ("unknown", unknown)):
        streams = {
            "after an array": wrapper((3,)) + bytes(24) + b"0" + evil + b".",
            "after a padded array": wrapper((3,), numpy_array_alignment_bytes=16)
            + b"\x05\xff\xff\xff\xff\xff"
            + bytes(24)
            + b"0"
            + evil
            + b".",
            "where plain pickle.load reads on": wrapper((1000,)) + b"0" + evil + b"." + bytes(8000),
            "where plain pickle.load reads on, padded": wrapper((1000,), numpy_array_alignment_bytes=16)
            + b"0"
            + evil
            + b"."
            + bytes(8000),
            "an array of objects": wrapper((1,), call(Global("numpy", "dtype"), "O8", False, True))
            + head
            + evil
            + b"."
            + b".",
            "an array of records of objects": wrapper(
                (1,),
                call(Global("numpy", "dtype"), "V16", False, True)
                + push((3, "|", None, ("a",), {"a": (Global("numpy", "dtype"), 0)}, 16, 1, 27))
                + b"b",
            )
            + head
            + evil
            + b"."
            + b".",
            "an array of no length": wrapper((0,)) + b"0" + evil + b".",
            "an array of wrong shape": wrapper((2**40,)) + b"0" + evil + b".",
            "an array of negative shape": wrapper((-5,)) + b"0" + evil + b".",
            "two wrappers": wrapper((2,)) + bytes(16) + wrapper((2,)) + bytes(16) + evil + b".",
            "shape of text": new(WRAPPER) + b"}" + text("shape") + text("a") + b"sb0" + evil + b".",
            "no state": new(WRAPPER) + b"0" + evil + b".",
            "state that comes twice": wrapper((1,))
            + bytes(8)
            + b"}"
            + text("shape")
            + push((1000,))
            + b"sb0"
            + evil
            + b"."
            + bytes(8000),
            "dtype of a call": wrapper((1,), call(Global("acme", "dtype"))) + b"0" + evil + b".",
        }
        for name, stream in streams.items():
            yield Sample(
                family,
                f"{name}, {kind}",
                "raw array bytes stand among the opcodes",
                {"model.joblib": head + stream},
            )
            yield Sample(
                family,
                f"{name}, {kind}, zlib",
                "raw array bytes stand among the opcodes",
                {"model.joblib": zlib.compress(head + stream)},
            )
    old = Global("joblib.numpy_pickle", "NDArrayWrapper")
    for path in ("/etc/passwd", "../../secret.npy", "\\\\host\\share\\a", "C:\\a.npy"):
        state = {"filename": path, "subclass": Global("numpy", "ndarray"), "allow_mmap": True}
        yield Sample(
            family,
            f"old wrapper reads {path}",
            "the wrapper opens a file beside the model",
            {"model.joblib": b"\x80\2" + new(old) + push(state) + b"b."},
            "high" if path[0] in "/." else "medium",
        )
    znd = Global("joblib.numpy_pickle", "ZNDArrayWrapper")
    for path in ("/etc/passwd", "../a.z"):
        state = {"filename": path, "init_args": (Global("numpy", "ndarray"), (0,), b"b"), "state": (1, (3,))}
        yield Sample(
            family,
            f"old packed wrapper reads {path}",
            "the wrapper opens a file beside the model",
            {"model.joblib": b"\x80\2" + new(znd) + push(state) + b"b."},
        )
    evil_init = {"filename": "a_01.z", "init_args": (SYSTEM, ("true",), None), "state": None}
    yield Sample(
        family,
        "old packed wrapper calls its init_args",
        "the wrapper calls what it holds",
        {"model.joblib": b"\x80\2" + new(znd) + push(evil_init) + b"b."},
    )
    yield Sample(
        family,
        "companion file",
        "the array file of an old joblib dump is a pickle",
        {
            "model.pkl": b"\x80\2"
            + new(old)
            + push({"filename": "model.pkl_01.npy", "subclass": Global("numpy", "ndarray")})
            + b"b.",
            "model.pkl_01.npy": npy("'|O'", EVIL),
        },
    )
    yield Sample(family, "zip of a pickle", "an archive", {"model.joblib": zipped(Entry("model.pkl", EVIL))})
    yield Sample(
        family,
        "old zfile",
        "joblib's own old header",
        {"model.joblib": b"ZF0x1e" + b" " * 15 + zlib.compress(EVIL)},
        "not-checked",
    )
    lz4 = b"\x04\x22\x4d\x18\x64\x40\xa7" + struct.pack("<I", 0x80000000 | len(EVIL)) + EVIL + bytes(4)
    yield Sample(
        family, "lz4, stored block", "joblib.load opens lz4 frames", {"model.joblib": lz4}, "not-checked"
    )
    yield Sample(family, "lz4 as bin", "joblib.load opens lz4 frames", {"weights.bin": lz4}, "not-checked")
    zst = b"\x28\xb5\x2f\xfd\x20" + bytes((len(EVIL),)) + struct.pack("<I", len(EVIL) << 3 | 1)[:3] + EVIL
    yield Sample(
        family, "zstd, raw block", "a loader opens zstd frames", {"model.pkl.zst": zst}, "not-checked"
    )
    yield Sample(family, "zstd as bin", "a loader opens zstd frames", {"weights.bin": zst}, "not-checked")
    yield Sample(
        family,
        "zstd behind a skippable frame",
        "a loader opens zstd frames",
        {"weights.bin": b"\x50\x2a\x4d\x18\4\0\0\0abcd" + zst},
        "not-checked",
    )
    yield Sample(family, "bytes of a pickle", "nested", {"model.joblib": head + blob(EVIL) + b"."})
    yield Sample(
        family, "tuple of a pickle", "nested", {"model.joblib": head + many(1, blob(EVIL) and EVIL) + b"."}
    )
