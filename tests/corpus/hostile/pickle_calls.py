"""A few callables by every way in which opcodes can come to call them."""

import struct
from collections.abc import Callable, Iterator

from tests.corpus.assemble import Global, blob, call, many, named, new, pickled, push, stacked, text
from tests.corpus.sample import Sample

TARGETS = (
    ("os", "system", "true"),
    ("builtins", "exec", "pass"),
    ("subprocess", "getoutput", "true"),
    ("runpy", "run_path", "a.py"),
    ("numpy.testing._private.utils", "runstring", "pass"),
    ("acme.deploy.shell", "execute", "true"),
)
LINEAR = Global("torch.nn.modules.linear", "Linear")
STEP = Global("collections", "OrderedDict")


def memo(module: str, name: str, arg: str, put: bytes, get: bytes) -> bytes:
    return named(module, name) + put + b"0" + get + many(arg) + b"R"


def state(**attributes: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in attributes.items()) + b"u"


FORMS: dict[str, tuple[int, Callable[[str, str, str], bytes]]] = {
    "reduce, text": (0, lambda m, n, a: named(m, n) + b"(S'" + a.encode() + b"'\ntR"),
    "reduce, unicode": (0, lambda m, n, a: named(m, n) + b"(V" + a.encode() + b"\ntR"),
    "reduce, protocol 1": (1, lambda m, n, a: named(m, n) + b"(" + text(a, "U") + b"tR"),
    "reduce, tuple1": (2, lambda m, n, a: named(m, n) + text(a) + b"\x85R"),
    "reduce, tuple1 in protocol 0": (0, lambda m, n, a: named(m, n) + text(a) + b"\x85R"),
    "reduce, tuple2": (2, lambda m, n, a: named(m, n) + text(a) + b"}\x86R"),
    "reduce, tuple3": (2, lambda m, n, a: named(m, n) + text(a) + b"}}\x87R"),
    "reduce, no argument": (2, lambda m, n, a: named(m, n) + b")R"),
    "reduce, empty marked tuple": (2, lambda m, n, a: named(m, n) + b"(tR"),
    "reduce, the arguments come first": (2, lambda m, n, a: many(a) + b"q\x000" + named(m, n) + b"h\0R"),
    "reduce, the tuple is memoised": (2, lambda m, n, a: named(m, n) + many(a) + b"q\0R"),
    "reduce, function from the memo": (2, lambda m, n, a: memo(m, n, a, b"q\5", b"h\5")),
    "reduce, function from a long memo": (2, lambda m, n, a: memo(m, n, a, b"r\0\1\0\0", b"j\0\1\0\0")),
    "reduce, function from a text memo": (0, lambda m, n, a: memo(m, n, a, b"p77\n", b"g77\n")),
    "reduce, text memo in hexadecimal": (0, lambda m, n, a: memo(m, n, a, b"p16\n", b"g 16\n")),
    "reduce, memo of mixed kinds": (2, lambda m, n, a: memo(m, n, a, b"p5\n", b"h\5")),
    "reduce, memoize": (4, lambda m, n, a: named(m, n) + b"\x940h\0" + many(a) + b"R"),
    "reduce, memo overwritten": (
        2,
        lambda m, n, a: push(STEP) + b"q\1" + named(m, n) + b"q\0010" + b"0h\1" + many(a) + b"R",
    ),
    "reduce, duplicated": (2, lambda m, n, a: named(m, n) + b"2" + many(a) + b"R"),
    "reduce, junk popped between": (2, lambda m, n, a: named(m, n) + b"N0K\x010" + many(a) + b"R"),
    "reduce, pop mark between": (2, lambda m, n, a: named(m, n) + b"(NNN1" + many(a) + b"R"),
    "reduce, pop a mark": (2, lambda m, n, a: named(m, n) + b"(0" + many(a) + b"R"),
    "reduce, deep in a list": (2, lambda m, n, a: b"](](](" + named(m, n) + many(a) + b"Reee"),
    "reduce, as a key": (2, lambda m, n, a: b"}" + named(m, n) + many(a) + b"RNs"),
    "reduce, as a value": (2, lambda m, n, a: b"}" + text("epoch") + named(m, n) + many(a) + b"Rs"),
    "reduce, thrown away": (2, lambda m, n, a: named(m, n) + many(a) + b"R0}"),
    "reduce, in a frozen set": (4, lambda m, n, a: b"(" + named(m, n) + many(a) + b"R\x91"),
    "reduce, added to a set": (4, lambda m, n, a: b"\x8f(" + named(m, n) + many(a) + b"R\x90"),
    "reduce, in a list by APPEND": (0, lambda m, n, a: b"(l" + named(m, n) + many(a) + b"Ra"),
    "reduce, in a dict by DICT": (0, lambda m, n, a: b"(" + text("a") + named(m, n) + many(a) + b"Rd"),
    "reduce, stack global": (4, lambda m, n, a: stacked(m, n) + many(a) + b"R"),
    "reduce, stack global of STRING": (
        4,
        lambda m, n, a: text(m, "S") + text(n, "S") + b"\x93" + many(a) + b"R",
    ),
    "reduce, stack global of UNICODE": (
        4,
        lambda m, n, a: text(m, "V") + text(n, "V") + b"\x93" + many(a) + b"R",
    ),
    "reduce, stack global of BINSTRING": (
        4,
        lambda m, n, a: text(m, "T") + text(n, "U") + b"\x93" + many(a) + b"R",
    ),
    "reduce, stack global of BINUNICODE8": (4, lambda m, n, a: stacked(m, n, "long") + many(a) + b"R"),
    "reduce, stack global memoised as they are": (
        4,
        lambda m, n, a: text(m, "short") + b"\x94" + text(n, "short") + b"\x94\x93\x94" + many(a) + b"R",
    ),
    "reduce, stack global, the name first": (
        4,
        lambda m, n, a: text(n) + b"\x940" + text(m) + b"h\0\x93" + many(a) + b"R",
    ),
    "reduce, stack global, both from the memo": (
        4,
        lambda m, n, a: text(n) + b"\x940" + text(m) + b"\x940h\1h\0\x93" + many(a) + b"R",
    ),
    "reduce, stack global from a dict's leftovers": (
        4,
        lambda m, n, a: b"}" + text(m) + b"\x94" + text(n) + b"\x94s0h\0h\1\x93" + many(a) + b"R",
    ),
    "reduce, stack global in protocol 2": (2, lambda m, n, a: text(m) + text(n) + b"\x93" + many(a) + b"R"),
    "reduce, stack global after a late PROTO": (
        2,
        lambda m, n, a: b"\x80\4" + text(m) + text(n) + b"\x93" + many(a) + b"R",
    ),
    "reduce, stack global before an early PROTO": (
        4,
        lambda m, n, a: b"\x80\2" + text(m) + text(n) + b"\x93" + many(a) + b"R",
    ),
    "inst": (0, lambda m, n, a: b"(S'" + a.encode() + f"'\ni{m}\n{n}\n".encode()),
    "inst, no argument": (0, lambda m, n, a: f"(i{m}\n{n}\n".encode()),
    "inst, protocol 4": (4, lambda m, n, a: b"(" + text(a) + f"i{m}\n{n}\n".encode()),
    "obj": (1, lambda m, n, a: b"(" + named(m, n) + text(a) + b"o"),
    "obj, class from the memo": (2, lambda m, n, a: named(m, n) + b"q\0000(h\0" + text(a) + b"o"),
    "obj, class stacked": (4, lambda m, n, a: b"(" + stacked(m, n) + text(a) + b"o"),
    "newobj": (2, lambda m, n, a: named(m, n) + many(a) + b"\x81"),
    "newobj ex": (4, lambda m, n, a: named(m, n) + many(a) + b"}\x92"),
    "newobj ex, keywords": (4, lambda m, n, a: named(m, n) + b")}" + text("command") + text(a) + b"s\x92"),
    "copyreg newobj": (2, lambda m, n, a: call(Global("copyreg", "__newobj__"), Global(m, n), a)),
    "copyreg newobj ex": (
        2,
        lambda m, n, a: call(Global("copyreg", "__newobj_ex__"), Global(m, n), (a,), {}),
    ),
    "copyreg reconstructor": (
        2,
        lambda m, n, a: call(Global("copyreg", "_reconstructor"), Global(m, n), Global("builtins", "str"), a),
    ),
    "copy_reg reconstructor": (
        0,
        lambda m, n, a: call(
            Global("copy_reg", "_reconstructor"), Global(m, n), Global("__builtin__", "object"), None
        ),
    ),
    "in a partial": (2, lambda m, n, a: call(Global("functools", "partial"), Global(m, n), a)),
    "in a partial that is called": (
        2,
        lambda m, n, a: call(Global("functools", "partial"), Global(m, n)) + many(a) + b"R",
    ),
    "in a partial's state": (
        2,
        lambda m, n, a: (
            call(Global("functools", "partial"), Global("builtins", "print"))
            + many(Global(m, n), (a,), {}, None)
            + b"b"
        ),
    ),
    "in a map that a list consumes": (
        2,
        lambda m, n, a: (
            named("builtins", "list") + call(Global("builtins", "map"), Global(m, n), [a]) + b"\x85R"
        ),
    ),
    "in a map made by newobj": (
        2,
        lambda m, n, a: (
            named("builtins", "map")
            + many(Global(m, n), [a])
            + b"\x81q\0000"
            + named("builtins", "bytes")
            + b"h\0\x85\x81"
        ),
    ),
    "in a filter that a set consumes": (
        2,
        lambda m, n, a: (
            named("builtins", "set") + new(Global("builtins", "filter"), Global(m, n), [a]) + b"\x85R"
        ),
    ),
    "in a map that a deque consumes": (
        2,
        lambda m, n, a: (
            named("collections", "deque") + new(Global("builtins", "map"), Global(m, n), [a]) + b"\x85R"
        ),
    ),
    "in a map that a Counter consumes": (
        2,
        lambda m, n, a: (
            named("collections", "Counter") + new(Global("builtins", "map"), Global(m, n), [a]) + b"\x85R"
        ),
    ),
    "in a map that an OrderedDict consumes": (
        2,
        lambda m, n, a: (
            named("collections", "OrderedDict") + new(Global("builtins", "map"), Global(m, n), [a]) + b"\x85R"
        ),
    ),
    "in a starmap that EXTEND consumes": (
        2,
        lambda m, n, a: b"](" + new(Global("itertools", "starmap"), Global(m, n), [(a,)]) + b"e",
    ),
    "as a default factory": (2, lambda m, n, a: call(Global("collections", "defaultdict"), Global(m, n))),
    "as a factory, and asked": (
        2,
        lambda m, n, a: (
            named("operator", "getitem")
            + b"("
            + call(Global("collections", "defaultdict"), Global(m, n))
            + text(a)
            + b"tR"
        ),
    ),
    "brought as __setstate__": (
        2,
        lambda m, n, a: new(LINEAR) + state(__setstate__=named(m, n)) + b"b" + text(a) + b"b",
    ),
    "brought as __setstate__ by slots": (
        2,
        lambda m, n, a: new(LINEAR) + b"(N" + state(__setstate__=named(m, n)) + b"tb" + text(a) + b"b",
    ),
    "brought as append": (2, lambda m, n, a: new(LINEAR) + state(append=named(m, n)) + b"b" + text(a) + b"a"),
    "brought as extend": (
        2,
        lambda m, n, a: new(LINEAR) + state(extend=named(m, n)) + b"b(" + text(a) + b"e",
    ),
    "brought as add": (4, lambda m, n, a: new(LINEAR) + state(add=named(m, n)) + b"b(" + text(a) + b"\x90"),
    "in a state that waits": (2, lambda m, n, a: new(LINEAR) + state(forward=named(m, n)) + b"b"),
    "bound, in a state that waits": (
        2,
        lambda m, n, a: new(LINEAR) + state(_forward_hooks=call(STEP, [[1, Global(m, n)]])) + b"b",
    ),
    "in a transformer's func": (
        2,
        lambda m, n, a: (
            new(Global("sklearn.preprocessing._function_transformer", "FunctionTransformer"))
            + state(func=named(m, n), kw_args=b"N")
            + b"b"
        ),
    ),
    "in a vectorizer's tokenizer": (
        2,
        lambda m, n, a: (
            new(Global("sklearn.feature_extraction.text", "CountVectorizer"))
            + state(tokenizer=named(m, n))
            + b"b"
        ),
    ),
    "in a pipeline's step": (
        2,
        lambda m, n, a: (
            new(Global("sklearn.pipeline", "Pipeline")) + state(steps=push([("a", Global(m, n))])) + b"b"
        ),
    ),
    "in an unknown class's state": (
        2,
        lambda m, n, a: new(Global("acme.models", "Net")) + state(callback=named(m, n)) + b"b",
    ),
    "as an argument of an unknown class": (
        2,
        lambda m, n, a: new(Global("acme.models", "Net"), Global(m, n), a),
    ),
    "imported and left": (2, lambda m, n, a: named(m, n)),
    "imported and left in a dict": (2, lambda m, n, a: b"}" + text("loss") + named(m, n) + b"s"),
    "callee computed by getattr": (
        2,
        lambda m, n, a: call(Global("builtins", "getattr"), Global(m, "__dict__"), n) + many(a) + b"R",
    ),
    "callee out of a dict's get": (
        2,
        lambda m, n, a: call(Global("operator", "getitem"), Global(m, "__dict__"), n) + many(a) + b"R",
    ),
    "callee by attrgetter": (
        4,
        lambda m, n, a: (
            call(Global("operator", "attrgetter"), n)
            + push(Global("sys", "modules"))
            + b"\x85R"
            + many(a)
            + b"R"
        ),
    ),
    "callee by methodcaller": (
        2,
        lambda m, n, a: (
            call(Global("operator", "methodcaller"), n, a)
            + call(Global("importlib", "import_module"), m)
            + b"\x85R"
        ),
    ),
    "callee by resolve_name": (
        2,
        lambda m, n, a: call(Global("pkgutil", "resolve_name"), f"{m}:{n}") + many(a) + b"R",
    ),
    "callee by locate": (2, lambda m, n, a: call(Global("pydoc", "locate"), f"{m}.{n}") + many(a) + b"R"),
    "callee by Unpickler.find_class": (
        4,
        lambda m, n, a: call(Global("_pickle", "Unpickler.find_class"), None, m, n) + many(a) + b"R",
    ),
}
# Loading does not call these; whether anybody does later depends on what the name is. A function of an
# unknown package is what honest transformers hold, too.
_WEAK = frozenset({
    "imported and left", "imported and left in a dict", "newobj", "inst, no argument", "in a state that waits",
    "newobj ex", "newobj ex, keywords", "copyreg newobj", "copyreg newobj ex", "copyreg reconstructor",
    "copy_reg reconstructor", "in a partial", "in a partial's state", "as a default factory",
    "bound, in a state that waits", "in a transformer's func", "in a vectorizer's tokenizer", "in a pipeline's step",
    "in an unknown class's state", "as an argument of an unknown class",
})  # fmt: skip


