"""Join the answers of several auditors: every flaw once, by all its ids, and who did not name it."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mlgate.checks.dependencies.auditor import Advisory, Answer, Audit, Pin
from mlgate.checks.dependencies.versions import parse
from mlgate.core.facts import Check, Source

_SHOWN = 5


class Flaw(Struct, frozen=True):
    """One vulnerability of one pin, as all auditors know it.

    Attributes:
        advisory: Under the id of the auditor that the policy names first, with the ids that
            any of them knows, and the gravest of their severities.
        auditors: Those that name it, in the policy's order.
        silent: Those that know the pin and do not name it.
    """

    advisory: Advisory
    auditors: tuple[str, ...]
    silent: tuple[str, ...]


def flaws(pin: Pin, audits: Mapping[str, Audit]) -> list[Flaw]:
    """Return each flaw of a pin once, whatever id an auditor gives it.

    Args:
        pin: The pin.
        audits: By auditor, in the policy's order.
    """
    groups: dict[int, dict[str, list[Advisory]]] = {}
    home: dict[str, int] = {}
    for name, audit in audits.items():
        for advisory in audit.answers.get(pin, Answer()).advisories:
            ids = _ids([advisory])
            same = sorted({home[each] for each in ids if each in home})
            first = same[0] if same else len(home)
            joined = groups.setdefault(first, {})
            # An advisory may show that two that were told apart are one.
            for other in same[1:]:
                for auditor, ones in groups.pop(other).items():
                    joined.setdefault(auditor, []).extend(ones)
                    ids |= _ids(ones)
            joined.setdefault(name, []).append(advisory)
            home |= dict.fromkeys(ids, first)
    knowing = [name for name, audit in audits.items() if _knows(audit, pin)]
    return [
        Flaw(
            advisory=_joined([one for name in audits for one in group.get(name, ())]),
            auditors=tuple(name for name in audits if name in group),
            silent=tuple(name for name in knowing if name not in group),
        )
        for group in groups.values()
    ]


def _ids(advisories: Iterable[Advisory]) -> set[str]:
    return {identifier for each in advisories for identifier in (each.id, *each.aliases)}


def _knows(audit: Audit, pin: Pin) -> bool:
    answer = audit.answers.get(pin)
    return answer is not None and answer.unknown is None


def _joined(advisories: Sequence[Advisory]) -> Advisory:
    first = advisories[0]
    others = sorted(_ids(advisories) - {first.id, *first.aliases})
    return replace(
        first,
        aliases=(*first.aliases, *others),
        cvss=max((each.cvss for each in advisories if each.cvss is not None), default=None),
        severity=max((each.severity for each in advisories if each.severity is not None), default=None),
        fixed=_latest(each.fixed for each in advisories if each.fixed is not None),
        malicious=any(each.malicious for each in advisories),
    )


def upgrade(pin: Pin, audits: Mapping[str, Audit]) -> str | None:
    """Return the upgrade that satisfies every auditor that found something; None if there is none."""
    answers = [audit.answers[pin] for audit in audits.values() if pin in audit.answers]
    wanted = [each.upgrade for each in answers if each.advisories]
    known = [each for each in wanted if each is not None]
    return _latest(known) if len(known) == len(wanted) else None


def _latest(versions: Iterable[str]) -> str | None:
    """Return the highest version; the first, where one is no PEP 440 version."""
    written = list(versions)
    parsed = [(version, text) for text in written if (version := parse(text)) is not None]
    return max(parsed)[1] if len(parsed) == len(written) and parsed else next(iter(written), None)


def agreement(pins: Iterable[Pin], audits: Mapping[str, Audit]) -> Source | None:
    """Say how far several auditors agree; None where only one was asked.

    They are compared on the pins that at least two of them know.
    """
    if len(audits) < 2:
        return None
    both = [pin for pin in pins if sum(_knows(audit, pin) for audit in audits.values()) > 1]
    apart = [(pin, flaw) for pin in both for flaw in flaws(pin, audits) if flaw.silent]
    differing = sorted({pin for pin, _ in apart})
    *others, last = audits
    names = f"{', '.join(others)} and {last}"
    if not both:
        summary = f"{names} have no pinned version in common, so neither confirms the other"
    elif not apart:
        summary = f"{names} agree on all {len(both)} pinned versions that they both know"
    else:
        shown = "; ".join(
            f"{pin} has {flaw.advisory.id} by {', '.join(flaw.auditors)}, not by {', '.join(flaw.silent)}"
            for pin, flaw in apart[:_SHOWN]
        )
        more = f"; and {len(apart) - _SHOWN} more" if len(apart) > _SHOWN else ""
        summary = f"{names} disagree on {len(differing)} of {len(both)} pinned versions: {shown}{more}"
    detail = {
        "compared": len(both),
        "disagreements": [
            {
                "package": str(pin),
                "advisory": flaw.advisory.id,
                "named_by": list(flaw.auditors),
                "silent": list(flaw.silent),
            }
            for pin, flaw in apart
        ],
    }
    return Source(Check.DEPENDENCIES, "agreement of auditors", summary, detail)
