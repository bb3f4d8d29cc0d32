import datetime as dt

import pytest
from msgspec import UNSET
from tests.policy.test_verdict import finding, gap, policy

from mlgate.core.facts import Check, Fact, Location
from mlgate.core.report import Verdict
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.policy.document import PolicyError
from mlgate.policy.overrides import judge_each, resolver, unmatched
from mlgate.policy.schema import Threshold
from mlgate.policy.verdict import decide, fail_at

TODAY = dt.date(2026, 6, 15)
EXPERIMENTS = "overrides:\n- path: experiments/**\n  "


def verdict(text, findings=(), gaps=()):
    return decide(policy(text), findings, gaps, TODAY, complete=True).verdict


def scored(path):
    return finding("MLG-DEP-001", check=Check.DEPENDENCIES, path=path, cvss=9.0)


def at(text, path="experiments/a.pkl"):
    return resolver(policy(text).policy)(path)


def test_without_an_override_the_policy_holds_everywhere():
    loaded = policy("fail_on: low\n").policy
    assert resolver(loaded)("a") is loaded


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("experiments/a.pkl", Verdict.PASS),
        ("experiments.pkl", Verdict.FAIL),
        ("models/experiments/a", Verdict.FAIL),
    ],
)
def test_a_threshold_holds_in_its_paths_alone(path, expected):
    assert verdict(EXPERIMENTS + "fail_on: critical\n", [finding(path=path)]) is expected


def test_an_override_can_be_stricter():
    text = "fail_on: critical\noverrides:\n- {path: production/**, fail_on: low}\n"
    assert verdict(text, [finding(path="production/a.pkl", severity=Severity.LOW)]) is Verdict.FAIL
    assert verdict(text, [finding(severity=Severity.LOW)]) is Verdict.PASS


def test_one_severity_for_a_folder_is_every_checks():
    text = (
        "models: {fail_on: low}\ndependencies: {fail_on: {cvss: 1.0}}\n" + EXPERIMENTS + "fail_on: critical\n"
    )
    assert verdict(text, [finding(path="experiments/a.pkl"), scored("experiments/r.txt")]) is Verdict.PASS
    assert verdict(text, [scored("r.txt")]) is Verdict.FAIL


def test_a_checks_own_threshold_is_the_nearer_one():
    own = at(
        EXPERIMENTS + "fail_on: critical\n  models: {fail_on: low}\n  dependencies: {fail_on: {cvss: 2}}\n"
    )
    assert own.threshold(Check.MODELS) is Severity.LOW
    assert own.dependencies.fail_on == Threshold(cvss=2.0)


def test_of_several_the_later_ones_hold_key_by_key():
    text = "overrides:\n- {path: '**', models: {allow_formats: [onnx], allow_globals: [a.B]}}\n- {path: x/*, models: {allow_formats: []}}\n"
    assert at(text, "x/a").models.allow_formats == ()
    assert at(text, "x/a").models.allow_globals == ("a.B",)
    assert at(text, "y").models.allow_formats == ("onnx",)


def test_what_an_override_does_not_name_stays():
    own = at("models: {allow_globals: [a.B]}\n" + EXPERIMENTS + "fail_on: low\n")
    assert own.models.allow_globals == ("a.B",)
    assert own.models.allow_formats is UNSET


def test_the_command_line_is_above_every_override():
    loaded = policy(
        EXPERIMENTS
        + "fail_on: critical\n  models: {fail_on: critical}\n  dependencies: {fail_on: critical}\n"
    )
    strict = fail_at(loaded.policy, Severity.LOW)
    own = resolver(strict)("experiments/a.pkl")
    assert {own.threshold(check) for check in Check} == {Severity.LOW}


