"""What holds for every rule."""

import re
from pathlib import Path

import pytest

from mlgate import rulebook, rules
from mlgate.core.facts import Check

RULES = rules.load()
JUDGED = {Check.MODELS, Check.DEPENDENCIES, Check.ASSESSMENT, Check.POLICY}
BOOK = Path(__file__).parent.parent / "docs" / "rules.md"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_complete(rule):
    assert re.fullmatch(r"MLG-[A-Z]{3}-\d{3}", rule.id)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
    assert rule.kinds
    assert rule.summary
    assert not rule.summary.endswith(".")
    assert len(rule.summary) <= 120
    assert rule.check in JUDGED
    for text in (rule.what, rule.why, rule.fix):
        assert len(text) >= 40
        assert len(text) <= 1024
    assert rule.precision in ("very-high", "high", "medium", "low")
    assert rule.cwe
    assert all(re.fullmatch(r"AML\.T\d{4}(\.\d{3})?", technique) for technique in rule.atlas)
    assert all(re.fullmatch(r"(ML\d\d:2023|LLM\d\d:2025)", risk) for risk in rule.owasp)


def test_every_check_has_rules():
    assert {rule.check for rule in RULES} == JUDGED


def test_the_rule_book_is_current():
    assert BOOK.read_text(encoding="utf-8") == rulebook.render_markdown(RULES), "run `make docs`"
