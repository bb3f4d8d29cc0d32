"""Streams that break, lie, hide or bury: what ran before the end ran."""

import base64
import bz2
import gzip
import io
import lzma
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests.checks.models.building import NOISE
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
    pickled,
    push,
    stacked,
    text,
)
from tests.corpus.sample import Sample

HONEST = pickle.dumps({"weights": [0.5] * 20, "name": "net"}, 4)
CALL = call(SYSTEM, "true")
UNKNOWN = call(Global("acme.deploy.shell", "execute"), "true")

BROKEN = {
    "no end": b"",
    "an unknown opcode": b"\xff.",
    "a newline": b"\n",
    "text": b"not a pickle at all",
    "a stack underflow": b"0000.",
    "a cut argument": b"X\xff\0\0\0a",
    "a giant length": b"X\xff\xff\xff\x7f",
    "a giant eight-byte length": b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
    "a negative length": b"T\xff\xff\xff\xff.",
    "an unset memo": b"h\xfe.",
    "no mark": b"1.",
    "a bad integer": b"Iabc\n.",
    "a bad float": b"Fabc\n.",
    "a bad unicode": b"X\1\0\0\0\xff.",
    "BUILD on nothing": b"b.",
    "a call of a number": b"K\1)R.",
    "a missing module": b"cno.such.module\nx\n.",
    "zeros": bytes(64),
    "noise": NOISE[:200],
    "protocol 200": b"\x80\xc8.",
    "a frame beyond the end": b"\x95\xff\xff\0\0\0\0\0\0.",
    "an unhashable key": b"}]Ns.",
    "a second program": EVIL_TEXT,
    "7z magic": b"7z\xbc\xaf\x27\x1c\0\4",
    "zip magic": b"PK\3\4" + bytes(40),
}

BEFORE = {
    "nothing popped": b"N0",
    "numbers": b"K\x010" * 50,
    "two hundred thousand opcodes": b"N0" * 100_000,
    "a long list": b"](" + b"K\1" * 50_000 + b"e0",
    "a million bytes": blob(bytes(1_000_000)) + b"0",
    "three million bytes of noise": blob(NOISE * 366) + b"0",
    "text of half a million": text("a" * 500_000) + b"0",
    "deep marks": b"(" * 5000 + b"0" * 5000,
    "nested lists": b"]" * 1000 + b"a" * 999 + b"0",
    "memo full": b"".join(b"Nr" + struct.pack("<I", n) + b"0" for n in range(3000)),
    "proto again": b"\x80\2" * 20,
    "proto down": b"\x80\0",
    "proto up": b"\x80\5",
    "base-0 INT": b"I0x10\n0",
    "base-0 INT, octal": b"I0o17\n0",
    "base-0 INT, underscored": b"I1_000\n0",
    "base-0 LONG": b"L0x10L\n0",
    "LONG without L": b"L12\n0",
    "INT with blanks": b"I  7 \n0",
    "non-ASCII STRING": b"S'\xe9\xff'\n0",
    "bytes STRING": b"S'\\xff\\x00'\n0",
    "UTF-8 name": "ccollections\nOrderedDict\n0V\u00e9\n0".encode(),
    "a strange float": b"F 1e5 \n0Fnan\n0Finf\n0F1_0.5\n0",
    "empty LONG1": b"\x8a\x000",
    "LONG4 of nothing": b"\x8b\0\0\0\x000",
    "a frame of nothing": b"\x95\0\0\0\0\0\0\0\0",
    "carriage returns in an INT": b"I5\r\n0",
    "duplicated to death": b"N" + b"2" * 2000 + b"0" * 2001,
    "an honest dictionary": pickle.dumps({"a": [1, 2]}, 2)[2:-1] + b"0",
    "an honest array": named("numpy", "dtype") + many("f8", False, True) + b"R0",
    "a bytearray": b"\x96\3\0\0\0\0\0\0\0abc0",
    "zero-width mark": b"(1" * 100,
    "frozen": b"(\x910",
    "memoised thousands": b"N" + b"\x94" * 5000 + b"0",
}  # fmt: skip

ENDINGS = ("model.pkl", "readme.txt", "config.json", "image.png", "weights.safetensors", "model.onnx", "data.csv", "vocab", "model.gguf", "notes.md", "archive.zip", "model.h5", "model.keras", "a.npy", "a.npz", "tokenizer.model", "x.yaml", "x.py", "x.tflite", "x.pb", ".hidden", "x.pkl.bak", "x.mlmodel", "x.xml", "x.rds", "x.parquet", "x.tar", "x.gz", "x.pt2", "x.ipynb", "x.exe", "x.jpg", "x.PKL", "no extension", "x.msgpack", "x.html", "x.lock", "x.log", "x.cfg", "x.toml")  # fmt: skip