def samples() -> Iterator[Sample]:
    for form, (protocol, write) in FORMS.items():
        for module, name, arg in TARGETS:
            data = pickled(write(module, name, arg), protocol)
            weak = module == "acme.deploy.shell" and form in _WEAK
            yield Sample(
                "pickle: ways to call",
                f"{module}.{name}: {form}",
                f"{form}: {module}.{name}({arg!r})",
                {"model.pkl": data},
                "medium" if weak else "high",
            )
    yield from _mutations()
    yield from _registry()


MUTATED = {
    "sys.modules": named("sys", "modules") + text("numpy") + named("os", "path") + b"s",
    "sys.path by APPEND": named("sys", "path") + text("/tmp") + b"a",
    "sys.path by APPENDS": named("sys", "path") + b"(" + text("/tmp") + b"e",
    "sys.meta_path": named("sys", "meta_path") + new(Global("acme", "Finder")) + b"a",
    "sys.path_hooks": named("sys", "path_hooks") + named("acme", "finder") + b"a",
    "sys.path_importer_cache": named("sys", "path_importer_cache") + text("a") + b"Ns",
    "os.environ": named("os", "environ") + text("LD_PRELOAD") + text("/tmp/a.so") + b"s",
    "os.environ by SETITEMS": named("os", "environ") + b"(" + text("PATH") + text("/tmp") + b"u",
    "builtins.__dict__": named("builtins", "__dict__") + text("print") + named("acme", "f") + b"s",
    "numpy.__builtins__": named("numpy", "__builtins__") + text("len") + named("acme", "f") + b"s",
    "numpy.__dict__": named("numpy", "__dict__") + text("array") + named("acme", "f") + b"s",
    "collections.__dict__": named("collections", "__dict__") + text("OrderedDict") + named("acme", "f") + b"s",
    "torch.nn.Linear by BUILD": named("torch.nn.modules.linear", "Linear") + state(forward=named("acme", "f")) + b"b",
    "numpy by BUILD": named("numpy", "core") + state(array=text("a")) + b"b",
    "OrderedDict by BUILD": named("collections", "OrderedDict") + state(__reduce__=text("a")) + b"b",
    "a slot state on a class": named("collections", "OrderedDict") + b"(N" + state(__len__=text("a")) + b"tb",
    "copyreg.dispatch_table": named("copyreg", "dispatch_table") + named("collections", "OrderedDict") + named("acme", "f") + b"s",
    "copyreg._extension_cache": named("copyreg", "_extension_cache") + b"K\x01" + named("os", "system") + b"s\x30\x82\x01" + many("true") + b"R",
    "copyreg._inverted_registry": named("copyreg", "_inverted_registry") + b"K\x01" + push(("os", "system")) + b"s\x30\x82\x01" + many("true") + b"R",
    "pickle._compat_pickle": named("_compat_pickle", "NAME_MAPPING") + push(("a", "b")) + push(("os", "system")) + b"s\x30" + b"ca\nb\n" + many("true") + b"R",
    "pickle._compat_pickle.IMPORT_MAPPING": named("_compat_pickle", "IMPORT_MAPPING") + text("collections") + text("os") + b"s\x30" + b"ccollections\nsystem\n" + many("true") + b"R",
    "warnings.filters": named("warnings", "filters") + b"(e",
    "logging.root by BUILD": named("logging", "root") + state(handlers=b"]") + b"b",
    "site.ENABLE_USER_SITE": named("site", "PREFIXES") + text("/tmp") + b"a",
    "linecache.cache": named("linecache", "cache") + text("a") + b"Ns",
    "numpy.set by ADDITEMS": named("numpy", "_globals") + b"(" + text("a") + b"\x90",
    "torch._utils by SETITEM": named("torch._utils", "__dict__") + text("_rebuild_tensor_v2") + named("acme", "f") + b"s",
    "sklearn module's dict": named("sklearn", "__dict__") + text("a") + b"Ns",
    "a global through the memo": named("sys", "modules") + b"q\0000N0h\0" + text("a") + b"Ns",
    "a global through a list and back": named("os", "environ") + b"q\0\x85q\x010h\0" + text("A") + text("b") + b"s",
    "encodings.aliases": named("encodings.aliases", "aliases") + text("utf8") + text("os") + b"s",
    "mimetypes": named("mimetypes", "types_map") + text(".a") + text("b") + b"s",
    "atexit through builtins": named("threading", "_shutdown") + state(a=b"N") + b"b",
    "codecs lookup cache": named("codecs", "__all__") + text("a") + b"a",
    "torch.serialization registry": named("torch.serialization", "_package_registry") + push((1, Global("acme", "tag"), Global("acme", "f"))) + b"a",
    "json default decoder": named("json", "_default_decoder") + state(object_hook=named("acme", "f")) + b"b",
    "transformers CONFIG_MAPPING": named("transformers.models.auto.configuration_auto", "CONFIG_MAPPING") + text("a") + named("acme", "C") + b"s",
    "__main__ by BUILD": named("__main__", "__dict__") + text("__name__") + text("a") + b"s",
}  # fmt: skip


