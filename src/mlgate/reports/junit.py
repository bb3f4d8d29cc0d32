"""The JUnit report: a suite for each check, for every CI system that shows test results.

Source: the schema of Jenkins' xunit plugin (junit-10.xsd), the strictest in use; GitLab,
GitHub's actions, Azure and Bitbucket read the same elements.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from msgspec import Struct

from mlgate.core.facts import Check
from mlgate.reports import _summary as summary
from mlgate.reports._text import clip, excerpt, figure, interval, place, printable, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlgate.core.facts import Measurement
    from mlgate.core.findings import Finding
    from mlgate.core.report import Report, Unjudged
    from mlgate.reports._style import Style

FORMAT = "junit"
SUFFIX = ".junit.xml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAME, _LINES, _WIDTH = 300, 60, 400
# Findings beyond these have no evidence and no fix in this report: readers refuse large files.
_DETAILED = 2_000
# What the verdict makes of a finding or an item, and the element that says so.
_ELEMENT = {
    "blocks": "failure",
    "undecided": "error",
    "waived": "skipped",
    "baseline": "skipped",
    "accepted": "skipped",
    "tolerated": "skipped",
}
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class _Case(Struct, frozen=True):
    """One test case.

    Attributes:
        owner: File or assessment, the class in JUnit's words.
        name: What was looked at.
        standing: As :func:`mlgate.reports._summary.standing` says; "" for what is in order.
        kind: Severity, or why it was not checked.
        message: One line.
        text: Lines beneath.
    """

    owner: str
    name: str
    standing: str = ""
    kind: str = ""
    message: str = ""
    text: str = ""


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - XML is the same in every style
    """Return the report as JUnit XML: failures block, errors were not checked, skipped is accepted.

    There is a failure exactly where a finding blocks, and an error exactly where something
    that was not checked counts. What was looked at and found in order passes: models,
    manifests and figures. A finding that does not block passes too, and is told in its
    output. Every suite carries the verdict and the policy's digest as properties.
    """
    suites = {name: list(_cases(report, name)) for name in _checks(report)}
    root = ET.Element("testsuites", {"name": "mlgate", "time": _seconds(report), **_counts(suites.values())})
    for name, cases in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": f"mlgate.{name}", **_counts([cases])})
        suite.set("skipped", str(sum(_element(case) == "skipped" for case in cases)))
        suite.set("time", _seconds(report) if len(suites) == 1 else "0.000")
        started = _PLAIN_TIME.match(report.started)
        if started:
            suite.set("timestamp", started.group())
        properties = ET.SubElement(suite, "properties")
        for key, value in _properties(report):
            ET.SubElement(properties, "property", {"name": key, "value": value})
        for case in cases:
            _write(suite, case)
    ET.indent(root)
    return f"{_DECLARATION}{ET.tostring(root, encoding='unicode')}\n"


def _checks(report: Report) -> tuple[str, ...]:
    """Return the checks that ran, and those that something was found about, in their order."""
    told = {finding.check.value for finding in report.findings}
    told |= {entry.item.check.value for entry in report.not_checked}
    names = [*report.checks, *(check.value for check in Check if check.value in told)]
    return tuple(dict.fromkeys(names)) or (Check.TARGET.value,)


def _cases(report: Report, check: str) -> Iterator[_Case]:
    for number, finding in enumerate(report.findings):
        if finding.check.value == check:
            yield _finding(finding, detailed=number < _DETAILED)
    for entry in report.not_checked:
        if entry.item.check.value == check:
            yield _gap(entry)
    if check == Check.MODELS.value:
        for record in report.inventory:
            if record.status == "checked":
                yield _Case(printable(record.path), f"{printable(record.format)} was read")
    elif check == Check.DEPENDENCIES.value:
        for path in dict.fromkeys(package.path for package in report.packages):
            yield _Case(printable(path), "requirements were read")
    elif check == Check.ASSESSMENT.value:
        yield from map(_measurement, (one for one in report.measurements if one.outcome != "fail"))


def _finding(finding: Finding, *, detailed: bool) -> _Case:
    known = [known for known in (finding.advisory, *finding.aliases) if known]
    parts = [where(finding.location), summary.accepted(finding)]
    parts.append(f"Known as {', '.join(known[:10])}" if known else "")
    if detailed:
        parts += [finding.evidence or "", f"Fix: {finding.fix}" if finding.fix else ""]
    spot = place(finding.location)
    name = " ".join(part for part in (finding.rule, finding.name, printable(finding.subject)) if part)
    return _Case(
        printable(finding.location.path) or "(repository)",
        f"{name} ({spot})" if spot else name,
        summary.standing(finding),
        finding.severity.value,
        finding.message,
        "\n".join(part for part in parts if part),
    )


def _gap(entry: Unjudged) -> _Case:
    item = entry.item
    spot = " ".join(part for part in (printable(item.subject), place(item.location)) if part)
    return _Case(
        printable(item.location.path) or "(repository)",
        f"not checked: {item.reason}" + (f" ({spot})" if spot else ""),
        summary.standing(entry),
        item.reason,
        f"Not checked ({summary.effect(entry)}): {item.message}",
        where(item.location),
    )


def _measurement(one: Measurement) -> _Case:
    part = f" ({printable(one.part)})" if one.part else ""
    asked = "" if one.threshold is None else f", the policy asks for {one.bound} {figure(one.threshold)}"
    words = f"{figure(one.value)}, interval {interval(one.low, one.high)}, n={one.n:,}{asked}"
    # Neither shown to be good enough nor shown not to be: no test that passed.
    decided = one.outcome in ("pass", "info")
    return _Case(
        printable(one.assessment),
        f"{printable(one.family)}: {printable(one.name)}{part}",
        "" if decided else "tolerated",
        printable(one.outcome),
        "" if decided else f"{printable(one.outcome)}: {words}",
        words,
    )


def _write(suite: ET.Element, case: _Case) -> None:
    name = {"classname": clip(case.owner, _NAME), "name": clip(printable(case.name), _NAME), "time": "0.000"}
    element = ET.SubElement(suite, "testcase", name)
    lines = "\n".join(excerpt(case.text, lines=_LINES, width=_WIDTH)) if case.text else ""
    kind = _element(case)
    message = clip(printable(case.message), _WIDTH)
    if kind:
        ET.SubElement(element, kind, {"type": printable(case.kind), "message": message}).text = lines
    elif case.message:
        words = f"{printable(case.kind)}, does not block: {message}"
        ET.SubElement(element, "system-out").text = f"{words}\n{lines}"
    elif lines:
        ET.SubElement(element, "system-out").text = lines


def _element(case: _Case) -> str:
    return _ELEMENT.get(case.standing, "")


def _counts(suites: Iterable[list[_Case]]) -> dict[str, str]:
    kinds = [_element(case) for cases in suites for case in cases]
    return {
        "tests": str(len(kinds)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
    }


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    yield "verdict", report.verdict.value
    yield "exit_code", str(report.exit_code)
    yield "summary", summary.headline(report)
    yield "scope", clip(printable(report.scope), _WIDTH)
    yield "policy", printable(report.policy.path or "built-in defaults")
    if report.policy.sha256:
        yield "policy.sha256", printable(report.policy.sha256)
    yield "tool", f"{report.tool.name} {report.tool.version}"


def _seconds(report: Report) -> str:
    return f"{report.seconds:.3f}"