def samples() -> Iterator[Sample]:
    family = "pickle: broken and buried"
    for name, tail in BROKEN.items():
        for kind, body in (("system", CALL), ("unknown", UNKNOWN)):
            for protocol in (0, 2, 4):
                head = b"\x80" + bytes((protocol,)) if protocol else b""
                yield Sample(
                    family,
                    f"{kind}, then {name}, protocol {protocol}",
                    "what ran before the error ran",
                    {"model.pkl": head + body + tail},
                )
    for name, head in BEFORE.items():
        for kind, body in (("system", CALL), ("unknown", UNKNOWN)):
            yield Sample(
                family,
                f"{name}, then {kind}",
                "the call stands behind",
                {"model.pkl": b"\x80\4" + head + body + b"."},
            )
    for name in ENDINGS:
        for kind, data in (("protocol 2", EVIL), ("text", EVIL_TEXT), ("protocol 4", EVIL_4)):
            yield Sample("pickle: file names", f"{name}, {kind}", "a pickle under another name", {name: data})
    yield from _several()
    yield from _nested()
    yield from _frames()


def _several() -> Iterator[Sample]:
    family = "pickle: several streams"
    for count in (1, 2, 5, 40):
        for name, evil in (("system", EVIL), ("text", EVIL_TEXT), ("unknown", EVIL_UNKNOWN)):
            yield Sample(
                family,
                f"after {count}, {name}",
                "a loop of pickle.load comes to it",
                {"model.pkl": HONEST * count + evil},
            )
    for gap in (b"\n", b"\0", bytes(8), b"\r\n", bytes(512)):
        yield Sample(
            family,
            f"after a gap of {len(gap)} {gap[:1]!r}",
            "read after a seek",
            {"model.pkl": HONEST + gap + EVIL},
        )
    yield Sample(
        family,
        "after raw floats",
        "weights, then a pickle that a loader seeks",
        {"model.pkl": HONEST + struct.pack("<64f", *[0.5] * 64) + EVIL_4},
        "medium",
    )
    yield Sample(
        family, "between two honest ones", "the second of three", {"model.pkl": HONEST + EVIL + HONEST}
    )
    yield Sample(
        family, "a number, then evil", "a header of one number", {"model.pkl": pickle.dumps(7) + EVIL}
    )
    for number in (0, 1, 2, 3):
        yield Sample(
            family,
            f"None in protocol {number}",
            "an empty one first",
            {"model.pkl": pickle.dumps(None, number) + EVIL_TEXT},
        )


def _nested() -> Iterator[Sample]:
    family = "pickle: nested"
    carriers = {
        "bytes": lambda data: {"state": data},
        "list": lambda data: [1, [data]],
        "base64 text": lambda data: {"state": base64.b64encode(data).decode()},
        "urlsafe text": lambda data: {"state": base64.urlsafe_b64encode(data).decode()},
        "base64 bytes": lambda data: {"state": base64.b64encode(data)},
        "hex text": lambda data: {"state": data.hex()},
        "zlib": lambda data: {"state": zlib.compress(data)},
        "gzip": lambda data: {"state": gzip.compress(data, mtime=0)},
        "bz2": lambda data: {"state": bz2.compress(data)},
        "lzma": lambda data: {"state": lzma.compress(data)},
        "base64 of zlib": lambda data: {"state": base64.b64encode(zlib.compress(data)).decode()},
        "latin1 text": lambda data: {"state": data.decode("latin1")},
        "pickle in pickle": lambda data: {"state": pickle.dumps({"inner": data})},
        "bytearray": bytearray,
    }
    for name, carry in carriers.items():
        for kind, evil in (("system", EVIL), ("exec, protocol 4", EVIL_4), ("unknown", EVIL_UNKNOWN)):
            for protocol in (2, 4, 5):
                yield Sample(
                    family,
                    f"{kind} in {name}, protocol {protocol}",
                    "a class unpickles what it carries",
                    {"model.pkl": pickle.dumps(carry(evil), protocol)},
                )
    loaders = [
        ("pickle", "loads"),
        ("_pickle", "loads"),
        ("torch.storage", "_load_from_bytes"),
        ("dill", "loads"),
        ("cloudpickle", "loads"),
        ("joblib.externals.cloudpickle", "loads"),
        ("acme.io", "restore"),
    ]
    for module, function in loaders:
        yield Sample(
            family,
            f"{module}.{function}",
            "a second unpickler",
            {"model.pkl": pickled(call(Global(module, function), EVIL), 3)},
        )
        if module != "torch.storage":
            yield Sample(
                family,
                f"{module}.{function} of an honest one",
                "a second unpickler",
                {"model.pkl": pickled(call(Global(module, function), HONEST), 3)},
            )
    yield Sample(
        family,
        "object scalar",
        "numpy scalar of objects",
        {
            "model.pkl": pickled(
                call(Global("numpy.core.multiarray", "scalar"), Global("numpy", "dtype"), EVIL), 3
            )
        },
    )
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("data.pkl", EVIL)
    yield Sample(
        family,
        "zip in a pickle",
        "a torch archive in a pickle's bytes",
        {"model.pkl": pickle.dumps({"model": zipped.getvalue()}, 4)},
    )
    booster = new(Global("xgboost.core", "Booster")) + b"}" + text("handle") + blob(EVIL) + b"sb"
    yield Sample(
        family, "handle", "bytes where a booster keeps its model", {"model.pkl": pickled(booster, 3)}
    )


