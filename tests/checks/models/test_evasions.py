"""Pickles that would run what they choose, each by a way of its own around names on a list."""

import io
import tarfile

import pytest
from tests.checks.models.building import TEXT_EVIL, judged, look
from tests.checks.models.pickle.hostile import text

from mlgate.core.severity import Severity


def named(module, name):
    return f"c{module}\n{name}\n".encode()


def many(*items):
    return b"(" + b"".join(items) + b"t"


def state(**attributes):
    return b"}(" + b"".join(text(key) + value for key, value in attributes.items()) + b"u"


def call(function, *args):
    return function + many(*args) + b"R"


def number(value):
    return b"K" + bytes((value,))


def new(cls, *args):
    return cls + many(*args) + b"\x81"


# A function of a well-known package, which no list of bad names has. Nothing here is ever loaded.
RUN = named("fastcore.xtras", "run")
ID = text("id")
LAYER = new(named("torch.nn.modules.linear", "Linear"))
REMOVE = call(named("builtins", "getattr"), named("random", "_os"), text("remove"))
HIDDEN = call(named("builtins", "str"), text("a command; another"))
WRITER = named("torch.utils.data", "Writer")

EVASIONS = {
    "a state that brings its own __setstate__": LAYER + state(__setstate__=RUN) + b"b" + ID + b"b",
    "the same through slots": LAYER + many(b"N", state(__setstate__=RUN)) + b"b" + ID + b"b",
    "the same through the memo": LAYER + b"q\x01" + state(__setstate__=RUN) + b"b0h\x01" + ID + b"b",
    "a state that brings its own append": LAYER + state(append=RUN) + b"b" + ID + b"a",
    "a state that brings its own extend": LAYER + state(extend=RUN) + b"b(" + ID + b"e",
    "a state that brings its own add": LAYER + state(add=RUN) + b"b(" + ID + b"\x90",
    "a class made by its metaclass": new(named("abc", "ABCMeta"), text("X"), b")", state(__setstate__=RUN)),
    "a class made with bases": new(
        named("torch._C", "Maker"), text("X"), many(named("torch", "Tensor")), state(__setstate__=RUN)
    ),
    "text out of a call": call(WRITER, HIDDEN),
    "text that is decoded": call(WRITER, call(named("_codecs", "encode"), text("/a b"), text("latin1"))),
    "a path": call(WRITER, call(named("pathlib", "PosixPath"), text("/a"))),
    "a function for a constructor": call(WRITER, RUN),
    "a bound function for a constructor": call(WRITER, call(named("functools", "partial"), RUN, ID)),
    "more arguments than are kept": call(WRITER, *[b"N"] * 16, text("/a b")),
    "more items than are kept": call(WRITER, b"](" + b"N" * 16 + text("/a b") + b"e"),
    "more keys than are kept": call(
        WRITER, b"}(" + b"".join(number(n) + b"N" for n in range(8)) + b"u" + number(9) + HIDDEN + b"s"
    ),
    "a list like one before": call(WRITER, b"](NNe") + b"0" + call(WRITER, b"](N" + text("/a b") + b"e"),
    "a call like an honest one before": call(
        call(named("builtins", "getattr"), named("zoneinfo", "ZoneInfo"), text("_unpickle")),
        text("UTC"),
        b"\x88",
    )
    + b"0"
    + call(REMOVE, text("/a")),
    "a constructor that calls its second argument": call(
        named("numpy.random._pickle", "__randomstate_ctor"), ID, RUN
    ),
    "a constructor that calls its only one": call(
        named("numpy.random._pickle", "__bit_generator_ctor"), named("keras.layers", "Layer")
    ),
    "an object's own __new__": call(
        named("sklearn.neighbors._kd_tree", "newObj"), LAYER + state(__new__=RUN) + b"b"
    ),
    "an object's own __new__ in a masked array": call(
        named("numpy.ma.core", "_mareconstruct"), LAYER, named("numpy", "ndarray"), b")", text("b")
    ),
    "an object's own iterator": call(named("builtins", "list"), LAYER + state(collate_fn=RUN) + b"b"),
    "an object's own __array__": call(named("numpy", "array"), LAYER + state(__array__=RUN) + b"b"),
    "an object's own text": call(named("builtins", "str"), LAYER + state(x=RUN) + b"b"),
    "an endless iterator": call(named("builtins", "list"), call(named("itertools", "count"))),
    "a number of bytes": call(named("builtins", "bytearray"), b"\x8a\x06\0\0\0\0\0\x10"),
    "what runs when an object dies": new(named("weakref", "ref"), LAYER, RUN),
    "filters of the process's logger": call(named("logging", "getLogger"), text("a"))
    + state(filters=b"]" + RUN + b"a")
    + b"b",
    "a program that runs when it is imported": b"N0" + named("dask.__main__", "main"),
    "an instance whose arguments are computed": named("keras.layers", "Layer")
    + call(named("builtins", "tuple"), b"]" + ID + b"a")
    + b"\x81",
    "an iterator by another's private name": call(named("random", "Random"))
    + many(number(2), new(named("collections", "_starmap"), RUN, many(many(ID))), b"N")
    + b"b",
    "a type of code by another's name": new(named("torch.fx._symbolic_trace", "CodeType"), number(1)),
    "a module by another's private name": call(
        named("builtins", "getattr"), named("collections", "_sys"), text("modules")
    ),
    "a file that is a time zone": call(named("dateutil.tz.tz", "tzfile"), text("/dev/stdin")),
}


@pytest.mark.parametrize("stream", EVASIONS.values(), ids=EVASIONS)
def test_every_way_around_the_lists_is_seen(stream):
    seen = look(b"\x80\x02" + stream + b".", "model.pkl")
    assert max(found.severity for found in judged(seen)) >= Severity.HIGH


