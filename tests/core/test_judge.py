import pytest

from mlgate.core.facts import Check, Fact, Location
from mlgate.core.findings import fingerprint
from mlgate.core.judge import judge
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def rule(identifier="MLG-TST-001", kinds=("test.seen",), severity=Severity.HIGH, judging=None, context=()):
    return Rule(
        id=identifier,
        name=identifier.lower(),
        check=Check.MODELS,
        severity=severity,
        kinds=kinds,
        context=context,
        summary="s",
        what="w",
        why="y",
        fix="f",
        judge=judging or (lambda facts, _policy: [Hit(fact, f"saw {fact.subject}") for fact in facts]),
    )


def fact(kind="test.seen", path="a.pkl", subject="x", **where):
    return Fact(kind, Location(path, **where), subject)


def test_a_rule_sees_only_facts_of_its_kinds_in_order():
    seen = []

    def judging(facts, _policy):
        seen.extend(facts)
        return []

    facts = [fact("b", subject="1"), fact("c", subject="2"), fact("a", subject="3"), fact("b", subject="4")]
    judge([rule(kinds=("a", "b"), judging=judging)], facts, None)
    assert [each.subject for each in seen] == ["1", "3", "4"]


def test_a_rule_without_facts_is_not_asked():
    def judging(_facts, _policy):
        raise AssertionError

    assert judge([rule(judging=judging)], [fact("other")], None) == ()


def test_context_comes_along_in_order_and_is_no_reason_to_ask():
    seen = []

    def judging(facts, _policy):
        seen.append([each.subject for each in facts])
        return []

    around, judged = fact("around", subject="1"), fact("a", subject="2")
    judge([rule(kinds=("a",), context=("around",), judging=judging)], [around], None)
    assert seen == []
    judge([rule(kinds=("a",), context=("around",), judging=judging)], [around, judged, around], None)
    assert seen == [["1", "2", "1"]]


def test_findings_come_worst_first_then_by_place():
    rules = [rule("MLG-TST-001", severity=Severity.LOW), rule("MLG-TST-002", severity=Severity.CRITICAL)]
    found = judge(rules, [fact(path="b"), fact(path="a")], None)
    assert [(each.rule[-1], each.location.path) for each in found] == [
        ("2", "a"),
        ("2", "b"),
        ("1", "a"),
        ("1", "b"),
    ]


def test_a_hit_may_decide_severity_and_fix():
    def judging(facts, _policy):
        return [Hit(facts[0], "m", severity=Severity.INFO, fix="do this")]

    (found,) = judge([rule(judging=judging)], [fact()], None)
    assert (found.severity, found.fix) == (Severity.INFO, "do this")


def test_the_policy_reaches_the_rule():
    def judging(facts, policy):
        return [Hit(facts[0], policy)]

    (found,) = judge([rule(judging=judging)], [fact()], "the policy")
    assert found.message == "the policy"


@pytest.mark.parametrize("moved", [{"line": 9}, {"offset": 900}])
def test_a_fingerprint_survives_insertions_above(moved):
    (before,) = judge([rule()], [fact(**dict.fromkeys(moved, 1))], None)
    (after,) = judge([rule()], [fact(**moved)], None)
    assert before.fingerprint == after.fingerprint


@pytest.mark.parametrize(
    "other",
    [{"path": "b.pkl"}, {"subject": "y"}, {"member": "archive/data.pkl"}],
    ids=["path", "subject", "member"],
)
def test_a_fingerprint_tells_things_apart(other):
    (one,) = judge([rule()], [fact()], None)
    (two,) = judge([rule()], [fact(**other)], None)
    assert one.fingerprint != two.fingerprint


def test_equal_findings_in_one_file_have_fingerprints_of_their_own():
    found = judge([rule()], [fact(offset=1), fact(offset=2)], None)
    assert len({each.fingerprint for each in found}) == 2


def test_fingerprints_do_not_run_parts_together():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint("a", None) != fingerprint(None, "a")


def test_any_name_has_a_fingerprint():
    assert len({fingerprint("\ud800"), fingerprint("\udcff"), fingerprint("é")}) == 3
