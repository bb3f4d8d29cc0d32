"""PyTorch's checkpoints: zip archives, five old streams, the tar of before, and the tensors themselves."""

import bz2
import io
import pickle
import struct
import tarfile
from collections.abc import Iterator

from tests.checks.models.building import NOISE, Entry, elf, zipped
from tests.corpus.assemble import (
    EVIL,
    EVIL_4,
    EVIL_TEXT,
    EVIL_UNKNOWN,
    SYSTEM,
    Call,
    Global,
    Raw,
    call,
    new,
    pickled,
    push,
    text,
)
from tests.corpus.sample import Sample

G = Global
PAYLOADS = {"system": EVIL, "text": EVIL_TEXT, "exec": EVIL_4, "unknown": EVIL_UNKNOWN}
HONEST = pickled(b"}", 2)
ORDERED = call(G("collections", "OrderedDict"))


def persistent(key: str = "0", count: int = 4, kind: str = "FloatStorage", device: str = "cpu") -> Raw:
    return Raw(push(("storage", G("torch", kind), key, device, count)) + b"Q")


def tensor(
    storage: Raw, offset: int = 0, size: tuple = (2, 2), stride: tuple = (2, 1), hooks: bytes = ORDERED
) -> Raw:
    return Raw(
        call(G("torch._utils", "_rebuild_tensor_v2"), storage, offset, size, stride, False, Raw(hooks))
    )


def checkpoint(data: bytes, root: str = "archive", **members: bytes) -> bytes:
    entries = [
        Entry(f"{root}/data.pkl", data),
        Entry(f"{root}/data/0", bytes(16)),
        Entry(f"{root}/version", b"3\n"),
    ]
    return zipped(*entries, *(Entry(f"{root}/{name}", body) for name, body in members.items()))


def legacy(*streams: bytes, storages: bytes = b"") -> bytes:
    usual = [
        pickle.dumps(0x1950A86A20F9469CFC6C, 2),
        pickle.dumps(1001, 2),
        pickle.dumps(
            {
                "protocol_version": 1001,
                "little_endian": True,
                "type_sizes": {"short": 2, "int": 4, "long": 4},
            },
            2,
        ),
        pickled(push({"a": tensor(persistent())}), 2),
        pickle.dumps(["0"], 2),
    ]
    merged = [given or use for given, use in zip((*streams, *[b""] * 5), usual, strict=False)]
    return b"".join(merged[:5]) + (storages or struct.pack("<q4f", 4, 1, 2, 3, 4))


