"""Names and code that stand nowhere in the file: honest calls put them together while it loads."""

import base64
import codecs
import pickle
import zlib
from collections.abc import Iterator

from tests.corpus.assemble import Call, Global, Raw, call, many, named, pickled, push, text
from tests.corpus.sample import Sample

G = Global


def c(module: str, name: str, *args: object) -> Call:
    return Call(G(module, name), args)


def bound(value: object, name: str, *args: object) -> Call:
    return Call(Call(G("builtins", "getattr"), (value, name)), args)


# Each of these is "system" once it is loaded.
MADE = {
    "operator.add": c("operator", "add", "sys", "tem"),
    "operator.concat": c("_operator", "concat", "sys", "tem"),
    "operator.mod": c("operator", "mod", "%stem", "sys"),
    "operator.getitem": c("operator", "getitem", "a system", Call(G("builtins", "slice"), (2, 8))),
    "str.join": c("builtins", "str.join", "", ["sys", "tem"]),
    "str.replace": c("builtins", "str.replace", "sXstem", "X", "y"),
    "str.lower": c("builtins", "str.lower", "SYSTEM"),
    "str.format": c("builtins", "str.format", "{}tem", "sys"),
    "str.translate": c("builtins", "str.translate", "sYstem", {89: "y"}),
    "str of bytes": c("builtins", "str", b"system", "utf8"),
    "format": c("builtins", "format", "system", ""),
    "max": c("builtins", "max", ["a", "system"]),
    "min of a set": c("builtins", "min", ("system", "t")),
    "next of iter": c("builtins", "next", c("builtins", "iter", ["system"])),
    "sum of text": c("functools", "reduce", G("operator", "add"), ["sys", "tem"]),
    "bytes.decode": c("builtins", "bytes.decode", b"system"),
    "codecs.decode": c("codecs", "decode", b"system", "utf8"),
    "codecs rot13": c("codecs", "decode", "flfgrz", "rot13"),
    "_codecs.utf_8_decode": c("operator", "getitem", c("_codecs", "utf_8_decode", b"system"), 0),
    "_codecs.escape_decode": c("operator", "getitem", c("_codecs", "escape_decode", b"sys\\x74em"), 0),
    "_codecs.encode to bytes": c("builtins", "str", c("_codecs", "encode", "system", "latin1"), "latin1"),
    "base64": c("base64", "b64decode", base64.b64encode(b"system").decode()),
    "binascii": c("binascii", "unhexlify", "73797374656d"),
    "bytes.fromhex": c("builtins", "bytes.fromhex", "73797374656d"),
    "zlib": c("zlib", "decompress", zlib.compress(b"system")),
    "bytearray": c("builtins", "str", c("builtins", "bytearray", [115, 121, 115, 116, 101, 109]), "ascii"),
    "bytes of a list": c("builtins", "str", c("builtins", "bytes", [115, 121, 115, 116, 101, 109]), "ascii"),
    "array": c("array", "array", "u", "system"),
    "basename": c("posixpath", "basename", "/a/system"),
    "normpath": c("os.path", "normpath", "a/../system"),
    "splitext": c("operator", "getitem", c("posixpath", "splitext", "system.py"), 0),
    "unquote": c("urllib.parse", "unquote", "sys%74em"),
    "html.unescape": c("html", "unescape", "sys&#116;em"),
    "json": c("json", "loads", '"system"'),
    "literal_eval": c("ast", "literal_eval", "'sys' 'tem'"),
    "re.sub": c("re", "sub", "X", "y", "sXstem"),
    "struct": c("struct", "pack", "6s", b"system"),
    "textwrap": c("textwrap", "dedent", " system"),
    "capwords": c("builtins", "str.lower", c("string", "capwords", "system")),
    "unicodedata": c("unicodedata", "normalize", "NFKC", "\uff53ystem"),
    "numpy str_": c("numpy", "str_", "system"),
    "numpy scalar": c("numpy.core.multiarray", "scalar", c("numpy", "dtype", "U6", False, True), "system".encode("utf-32-le")),
    "uuid": c("builtins", "str", c("uuid", "UUID", "73797374-656d-0000-0000-000000000000")),
    "PurePath": c("builtins", "str", c("pathlib", "PurePosixPath", "system")),
    "fractions": c("builtins", "chr", 115),
    "a name read from os": c("operator", "getitem", c("dir", "dir"), 0),
    "sorted dir": c("builtins", "next", c("builtins", "reversed", c("builtins", "sorted", c("builtins", "dir", G("os", "path"))))),
    "a docstring's part": c("operator", "getitem", Raw(named("os", "__doc__")), 3),
    "a module's name": Raw(named("os", "__name__")),
    "random.choice": c("random", "choice", ["system"]),
    "configparser": c("os", "getenv", "HOME"),
    "Decimal": c("builtins", "str", c("decimal", "Decimal", "1")),
    "Counter key": c("builtins", "next", c("builtins", "iter", c("collections", "Counter", ["system"]))),
    "OrderedDict popitem": c("collections", "OrderedDict.popitem", c("collections", "OrderedDict", [["system", 1]])),
    "ChainMap": c("operator", "getitem", c("collections", "ChainMap", {"a": "system"}), "a"),
    "partial of str.join": Call(Call(G("functools", "partial"), (G("builtins", "str.join"), "")), (["sys", "tem"],)),
    "itemgetter": Call(c("operator", "itemgetter", 0), (["system"],)),
    "methodcaller": Call(c("operator", "methodcaller", "lower"), ("SYSTEM",)),
    "getattr of a str": bound("SYSTEM", "lower"),
    "email quopri": c("quopri", "decodestring", "sys=74em"),
    "gzip": c("gzip", "decompress", b"a"),
    "bz2": c("bz2", "decompress", b"a"),
    "encodings.punycode": c("codecs", "decode", b"system-", "punycode"),
}  # fmt: skip

