"""What dill looks up by names of its own is judged as what it is."""

import functools
import io
import operator
import types

import pytest
from tests.checks.models.building import judged, look
from tests.checks.models.pickle.hostile import text

from mlgate.checks.models.pickle import dill_names
from mlgate.checks.models.pickle.values import Global

LOAD = b"cdill._dill\n_load_type\n"
TUPLE = b"cdill._dill\n_create_namedtuple\n"


def typed(name):
    return LOAD + text(name) + b"\x85R"


def tupled(name, module, more=b""):
    return TUPLE + b"(" + text(name) + text("a") + b"\x85" + text(module) + more + b"tR"


def severities(stream):
    return {each.severity.value for each in judged(look(b"\x80\x04" + stream + b".", "m.pkl"))}


@pytest.mark.parametrize("name", ["PartialType", "dict", "NoneType", "ItemGetterType", "ValueError"])
def test_a_type_of_plain_data_is_no_alarm(name):
    assert severities(typed(name)) <= {"low", "info"}


def test_a_partial_of_a_harmless_function_is_no_alarm():
    made = typed("PartialType") + b"cnumpy\nlog1p\n\x85R"
    assert not severities(made)


@pytest.mark.parametrize(
    "stream",
    [
        typed("CodeType") + b"(tR",
        typed("FunctionType") + b")R",
        typed("PartialType") + b"cos\nsystem\n" + text("true") + b"\x86R",
        typed("FileType") + text("x") + text("w") + b"\x86R",
        typed("map") + b"cos\nsystem\n" + text("true") + b"\x85\x86\x81",
        typed("NoSuchType") + b")R",
        LOAD + text("dict") + text("dict") + b"\x86R" + b")R",
        tupled("Popen", "subprocess") + text("true") + b"\x85R",
        tupled("loads", "pickle"),
        tupled("os.system", "posixpath"),
        tupled("system", "os"),
        TUPLE + b"(NNNtR)R",
        typed("PartialType") * 2 + b"cos\nsystem\n" + text("true") + b"\x86R",
    ],
)
def test_what_acts_is_found(stream):
    assert severities(stream) & {"high", "critical"}


def test_own_named_tuples_are_unknown_classes():
    stream = tupled("Metrics", "acme.metrics") + text("x") + b"\x85\x81"
    assert severities(stream) == {"medium"}
    facts = look(b"\x80\x04" + stream + b".", "m.pkl").facts
    assert {fact.subject for fact in facts if fact.kind == "pickle.instance"} == {"acme.metrics.Metrics"}
    assert "pickle.computed-callee" not in {fact.kind for fact in facts}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PartialType", functools.partial),
        ("AttrGetterType", operator.attrgetter),
        ("BufferedReaderType", io.BufferedReader),
        ("CodeType", types.CodeType),
        ("frozenset", frozenset),
        ("UnicodeError", UnicodeError),
    ],
)
def test_names_are_those_of_dill(name, expected):
    module, attribute = dill_names.named(
        Global("dill._dill", "_load_type", "dill._dill._load_type", dotted=False), (name,)
    )
    assert getattr(__import__(module), attribute) is expected