def tar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def samples() -> Iterator[Sample]:
    family = "torch"
    for kind, evil in PAYLOADS.items():
        archives = {
            "data.pkl": checkpoint(evil),
            "another root": checkpoint(evil, "model_best"),
            "no root": zipped(Entry("data.pkl", evil), Entry("version", b"3\n")),
            "deep root": checkpoint(evil, "a/b/c"),
            "an extra pickle": checkpoint(HONEST, **{"extra/optimizer.pkl": evil}),
            "a member without extension": checkpoint(HONEST, meta=evil),
            "in a storage": checkpoint(HONEST, **{"data/1": evil}),
            "in a text member": checkpoint(HONEST, **{"readme.txt": evil}),
            "in constants": checkpoint(HONEST, **{"constants.pkl": evil}),
            "in .data": checkpoint(HONEST, **{".data/serialization_id": evil}),
            "in byteorder": checkpoint(HONEST, byteorder=evil),
            "duplicate, evil first": zipped(
                Entry("archive/data.pkl", evil), Entry("archive/data.pkl", HONEST)
            ),
            "duplicate, evil last": zipped(
                Entry("archive/data.pkl", HONEST), Entry("archive/data.pkl", evil)
            ),
            "duplicate by case": zipped(Entry("archive/data.pkl", HONEST), Entry("archive/DATA.PKL", evil)),
            "deflated": zipped(Entry("archive/data.pkl", evil, method=8)),
            "bad crc": zipped(Entry("archive/data.pkl", evil, central={"crc": 1}, local={"crc": 1})),
            "encrypted flag": zipped(Entry("archive/data.pkl", evil, flags=1)),
            "encrypted flag in the directory": zipped(Entry("archive/data.pkl", evil, central={"flags": 1})),
            "encrypted flag in the header": zipped(Entry("archive/data.pkl", evil, local={"flags": 1})),
            "another name in the header": zipped(
                Entry("archive/data.pkl", evil, local={"name": b"archive/notes.md"})
            ),
            "another name in the directory": zipped(
                Entry("archive/data.pkl", evil, central={"name": b"archive/notes.md"})
            ),
            "another method in the directory": zipped(Entry("archive/data.pkl", evil, central={"method": 8})),
            "size of zero in the header": zipped(
                Entry("archive/data.pkl", evil, local={"size": 0, "packed": 0})
            ),
            "size of zero in the directory": zipped(
                Entry("archive/data.pkl", evil, central={"size": 0, "packed": 0})
            ),
            "size too large in the directory": zipped(
                Entry("archive/data.pkl", evil, central={"size": 1 << 30, "packed": 1 << 30})
            ),
            "behind a prefix": zipped(
                Entry("archive/data.pkl", evil), prefix=b"GIF89a" + bytes(50), absolute=True
            ),
            "behind a prefix, relative": zipped(
                Entry("archive/data.pkl", evil), prefix=b"#!/bin/sh\n" + bytes(50), absolute=False
            ),
            "behind an honest archive": checkpoint(HONEST) + checkpoint(evil),
            "before an honest archive": checkpoint(evil) + checkpoint(HONEST),
            "not in the directory": zipped(
                Entry("archive/data.pkl", HONEST), Entry("archive/data.pkl", evil, hidden=True)
            ),
            "no end record": zipped(Entry("archive/data.pkl", evil), end=False),
            "a wrong count": zipped(Entry("archive/data.pkl", HONEST), Entry("archive/a.pkl", evil), count=1),
            "a long comment": zipped(Entry("archive/data.pkl", evil), comment=b"PK\5\6" + bytes(60)),
            "a directory's name": zipped(Entry("archive/data.pkl/", evil)),
            "a name with NUL": zipped(Entry(b"archive/data.pkl\0.txt", evil)),
            "a name of backslashes": zipped(Entry("archive\\data.pkl", evil)),
            "in another archive": checkpoint(HONEST, **{"data/1": checkpoint(evil)}),
            "pickle before the archive": evil + checkpoint(HONEST),
            "pickle after the archive": checkpoint(HONEST) + evil,
            "method 99": zipped(Entry("archive/data.pkl", evil, method=99, packed=evil)),
            "method 12": zipped(Entry("archive/data.pkl", evil, method=12, packed=bz2.compress(evil))),
            "method 14": zipped(
                Entry("archive/data.pkl", evil, method=14, packed=b"\x09\4\5\0]\0\0\x80\0" + evil)
            ),
            "cut": checkpoint(evil)[:-30],
            "cut in the member": zipped(Entry("archive/data.pkl", evil + NOISE))[: len(evil) + 80],
        }
        for name, data in archives.items():
            weak = name.startswith(("method", "encrypted flag", "size too", "another method")) or (
                name == "in byteorder"
            )
            expect = "not-checked" if weak else "medium" if name == "pickle after the archive" else "high"
            yield Sample(
                family, f"{name}, {kind}", "torch.load(weights_only=False)", {"model.pt": data}, expect
            )
        for ending in ("pth", "bin", "ckpt", "th", "model", "zip", "safetensors", "dat"):
            yield Sample(
                family,
                f"model.{ending}, {kind}",
                "torch.load goes by content",
                {f"model.{ending}": checkpoint(evil)},
            )
        for index, where in enumerate(("magic", "version", "system info", "object", "keys")):
            streams = [b""] * 5
            streams[index] = evil
            yield Sample(
                "torch: old formats",
                f"five streams, {where}, {kind}",
                "torch.load reads five pickles",
                {"model.pth": legacy(*streams)},
            )
        yield Sample(
            "torch: old formats",
            f"five streams, a sixth, {kind}",
            "read as one more pickle",
            {"model.pth": legacy(storages=evil)},
        )
        for member in ("pickle", "storages", "tensors", "sys_info"):
            members = {
                "sys_info": pickle.dumps({}, 2),
                "pickle": HONEST,
                "storages": pickle.dumps(0, 2),
                "tensors": pickle.dumps(0, 2),
            }
            members[member] = evil
            yield Sample(
                "torch: old formats",
                f"tar, {member}, {kind}",
                "torch.load of the format before 0.1.10",
                {"model.pt": tar(members)},
            )
    yield from _objects()
    yield from _tensors()


