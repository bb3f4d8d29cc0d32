"""What every report says in the same words: totals, the reason for the verdict, what to do next."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from mlgate.core.facts import Check
from mlgate.core.findings import Finding
from mlgate.core.report import Report, Unjudged, Verdict
from mlgate.core.severity import Severity
from mlgate.reports._text import counted, listed, printable

WHY = {
    Verdict.PASS: "Everything in scope was checked, and nothing reaches the policy's threshold.",
    Verdict.FAIL: "At least one finding reaches the policy's threshold and is not waived.",
    Verdict.UNDECIDED: "Something in scope could not be checked. Nothing failed, but this is not a pass.",
}
_MEANING = {
    Verdict.PASS: "may merge",
    Verdict.FAIL: "must not merge",
    Verdict.UNDECIDED: "look before you merge",
}
WORST_FIRST = tuple(sorted(Severity, reverse=True))


class Totals(Struct, frozen=True):
    """The findings and the items not checked, by what they do to the verdict.

    Attributes:
        blocking: Findings that fail the run.
        reported: Findings that do not.
        known: Findings that do not because the baseline knows them.
        waived: Findings that a waiver accepts.
        open: Items not checked that make the run undecided.
        tolerated: Items not checked that the policy lets pass.
        accepted: Items not checked that a waiver accepts, or that the baseline knows.
    """

    blocking: tuple[Finding, ...]
    reported: tuple[Finding, ...]
    known: tuple[Finding, ...]
    waived: tuple[Finding, ...]
    open: tuple[Unjudged, ...]
    tolerated: tuple[Unjudged, ...]
    accepted: tuple[Unjudged, ...]


def totals(report: Report) -> Totals:
    """Sort what the report holds by what it does to the verdict, keeping its order."""
    active = [finding for finding in report.findings if finding.waived is None]
    held = [item for item in report.not_checked if item.waived is None and not item.baseline]
    return Totals(
        blocking=tuple(finding for finding in active if finding.blocks),
        reported=tuple(finding for finding in active if not finding.blocks and not finding.baseline),
        known=tuple(finding for finding in active if finding.baseline),
        waived=tuple(finding for finding in report.findings if finding.waived is not None),
        open=tuple(item for item in held if item.counts),
        tolerated=tuple(item for item in held if not item.counts),
        accepted=tuple(item for item in report.not_checked if item.waived is not None or item.baseline),
    )


def standing(one: Finding | Unjudged) -> str:
    """Return in a word what a finding or an item not checked does to the verdict.

    ``blocks``, ``reported``, ``baseline`` or ``waived`` for a finding; ``undecided``,
    ``tolerated``, ``baseline`` or ``accepted`` for what was not checked.
    """
    if isinstance(one, Unjudged):
        if one.waived is not None:
            return "accepted"
        if one.baseline:
            return "baseline"
        return "undecided" if one.counts else "tolerated"
    if one.waived is not None:
        return "waived"
    if one.baseline:
        return "baseline"
    return "blocks" if one.blocks else "reported"


def accepted(finding: Finding) -> str:
    """Return why a finding is accepted although it is there, or an empty text."""
    if finding.waived is not None:
        return f"waived until {printable(finding.waived.expires)}"
    return "known: in the baseline" if finding.baseline else ""


def by_severity(findings: Iterable[Finding]) -> tuple[tuple[Severity, int], ...]:
    """Count findings by severity, worst first; severities without one are left out."""
    counts = Counter(finding.severity for finding in findings)
    return tuple((severity, counts[severity]) for severity in WORST_FIRST if counts[severity])


def severities(findings: Iterable[Finding]) -> str:
    """Return ``1 critical, 2 high``."""
    return ", ".join(f"{count:,} {severity.value}" for severity, count in by_severity(findings))


def headline(report: Report) -> str:
    """Return one line of totals: what blocks, what does not, what is waived, what was not checked."""
    total = totals(report)
    blocking = ""
    if total.blocking:
        verb = "blocks" if len(total.blocking) == 1 else "block"
        blocking = f"{counted(len(total.blocking), 'finding')} {verb} ({severities(total.blocking)})"
    others = ""
    if total.reported:
        others = f"{len(total.reported):,} {'more ' if total.blocking else ''}below the threshold"
    held = [item for item in total.accepted if item.waived is not None]
    waived = len(total.waived) + len(held)
    known = len(total.known) + len(total.accepted) - len(held)
    unread = len(total.open) + len(total.tolerated)
    return listed(
        [
            blocking or "no finding blocks",
            others,
            f"{known:,} known from before" if known else "",
            f"{waived:,} waived" if waived else "",
            f"{unread:,} not checked" if unread else "",
        ]
    )


def looked_at(report: Report) -> str:
    """Return ``12 files, 3 models, 41 packages``: what the verdict rests on."""
    parts = []
    if report.files_seen or "models" in report.checks:
        parts += [counted(report.files_seen, "file"), counted(len(report.inventory), "model")]
    if report.packages or "dependencies" in report.checks:
        parts.append(counted(len(report.packages), "package"))
    if report.measurements:
        parts.append(counted(len(report.measurements), "measurement"))
    return ", ".join(parts) or "nothing"


def baseline_words(report: Report) -> tuple[str, ...]:
    """Return what to say of the baseline, a sentence each; empty where there is none."""
    kept = report.baseline
    if kept is None:
        return ()
    words = [f"{printable(kept.path)} has {counted(kept.entries, 'entry', 'entries')}; {kept.known:,} met."]
    numbers = Counter(entry.status for entry in kept.stale)
    if numbers["gone"]:
        words.append(f"{numbers['gone']:,} no longer occur: `mlgate baseline` removes them.")
    if numbers["changed"]:
        words.append(f"{numbers['changed']:,} in files whose content has changed since, which counts as new.")
    if numbers["worse"]:
        words.append(f"{numbers['worse']:,} graver than they were, which counts as new.")
    return tuple(words)


def policy_words(report: Report) -> str:
    """Return which policy decided, with the start of its digest."""
    if report.policy.path is None:
        return "built-in defaults (no policy file)"
    digest = f" (sha256 {report.policy.sha256[:12]})" if report.policy.sha256 else ""
    return f"{printable(report.policy.path)}{digest}"


def exit_words(report: Report) -> str:
    """Return the exit code and what it means."""
    meaning = {
        Verdict.PASS: "may merge",
        Verdict.FAIL: "must not merge",
        Verdict.UNDECIDED: "look before you merge",
    }
    return f"exit code {report.exit_code}: {meaning[report.verdict]}"


def next_steps(report: Report) -> tuple[str, ...]:
    """Return what a person can do next, most useful first; empty after a clean pass."""
    total = totals(report)
    steps = []
    if total.blocking:
        rules = list(dict.fromkeys(finding.rule for finding in total.blocking))
        steps.append(f"`mlgate explain {rules[0]}` tells what the worst finding means.")
        steps.append(
            "Fix what blocks, or accept it for a time: a waiver in the policy, with reason and expiry."
        )
    if any(entry.item.check is Check.POLICY for entry in total.open):
        steps.append("Correct the policy, and run again.")
    elif total.open:
        steps.append("Make what was not checked readable, pin it, or waive it with a reason.")
    return tuple(steps)


class Group(Struct, frozen=True):
    """Items not checked for the same reason, with the same effect.

    Attributes:
        reason: The slug.
        effect: What they do to the verdict, in words.
        items: At least one, in the report's order.
    """

    reason: str
    effect: str
    items: tuple[Unjudged, ...]

    @property
    def message(self) -> str | None:
        """The message that all of them share, or None where they differ."""
        first = self.items[0].item.message
        return first if all(item.item.message == first for item in self.items) else None


def effect(item: Unjudged) -> str:
    """Return what an item that was not checked does to the verdict."""
    if item.waived is not None:
        return f"waived until {printable(item.waived.expires)}"
    if item.baseline:
        return "known: in the baseline"
    return "makes the run undecided" if item.counts else "tolerated by the policy"


def groups(items: Sequence[Unjudged]) -> tuple[Group, ...]:
    """Group items by reason and effect, those that decide first, larger groups before smaller."""
    found: dict[tuple[str, str], list[Unjudged]] = {}
    for item in items:
        found.setdefault((item.item.reason, effect(item)), []).append(item)
    grouped = [Group(reason, words, tuple(members)) for (reason, words), members in found.items()]
    return tuple(sorted(grouped, key=lambda group: (not _decides(group), -len(group.items), group.reason)))


def by_message(items: Sequence[Unjudged]) -> tuple[Group, ...]:
    """Group items by reason, effect and message, in the order of :func:`groups`."""
    found = []
    for group in groups(items):
        messages: dict[str, list[Unjudged]] = {}
        for entry in group.items:
            messages.setdefault(entry.item.message, []).append(entry)
        found += [Group(group.reason, group.effect, tuple(members)) for members in messages.values()]
    return tuple(found)


def _decides(group: Group) -> bool:
    return group.items[0].counts and group.items[0].waived is None


def by_file(findings: Iterable[Finding]) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    """Group findings by path; files stand in the order of their first, which is their worst."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.location.path, []).append(finding)
    return tuple((path, tuple(members)) for path, members in found.items())
