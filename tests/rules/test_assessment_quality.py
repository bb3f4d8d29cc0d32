"""Subgroups, fairness, corruptions, baseline, labels, drift and poisoning: when a figure becomes a finding."""

import pytest

from mlgate import rules
from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.core.severity import Severity
from mlgate.policy.schema import Policy

PLACE = Location(".mlgate.yaml", line=12)
POLICY = Policy(version=1)
COMMON = {
    "outcome": "fail", "value": 0.5, "low": 0.4, "high": 0.6, "n": 100, "threshold": 0.7, "limit": "min",
    "part": "", "model": "models/m.onnx", "data": "data/d.npz",
}  # fmt: skip
CASES = {
    "MLG-ASM-005": {"family": "subgroups", "name": "f1", "part": "sex=m", "comparisons": 2},
    "MLG-ASM-006": {
        "family": "fairness", "name": "equalized_odds_difference", "limit": "max", "threshold": 0.1,
        "group": "sex", "by_group": {"f": {"n": 60, "true_positive": 0.9}, "m": {"n": 40, "true_positive": 0.4}},
    },
    "MLG-ASM-007": {
        "family": "corruptions", "name": "accuracy_drop", "limit": "max", "threshold": 0.1,
        "part": "gaussian_noise/3", "severities": "deviation 0.04 to 0.1", "before": 0.95, "after": 0.45,
    },
    "MLG-ASM-008": {
        "family": "baseline", "name": "accuracy_drop", "limit": "max", "threshold": 0.0,
        "baseline": "models/old.onnx", "before": 0.9, "after": 0.4, "mcnemar_p": 0.001,
        "only_the_baseline_is_right": 51, "only_this_model_is_right": 1,
    },
    "MLG-ASM-009": {
        "family": "labels", "name": "label_error_share", "limit": "max", "threshold": 0.01,
        "worst": [{"sample": 7, "label": "cat", "probability_of_label": 0.002}],
    },
    "MLG-ASM-010": {
        "family": "drift", "name": "psi", "limit": "max", "threshold": 0.25, "low": None, "high": None,
        "reference": "data/train.csv", "worst_feature": "income", "without_drift": 0.03,
        "features": {"income": {"psi": 0.5}, "age": {"psi": 0.01}},
    },
    "MLG-ASM-011": {
        "family": "poisoning", "name": "spectral_outlier_share", "outcome": "info", "threshold": None,
        "suspicious": True, "scanned": "data/train.npz", "method": "spectral signatures", "read_as": "a hint",
        "by_class": {"1": {"value": 0.2, "suspicious": True, "samples": [3, 5]}, "0": {"value": 0.0, "suspicious": False, "samples": []}},
    },
}  # fmt: skip
EVIDENCE = {
    "MLG-ASM-005": "one of 2 groups", "MLG-ASM-006": "m: true positive 0.400 (n=40)",
    "MLG-ASM-007": "0.950 on the data as it is", "MLG-ASM-008": "p = 0.001",
    "MLG-ASM-009": "sample 7: label cat", "MLG-ASM-010": "income: 0.500", "MLG-ASM-011": "samples 3, 5",
}  # fmt: skip


def fact(rule, **changes):
    return Fact("assessment.measurement", PLACE, f"m/{rule}", {**COMMON, **CASES[rule], **changes})


def found(*facts):
    return judge(rules.load(), facts, POLICY)


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_fires_alone(rule):
    (finding,) = found(fact(rule))
    assert finding.rule == rule
    assert finding.message.endswith(".")
    assert "\n" not in finding.message
    assert EVIDENCE[rule] in finding.evidence


@pytest.mark.parametrize("rule", CASES)
@pytest.mark.parametrize("outcome", ["pass", "inconclusive", "info"])
def test_it_is_silent_where_nothing_failed(rule, outcome):
    assert not found(fact(rule, outcome=outcome, suspicious=False))


@pytest.mark.parametrize("rule", CASES)
def test_a_fact_that_says_nothing_is_no_finding(rule):
    assert not found(Fact("assessment.measurement", PLACE, "m", {"family": CASES[rule]["family"]}))


@pytest.mark.parametrize("rule", CASES)
def test_a_good_figure_before_it_does_not_hide_it(rule):
    assert [one.rule for one in found(fact(rule, outcome="pass", suspicious=False), fact(rule))] == [rule]


@pytest.mark.parametrize("rule", CASES)
def test_a_figure_moves_no_fingerprint(rule):
    first, second = found(fact(rule)), found(fact(rule, value=0.3))
    assert first[0].fingerprint == second[0].fingerprint
    assert first[0].message == second[0].message


def test_only_poisoning_never_blocks():
    severities = {rule: found(fact(rule))[0].severity for rule in CASES}
    assert severities.pop("MLG-ASM-011") is Severity.INFO
    assert set(severities.values()) == {Severity.HIGH}


def test_many_groups_and_classes_are_told_in_a_few_lines():
    groups = {f"g{at}": {"n": 10, "selection": 0.1} for at in range(90)}
    classes = {str(at): {"value": 0.2, "suspicious": True, "samples": list(range(20))} for at in range(90)}
    assert found(fact("MLG-ASM-006", by_group=groups))[0].evidence.count("\n") < 15
    assert found(fact("MLG-ASM-011", by_class=classes))[0].evidence.count("\n") < 15


@pytest.mark.parametrize(
    ("part", "words"), [("contrast/3", "contrast: {severity: 2,"), ("typos/1", "typos: {severity: 1,")]
)
def test_the_fix_names_the_corruption_that_was_not_borne(part, words):
    (finding,) = found(fact("MLG-ASM-007", part=part))
    assert words in finding.fix
