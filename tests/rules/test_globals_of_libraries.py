"""What single libraries write into pickles, and what the same calls must not be given."""

import operator
import pickle

import pytest
from tests.checks.models.building import judged, look

from mlgate.core.severity import Severity
from mlgate.rules._globals import category
from mlgate.rules._pickle_calls import callable_with, evaluates

ARRAY = {"type": "call", "value": "numpy._core.numeric._frombuffer"}
SYSTEM = {"type": "global", "value": "posix.system"}
RECONSTRUCT = {"type": "global", "value": "numpy._core.multiarray._reconstruct"}
EMPTY = {"type": "tuple", "items": []}
NONE = {"type": "none", "value": None}
BYTES = {"type": "bytes", "value": ""}
BITS = {"type": "global", "value": "bitarray.bitarray"}
HEADER = {"type": "global", "value": "email.headerregistry.BaseHeader"}
LIST_TYPE = {"type": "global", "value": "builtins.list"}
DUNDER = {"type": "text", "value": "__setstate__"}
OR = {"type": "global", "value": "_operator.or_"}
NUMBER = {"type": "int", "value": 1}
LIST = {"type": "list", "items": []}
DICT = {"type": "dict", "items": []}
WORD = {"type": "text", "value": "a"}
CREATED = {"type": "call", "value": "deap.creator.meta_create"}
QUANTITY = {"type": "global", "value": "pint.facets.plain.quantity.PlainQuantity"}
APPEND = {"type": "text", "value": "append"}
OWN_ZONE = {"type": "global", "value": "dateutil.tz._tzfile.tzfile"}
MADE = {"type": "call", "value": "spacy.strings.StringStore"}
SEARCH = {"type": "call", "value": "builtins.getattr"}


