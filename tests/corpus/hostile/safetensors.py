"""Safetensors whose header lies, and what hides in the header or behind the tensors."""

import base64
import json
import struct
from collections.abc import Iterator

from tests.checks.models.building import Entry, elf, zipped
from tests.corpus.assemble import EVIL, EVIL_4
from tests.corpus.hostile.templates import ESCAPES
from tests.corpus.sample import Sample


def made(header: object, data: bytes = bytes(16), length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(start: int, end: int, shape: list[int], kind: str = "F32") -> dict:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


def samples() -> Iterator[Sample]:
    family = "safetensors"
    good = {"w": tensor(0, 16, [4])}
    odd = {
        "overlap": made({"a": tensor(0, 16, [4]), "b": tensor(8, 16, [2])}),
        "gap": made({"a": tensor(0, 4, [1]), "b": tensor(12, 16, [1])}),
        "gap at the start": made({"a": tensor(8, 16, [2])}),
        "tail": made(good, bytes(16) + b"x" * 100),
        "beyond the file": made({"w": tensor(0, 1600, [400])}),
        "backwards": made({"w": tensor(16, 0, [4])}),
        "negative": made({"w": tensor(-16, 0, [4])}),
        "huge offset": made({"w": tensor(0, 2**64, [2**62])}),
        "shape too large": made({"w": tensor(0, 16, [400])}),
        "shape overflows": made({"w": tensor(0, 16, [2**62, 16])}),
        "negative shape": made({"w": tensor(0, 16, [-4])}),
        "unknown dtype": made({"w": tensor(0, 16, [4], "EVIL")}),
        "float offsets": made({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0.0, 16.0]}}),
        "key twice": made(
            b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}'
        ),
        "inner key twice": made(b'{"w":{"dtype":"F32","dtype":"F64","shape":[4],"data_offsets":[0,16]}}'),
        "escaped key twice": made(
            b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"\\u0077":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
        ),
        "length of zero": made(good, length=0),
        "length beyond the file": made(good, length=10**6),
        "length huge": made(good, length=2**63),
        "header of 200 MB": made(good, length=200_000_000),
        "not JSON": made(b"{'w': 1}" + b" " * 8),
        "array": made(b"[]      "),
        "cut JSON": made(json.dumps(good).encode()[:-3]),
        "trailing JSON": made(json.dumps(good).encode() + b"{}"),
        "byte order mark": made(b"\xef\xbb\xbf" + json.dumps(good).encode()),
        "bad UTF-8": made(b'{"\xff":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'),
        "extra key": made({"w": {**tensor(0, 16, [4]), "code": "exec('pass')"}}),
        "metadata of numbers": made({"__metadata__": {"a": 1}, **good}),
        "metadata nested": made({"__metadata__": {"a": {"b": "c"}}, **good}),
        "NaN": made(b'{"w":{"dtype":"F32","shape":[NaN],"data_offsets":[0,16]}}'),
        "deep": made(b"[" * 50_000 + b"]" * 50_000),
        "cut in the header": made(good)[:20],
        "cut in the length": made(good)[:5],
        "cut in the data": made(good)[:-4],
    }
    weak = {
        "unknown dtype",
        "extra key",
        "metadata of numbers",
        "metadata nested",
        "inner key twice",
        "byte order mark",
        "cut in the length",
        "cut in the header",
        "cut in the data",
        "float offsets",
        "shape too large",
        "not JSON",
        "array",
        "NaN",
        "deep",
        "negative shape",
        "trailing JSON",
        "cut JSON",
        "length of zero",
        "length beyond the file",
        "bad UTF-8",
        "beyond the file",
    }
    mild = {"shape too large", "shape overflows", "unknown dtype"}
    for name, data in odd.items():
        yield Sample(
            family,
            name,
            "readers differ on what is where",
            {"model.safetensors": data},
            "medium" if name in mild else "not-checked" if name in weak else "high",
        )
    for name, data in {"pickle": EVIL, "pickle, protocol 4": EVIL_4}.items():
        yield Sample(
            family,
            f"{name} behind the tensors",
            "a second file in one",
            {"model.safetensors": made(good) + data},
        )
        yield Sample(
            family, f"{name} with the name", "torch.load goes by content", {"model.safetensors": data}
        )
        yield Sample(
            family,
            f"{name} in the metadata",
            "a tool unpickles it",
            {"model.safetensors": made({"__metadata__": {"state": data.decode("latin1")}, **good})},
        )
        yield Sample(
            family,
            f"{name} in the metadata, base64",
            "a tool unpickles it",
            {"model.safetensors": made({"__metadata__": {"state": base64.b64encode(data).decode()}, **good})},
        )
    yield Sample(
        family,
        "executable behind the tensors",
        "native code",
        {"model.safetensors": made(good) + elf() + bytes(300)},
    )
    yield Sample(
        family,
        "archive behind the tensors",
        "also a zip archive",
        {"model.safetensors": made(good) + zipped(Entry("data.pkl", EVIL))},
    )
    yield Sample(
        family,
        "archive with the name",
        "torch.load goes by content",
        {"model.safetensors": zipped(Entry("archive/data.pkl", EVIL))},
    )
    for name in ("class walk",):
        yield Sample(
            family,
            f"template in the metadata, {name}",
            "a tool renders it",
            {"model.safetensors": made({"__metadata__": {"chat_template": ESCAPES[name]}, **good})},
        )
    yield Sample(
        family,
        "credential in the metadata",
        "published with the model",
        {"model.safetensors": made({"__metadata__": {"aws": "AKIA" + "Z5XQ7WJ2K6RTN4PV"}, **good})},
    )
    for path in ("../../other.safetensors", "/etc/passwd"):
        index = {"metadata": {"total_size": 1}, "weight_map": {"w": path}}
        yield Sample(
            family,
            f"index to {path}",
            "the loader opens what the index names",
            {"model.safetensors.index.json": json.dumps(index).encode(), "model.safetensors": made(good)},
        )
    index = {"metadata": {"total_size": 1}, "weight_map": {"w": "evil.bin"}}
    yield Sample(
        family,
        "index to a pickle",
        "the loader opens what the index names",
        {"pytorch_model.bin.index.json": json.dumps(index).encode(), "evil.bin": EVIL},
    )
