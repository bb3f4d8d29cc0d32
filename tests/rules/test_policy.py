import pytest

from mlgate.core.facts import Fact, Location
from mlgate.core.severity import Severity
from mlgate.rules.policy import RULES

(RULE,) = RULES


@pytest.mark.parametrize(("effect", "severity"), [("loosened", Severity.MEDIUM), ("changed", Severity.LOW)])
def test_what_a_change_does_to_the_policy_decides_the_severity(effect, severity):
    detail = {"effect": effect, "words": "high -> critical", "ref": "main"}
    fact = Fact("policy.changed", Location(".mlgate.yaml", line=2), "fail_on", detail)
    (hit,) = RULE.judge([fact], None)
    assert hit.severity is severity
    assert "fail_on" in hit.message
    assert "high -> critical" in hit.evidence


def test_without_a_change_there_is_nothing_to_say():
    assert not list(RULE.judge([], None))
