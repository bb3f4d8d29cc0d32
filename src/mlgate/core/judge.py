"""From facts to findings: a pure function of the rules, the facts and the policy."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from mlgate.core.facts import Fact
from mlgate.core.findings import Finding, fingerprint
from mlgate.core.rules import Hit, Rule


def judge(rules: Iterable[Rule], facts: Iterable[Fact], policy: Any) -> tuple[Finding, ...]:
    """Return the findings of ``rules`` over ``facts``, worst first, then by place.

    Each rule sees the facts of its kinds, and those of its context, in the order in which they
    were observed.
    """
    by_kind: defaultdict[str, list[tuple[int, Fact]]] = defaultdict(list)
    for position, fact in enumerate(facts):
        by_kind[fact.kind].append((position, fact))
    findings: list[Finding] = []
    for rule in rules:
        if by_kind.keys().isdisjoint(rule.kinds):
            continue
        seen = [pair for kind in (*rule.kinds, *rule.context) for pair in by_kind.get(kind, ())]
        seen.sort(key=itemgetter(0))
        findings += _findings(rule, rule.judge([fact for _, fact in seen], policy))
    findings.sort(key=worst_first)
    return tuple(findings)


def _findings(rule: Rule, hits: Iterable[Hit]) -> Iterable[Finding]:
    ordinals: Counter[tuple[str | None, ...]] = Counter()
    for hit in hits:
        fact = hit.fact
        identity = (rule.id, fact.location.path, fact.location.member, fact.subject, hit.advisory)
        # Two findings alike in all else are told apart by their order.
        ordinal = ordinals[identity]
        ordinals[identity] += 1
        yield Finding(
            rule=rule.id,
            name=rule.name,
            severity=hit.severity or rule.severity,
            check=rule.check,
            location=fact.location,
            subject=fact.subject,
            message=hit.message,
            fix=hit.fix or rule.fix,
            fingerprint=fingerprint(*identity, str(ordinal)),
            evidence=hit.evidence,
            advisory=hit.advisory,
            aliases=hit.aliases,
            cvss=hit.cvss,
            fixed_in=hit.fixed_in,
            rated=hit.rated,
        )


def worst_first(finding: Finding) -> tuple[int, str, str, int, int, str, str]:
    """Return what findings are sorted by: the gravest first, then by place."""
    place = finding.location
    return (
        -finding.severity.rank,
        place.path,
        place.member or "",
        place.line or 0,
        place.offset or 0,
        finding.rule,
        finding.subject,
    )
