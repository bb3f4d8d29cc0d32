"""Each rule fires on its fact, stays silent on honest ones, and forgives odd ones."""

import pytest

from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.core.severity import Severity
from mlgate.policy.schema import Policy
from mlgate.rules import assessment

PLACE = Location(".mlgate.yaml", line=12)
POLICY = Policy(version=1)


def measured(name, outcome, **changes):
    family = {"accuracy": "performance", "robust_accuracy": "robustness"}.get(name, name)
    detail = {
        "name": name,
        "family": family,
        "part": "",
        "limit": "min",
        "outcome": outcome,
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "n": 100,
        "threshold": 0.7,
        "model": "models/m.onnx",
        "data": "data/d.npz",
        "norm": "linf",
        "epsilon": 0.1,
        "bound": "upper bound (black-box)",
        "clipped_to": [0.0, 1.0],
        "attacks": {"square": {"broken": 50, "attacked": 95, "queries": 5000}},
        **changes,
    }
    return Fact("assessment.measurement", PLACE, f"m/{name}", detail)


def digest(expected, found):
    detail = {"file": "models/m.onnx", "which": "model", "expected": expected, "found": found}
    return Fact("assessment.digest", PLACE, "m/model", detail)


@pytest.mark.parametrize(
    ("fact", "rule"),
    [
        (measured("accuracy", "fail"), "MLG-ASM-001"),
        (measured("robust_accuracy", "fail"), "MLG-ASM-002"),
        (digest("a" * 64, "b" * 64), "MLG-ASM-003"),
    ],
)
def test_a_rule_fires(fact, rule):
    (finding,) = judge(assessment.RULES, [fact], POLICY)
    assert finding.rule == rule
    assert finding.location == PLACE
    assert finding.severity is Severity.HIGH
    assert "models/m.onnx" in finding.message
    assert finding.evidence


@pytest.mark.parametrize(
    "fact",
    [
        measured("accuracy", "pass"),
        measured("accuracy", "info"),
        measured("robust_accuracy", "pass"),
        measured("robust_accuracy", "inconclusive"),
        measured("latency", "fail"),
        digest("a" * 64, "a" * 64),
        Fact("assessment.measurement", PLACE, "m/accuracy"),
    ],
)
def test_a_rule_stays_silent(fact):
    assert judge(assessment.RULES, [fact], POLICY) == ()


def test_a_failed_figure_is_not_hidden_by_a_good_one():
    facts = [
        measured("robust_accuracy", "pass"),
        measured("accuracy", "pass"),
        measured("robust_accuracy", "fail"),
    ]
    assert [finding.rule for finding in judge(assessment.RULES, facts, POLICY)] == ["MLG-ASM-002"]


def test_the_message_holds_no_figure_and_the_evidence_does():
    first, second = (
        judge(assessment.RULES, [measured("robust_accuracy", "fail", value=value)], POLICY)[0]
        for value in (0.5, 0.4)
    )
    assert first.message == second.message
    assert first.fingerprint == second.fingerprint
    assert "0.500" in first.evidence
    assert "square: 50 of 95 samples broken" in first.evidence


def test_a_missing_range_is_said():
    (finding,) = judge(assessment.RULES, [measured("robust_accuracy", "fail", clipped_to=None)], POLICY)
    assert "no data.range" in finding.evidence


def test_quality_is_not_security_and_a_swapped_file_is():
    assert {rule.id: rule.security for rule in assessment.RULES} == {
        "MLG-ASM-001": False,
        "MLG-ASM-002": False,
        "MLG-ASM-003": True,
    }


def test_attacks_that_a_verification_left_nothing_are_not_named():
    tally = {
        "verification": {"broken": 60, "attacked": 95, "queries": 0},
        "square": {"broken": 0, "attacked": 0, "queries": 0},
    }
    fact = measured("robust_accuracy", "fail", attacks=tally, bound="exact (verified)")
    (finding,) = judge(assessment.RULES, [fact], POLICY)
    assert "(verification)" in finding.message
    assert "square" not in finding.evidence
    assert "exact (verified)" in finding.evidence
