import json
import textwrap

import pytest
from tests.reports.sample import RULES

from mlgate import rulebook
from mlgate.policy import load


def test_the_page_has_a_section_for_each_rule_with_its_help():
    page = rulebook.render_markdown(RULES)
    for rule in RULES:
        assert f"\n## {rule.id}\n" in page
        assert f"| Name | `{rule.name}` |" in page
        assert f"[{rule.id}](#{rule.id.lower()})" in page
    sections = ("### What it does", "### Why is this bad?", "### How to fix")
    assert [page.count(section) for section in sections] == [len(RULES)] * 3
    assert "[CWE-502](https://cwe.mitre.org/data/definitions/502.html)" in page
    assert "<https://docs.python.org/3/library/pickle.html>" in page


def test_the_page_does_not_depend_on_the_order_of_the_rules():
    assert rulebook.render_markdown(RULES) == rulebook.render_markdown(RULES[::-1])


def test_the_page_of_no_rules_is_its_head():
    assert rulebook.render_markdown(()).startswith("# Rules")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_explanation_says_what_why_and_how_in_eighty_columns(rule):
    text = rulebook.render_rule(rule)
    assert text.startswith(f"{rule.id} {rule.name}\n")
    for title in ("What it does", "Why is this bad?", "How to fix"):
        assert f"\n{title}\n" in text
    assert max(map(len, text.split("\n"))) <= 80


def test_an_explanation_says_that_a_severity_varies():
    assert "high (varies with what is found)" in rulebook.render_rule(RULES[2])


def test_the_table_has_every_rule_by_check_in_eighty_columns():
    text = rulebook.render_table(RULES)
    assert [line for line in text.split("\n") if line and not line.startswith(" ")] == [
        "models",
        "dependencies",
        "assessment",
    ]
    assert all(rule.id in text for rule in RULES)
    assert max(map(len, text.split("\n"))) <= 80


def test_the_json_list_is_complete():
    found = json.loads(rulebook.render_json(RULES))
    assert [one["id"] for one in found] == [rule.id for rule in RULES]
    assert found[0]["severity"] == "critical"
    assert found[0]["check"] == "models"
    assert found[0]["cwe"] == [502]
    assert found[0]["fix"] == RULES[0].fix


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_explanation_shows_one_waiver_that_is_valid_once_it_has_a_date(rule):
    text = rulebook.render_rule(rule)
    assert text.count("waivers:") == 1
    block = textwrap.dedent(text[text.rindex("\n", 0, text.index("waivers:")) :].split("\n\n")[0])
    policy = f"version: 1\n{block.strip()}\n".replace("YYYY-MM-DD", "2030-01-31")
    (waiver,) = load.load(".mlgate.yaml", {".mlgate.yaml": policy.encode()}.get).policy.waivers
    assert waiver.rule == rule.id
