"""Masked robustness is a finding, and says why."""

import pytest

from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.core.severity import Severity
from mlgate.policy.schema import Policy
from mlgate.rules import assessment, assessment_masking

PLACE = Location(".mlgate.yaml", line=12)
POLICY = Policy(version=1)


def sign(name, *, raised):
    return {"signal": name, "value": 0.9, "limit": 0.2, "raised": raised, "n": 32, "meaning": f"about {name}"}


def measured(outcome="masked", **changes):
    detail = {
        "name": "robust_accuracy",
        "family": "robustness",
        "outcome": outcome,
        "value": 0.9,
        "n": 40,
        "model": "models/m.onnx",
        "data": "data/d.npz",
        "if_masked": "fail",
        "masking": [sign("zero_gradients", raised=True), sign("slope_disagrees", raised=False)],
        **changes,
    }
    return Fact("assessment.measurement", PLACE, "m/robust_accuracy", detail)


def findings(*facts):
    return judge(assessment_masking.RULES, facts, POLICY)


def test_it_fires_and_shows_the_signs_that_were_raised():
    (finding,) = findings(measured())
    assert (finding.rule, finding.severity, finding.location) == ("MLG-ASM-004", Severity.HIGH, PLACE)
    assert "models/m.onnx" in finding.message
    assert "zero gradients: 0.90 of 32 samples (limit 0.2): about zero_gradients" in finding.evidence
    assert "slope" not in finding.evidence


def test_where_the_policy_warns_it_is_less_severe():
    (finding,) = findings(measured(if_masked="warn"))
    assert finding.severity is Severity.MEDIUM


@pytest.mark.parametrize(
    "fact",
    [
        measured(if_masked="undecided"),
        measured("pass"),
        measured("fail"),
        measured("inconclusive"),
        measured(family="performance"),
        Fact("assessment.measurement", PLACE, "m/robust_accuracy"),
    ],
)
def test_it_stays_silent(fact):
    assert findings(fact) == ()


def test_masked_is_no_plain_failure_too():
    assert judge(assessment.RULES, [measured()], POLICY) == ()


def test_a_fact_without_signs_is_forgiven():
    (finding,) = findings(measured(masking=[]))
    assert "0.900" in finding.evidence