@pytest.mark.parametrize(
    ("module", "name", "args", "answer"),
    [
        ("nltk.probability", "FreqDist", [{"type": "dict", "items": []}], True),
        ("nltk.probability", "FreqDist", [{"type": "instance", "value": "acme.Evil"}], False),
        ("spacy.strings", "StringStore", [{"type": "list", "items": []}], True),
        ("spacy.vectors", "unpickle_vectors", [{"type": "bytes", "value": ""}], True),
        ("spacy.vectors", "unpickle_vectors", [{"type": "instance", "value": "acme.Evil"}], False),
        ("spacy.vocab", "unpickle_vocab", [*[MADE] * 3, NONE, BYTES, MADE, NONE], True),
        ("spacy.vocab", "unpickle_vocab", [*[MADE] * 3, NONE, MADE, MADE, NONE], False),
        ("spacy.tokens.doc", "unpickle_doc", [MADE, BYTES, BYTES], True),
        ("spacy.tokens.doc", "unpickle_doc", [MADE, MADE, BYTES], False),
        ("spacy.tokens._serialize", "unpickle_bin", [BYTES], True),
        ("spacy.tokenizer", "Tokenizer", [MADE, EMPTY, SEARCH, SEARCH, SEARCH, NONE, SEARCH, NONE], True),
        ("spacy.tokenizer", "Tokenizer", [MADE, EMPTY, SYSTEM, SEARCH, SEARCH, NONE, SEARCH, NONE], False),
        ("re", "RegexFlag", [{"type": "int", "value": 32}], True),
        ("bitarray._bitarray", "_bitarray_reconstructor", [BITS, BYTES, WORD, NUMBER, NUMBER], True),
        ("bitarray._bitarray", "_bitarray_reconstructor", [SYSTEM, BYTES, WORD, NUMBER, NUMBER], False),
        ("rdkit.Chem.rdchem", "Mol", [BYTES], True),
        ("rdkit.Chem.rdchem", "Mol", [SYSTEM], False),
        ("frozendict", "frozendict", [DICT], True),
        ("frozendict", "frozendict", [{"type": "instance", "value": "acme.Evil"}], False),
        ("pendulum.datetime", "DateTime", [NUMBER] * 7 + [SYSTEM], False),
        (
            "email.headerregistry",
            "_reconstruct_header",
            [WORD, {"type": "tuple", "items": [HEADER]}, WORD],
            True,
        ),
        (
            "email.headerregistry",
            "_reconstruct_header",
            [WORD, {"type": "tuple", "items": [SYSTEM]}, WORD],
            False,
        ),
        ("deap.creator", "meta_create", [WORD, LIST_TYPE, {"type": "dict", "items": [WORD, EMPTY]}], True),
        # It puts the class into its module under the name.
        (
            "deap.creator",
            "meta_create",
            [{"type": "text", "value": "__builtins__"}, LIST_TYPE, {"type": "dict", "items": []}],
            False,
        ),
        ("deap.creator", "meta_create", [WORD, LIST_TYPE, {"type": "dict", "items": [DUNDER, EMPTY]}], False),
        ("deap.creator", "meta_create", [WORD, LIST_TYPE, {"type": "dict", "items": [WORD, SYSTEM]}], False),
        ("deap.creator", "meta_create", [WORD, LIST_TYPE, {"type": "dict", "items": [WORD, SEARCH]}], False),
        (
            "deap.creator",
            "meta_create",
            [WORD, LIST_TYPE, {"type": "dict", "items": [APPEND, CREATED]}],
            False,
        ),
        ("functools", "reduce", [OR, {"type": "tuple", "items": [LIST_TYPE, NONE]}], True),
        ("functools", "reduce", [OR, {"type": "tuple", "items": [MADE, SEARCH]}], None),
        ("functools", "reduce", [SYSTEM, {"type": "tuple", "items": [LIST_TYPE]}], None),
        ("operator", "methodcaller", [{"type": "text", "value": "lower"}], True),
        ("operator", "methodcaller", [{"type": "text", "value": "system"}, WORD], None),
        ("operator", "methodcaller", [{"type": "text", "value": "format"}, WORD], None),
        ("operator", "methodcaller", [{"type": "text", "value": "lower"}, SYSTEM], None),
        ("numpy", "array", [{"type": "list", "items": [NUMBER, ARRAY]}], True),
        ("numpy", "array", [{"type": "list", "items": [{"type": "instance", "value": "a.B"}]}], False),
        ("shapely.strtree", "STRtree", [ARRAY], True),
        ("shapely.strtree", "STRtree", [LIST], False),
        ("pint", "_unpickle_quantity", [QUANTITY, ARRAY, MADE], True),
        ("pint", "_unpickle_quantity", [QUANTITY, LIST, MADE], False),
        ("shapely.io", "from_wkb", [BYTES], True),
        ("shapely.io", "from_wkb", [SYSTEM], False),
        ("hdbscan.dist_metrics", "newObj", [SYSTEM], False),
        ("dateutil.tz._tzfile", "_unpickle", [OWN_ZONE, WORD, NONE, EMPTY], True),
        ("dateutil.tz._tzfile", "_unpickle", [SYSTEM, WORD, NONE, EMPTY], False),
        ("dask._task_spec", "TaskRef", [WORD], True),
        ("dask._task_spec", "TaskRef", [SYSTEM], False),
        ("sympy.core.function", "_rebuild_undef", [WORD, DICT], True),
        (
            "sympy.core.function",
            "_rebuild_undef",
            [WORD, {"type": "dict", "items": [{"type": "text", "value": "real"}, {"type": "bool"}]}],
            True,
        ),
        (
            "sympy.core.function",
            "_rebuild_undef",
            [WORD, {"type": "dict", "items": [{"type": "text", "value": "__dict__"}, {"type": "bool"}]}],
            False,
        ),
        ("sympy.core.function", "_rebuild_undef", [WORD, {"type": "dict", "items": [WORD, DICT]}], False),
        ("sympy.polys.matrices.domainmatrix", "DomainMatrix", [LIST, EMPTY, MADE], True),
        ("sympy.polys.matrices.domainmatrix", "DomainMatrix", [LIST, EMPTY, SYSTEM], False),
        ("re", "RegexFlag", [{"type": "call", "value": "regex._regex_core.RegexFlag"}], True),
        ("re", "RegexFlag", [SYSTEM], False),
        ("signal", "Signals", [{"type": "int", "value": 2}], True),
        ("signal", "Signals", [{"type": "instance", "value": "acme.Evil"}], False),
        ("urllib.parse", "DefragResult", [{"type": "text", "value": "a"}] * 2, True),
        ("sortedcontainers.sorteddict", "SortedDict", [NONE, {"type": "dict", "items": []}], True),
        ("sortedcontainers.sorteddict", "SortedDict", [SYSTEM, {"type": "dict", "items": []}], False),
        ("sortedcontainers.sortedset", "SortedSet", [{"type": "set", "items": []}, SYSTEM], False),
        ("ruamel.yaml.comments", "CommentedMap", [], True),
        ("joblib.memory", "Memory", [], True),
        ("joblib.memory", "Memory", [{"type": "text", "value": "/tmp"}], False),
        ("statsmodels.tsa.statespace._initialization", "dInitialization", [ARRAY], True),
        ("pyarrow.lib", "_restore_array", [{"type": "nested"}], True),
        ("pyarrow.lib", "_restore_array", [SYSTEM], False),
        ("pandas._libs.tslibs.nattype", "__nat_unpickle", [NONE], True),
        ("builtins", "getattr", [{"type": "text", "value": "ABC"}, {"type": "text", "value": "lower"}], True),
        ("builtins", "getattr", [{"type": "list", "items": []}, {"type": "text", "value": "remove"}], True),
        (
            "builtins",
            "getattr",
            [{"type": "text", "value": "{0.x}"}, {"type": "text", "value": "format"}],
            False,
        ),
        (
            "builtins",
            "getattr",
            [{"type": "list", "items": []}, {"type": "text", "value": "__class__"}],
            False,
        ),
        ("dill._dill", "_create_array", [RECONSTRUCT, EMPTY, EMPTY, NONE], True),
        ("dill._dill", "_create_array", [SYSTEM, EMPTY, EMPTY, NONE], False),
    ],
)
def test_what_a_library_writes_is_told_from_what_it_does_not(module, name, args, answer):
    assert callable_with(module, name, args) is answer


