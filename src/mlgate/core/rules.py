"""What a rule is: an id, its help, its place in the taxonomies, and a judging function."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from mlgate.core.facts import Check, Fact
from mlgate.core.severity import Severity


class Hit(Struct, frozen=True):
    """A fact that a rule objects to.

    Attributes:
        fact: The fact; its location and subject become the finding's.
        message: One sentence that names the thing and what it does. No volatile
            numbers: the location carries them.
        severity: Where the fact decides it; None takes the rule's.
        evidence: What was seen, readable.
        fix: The next step, where it can be said more exactly than the rule's ``fix``.
        advisory: Advisory id, for a vulnerable dependency.
        aliases: Its other ids.
        cvss: Base score, 0 to 10.
        fixed_in: A version that fixes it, where the advisories know one.
        rated: False where nobody rated it, and ``severity`` is the policy's threshold.
    """

    fact: Fact
    message: str
    severity: Severity | None = None
    evidence: str | None = None
    fix: str | None = None
    advisory: str | None = None
    aliases: tuple[str, ...] = ()
    cvss: float | None = None
    fixed_in: str | None = None
    rated: bool = True


# A rule reads only its own settings from the policy, whose type lives a floor above.
Judge: TypeAlias = Callable[[Sequence[Fact], Any], Iterable[Hit]]


class Rule(Struct, frozen=True, kw_only=True):
    """One rule.

    Attributes:
        id: ``MLG-<family>-<number>``; never reused.
        name: The bad pattern, kebab-case: ``unsafe-global-called``.
        check: The check whose facts it judges.
        severity: The severity of its findings, unless a fact decides it.
        varies: True where a fact decides the severity.
        kinds: The kinds of fact it judges; where there are none of these, it is not asked.
        context: The kinds of fact that it has to know of besides.
        summary: One line, without a full stop.
        what: What the rule sees.
        why: Why that is bad.
        fix: How to fix it.
        references: Advisory ids, CVEs, papers, specifications, URLs.
        cwe: CWE numbers.
        atlas: MITRE ATLAS technique ids (version 5.6.0).
        owasp: OWASP ids (``ML06:2023``, ``LLM03:2025``).
        security: False for rules about quality (accuracy, robustness).
        precision: SARIF precision: ``very-high``, ``high``, ``medium`` or ``low``.
        judge: From facts of those kinds, in order, and the policy, to hits.
    """

    id: str
    name: str
    check: Check
    severity: Severity
    kinds: tuple[str, ...]
    summary: str
    what: str
    why: str
    fix: str
    judge: Judge
    context: tuple[str, ...] = ()
    varies: bool = False
    references: tuple[str, ...] = ()
    cwe: tuple[int, ...] = ()
    atlas: tuple[str, ...] = ()
    owasp: tuple[str, ...] = ()
    security: bool = True
    precision: str = "high"
