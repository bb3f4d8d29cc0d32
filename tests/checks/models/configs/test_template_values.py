"""Templates among the values of a configuration, and Python source among them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import judged, look, reasons

EVIL = "{{ ''.__class__.__mro__[1].__subclasses__() }}"


def verdicts(text, name):
    return {(each.rule, each.severity.value) for each in judged(look(text.encode(), name))}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"components": {"a": {"init_parameters": {"template": EVIL}}}}),
        json.dumps([{"text": f"Dear {EVIL}"}]),
        json.dumps({"a": EVIL}).replace("__", "\\u005f_"),
        json.dumps({"a": EVIL}).replace("{{", "\\u007b{").replace("__", "\\u005f_"),
        f'a:\n  b: "{EVIL}"\n',
        f"a: |\n  x\n  {EVIL}\n",
    ],
)
def test_a_template_that_leads_into_python_is_found(text):
    name = "pipeline.json" if text[:1] in "[{" else "pipeline.yaml"
    assert verdicts(text, name) == {("MLG-JIN-001", "critical")}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(
            {"prompt": "Answer {{ question }} from {% for d in documents %}{{ d.content }}{% endfor %}"}
        ),
        json.dumps({"prompt": "{{ cookiecutter.__name }}", "x": "__init__"}),
        json.dumps({"text": "Python has __class__ and __globals__"}),
        "version: '{{ .Values.__x }}'\nname: __init__\n",
    ],
)
def test_ordinary_prompts_say_nothing(text):
    assert verdicts(text, "prompts.json" if text[:1] == "{" else "values.yaml") == set()


TOOL = "import os\nos.system('true')\n"
HIDDEN = "import base64\nexec(base64.b64decode('eA=='))"


@pytest.mark.parametrize(
    "document",
    [
        {"provider": "autogen_core.tools.FunctionTool", "component_type": "tool", "x": {"source_code": TOOL}},
        {"source_code": TOOL, "name": "f", "global_imports": []},
        {"nodes": [{"template": {"code": {"type": "code", "value": TOOL}}}]},
        {"1": {"class_type": "PythonExec", "inputs": {"code": TOOL}}},
        {"1": {"class_type": "X", "inputs": {"code": HIDDEN}}},
    ],
)
def test_source_that_runs_commands_is_found(document):
    for text in (json.dumps(document), json.dumps(document, indent=1)):
        assert verdicts(text, "flow.json") == {("MLG-HFR-006", "critical")}


@pytest.mark.parametrize(
    "document",
    [
        {"component_type": "tool", "x": {"source_code": "import requests\ndef f(x):\n  return x\n"}},
        {"task": "HumanEval", "code": TOOL},
        {"component_type": "tool", "description": TOOL},
    ],
)
def test_other_values_say_nothing(document):
    assert verdicts(json.dumps(document), "flow.json") == set()


@given(st.text(alphabet="{}\"'_:classtype%\n", max_size=200))
def test_any_text(text):
    look(text.encode(), "a.json")


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"my_chat_template_x": EVIL}, "config.json"),
        ({"auto_map": {"chat_template": EVIL}}, "config.json"),
        ({"template_format": "f-string", "template": EVIL}, "prompt.json"),
        ({"template_format": "mustache", "prefix": [EVIL]}, "prompt.json"),
        ({"chat_template": EVIL}, "notes.txt"),
        ({"chat_template": EVIL}, "tokenizer_config.json"),
        ({"template_format": "jinja2", "template": EVIL}, "prompt.json"),
    ],
)
def test_no_key_keeps_a_template_from_being_looked_at(document, name):
    for text in (json.dumps(document), *(f"{key}: {json.dumps(value)}\n" for key, value in document.items())):
        if "__class__" in text:
            seen = judged(look(text.encode(), name))
            found = [each.subject for each in seen if each.rule == "MLG-JIN-001"]
            assert len(found) == len(set(found)) > 0


@pytest.mark.parametrize(
    "source",
    ["import os\n" + "x = 1\n" * 90_000 + "os.system(1)", "import os\n" + "-" * 20_000 + "os.system(1)"],
)
def test_source_that_is_too_long_to_be_judged_is_not_checked(source):
    text = json.dumps({"component_type": "tool", "config": {"source_code": source}})
    assert "limit" in reasons(look(text.encode(), "tool.json"))