def test_a_class_that_is_only_named_is_no_danger_until_it_is_called():
    named = {"type": "global", "value": "numpy.memmap"}
    assert callable_with("numpy._core.multiarray", "_reconstruct", [named, EMPTY, NONE])
    assert callable_with("numpy", "memmap", [{"type": "text", "value": "/etc/passwd"}]) is False
    assert callable_with("functools", "partial", [named]) is False
    called = judged(look(b"\x80\x02cnumpy\nmemmap\nX\x01\0\0\0x\x85R.", "m.pkl"))
    assert {each.severity for each in called} == {Severity.HIGH}


VOCAB = (
    b"cspacy.vocab\nunpickle_vocab\n(cspacy.strings\nStringStore\n)Rcspacy.vectors\nunpickle_vectors\nC\x01a\x85R"
    b"cspacy.morphology\nunpickle_morphology\n(cspacy.strings\nStringStore\n)R]tRN"
)


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        (b"\x80\x04}.", set()),
        (b"cposix\nsystem\n(S'true'\ntR.", {"critical"}),
        (b"(S'true'\nios\nsystem\n.", {"critical"}),
    ],
)
def test_what_a_vocabulary_unpickles_again_is_looked_at(inner, found):
    for data in (inner, inner.ljust(300, b".")):
        stream = b"\x80\x04" + VOCAB + b"B" + len(data).to_bytes(4, "little") + data + b"tR."
        blocking = [each for each in judged(look(stream, "m.pkl")) if each.severity >= Severity.HIGH]
        assert {each.severity.value for each in blocking} == found


def test_the_metadata_of_distributed_checkpoints_is_data():
    assert category("torch.distributed.checkpoint.metadata", "Metadata") is None
    assert category("torch.distributed.rpc", "rpc_sync") == "executes"
    assert category("torch.distributed.checkpoint", "load") == "loads"


def test_the_codes_of_http_are_data():
    assert category("http", "HTTPStatus") is None
    assert category("http.client", "HTTPConnection") == "network"
    assert category("imaplib", "IMAP4_stream") == "executes"


TEXT = {"type": "text", "value": "__import__('os').system('true')"}


@pytest.mark.parametrize(
    ("name", "args", "answer"),
    [
        ("Tuple", [TEXT], True),
        ("Tuple", [{"type": "tuple", "items": [TEXT]}], True),
        ("Integral", [{"type": "nested"}], True),
        ("Lambda", None, True),
        (
            "Add",
            [{"type": "instance", "value": "sympy.core.symbol.Symbol"}, {"type": "int", "value": 1}],
            False,
        ),
        ("Symbol", [{"type": "text", "value": "x"}], False),
    ],
)
def test_classes_of_sympy_run_the_texts_that_they_are_given(name, args, answer):
    assert evaluates("sympy.core.anything", name, args) is answer
    assert not evaluates("acme.core", name, args)


def test_a_pickle_that_has_sympy_run_a_text_is_critical():
    data = b"\x80\x02csympy.core.containers\nTuple\nX\x04\0\0\0true\x85\x81."
    assert judged(look(data, "m.pkl"))[0].severity is Severity.CRITICAL
    data = b"\x80\x02csympy.core.symbol\nSymbol\nX\x01\0\0\0x\x85\x81."
    assert all(each.severity <= Severity.MEDIUM for each in judged(look(data, "m.pkl")))


def filled(name, module, state=b"}X\x01\0\0\0aK\x01sb"):
    """An instance without arguments, and its state."""
    return b"\x80\x02c" + module + b"\n" + name + b"\n)\x81" + state + b"."


@pytest.mark.parametrize(
    ("module", "name"),
    [(b"http.cookiejar", b"Cookie"), (b"requests.sessions", b"Session"), (b"urllib3.util.retry", b"Retry")],
)
def test_an_instance_connects_to_nothing(module, name):
    assert not [
        each for each in judged(look(filled(name, module), "a.pkl")) if each.severity >= Severity.HIGH
    ]
    called = filled(name, module).replace(b")\x81", b"X\x01\0\0\0a\x85R")
    assert [each for each in judged(look(called, "a.pkl")) if each.severity >= Severity.HIGH]
    given = filled(name, module).replace(b")\x81", b"X\x01\0\0\0a\x85\x81")
    assert [each for each in judged(look(given, "a.pkl")) if each.severity >= Severity.HIGH]


