"""The policy decides: waivers, thresholds, and what remains undecided."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

from msgspec import UNSET, Struct
from msgspec.structs import replace

from mlgate.core.facts import Check, NotChecked
from mlgate.core.findings import Finding, Waived
from mlgate.core.report import BaselineStatus, Unjudged, Verdict, WaiverStatus
from mlgate.policy.globs import compile_globs
from mlgate.policy.load import PolicyFile
from mlgate.policy.overrides import resolver, threshold_policy
from mlgate.policy.recognition import Recognition, recognise, status
from mlgate.policy.schema import Policy, Threshold, Waiver

# Reasons that `dependencies.unpinned: warn` turns into a remark.
_UNPINNED = frozenset({"unpinned", "vcs-requirement", "url-requirement", "local-requirement"})


class Decision(Struct, frozen=True):
    """What the policy made of findings and gaps.

    Attributes:
        verdict: The answer.
        findings: With ``blocks`` and ``waived`` filled in, in the same order.
        not_checked: With ``counts`` and ``waived`` filled in, in the same order.
        waivers: What became of each waiver.
        baseline: What became of the baseline, where there is one.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    not_checked: tuple[Unjudged, ...]
    waivers: tuple[WaiverStatus, ...]
    baseline: BaselineStatus | None = None


def decide(
    policy: PolicyFile,
    findings: Iterable[Finding],
    not_checked: Iterable[NotChecked],
    today: dt.date,
    *,
    complete: bool,
    contents: Mapping[str, str] = MappingProxyType({}),
    staying: Collection[str] = (),
) -> Decision:
    """Apply the policy: a pure function of its arguments.

    Args:
        policy: The policy.
        findings: What the rules object to.
        not_checked: What could not be judged.
        today: The day on which waivers are held to their expiry.
        complete: True where every check looked at the whole target; only then can a
            waiver that met nothing be called unused.
        contents: SHA-256 by path of the files that the model check looked at, for the
            baseline.
        staying: Paths of files that are there and were not looked at, for the baseline.
    """
    findings, not_checked = tuple(findings), tuple(not_checked)
    known = Recognition({}, {}, ())
    if policy.baseline is not None:
        known = recognise(
            policy.baseline, findings, not_checked, contents, complete=complete, staying=staying
        )
    holding = resolver(policy.policy)
    waivers = [_Matcher(policy, index, waiver, today) for index, waiver in enumerate(policy.policy.waivers)]
    matched: Counter[int] = Counter()
    ended: set[int] = set()

    def waived(test: Callable[["_Matcher"], bool], *, fixed: bool = False) -> Waived | None:
        accepted = None
        for waiver in waivers:
            if test(waiver):
                matched[waiver.index] += 1
                if fixed and waiver.until_fixed:
                    ended.add(waiver.index)
                else:
                    accepted = accepted or waiver.accepted
        return accepted

    judged = []
    for at, finding in enumerate(findings):
        acceptance = waived(
            lambda waiver, finding=finding: waiver.meets_finding(finding),  # type: ignore[misc]
            fixed=finding.fixed_in is not None,
        )
        old = at in known.findings
        own = threshold_policy(holding, policy.policy, finding)
        blocks = acceptance is None and not old and _reaches(own, finding)
        judged.append(replace(finding, waived=acceptance, baseline=old, blocks=blocks))
    unjudged = []
    for at, item in enumerate(not_checked):
        acceptance = waived(lambda waiver, item=item: waiver.meets_gap(item))  # type: ignore[misc]
        remark = item.reason in _UNPINNED and holding(item.location.path).dependencies.unpinned == "warn"
        old = at in known.gaps
        counts = acceptance is None and not old and not remark
        unjudged.append(Unjudged(item, counts=counts, waived=acceptance, baseline=old))
    if any(finding.blocks for finding in judged):
        verdict = Verdict.FAIL
    elif any(entry.counts for entry in unjudged):
        verdict = Verdict.UNDECIDED
    else:
        verdict = Verdict.PASS
    statuses = tuple(
        waiver.status(matched[waiver.index], complete=complete, fixed=waiver.index in ended)
        for waiver in waivers
    )
    kept = None if policy.baseline is None else status(policy.baseline, known)
    return Decision(verdict, tuple(judged), tuple(unjudged), statuses, kept)


def fail_at(policy: Policy, severity: object) -> Policy:
    """Return the policy with one severity as the threshold of every check."""
    return replace(
        policy,
        fail_on=severity,
        models=replace(policy.models, fail_on=UNSET),
        dependencies=replace(policy.dependencies, fail_on=UNSET),
        overrides=tuple(
            replace(
                each,
                fail_on=UNSET,
                models=replace(each.models, fail_on=UNSET),
                dependencies=replace(each.dependencies, fail_on=UNSET),
            )
            for each in policy.overrides
        ),
    )


def _reaches(policy: Policy, finding: Finding) -> bool:
    if finding.severity >= policy.threshold(finding.check):
        return True
    threshold = policy.dependencies.fail_on
    return (
        finding.check is Check.DEPENDENCIES
        and isinstance(threshold, Threshold)
        and isinstance(threshold.cvss, float | int)
        and finding.cvss is not None
        and finding.cvss >= threshold.cvss
    )


class _Matcher:
    """One waiver, ready to be held against findings."""

    def __init__(self, policy: PolicyFile, index: int, waiver: Waiver, today: dt.date) -> None:
        self.index = index
        self._waiver = waiver
        self._expired = today > waiver.expires
        self._line = policy.line(f"waivers[{index}]")
        self._path = compile_globs([waiver.path]) if isinstance(waiver.path, str) else None
        self._package = _normal(waiver.package) if isinstance(waiver.package, str) else None

    @property
    def accepted(self) -> Waived | None:
        """The mark on what it meets; None once it has expired."""
        if self._expired:
            return None
        return Waived(self._waiver.reason, self._waiver.expires.isoformat(), self._line)

    @property
    def until_fixed(self) -> bool:
        """Whether it ends where a fix is known."""
        return self._waiver.until_fixed

    def meets_finding(self, finding: Finding) -> bool:
        waiver = self._waiver
        if waiver.rule != finding.rule or not self._in_scope(finding.location.path, finding.subject):
            return False
        if waiver.advisory is UNSET:
            return True
        ids = {known.upper() for known in (finding.advisory, *finding.aliases) if known}
        return str(waiver.advisory).upper() in ids

    def meets_gap(self, item: NotChecked) -> bool:
        return self._waiver.not_checked == item.reason and self._in_scope(item.location.path, item.subject)

    def _in_scope(self, path: str, subject: str) -> bool:
        waiver = self._waiver
        if self._path is not None and not self._path(path):
            return False
        if isinstance(waiver.subject, str) and waiver.subject != subject:
            return False
        return self._package is None or self._package == _normal(subject.partition("==")[0])

    def status(self, matched: int, *, complete: bool, fixed: bool) -> WaiverStatus:
        waiver = self._waiver
        if self._expired:
            status = "expired"
        elif fixed:
            status = "fixed"
        elif matched:
            status = "used"
        else:
            status = "unused" if complete else "unknown"
        scope = (waiver.rule, waiver.not_checked, waiver.advisory, waiver.package, waiver.subject)
        words = " ".join(str(part) for part in scope if part is not UNSET)
        place = f" in {waiver.path}" if waiver.path is not UNSET else ""
        return WaiverStatus(
            summary=f"{words}{place}",
            reason=waiver.reason,
            expires=waiver.expires.isoformat(),
            line=self._line,
            status=status,
            matched=matched,
        )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