def _mutations() -> Iterator[Sample]:
    for name, body in MUTATED.items():
        for protocol in (0, 2, 4):
            yield Sample(
                "pickle: changes what it imports",
                f"{name} protocol {protocol}",
                f"{name} is changed in the process that loads",
                {"model.pkl": pickled(body, protocol)},
            )


def _registry() -> Iterator[Sample]:
    registered = call(Global("copyreg", "add_extension"), "os", "system", 1) + b"0"
    for name, code in (("EXT1", b"\x82\1"), ("EXT2", b"\x83\1\0"), ("EXT4", b"\x84\1\0\0\0")):
        for called, tail in (("called", many("true") + b"R"), ("left", b"")):
            yield Sample(
                "pickle: registry and persistent ids",
                f"{name} {called}",
                "a code of the extension registry",
                {"a.pkl": pickled(code + tail)},
            )
        yield Sample(
            "pickle: registry and persistent ids",
            f"{name} registered",
            "registers os.system, then takes it by its code",
            {"a.pkl": pickled(registered + code + many("true") + b"R")},
        )
    ids = {
        "text id": b"Pos.system\n",
        "text id, called": b"Pos.system\n" + many("true") + b"R",
        "id of a call": call(Global("os", "getpid")) + b"Q",
        "id of a tuple with a function": many("storage", Global("os", "system"), "0", "cpu", 1) + b"Q",
        "id that is called": text("os.system") + b"Q" + many("true") + b"R",
        "id with a state": text("a")
        + b"Q}"
        + text("__setstate__")
        + named("os", "system")
        + b"sb"
        + text("true")
        + b"b",
        "module id with source": many("module", Global("acme", "Net"), "/tmp/a.py", "import os") + b"Q",
    }
    for name, body in ids.items():
        yield Sample(
            "pickle: registry and persistent ids",
            name,
            "the loader's persistent_load decides",
            {"a.pkl": pickled(body)},
            "high" if "function" in name or "state" in name else "medium",
        )
    for length in (1, 4, 8):
        yield Sample(
            "pickle: registry and persistent ids",
            f"buffer {length}",
            "an out-of-band buffer is called",
            {"a.pkl": pickled(b"\x97" + many("true") + b"R", 5)},
            "medium",
        )
    yield Sample(
        "pickle: registry and persistent ids",
        "bytes called",
        "bytes where a callable must be",
        {"a.pkl": pickled(blob(struct.pack("<I", 1)) + many("true") + b"R", 3)},
        "medium",
    )
