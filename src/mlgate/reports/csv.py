"""The findings, and what was not checked, as a table for spreadsheets and notebooks (RFC 4180)."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from mlgate.reports import _summary as summary
from mlgate.reports._text import clip, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlgate.core.facts import Location
    from mlgate.core.findings import Finding, Waived
    from mlgate.core.report import Report, Unjudged
    from mlgate.reports._style import Style

FORMAT = "csv"
SUFFIX = ".csv"
COLUMNS = (
    "status",
    "severity",
    "rule",
    "name",
    "check",
    "path",
    "member",
    "line",
    "offset",
    "subject",
    "message",
    "fix",
    "evidence",
    "advisory",
    "aliases",
    "cvss",
    "fixed_in",
    "waived_until",
    "waived_because",
    "fingerprint",
)
# What spreadsheets take for the start of a formula, in ASCII and in full width.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_QUOTES = "'\"\u2018\u2019\u201c\u201d "
_LONGEST = 8_000


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - a table is the same in every style
    """Return one row for each finding, worst first, and then for each item not checked; none is cut.

    The first column says what a row does to the verdict: ``blocks``, ``reported``,
    ``waived``, ``undecided`` (not checked, and that counts), ``tolerated`` or ``accepted``
    (not checked, and the policy or a waiver takes it). A cell that a spreadsheet would run
    as a formula starts with an apostrophe; every cell is one line of printable text.
    """
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return out.getvalue()


def _rows(report: Report) -> Iterator[dict[str, object]]:
    for finding in report.findings:
        yield _finding(finding)
    for entry in report.not_checked:
        yield _gap(entry)


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "status": summary.standing(finding),
        "severity": finding.severity.value,
        "rule": finding.rule,
        "name": finding.name,
        "check": finding.check.value,
        **_place(finding.location),
        "subject": finding.subject,
        "message": finding.message,
        "fix": finding.fix,
        "evidence": finding.evidence,
        "advisory": finding.advisory,
        "aliases": " ".join(finding.aliases),
        "cvss": finding.cvss,
        "fixed_in": finding.fixed_in,
        **_waiver(finding.waived),
        "fingerprint": finding.fingerprint,
    }


def _gap(entry: Unjudged) -> dict[str, object]:
    item = entry.item
    return {
        "status": summary.standing(entry),
        "rule": "not-checked",
        "name": item.reason,
        "check": item.check.value,
        **_place(item.location),
        "subject": item.subject,
        "message": item.message,
        **_waiver(entry.waived),
    }


def _place(location: Location) -> dict[str, object]:
    return {name: getattr(location, name) for name in ("path", "member", "line", "offset")}


def _waiver(waived: Waived | None) -> dict[str, object]:
    return {} if waived is None else {"waived_until": waived.expires, "waived_because": waived.reason}


def _cell(value: object) -> object:
    """Return a number as it is, and text that no spreadsheet computes."""
    if value is None or isinstance(value, int | float):
        return value
    text = clip(printable(str(value)), _LONGEST)
    return f"'{text}" if text.lstrip(_QUOTES).startswith(_FORMULA) else text
