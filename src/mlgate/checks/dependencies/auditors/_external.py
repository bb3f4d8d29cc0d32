"""What every auditor that is a command line has in common: exact pins in, every pin accounted for."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import Version

from mlgate.checks import Scope
from mlgate.checks.dependencies.auditor import Answer, Audit, Pin
from mlgate.checks.dependencies.auditors._command import FailedError
from mlgate.checks.dependencies.versions import parse, public
from mlgate.core.facts import Check, Location, NotChecked, Source

Exact: TypeAlias = tuple[str, Version]
"""Normalised name and public version: what a requirements file for another tool can hold."""

SECONDS = 300.0
"""Wall time for one auditor's whole work, unless it is told otherwise."""

_RUNS = 10
_SHOWN = 3


class Reply(Struct, frozen=True):
    """What one run of a tool said.

    Attributes:
        answers: By pin, those that it mentioned.
        doubt: Why advisories may be missing from the answers; empty where none is.
    """

    answers: Mapping[Exact, Answer]
    doubt: str = ""


_SILENCE = Answer(
    unknown="no-answer", message="the auditor gave no answer about it; run it again, or use another auditor"
)

Ask: TypeAlias = Callable[[Sequence[Exact], Path, float], Reply]
"""Ask about pins, of which no two share a name: the pins, a requirements file with them that
lies in a folder of its own, and the seconds left."""


def answer(
    name: str, pins: Sequence[Pin], ask: Ask, *, scope: Scope, seconds: float
) -> tuple[dict[Pin, Answer], list[NotChecked]]:
    """Put all pins to a tool and account for each of them.

    Two versions of one package are two runs, because tools take the one or refuse both.
    """
    wanted: defaultdict[Exact, list[Pin]] = defaultdict(list)
    answers: dict[Pin, Answer] = {}
    for pin in pins:
        form = exact(pin)
        if form is None:
            message = "this is no PEP 440 version of a package; pin a released version"
            answers[pin] = Answer(unknown="invalid-version", message=message)
        else:
            wanted[form].append(pin)
    replies: dict[Exact, Answer] = {}
    gaps: list[NotChecked] = []
    try:
        for reply in runs(wanted, ask, time.monotonic() + seconds):
            replies.update(reply.answers)
            if reply.doubt:
                gaps.append(failed(name, scope, FailedError("auditor-incomplete", reply.doubt)))
    except FailedError as failure:
        missing = sorted(str(pin) for each in wanted if each not in replies for pin in wanted[each])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        message = f"{failure.message}; without its answer: {', '.join(missing[:_SHOWN])}{more}"
        gaps.append(failed(name, scope, FailedError(failure.reason, message)))
    for each, known in replies.items():
        answers |= dict.fromkeys(wanted[each], known)
    return answers, gaps


def runs(wanted: Iterable[Exact], ask: Ask, end: float) -> Iterable[Reply]:
    """Ask about pins, run by run, until the clock shows ``end``.

    Raises:
        FailedError: A run failed, or there would be too many.
    """
    batches: list[dict[str, Version]] = []
    for name, version in sorted(wanted):
        batch = next((each for each in batches if name not in each), None)
        if batch is None:
            if len(batches) == _RUNS:
                message = f"was given more than {_RUNS} versions of {name}; audit the manifests one by one"
                raise FailedError("limit", message)
            batches.append(batch := {})
        batch[name] = version
    for batch in batches:
        left = end - time.monotonic()
        if left <= 0:
            raise FailedError("auditor-timeout", "did not come to an end in time; run it again")
        with tempfile.TemporaryDirectory(prefix="mlgate-") as place:
            # Tools mention their paths: let them be the ones that programs see.
            folder = Path(place).resolve()
            file = folder / "requirements.txt"
            file.write_text("".join(f"{name}=={version}\n" for name, version in batch.items()), "utf-8")
            asked = tuple(batch.items())
            reply = ask(asked, file, left)
            # Said here, pin by pin: whoever waives a failure of the run waives no silence about a pin.
            yield Reply({pin: reply.answers.get(pin, _SILENCE) for pin in asked}, reply.doubt)


def exact(pin: Pin) -> Exact | None:
    """Return what may be written into a requirements file; a hostile name could be an option there."""
    version = parse(pin.version)
    try:
        name = canonicalize_name(pin.name, validate=True)
    except InvalidName:
        return None
    return None if version is None else (name, public(version))


def recognise(name: str, version: str | None, pins: Mapping[str, Version]) -> Exact:
    """Return the pin that a tool speaks of.

    Args:
        name: As the tool writes it.
        version: As the tool writes it; None where it leaves it out.
        pins: What it was asked about, by normalised name.

    Raises:
        FailedError: It was not asked about that.
    """
    known = pins.get(canonicalize_name(name))
    if known is None or (version is not None and parse(version) != known):
        message = "answered about a package or version that it was not asked about; update it"
        raise FailedError("auditor-output", message)
    return canonicalize_name(name), known


def smallest_later(version: Version, others: Iterable[str]) -> str | None:
    """Return the smallest of ``others`` after ``version``; a final release where there is one."""
    later = sorted(each for text in others if (each := parse(text)) is not None and each > version)
    return next((str(each) for each in (*(each for each in later if not each.is_prerelease), *later)), None)


def failed(name: str, scope: Scope, failure: FailedError) -> NotChecked:
    """Say at the policy what the auditor could not do."""
    place = Location(scope.policy.path or ".", line=scope.policy.line("dependencies.auditors"))
    return NotChecked(Check.DEPENDENCIES, failure.reason, place, f"{name} {failure.message}", name)


def audited(
    name: str, pins: Sequence[Pin], answers: Mapping[Pin, Answer], gaps: Iterable[NotChecked], where: str
) -> Audit:
    """Put an audit together; ``where`` says what the tool asked."""
    whole = sum(each.unknown is None for each in answers.values())
    summary = f"answered for {whole} of {len(pins)} pinned versions; {where}"
    detail = {"pins": len(pins), "answered": whole, "asked": where}
    return Audit(answers, tuple(gaps), (Source(Check.DEPENDENCIES, name, summary, detail),))