def test_other_clients_are_still_told():
    assert [each.rule for each in judged(look(filled(b"HTTPConnection", b"http.client"), "a.pkl"))] == [
        "MLG-PKL-003"
    ]


@pytest.mark.parametrize("protocol", range(6))
def test_a_union_of_types_and_a_caller_of_a_method(protocol):
    data = pickle.dumps([int | str, list[int] | None, operator.methodcaller("lower")], protocol)
    assert not [each for each in judged(look(data, "a.pkl")) if each.severity >= Severity.HIGH]


@pytest.mark.parametrize(
    "data",
    [
        # What waits to reduce, or to call a method, and is called.
        b"\x80\x02cfunctools\npartial\nc__builtin__\nreduce\n\x85R.",
        b"\x80\x02coperator\nmethodcaller\nX\x05\0\0\0lower\x85RX\x01\0\0\0a\x85R.",
        b"\x80\x02c__builtin__\nreduce\n.",
        b"\x80\x02c__builtin__\nlist\nc__builtin__\nmap\ncoperator\nmethodcaller\nX\x05\0\0\0lower\x85R]\x86R\x85R.",
    ],
)
def test_what_reduces_or_calls_otherwise_is_told(data):
    assert [each for each in judged(look(data, "a.pkl")) if each.severity >= Severity.HIGH]


@pytest.mark.parametrize("protocol", range(2, 6))
def test_an_instance_of_a_class_in_a_class_is_medium(protocol):
    inner = b"cacme\nOuter\nX\x05\0\0\0Inner\x86R" if protocol < 4 else b"\x8c\x04acme\x8c\x0bOuter.Inner\x93"
    before = {2: b"c__builtin__\ngetattr\n", 3: b"cbuiltins\ngetattr\n"}.get(protocol, b"")
    data = b"\x80" + bytes([protocol]) + before + inner + b")\x81}X\x01\0\0\0aK\x01sb."
    found = judged(look(data, "a.pkl"))
    assert found
    assert {each.severity for each in found} == {Severity.MEDIUM}
    called = judged(look(data.replace(b")\x81", b"X\x01\0\0\0;\x85R"), "a.pkl"))
    assert [each for each in called if each.severity >= Severity.HIGH]


START = b"\x80\x04"


def named(module, name):
    return b"".join(b"\x8c" + bytes([len(each)]) + each.encode() for each in (module, name)) + b"\x93"


def text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


@pytest.mark.parametrize(
    "data",
    [
        # A function of SymPy's evaluates the texts that it is applied to.
        named("sympy.core.function", "_rebuild_undef") + text("f") + b"}\x86R" + text("x.y()") + b"\x85R",
        # What is derived from it is called as it is.
        named("deap.creator", "meta_create")
        + text("X")
        + named("numpy", "memmap")
        + b"}\x87R"
        + text("/x")
        + b"\x85R",
        named("deap.creator", "meta_create")
        + text("X")
        + named("builtins", "list")
        + b"}\x87R)R0"
        + named("deap.creator", "meta_create")
        + text("X")
        + named("builtins", "list")
        + b"}\x87R"
        + named("torchvision.datasets", "DatasetFolder")
        + b")\x81\x85R",
        named("numpy", "array") + b"]" + named("torchvision.datasets", "DatasetFolder") + b")\x81a\x85R",
        # Items that are handed over after the state are handed to what the state holds.
        named("http.cookies", "SimpleCookie")
        + b")\x81}"
        + text("value_encode")
        + named("torch", "neg")
        + b"sb"
        + text("k")
        + text("v")
        + b"s",
        named("requests.structures", "CaseInsensitiveDict")
        + b")\x81}"
        + text("_store")
        + b"}sb"
        + text("k")
        + text("v")
        + b"s",
        named("requests.adapters", "HTTPAdapter") + b")\x81" + named("types", "SimpleNamespace") + b")Rb",
        named("astropy.units.core", "_recreate_irreducible_unit")
        + named("astropy.utils.data", "download_file")
        + text("http://x")
        + b"\x88\x87R",
        named("pint", "_unpickle_quantity")
        + named("pint.util", "reduce")
        + b"K\x01"
        + named("collections", "deque")
        + b")R\x87R",
        named("shapely.strtree", "STRtree") + named("torchvision.datasets", "DatasetFolder") + b")\x81\x85R",
    ],
)
def test_what_such_calls_could_be_led_to(data):
    assert [each for each in judged(look(START + data + b".", "a.pkl")) if each.severity >= Severity.HIGH]