# Code that stands in the file in no readable form, given to something that runs it.
CODE = "import os"
PACKED = {
    "base64": Call(G("base64", "b64decode"), (base64.b64encode(CODE.encode()).decode(),)),
    "zlib": Call(G("zlib", "decompress"), (zlib.compress(CODE.encode()),)),
    "hex": Call(G("binascii", "unhexlify"), (CODE.encode().hex(),)),
    "rot13": Call(G("codecs", "decode"), (codecs.encode(CODE, "rot13"), "rot13")),
    "marshal": Call(G("marshal", "loads"), (b"\xe3" + bytes(20),)),
    "pickle": Call(G("pickle", "loads"), (pickle.dumps(CODE, 4),)),
    "_codecs": Call(G("_codecs", "encode"), (CODE, "latin1")),
}


def samples() -> Iterator[Sample]:
    family = "pickle: names made while loading"
    for name, value in MADE.items():
        stacked = text("os", "short") + push(value) + b"\x93" + many("true") + b"R"
        yield Sample(
            family,
            f"{name}, stack global",
            "a computed name is imported and called",
            {"model.pkl": pickled(stacked, 4)},
        )
        module = push(value) + text("system", "short") + b"\x93" + many("true") + b"R"
        yield Sample(
            family, f"{name}, module", "a computed module is imported", {"model.pkl": pickled(module, 4)}
        )
        got = call(
            Call(G("builtins", "getattr"), (Call(G("importlib", "import_module"), ("os",)), value)), "true"
        )
        yield Sample(
            family, f"{name}, getattr", "a computed attribute is called", {"model.pkl": pickled(got, 4)}
        )
        gadget = call(G("acme.plugins", "load"), value)
        yield Sample(
            family,
            f"{name}, unknown callee",
            "an unknown function gets computed text",
            {"model.pkl": pickled(gadget, 4)},
        )
    for name, value in PACKED.items():
        for module, function in (
            ("builtins", "exec"),
            ("builtins", "eval"),
            ("acme.runner", "evaluate"),
            ("timeit", "timeit"),
        ):
            yield Sample(
                family,
                f"packed {name}, {module}.{function}",
                "code that is unpacked while it loads",
                {"model.pkl": pickled(call(G(module, function), value), 4)},
            )
    escapes = {
        "octal": b"S'\\163ystem'\n",
        "hexadecimal": b"S'\\x73ystem'\n",
        "double quotes": b'S"system"\n',
        "unicode escape": b"V\\u0073ystem\n",
        "long unicode escape": b"V\\U00000073ystem\n",
        "binary string": b"T\x06\0\0\0system",
        "short binary string": b"U\x06system",
        "long length": b"\x8d\x06\0\0\0\0\0\0\0system",
    }
    for name, code in escapes.items():
        body = text("os") + code + b"\x93" + many("true") + b"R"
        yield Sample(family, f"escaped, {name}", "the name is escaped", {"model.pkl": pickled(body, 4)})