def _objects() -> Iterator[Sample]:
    family = "torch: modules and hooks"
    good = tensor(persistent())
    hooked = Raw(call(G("collections", "OrderedDict"), [[1, SYSTEM]]))
    partial = Call(G("functools", "partial"), (SYSTEM, "true"))
    module = G("torch.nn.modules.linear", "Linear")
    objects = {
        "backward hooks": tensor(persistent(), hooks=hooked.code),
        "parameter's hooks": Call(G("torch._utils", "_rebuild_parameter"), (good, True, hooked)),
        "parameter with state": Call(
            G("torch._utils", "_rebuild_parameter_with_state"),
            (good, True, Raw(ORDERED), {"__class__": SYSTEM}),
        ),
        "rebuild from type": Call(
            G("torch._tensor", "_rebuild_from_type_v2"), (SYSTEM, G("torch", "Tensor"), ("true",), {})
        ),
        "rebuild from type of a partial": Call(
            G("torch._tensor", "_rebuild_from_type_v2"), (partial, G("torch", "Tensor"), (), {})
        ),
        "rebuild from type, old": Call(
            G("torch._tensor", "_rebuild_from_type"), (SYSTEM, G("torch", "Tensor"), ("true",), {})
        ),
        "wrapper subclass": Call(
            G("torch._utils", "_rebuild_wrapper_subclass"), (SYSTEM, "true", 1, 2, 3, 4, 5, 6)
        ),
        "device tensor from numpy": Call(
            G("torch._utils", "_rebuild_device_tensor_from_numpy"), (SYSTEM, "a", "cpu", False)
        ),
        "forward hooks": Raw(new(module) + push({"_forward_hooks": hooked}) + b"b"),
        "forward": Raw(new(module) + push({"forward": partial}) + b"b"),
        "state hooks": Raw(new(module) + push({"_load_state_dict_post_hooks": hooked}) + b"b"),
        "buffers": Raw(new(module) + push({"_buffers": {"a": partial}}) + b"b"),
        "a storage's type": Raw(push(("storage", SYSTEM, "0", "cpu", 4)) + b"Q"),
        "a storage's location": Raw(push(("storage", G("torch", "FloatStorage"), "0", partial, 4)) + b"Q"),
        "load from bytes": Call(G("torch.storage", "_load_from_bytes"), (EVIL,)),
        "load from a checkpoint in bytes": Call(G("torch.storage", "_load_from_bytes"), (checkpoint(EVIL),)),
        "load from old streams in bytes": Call(
            G("torch.storage", "_load_from_bytes"), (legacy(b"", b"", b"", EVIL),)
        ),
        "state of a checkpoint in bytes": {"epoch": 1, "state": checkpoint(EVIL)},
        "reduce graph module": Call(
            G("torch.fx.graph_module", "reduce_graph_module"),
            ({"_code": "import os\nos.system('true')\ndef forward(self): pass"}, ""),
        ),
        "reduce package graph module": Call(
            G("torch.fx.graph_module", "reduce_package_graph_module"), (SYSTEM, {}, "a")
        ),
        "unpickler of shared memory": Call(
            G("torch.multiprocessing.reductions", "rebuild_storage_fd"), (G("torch", "UntypedStorage"), 3, 4)
        ),
        "shared memory file": Call(
            G("torch.multiprocessing.reductions", "rebuild_storage_filename"),
            (G("torch", "UntypedStorage"), "/tmp/a", "b", 4),
        ),
        "a dtype that is none": Call(G("torch", "system"), ("true",)),
        "a torch function": Call(G("torch", "save"), ({}, "/tmp/a")),
        "a torch function, from_file": Call(G("torch", "from_file"), ("/etc/passwd", False, 4)),
        "a module from source": Raw(push(("module", G("acme", "Net"), "/tmp/net.py", "import os")) + b"Q"),
        "set item on a tensor's class": Raw(push(G("torch", "Tensor")) + text("a") + b"Ns"),
        "build on a tensor's class": Raw(push(G("torch", "Tensor")) + push({"__repr__": SYSTEM}) + b"b"),
        "set items on a tensor": Raw(good.code + text("a") + b"Ns"),
        "append to a tensor": Raw(good.code + b"K\1a"),
        "state for a tensor": Raw(good.code + push({"__setstate__": SYSTEM}) + b"b" + text("true") + b"b"),
    }
    for name, value in objects.items():
        body = pickled(push({"model": value}), 2)
        expect = "medium" if name == "a module from source" else "high"
        yield Sample(
            family, f"{name}, zip", "torch.load(weights_only=False)", {"model.pt": checkpoint(body)}, expect
        )
        yield Sample(
            family,
            f"{name}, five streams",
            "torch.load(weights_only=False)",
            {"model.pth": legacy(b"", b"", b"", body)},
            expect,
        )


def _tensors() -> Iterator[Sample]:
    family = "torch: tensors that lie"
    rebuild = "_rebuild_tensor_v2"
    lies = {
        "size beyond the storage": tensor(persistent(), 0, (2000, 2000), (2000, 1)),
        "offset beyond the storage": tensor(persistent(), 10_000),
        "negative offset": tensor(persistent(), -100),
        "stride beyond the storage": tensor(persistent(), 0, (2, 2), (100_000, 1)),
        "negative stride": tensor(persistent(), 0, (2, 2), (-2, -1)),
        "negative size": tensor(persistent(), 0, (-2, 2)),
        "sizes that overflow": tensor(persistent(), 0, (2**33, 2**33), (2**33, 1)),
        "storage larger than its member": tensor(persistent(count=100_000), 0, (100_000,), (1,)),
        "storage of negative count": tensor(persistent(count=-1)),
        "sparse indices": Raw(
            call(
                G("torch._utils", "_rebuild_sparse_tensor"),
                G("torch", "sparse_coo"),
                (tensor(persistent()), tensor(persistent()), (2**40, -1)),
            )
        ),
    }
    for name, value in lies.items():
        data = pickled(push({"w": value}), 2)
        expect = "not-checked" if name == "sparse indices" else "medium"
        yield Sample(
            family, name, f"{rebuild} reads outside its storage", {"model.pt": checkpoint(data)}, expect
        )
    yield Sample(
        family,
        "an executable in a storage's place",
        "native code in an extra member",
        {"model.pt": checkpoint(HONEST, **{"lib/ops.so": elf() + NOISE})},
    )
