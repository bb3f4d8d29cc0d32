"""Evidence for a person: flagged pickles as readable Python.

Findings come in, and the same findings go out with more to look at; none is added,
dropped or judged here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from mlgate.checks import Scope
from mlgate.checks.models.evidence import decompile
from mlgate.checks.models.reader import HEAD, Blob, Clock
from mlgate.checks.models.route import Item, Route, Router, readers
from mlgate.checks.models.stream import read_at
from mlgate.checks.models.walk import examine
from mlgate.core.facts import Check, Fact, Location
from mlgate.core.findings import Finding
from mlgate.core.limits import Limits
from mlgate.core.severity import Severity

# A report with more listings than these is read by nobody.
_STREAMS = 10
# What is met later than this is not shown.
_SECONDS = 10
_WORTH_A_LOOK = Severity.MEDIUM

# Where a pickle stream lies: member of the file, and offset of its first opcode.
Stream = tuple[str | None, int]


def with_evidence(scope: Scope, facts: Sequence[Fact], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Show the worst pickle streams decompiled, each once, on its first finding.

    Args:
        scope: Of the run; the flagged files are opened again.
        facts: What the findings rest on; they say in which stream.
        findings: Worst first.
    """
    streams = {
        (fact.location, fact.subject): fact.detail["stream"]
        for fact in facts
        if fact.kind.startswith("pickle.") and isinstance(fact.detail.get("stream"), int)
    }
    wanted: dict[str, dict[Stream, int]] = defaultdict(dict)
    budget = _STREAMS
    for index, finding in enumerate(findings):
        start = streams.get((finding.location, finding.subject))
        if start is None or finding.check is not Check.MODELS or finding.severity < _WORTH_A_LOOK:
            continue
        place = (finding.location.member, start)
        if budget and place not in wanted[finding.location.path]:
            wanted[finding.location.path][place] = index
            budget -= 1
    shown = list(findings)
    for path, places in wanted.items():
        for place, listing in _listings(scope, path, set(places)).items():
            finding = shown[places[place]]
            own = f"{finding.evidence}\n\n" if finding.evidence else ""
            shown[places[place]] = replace(finding, evidence=f"{own}{listing}")
    return tuple(shown)


def _listings(scope: Scope, path: str, places: set[Stream]) -> dict[Stream, str]:
    """Walk a file once more, and decompile its streams where they are met."""
    file = scope.target.find(path)
    if file is None:
        return {}
    limits = scope.policy.policy.limits
    try:
        with file.open() as stream:
            size = stream.seek(0, 2)
            blob = Blob(
                location=Location(path=path),
                stream=stream,
                size=size,
                head=read_at(stream, 0, min(HEAD, size)),
                name=file.name.lower(),
            )
            watcher = _Watcher(places, limits)
            examine(blob, watcher, replace(limits, file_seconds=min(limits.file_seconds, _SECONDS)))
    except OSError:
        return {}
    return watcher.found


class _Watcher(Router):
    """A router that decompiles the streams it was told of when their blob comes by."""

    def __init__(self, places: set[Stream], limits: Limits) -> None:
        super().__init__(readers())
        self._places = places
        self._limits = limits
        self.found: dict[Stream, str] = {}

    def visit(self, route: Route, limits: Limits, clock: Clock) -> Iterator[Item]:
        for place in self._places:
            member, start = place
            if member == route.blob.location.member and place not in self.found:
                listing = decompile(route.blob.stream, start, self._limits)
                if listing is not None:
                    self.found[place] = listing
        yield from super().visit(route, limits, clock)
