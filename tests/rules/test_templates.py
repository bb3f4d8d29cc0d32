import pytest
from tests.rules.cases import verdicts


@pytest.mark.parametrize(("container", "rule"), [("gguf", "MLG-GGF-001"), ("", "MLG-JIN-001")])
@pytest.mark.parametrize(
    "how",
    ["attribute", "subscript", "built", "filter", "text", "global", "tag", "call", "unparsable"],
)
def test_reaching_python_is_critical(how, container, rule):
    assert verdicts("jinja.internals", "__class__", how=how, container=container) == [(rule, "critical")]


@pytest.mark.parametrize(("container", "rule"), [("gguf", "MLG-GGF-001"), ("zip", "MLG-JIN-001")])
def test_other_templates_and_web_objects_are_high(container, rule):
    assert verdicts("jinja.outside", "x", how="include", container=container) == [(rule, "high")]
    assert verdicts("jinja.outside", "", how="include", container=container) == [(rule, "high")]
    assert verdicts("jinja.internals", "request", how="web", container=container) == [(rule, "high")]


@pytest.mark.parametrize("how", ["range", "repetition", "recursion"])
def test_loops_without_a_bound_are_medium(how):
    assert verdicts("jinja.loop", "m", how=how, container="") == [("MLG-JIN-002", "medium")]


def test_hidden_instructions_are_medium():
    assert verdicts("jinja.hidden", "invoice", container="") == [("MLG-GGF-002", "medium")]
