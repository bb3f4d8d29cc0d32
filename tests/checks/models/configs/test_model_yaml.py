import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import format_of, judged, look, reasons
from tests.checks.models.configs.honest_templates import TEMPLATES
from tests.checks.models.credentials import HUGGING_FACE

EVIL = "{{ messages.__class__ }}"


def found(text, name="config.yaml"):
    return [(each.rule, each.severity.value) for each in judged(look(text.encode(), name))]


@pytest.mark.parametrize(
    "text",
    [
        f"chat_template: {json.dumps(EVIL)}\n",
        f"model: x\nchat_template_jinja: |\n  {EVIL}\n  more\n",
        f"a:\n  - chat_template:\n      default: >\n        {EVIL}\n",
        f"a: &t {json.dumps(EVIL)}\nchat_template: *t\n",
        '"chat_templ\\x61te": "{{ messages[\'\\x5f_class__\'] }}"\n',
        f"--- 1\n---\nchat_template: {json.dumps(EVIL)}\n",
    ],
)
@pytest.mark.parametrize("name", ["config.yaml", "train.yml"])
def test_a_template_in_yaml_is_judged(text, name):
    assert found(text, name) == [("MLG-JIN-001", "critical")]


def test_prompts_of_langchain_that_are_templates_of_jinja():
    prompt = f"_type: prompt\ntemplate: {json.dumps(EVIL)}\n"
    assert found(f"{prompt}template_format: jinja2\n", "prompt.yaml") == [("MLG-JIN-001", "critical")]
    assert found(f"{prompt}template_format: f-string\n", "prompt.yaml") == []
    assert found("template: '{{ question }}'\ntemplate_format: jinja2\n", "prompt.yaml") == []
    assert found(f"requirements: jinja2\nother: {json.dumps(EVIL)}\n", "env.yaml") == []


def test_many_prompts_are_bounded():
    prompts = "- template: '{{ a }}'\n" * 40 + "- template_format: "
    assert reasons(look(f"{prompts}jinja2\n".encode(), "p.yaml", facts=20)) == {"limit"}
    assert not look(f"{prompts}x  # jinja2\n".encode(), "p.yaml", facts=20).not_checked


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_templates_in_use_are_listed_and_no_alarm(text):
    seen = look(f"base_model: x\nchat_template: {json.dumps(text)}\n".encode(), "config.yml")
    assert judged(seen) == ()
    assert format_of(seen) == "model-yaml"


def test_a_credential_in_a_model_s_configuration():
    assert found(f"model_type: x\nhub:\n  token: {HUGGING_FACE}\n") == [("MLG-SEC-001", "high")]
    (finding,) = judged(look(f"model_type: x\nhub:\n  token: {HUGGING_FACE}\n".encode(), "c.yaml"))
    assert finding.location.line == 3


@pytest.mark.parametrize(
    "text",
    [
        f"services:\n  web:\n    token: {HUGGING_FACE}\n",
        "base_model: x\nchat_template: chatml\ntrust_remote_code: true\n",
        "model_type: llama\nlr: 0.1\n",
        "on: push\nname: ${{ github.__class__ }}\n",
        "chat_template: [\n",
    ],
)
def test_other_yaml_is_left_alone(text):
    seen = look(text.encode(), "config.yaml")
    assert not judged(seen)
    assert not seen.not_checked
    assert not seen.inventory


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(st.text(alphabet="chat_template:{}[]-&*!|>\"'\n x\\", max_size=80))
def test_any_text_ends(text):
    seen = look(f"chat_template: {text}".encode(), "c.yaml")
    assert not any("model-yaml reader failed" in each.message for each in seen.not_checked)
    assert "reader-failed" not in reasons(look(f"model_type: x\n{text}".encode(), "c.yaml"))
