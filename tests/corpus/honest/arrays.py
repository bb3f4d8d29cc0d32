"""numpy, scipy and joblib as they write."""

import io
import pickle
import tempfile
from collections.abc import Iterator

import joblib
import numpy as np
from scipy import sparse
from tests.corpus.sample import Sample


def _mapped() -> np.ndarray:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(64))
        file.flush()
        return np.memmap(file, dtype="f8", shape=(8,))


RNG = np.random.default_rng(7)
ARRAYS = {
    "floats": RNG.random((5, 4)),
    "half floats": RNG.random(6).astype("f2"),
    "big-endian": np.arange(5, dtype=">i4"),
    "Fortran order": np.asfortranarray(RNG.random((3, 4))),
    "a view": RNG.random((8, 8))[::2, ::3],
    "booleans": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "text": np.array(["os.system", "b"]),
    "byte strings": np.array([b"a", b"bc"]),
    "dates": np.array(["2026-01-01"], "datetime64[D]"),
    "durations": np.array([5], "timedelta64[s]"),
    "records": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "records of arrays": np.zeros(2, dtype=[("a", "f4", (2, 2)), ("n", [("x", "i2")])]),
    "objects": np.array([{"a": 1}, [1, 2], "text", None], dtype=object),
    "objects of objects": np.array([np.arange(3), np.arange(2)], dtype=object),
    "empty": np.zeros((0, 3)),
    "scalar array": np.array(3.5),
    "masked": np.ma.masked_array([1, 2, 3], [0, 1, 0]),
    "matrix of records": np.rec.array([(1, "a")], dtype=[("n", "i4"), ("s", "U3")]),
    "large": RNG.random(60_000),
    "void": np.zeros(3, "V5"),
    "mapped from a file": _mapped(),
    "scalar": np.float64(1.5),
    "integer scalar": np.int32(4),
    "text scalar": np.str_("a"),
    "date scalar": np.datetime64("2026-01-01"),
    "bool scalar": np.bool_(True),
    "dtype": np.dtype([("a", "<i4"), ("b", ">f8")]),
    "random state": np.random.RandomState(3),
    "generator": np.random.default_rng(3),
    "ufunc": np.add,
    "a function": np.mean,
    "polynomial": np.polynomial.Polynomial([1, 2]),
    "csr": sparse.random(10, 10, 0.2, format="csr", random_state=3),
    "csc": sparse.random(10, 10, 0.2, format="csc", random_state=3),
    "coo": sparse.random(10, 10, 0.2, format="coo", random_state=3),
    "dok": sparse.random(5, 5, 0.3, format="dok", random_state=3),
    "lil": sparse.random(5, 5, 0.3, format="lil", random_state=3),
    "a dictionary of arrays": {"w": RNG.random((3, 3)), "b": np.zeros(3), "meta": {"n": np.int64(3)}},
}


def _saved(write, value) -> bytes:
    out = io.BytesIO()
    write(out, value)
    return out.getvalue()


def samples() -> Iterator[Sample]:
    family = "numpy, scipy and joblib"
    for name, value in ARRAYS.items():
        for protocol in range(6):
            yield Sample(
                family,
                f"{name}, protocol {protocol}",
                "",
                {"array.pkl": pickle.dumps(value, protocol)},
                "quiet",
            )
        for compress in (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)):
            out = io.BytesIO()
            joblib.dump(value, out, compress=compress)
            yield Sample(family, f"{name}, joblib {compress}", "", {"model.joblib": out.getvalue()}, "quiet")
        if isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray):
            yield Sample(
                family,
                f"{name}, npy",
                "",
                {"a.npy": _saved(lambda out, v: np.save(out, v, allow_pickle=True), value)},
                "quiet",
            )
            yield Sample(
                family,
                f"{name}, npz",
                "",
                {"a.npz": _saved(lambda out, v: np.savez(out, x=v, y=np.arange(3)), value)},
                "quiet",
            )
            yield Sample(
                family,
                f"{name}, npz packed",
                "",
                {"a.npz": _saved(lambda out, v: np.savez_compressed(out, x=v), value)},
                "quiet",
            )
        if sparse.issparse(value) and value.format in {"csr", "csc", "coo"}:
            yield Sample(
                family, f"{name}, npz of scipy", "", {"a.npz": _saved(sparse.save_npz, value)}, "quiet"
            )
    many = io.BytesIO()
    np.save(many, np.arange(3))
    np.save(many, np.arange(4.0))
    yield Sample(family, "two arrays in one file", "", {"a.npy": many.getvalue()}, "quiet")
    mapped = {f"layer{n}": RNG.random((40, 40)) for n in range(10)}
    yield Sample(
        family,
        "joblib of ten arrays",
        "",
        {"model.joblib": _saved(lambda out, v: joblib.dump(v, out), mapped)},
        "quiet",
    )
