"""Fiddle's configurations in JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import judged, look


def config(module, name):
    pyref = {"type": "pyref", "module": module, "name": name}
    return json.dumps(
        {
            "root": {"type": "ref", "key": "a"},
            "objects": {
                "b": {"type": {"type": "pyref", "module": "builtins", "name": "dict"}, "items": []},
                "m": {"items": [["Attr(name='fn_or_cls')", pyref]], "metadata": None},
                "a": {"type": {"type": "pyref", "module": "fiddle._src.config", "name": "Config"}},
            },
        }
    )


def verdicts(text):
    return [(each.rule, each.severity.value) for each in judged(look(text.encode(), "config.json"))]


@pytest.mark.parametrize(
    ("module", "name", "severity"),
    [
        ("subprocess", "Popen", "critical"),
        ("subprocess", "getstatusoutput", "critical"),
        ("os", "system", "critical"),
        ("pickle", "loads", "critical"),
        ("flax.linen", "Dense", None),
        ("acme.models", "Encoder", None),
    ],
)
def test_what_is_built(module, name, severity):
    found = [("MLG-HFR-006", severity)] if severity else []
    assert verdicts(config(module, name)) == found
    assert verdicts(config(module, name).replace("pyref", "\\u0070yref")) == found


def test_other_documents_are_left_alone():
    assert verdicts(config("os", "system").replace("pyref", "other")) == []
    assert verdicts('{"pyref": ') == []


@given(st.text(alphabet='{}[]",:pyrefmodulna ', max_size=200))
def test_any_text(text):
    look(('{"pyref": ' + text).encode(), "a.json")


def test_however_the_reference_is_written():
    text = config("os", "system").replace('"type"', '"\\u0074ype"').replace(": ", "  :            ")
    assert verdicts(text) == [("MLG-HFR-006", "critical")]
    assert verdicts(config("os", "path.os." * 45 + "system"))