def _frames() -> Iterator[Sample]:
    family = "pickle: frames and protocols"
    body = stacked("os", "system") + many("true") + b"R."
    for name, data in {
        "frame too short": b"\x80\4\x95\3\0\0\0\0\0\0\0" + body,
        "frame too long": b"\x80\4\x95\xff\0\0\0\0\0\0\0" + body,
        "frame of nothing": b"\x80\4\x95\0\0\0\0\0\0\0\0" + body,
        "frame in a frame": b"\x80\4\x95\x40\0\0\0\0\0\0\0\x95\x30\0\0\0\0\0\0\0" + body,
        "no frame": b"\x80\4" + body,
        "protocol 5": b"\x80\5" + body,
        "no protocol": body,
        "protocol twice": b"\x80\2\x80\4" + body,
        "frame ends in an opcode": b"\x80\4\x95\2\0\0\0\0\0\0\0" + body,
        "frame huge": b"\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\x7f" + body,
        "protocol 6": b"\x80\6" + body,
        "protocol 255": b"\x80\xff" + body,
        "byte order mark": b"\xef\xbb\xbf" + body,
    }.items():
        expect = (
            "medium" if name in {"protocol 6", "protocol 255", "byte order mark", "frame huge"} else "high"
        )
        yield Sample(family, name, "frames as no writer makes them", {"model.pkl": data}, expect)
    # Python 2's names run under Python 3 because the unpickler renames them.
    for module, function in (
        ("__builtin__", "eval"),
        ("__builtin__", "execfile"),
        ("__builtin__", "apply"),
        ("commands", "getoutput"),
        ("urllib2", "urlopen"),
        ("cPickle", "loads"),
        ("copy_reg", "add_extension"),
        ("exceptions", "eval"),
        ("UserDict", "eval"),
        ("Queue", "system"),
        ("httplib", "HTTPConnection"),
        ("tkFileDialog", "askopenfile"),
        ("dbhash", "open"),
        ("whichdb", "whichdb"),
        ("anydbm", "open"),
        ("itertools", "imap"),
        ("urllib", "urlretrieve"),
        ("os", "getcwdu"),
        ("socket", "fromfd"),
        ("_multiprocessing", "Connection"),
        ("multiprocessing.process", "Process"),
        ("StringIO", "open"),
        ("robotparser", "urlopen"),
        ("xmlrpclib", "loads"),
        ("thread", "start_new_thread"),
        ("dummy_thread", "start_new_thread"),
        ("Tkinter", "Tk"),
        ("SocketServer", "TCPServer"),
        ("test.test_support", "run_unittest"),
        ("FileDialog", "test"),
        ("__main__", "exec_it"),
        ("sets", "os.system"),
    ):
        data = pickled(named(module, function) + many("true") + b"R", 1)
        yield Sample(family, f"old name {module}.{function}", "renamed below protocol 3", {"model.pkl": data})
    for name in (
        "path.os.system",
        "sys.modules",
        "environ.copy",
        "PathLike.__subclasses__",
        "system.__call__",
        "__dict__.get",
        "popen.__globals__",
        "path.join.__globals__.get",
    ):
        for form in ("short", "X", "S"):
            data = pickled(text("os", form) + text(name, form) + b"\x93" + many("true") + b"R", 4)
            yield Sample(family, f"dotted os {name}, {form}", "a dotted name walks", {"model.pkl": data})
    for module, name in (
        ("numpy", "os.system"),
        ("collections", "abc.sys.modules"),
        ("torch", "os.system"),
        ("collections", "OrderedDict.__init__.__class__"),
        ("random", "_os.system"),
        ("numpy", "lib.npyio.os.system"),
        ("sklearn", "os.system"),
        ("joblib", "os.popen"),
        ("torch.nn", "modules.module.torch.hub.load"),
        ("builtins", "str.__class__.__base__.__subclasses__"),
        ("pathlib", "os.system"),
        ("uuid", "os.system"),
        ("datetime", "sys.modules.get"),
        ("re", "sys.modules.get"),
        ("functools", "partial.__new__"),
        ("torch._utils", "torch.load"),
        ("numpy.core.multiarray", "sys.modules"),
    ):
        yield Sample(
            family,
            f"dotted {module} {name}",
            "a dotted name walks",
            {"model.pkl": pickled(stacked(module, name) + many("true") + b"R", 4)},
        )
        yield Sample(
            family,
            f"dotted {module} {name}, left",
            "a dotted name walks",
            {"model.pkl": pickled(push([1]) + b"0" + stacked(module, name), 4)},
        )
    yield Sample(
        family,
        "giant memo index",
        "memory by one opcode",
        {"model.pkl": pickled(b"Nr\xff\xff\xff\x7f", 2)},
        "medium",
    )
    yield Sample(
        family,
        "giant text memo index",
        "memory by one opcode",
        {"model.pkl": pickled(b"Np2000000000\n", 0)},
        "medium",
    )
    yield Sample(
        family,
        "giant bytes",
        "a length of four exabytes",
        {"model.pkl": b"\x80\4\x8e\xff\xff\xff\xff\xff\xff\xff\x3f."},
        "not-checked",
    )
