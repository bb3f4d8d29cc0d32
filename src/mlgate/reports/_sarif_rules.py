"""SARIF descriptors of the rules, as GitHub reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlgate.core.severity import Severity
from mlgate.prose import set_plain
from mlgate.reports._text import clip, printable
from mlgate.rulebook import help_markdown, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.findings import Finding
    from mlgate.core.report import Report
    from mlgate.core.rules import Rule

LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub: critical above 9.0, high from 7.0, medium from 4.0, low above 0; 0 itself is refused.
SCORE = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}
_NAME, _DESCRIPTION, _TAGS = 255, 1024, 10


def rule_id(rule: str, severity: Severity, usual: Severity) -> str:
    """Return the id under which SARIF knows a rule at one severity.

    GitHub takes ``security-severity`` from the rule and from nowhere else, so a rule whose
    findings differ in severity needs one descriptor for each. The usual severity keeps the
    plain id. The others are ids of their own: behind a slash they would be sub-rules, which
    carry no metadata (SARIF 3.49.3).
    """
    return rule if severity is usual else f"{rule}-{severity.value}"


class Descriptors:
    """The rules of a run as ``tool.driver.rules``: the same list in every run of one version.

    A finding of a rule that the report does not hold gets a descriptor of its own at the
    end, so that no result is ever without one.
    """

    def __init__(self, report: Report) -> None:
        self.rules: list[Any] = []
        self._index: dict[str, int] = {}
        self._usual = {rule.id: rule.severity for rule in report.rules}
        for rule in ordered(report.rules):
            for severity in sorted(Severity, reverse=True) if rule.varies else [rule.severity]:
                self._add(_descriptor(rule, severity))

    def find(self, finding: Finding) -> tuple[str, int]:
        """Return ``ruleId`` and ``ruleIndex`` of a finding."""
        usual = self._usual.setdefault(finding.rule, finding.severity)
        found = rule_id(finding.rule, finding.severity, usual)
        if found not in self._index:
            self._add(_unknown(finding, found))
        return found, self._index[found]

    def _add(self, descriptor: Any) -> None:
        self._index[descriptor.id] = len(self.rules)
        self.rules.append(descriptor)


def _descriptor(rule: Rule, severity: Severity) -> Any:
    import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

    titled = (("What it does", rule.what), ("Why is this bad?", rule.why), ("How to fix", rule.fix))
    text = "\n\n".join("\n".join([title, *set_plain(prose, 100)]) for title, prose in titled)
    links = [reference for reference in rule.references if reference.startswith("https://")]
    return om.ReportingDescriptor(
        id=rule_id(rule.id, severity, rule.severity),
        name=clip(rule.name, _NAME),
        short_description=om.MultiformatMessageString(text=clip(_sentence(rule.summary), _DESCRIPTION)),
        full_description=om.MultiformatMessageString(
            text=clip(_sentence(" ".join(set_plain(rule.what, _DESCRIPTION))), _DESCRIPTION)
        ),
        help=om.MultiformatMessageString(text=text, markdown=help_markdown(rule)),
        help_uri=links[0] if links else None,
        default_configuration=om.ReportingConfiguration(level=LEVEL[severity]),
        properties=_properties(rule, severity),
    )


def _properties(rule: Rule, severity: Severity) -> dict[str, Any]:
    found: dict[str, Any] = {"tags": _tags(rule), "precision": rule.precision}
    if rule.security:
        found["security-severity"] = SCORE[severity]
    else:
        found["problem.severity"] = _PROBLEM[LEVEL[severity]]
    return found


def _tags(rule: Rule) -> Sequence[str]:
    tags = [
        *(["security"] if rule.security else []),
        rule.check.value,
        *(f"external/cwe/cwe-{number:03}" for number in rule.cwe),
        *(f"external/mitre-atlas/{technique}" for technique in rule.atlas),
        *(f"external/owasp/{identifier}" for identifier in rule.owasp),
    ]
    return tags[:_TAGS]


def _unknown(finding: Finding, found: str) -> Any:
    import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

    name = clip(printable(finding.name) or finding.rule, _NAME)
    return om.ReportingDescriptor(
        id=found,
        name=name,
        short_description=om.MultiformatMessageString(text=_sentence(name)),
        full_description=om.MultiformatMessageString(text=_sentence(name)),
        help=om.MultiformatMessageString(text=clip(printable(finding.fix) or name, _DESCRIPTION)),
        default_configuration=om.ReportingConfiguration(level=LEVEL[finding.severity]),
        properties={
            "tags": ["security", finding.check.value],
            "precision": "medium",
            "security-severity": SCORE[finding.severity],
        },
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