def test_a_requirement_without_a_version_may_be_a_remark_in_some_paths_and_is_never_silent():
    text = EXPERIMENTS + "dependencies: {unpinned: warn}\n"
    loose = gap("unpinned", "experiments/requirements.txt", check=Check.DEPENDENCIES)
    decision = decide(policy(text), [], [loose], TODAY, complete=True)
    assert decision.verdict is Verdict.PASS
    assert [entry.item for entry in decision.not_checked] == [loose]
    assert (
        verdict(text, [], [gap("unpinned", "requirements.txt", check=Check.DEPENDENCIES)])
        is Verdict.UNDECIDED
    )
    assert verdict(text, [], [gap("lfs-pointer", "experiments/a.pkl")]) is Verdict.UNDECIDED


@pytest.mark.parametrize("check", [Check.ASSESSMENT, Check.POLICY])
def test_what_stands_in_the_policy_has_no_path(check):
    text = "overrides:\n- {path: '**', fail_on: critical}\n"
    assert verdict(text, [finding(path=".mlgate.yaml", check=check)]) is Verdict.FAIL


def judge_formats(facts, policy):
    allowed = policy.models.allow_formats
    yield from (Hit(fact, "m") for fact in facts if allowed is UNSET or fact.subject not in allowed)
    # What a rule concludes from several files: it must see them all, whatever holds for each.
    yield from (Hit(fact, "several") for fact in facts[:1] if len(facts) == 3)


RULE = Rule(
    id="MLG-COR-009", name="n", check=Check.MODELS, severity=Severity.HIGH, kinds=("k",),
    summary="s", what="w", why="y", fix="f", judge=judge_formats,
)  # fmt: skip
FACTS = [
    Fact("k", Location("experiments/a"), "pickle"),
    Fact("k", Location("b"), "pickle"),
    Fact("k", Location("c\nexperiments/d"), "onnx"),
]


def test_every_fact_is_judged_by_the_policy_of_its_path_and_once():
    text = "models: {allow_formats: [onnx]}\n" + EXPERIMENTS + "models: {allow_formats: [pickle]}\n"
    found = judge_each([RULE], FACTS, policy(text).policy)
    assert [(each.location.path, each.message) for each in found] == [
        ("b", "m"),
        ("experiments/a", "several"),
    ]
    assert not judge_each([RULE], [], policy(text).policy)


def test_an_override_that_matches_nothing_is_said():
    loaded = policy("overrides:\n- {path: experimnets/**, fail_on: critical}\n- {path: a, fail_on: low}\n")
    (found,) = unmatched(loaded, ["a", "experiments/b"])
    assert found.location.line == 3
    assert "experimnets/**" in found.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {path: a}", "overrides[0]: says nothing else"),
        ("- {path: a, models: {}}", "overrides[0]: says nothing else"),
        ("- {fail_on: low}", "overrides[0]: the key `path` is missing"),
        ("- {path: '../a', fail_on: low}", "overrides[0].path: bad glob"),
        ("- {path: '[', fail_on: low}", "overrides[0].path: bad glob"),
        ("- {path: a, dependencies: {fail_on: {}}}", "overrides[0].dependencies.fail_on: says neither"),
        ("- {path: a, models: {exclude: ['**']}}", "overrides[0].models.exclude: unknown key"),
        ("- {path: a, models: {allow_globals: ['*']}}", "overrides[0].models.allow_globals[0]"),
        ("- {path: a, dependencies: {unpinned: ignore}}", "overrides[0].dependencies.unpinned"),
        ("- {path: ['a'], fail_on: low}", "overrides[0].path"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(text, words):
    with pytest.raises(PolicyError) as caught:
        policy(f"overrides:\n{text}\n")
    assert words in str(caught.value)
    assert str(caught.value).startswith("p.yaml:3:")


def test_all_of_a_path_stands_in_one_place():
    """Two of one path are one to a reader, and `policy diff` would compare the last alone."""
    with pytest.raises(PolicyError, match=r"^p.yaml:4: overrides\[1\]\.path: 'a' stands twice"):
        policy("overrides:\n- {path: a, fail_on: low}\n- {path: a, models: {fail_on: critical}}\n")
