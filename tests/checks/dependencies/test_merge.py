"""Several auditors: each is heard, flaws are joined by any id, and where they differ is said."""

import itertools

import pytest

from mlgate.checks.dependencies import merge
from mlgate.checks.dependencies.auditor import Advisory, Answer, Audit, Pin
from mlgate.core.severity import Severity

PIN = Pin("torch", "1.0")


def audits(**answers):
    return {name: Audit({PIN: answer} if answer else {}) for name, answer in answers.items()}


def named(*advisories, **more):
    return Answer(advisories=tuple(advisories), **more)


def test_a_flaw_is_one_whatever_id_an_auditor_gives_it():
    (flaw,) = merge.flaws(
        PIN,
        audits(
            a=named(Advisory(id="PYSEC-1", aliases=("CVE-1",))),
            b=named(Advisory(id="CVE-1", aliases=("GHSA-1",))),
        ),
    )
    assert (flaw.advisory.id, flaw.advisory.aliases) == ("PYSEC-1", ("CVE-1", "GHSA-1"))
    assert (flaw.auditors, flaw.silent) == (("a", "b"), ())


def test_an_advisory_that_joins_two_makes_them_one():
    (flaw,) = merge.flaws(
        PIN,
        audits(
            a=named(Advisory(id="A-1"), Advisory(id="A-2")),
            b=named(Advisory(id="B-1", aliases=("A-1", "A-2"))),
        ),
    )
    assert (flaw.advisory.id, flaw.advisory.aliases) == ("A-1", ("A-2", "B-1"))


def test_what_only_one_auditor_names_is_heard_and_the_other_is_said_to_be_silent():
    flaws = merge.flaws(PIN, audits(a=named(Advisory(id="A-1")), b=named(Advisory(id="B-1"))))
    assert [(each.advisory.id, each.auditors, each.silent) for each in flaws] == [
        ("A-1", ("a",), ("b",)),
        ("B-1", ("b",), ("a",)),
    ]


@pytest.mark.parametrize("other", [None, Answer(unknown="not-covered", message="?")])
def test_an_auditor_that_does_not_know_the_pin_is_not_silent_about_it(other):
    (flaw,) = merge.flaws(PIN, audits(a=named(Advisory(id="A-1")), b=other))
    assert flaw.silent == ()


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_the_gravest_that_any_of_them_knows_holds(order):
    known = {
        "a": Advisory(id="A-1"),
        "b": Advisory(id="A-1", cvss=9.8, severity=Severity.CRITICAL, fixed="1.10", malicious=True),
        "c": Advisory(id="A-1", cvss=5.0, severity=Severity.MEDIUM, fixed="1.9"),
    }
    (flaw,) = merge.flaws(PIN, audits(**{name: named(known[name]) for name in order}))
    assert (flaw.advisory.cvss, flaw.advisory.severity) == (9.8, Severity.CRITICAL)
    assert (flaw.advisory.fixed, flaw.advisory.malicious) == ("1.10", True)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("1.9", "1.10", "1.10"),
        ("1.9", None, None),
        (None, None, None),
        ("main", "1.0", "main"),
    ],
)
def test_an_upgrade_satisfies_everyone_who_found_something(first, second, expected):
    told = audits(
        a=named(Advisory(id="A-1"), upgrade=first), b=named(Advisory(id="A-2"), upgrade=second), c=named()
    )
    assert merge.upgrade(PIN, told) == expected


def test_one_auditor_has_nobody_to_agree_with():
    assert merge.agreement([PIN], audits(a=named())) is None


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (audits(a=named(), b=named()), "a and b agree on all 1 pinned versions"),
        (audits(a=named(Advisory(id="X-1")), b=named(Advisory(id="X-1"))), "agree on all 1"),
        (audits(a=named(), b=None), "a and b have no pinned version in common"),
        (
            audits(a=named(Advisory(id="X-1")), b=named()),
            "disagree on 1 of 1 pinned versions: torch==1.0 has X-1 by a, not by b",
        ),
    ],
)
def test_how_far_they_agree_is_said(told, words):
    assert words in merge.agreement([PIN], told).summary


def test_many_disagreements_are_counted():
    told = audits(a=named(*(Advisory(id=f"X-{index}") for index in range(9))), b=named())
    agreement = merge.agreement([PIN], told)
    assert "and 4 more" in agreement.summary
    assert len(agreement.detail["disagreements"]) == 9