@pytest.mark.parametrize(
    ("name", "grave"),
    [("model.pkl_01.npy", False), ("/etc/secret.npy", True), ("../secret.npy", True)],
)
@pytest.mark.parametrize("cls", ["NDArrayWrapper", "ZNDArrayWrapper"])
def test_an_array_that_joblib_reads_from_elsewhere_is_seen(name, grave, cls):
    wrapper = new(named("joblib.numpy_pickle", cls)) + state(filename=text(name)) + b"b"
    found = judged(look(b"\x80\x02" + wrapper + b".", "model.pkl"))
    assert [each.rule for each in found if each.severity >= Severity.HIGH] == ["MLG-PKL-022"] * grave


def tarred(data):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writer:
        member = tarfile.TarInfo("pickle")
        member.size = len(data)
        writer.addfile(member, io.BytesIO(data))
    return archive.getvalue()


@pytest.mark.parametrize(
    "prefix", [b"", b"N0", b"(1", b"\x80\x00", b"\x80\x02\x80\x02", b"I1\n0", b"K\x010" * 200]
)
@pytest.mark.parametrize("wrap", [bytes, tarred])
@pytest.mark.parametrize("protocol", [2, 3])
def test_bytes_that_torch_loads_are_read_whatever_they_look_like(prefix, wrap, protocol):
    data = wrap(prefix + TEXT_EVIL)
    inner = b"B" + len(data).to_bytes(4, "little") + data
    if protocol == 2:
        inner = call(named("_codecs", "encode"), text(data.decode("latin-1")), text("latin1"))
    stream = call(named("torch.storage", "_load_from_bytes"), inner)
    found = judged(look(b"\x80" + bytes((protocol,)) + stream + b".", "model.pkl"))
    assert "MLG-PKL-002" in {each.rule for each in found}


def test_bytes_that_torch_loads_and_nothing_reads_are_not_checked():
    stream = call(named("torch.storage", "_load_from_bytes"), b"C\x20" + bytes(range(32)))
    seen = look(b"\x80\x03" + stream + b".", "model.pkl")
    assert seen.not_checked


def array(shape, dtype, *more):
    """A wrapper of joblib's, behind which the bytes of an array follow."""
    keys = {"shape": shape, "order": text("C"), "dtype": dtype}
    made = b"".join(text(key) + value for key, value in keys.items())
    return new(named("joblib.numpy_pickle", "NumpyArrayWrapper")) + b"}(" + made + b"".join(more) + b"ub"


def dtype(name, size, flags=0):
    state = many(
        number(3), text("<"), b"NNN", b"J" + size.to_bytes(4, "little", signed=True), number(1), number(flags)
    )
    return call(named("numpy", "dtype"), text(name), b"\x89", b"\x88") + state + b"b"


# Each says one size to a careless reader, and another to joblib.
LIES = {
    "a size that the type does not have": array(b"K\x01\x85", dtype("f8", 0)),
    "objects of a type without any": array(b"K\x01\x85", dtype("f8", 8, 1)),
    "no objects of a type of them": array(b"K\x01\x85", dtype("O", -1)),
    "a key twice, the second beyond what is kept": array(
        b"K\x00\x85",
        dtype("f8", -1),
        *[text(str(key)) + b"N" for key in range(9)],
        text("shape") + b"K\x01\x85",
    ),
    "a key that is computed": array(
        b"K\x00\x85", dtype("f8", -1), call(named("builtins", "str"), text("shape")) + b"K\x01\x85"
    ),
    "a state that is computed": array(
        b"K\x01\x85",
        call(named("numpy", "dtype"), text("V0"), b"\x89", b"\x88")
        + call(named("builtins", "tuple"), b"](" + number(3) + text("|") + b"NNNK\x08K\x01K\x00e")
        + b"b",
    ),
}


@pytest.mark.parametrize("wrapper", LIES.values(), ids=LIES)
def test_an_array_whose_size_is_in_doubt_is_no_pass(wrapper):
    seen = look(b"\x80\x03" + wrapper + b".\x80\x03B" + TEXT_EVIL + b".", "model.joblib")
    assert seen.not_checked


@pytest.mark.parametrize("inside", [b"." + TEXT_EVIL, b"0N.N." + TEXT_EVIL])
def test_pickles_behind_a_stop_in_an_array_are_seen(inside):
    wrapper = array(number(len(inside)) + b"\x85", dtype("u1", -1))
    found = judged(look(b"\x80\x03" + wrapper + inside + b".", "model.pt"))
    assert {"MLG-PKL-002", "MLG-PKL-012"} <= {each.rule for each in found}


def test_an_array_of_noise_is_no_alarm():
    # EXT1 is among the opcodes that noise begins with.
    wrapper = array(b"K\x08\x85", dtype("u1", -1))
    assert not judged(look(b"\x80\x03" + wrapper + b"\x82" + bytes(range(1, 8)) + b".", "model.joblib"))


def test_a_frame_that_is_cut_again_and_again_is_read_a_few_times_only():
    frame = b"\x95" + (3).to_bytes(8, "little") + b"Vabx\n0"
    seen = look(b"\x80\x04" + frame * 50 + b"N.", "model.pkl")
    assert "MLG-PKL-012" in {found.rule for found in judged(seen)}
    assert "limit" in {item.reason for item in seen.not_checked}


def test_calls_of_results_are_counted_and_told_apart():
    seen = look(b"\x80\x02" + named("acme", "Made") + b")R" * 500 + b".", "model.pkl")
    facts = [fact for fact in seen.facts if fact.kind == "pickle.computed-callee"]
    assert sum(fact.count for fact in facts) == 499
    assert len(facts) < 10
