"""From trees of manifests to packages with versions, and to what stays open."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from mlgate.checks.dependencies.manifest import LOCAL, PINNED, UNPINNED, URL, VCS, Reading, Requirement, trait
from mlgate.checks.dependencies.versions import parse, public
from mlgate.checks.dependencies.walk import Placed, Tree, Walker
from mlgate.core.facts import Fact, Location, Package

_TO_DO = {
    UNPINNED: (
        "no exact version is named, so no advisory can be matched; pin it (name==version), or constrain it "
        "with `-c` and a file of pins"
    ),
    VCS: "installed from version control, which no advisory speaks of; require a release, or waive it",
    URL: "installed from a URL, which no advisory speaks of; require a release by version, or waive it",
    LOCAL: "installed from a local file that nobody has looked at; require a release, or waive it",
}
_NOT_LOCKED = (
    "declared here, and not in the lock file that should hold it: what is installed is not what was audited; "
    "write the lock file anew (`uv lock`)"
)
# By name, version, manifest and line.
_Packages: TypeAlias = dict[tuple[str, str | None, str, int | None], Package]
_PROJECT_FILES = ("pyproject.toml", "setup.cfg")


class Pins(Struct, frozen=True):
    """What the manifests require.

    Attributes:
        packages: Every requirement with a name, in reading order, each once.
        facts: Unpinned requirements, contradictory pins, second indexes.
    """

    packages: tuple[Package, ...]
    facts: tuple[Fact, ...]


def resolve(trees: Sequence[Tree], walker: Walker) -> Pins:
    """Return packages and facts; what names no version is noted with ``walker``."""
    walker.settle()
    by_folder = _pins_by_folder(trees)
    locks = _Locks(walker)
    packages: _Packages = {}
    facts: dict[tuple[str, str, int | None, str], Fact] = {}
    for tree in trees:
        constrained = _constrained(tree)
        for placed in tree.placed:
            fact = _place(placed, constrained, by_folder, locks, packages)
            if fact is not None:
                facts.setdefault((fact.kind, fact.location.path, fact.location.line, fact.subject), fact)
        for fact in _indexes(tree):
            facts.setdefault((fact.kind, fact.location.path, fact.location.line, fact.subject), fact)
    return Pins(tuple(packages.values()), (*facts.values(), *_contradictions(trees)))


def _place(
    placed: Placed,
    constrained: set[str],
    by_folder: dict[str, set[str]],
    locks: "_Locks",
    packages: _Packages,
) -> Fact | None:
    """Count one requirement among the packages, or say why it stays open."""
    each = placed.requirement
    if each.kind == UNPINNED and (placed.constraint or _pinned_elsewhere(placed, constrained, by_folder)):
        return None
    if locks.hold(placed):
        return None
    key = (each.name, each.version, placed.path, each.line)
    # A file may be required in one place and constrain in another; that it is required counts.
    if each.name and (key not in packages or not placed.constraint):
        packages[key] = Package(*key, "constraint" if placed.constraint else each.condition)
    if each.kind == PINNED:
        return None
    subject = each.name or each.text
    message = _NOT_LOCKED if locks.speak(placed) and each.kind == UNPINNED else _TO_DO[each.kind]
    # Another version range asks for the same package; another address for another one.
    written = "" if each.kind == UNPINNED else each.text
    locks.walker.gap(each.kind, placed.path, message, each.line, subject, written=written)
    return Fact(
        kind="dependency.unpinned",
        location=Location(path=placed.path, line=each.line),
        subject=subject,
        detail={"requirement": each.text, "form": each.kind},
    )


def _pinned_elsewhere(placed: Placed, constrained: set[str], by_folder: dict[str, set[str]]) -> bool:
    name = placed.requirement.name
    if name in constrained:
        return True
    folder, _, file = placed.path.rpartition("/")
    # A project's declarations are ranges by nature; what pins them stands beside them.
    return file in _PROJECT_FILES and name in by_folder.get(folder, ())


class _Locks:
    """What lock files hold of the projects that they speak for; one out of date does not hold all."""

    def __init__(self, walker: Walker) -> None:
        self.walker = walker
        self._held: dict[str, set[tuple[object, ...]] | None] = {}

    def speak(self, placed: Placed) -> bool:
        """Say whether a lock file should hold this declaration."""
        return self._of(placed) is not None

    def hold(self, placed: Placed) -> bool:
        """Say whether one does."""
        held, each = self._of(placed), placed.requirement
        wanted = (each.name,) if each.kind == UNPINNED else (each.name, each.kind, _key(each))
        return held is not None and wanted in held

    def _of(self, placed: Placed) -> set[tuple[object, ...]] | None:
        folder, _, file = placed.path.rpartition("/")
        if file not in _PROJECT_FILES:
            return None
        if folder not in self._held:
            locks = self.walker.locks(folder)
            self._held[folder] = {key for lock in locks for key in _held(lock)} if locks else None
        return self._held[folder]


def _held(lock: Reading) -> Iterator[tuple[object, ...]]:
    for name in lock.own:
        yield (name,)
        yield (name, LOCAL, None)
    for each in lock.requirements:
        yield (each.name,)
        yield (each.name, each.kind, _key(each))


def _constrained(tree: Tree) -> set[str]:
    """Names for which the tree allows one version, whatever the environment."""
    return {
        placed.requirement.name
        for placed in tree.placed
        if placed.requirement.kind == PINNED and placed.requirement.condition is None
    }


def _pins_by_folder(trees: Iterable[Tree]) -> dict[str, set[str]]:
    pins: defaultdict[str, set[str]] = defaultdict(set)
    for tree in trees:
        for placed in tree.placed:
            if placed.requirement.kind == PINNED and (placed.locked or placed.requirement.condition is None):
                pins[tree.folder].add(placed.requirement.name)
    return pins


def _indexes(tree: Tree) -> Iterator[Fact]:
    """A second index is harmless only where every file's digest is pinned."""
    if not tree.indexes:
        return
    hashed = all(placed.requirement.hashed for placed in tree.placed)
    for path, index in tree.indexes:
        yield Fact(
            kind="dependency.extra-index",
            location=Location(path=path, line=index.line),
            subject=index.url,
            detail={"option": index.option, "hashed": hashed},
        )


def _contradictions(trees: Sequence[Tree]) -> Iterator[Fact]:
    """Different exact versions of one package: within one installation, or side by side."""
    told: set[tuple[str, str]] = set()
    for tree in trees:
        for name, places in _disagreeing(_firm(tree)):
            told.add((tree.folder, name))
            yield _contradiction(name, places, together=True)
    folders: defaultdict[str, list[Placed]] = defaultdict(list)
    for tree in trees:
        if not (tree.root.reader and trait(tree.root.reader, "ALONE")):
            folders[tree.folder] += _firm(tree)
    for folder, placed in folders.items():
        for name, places in _disagreeing(placed):
            if (folder, name) not in told:
                yield _contradiction(name, places, together=False)


def _firm(tree: Tree) -> list[Placed]:
    """Pins that hold in every environment."""
    return [
        placed
        for placed in tree.placed
        if placed.requirement.kind == PINNED
        and not placed.requirement.forked
        and (placed.locked or placed.requirement.condition is None)
    ]


def _disagreeing(placed: Iterable[Placed]) -> Iterator[tuple[str, list[Placed]]]:
    by_name: defaultdict[str, dict[object, Placed]] = defaultdict(dict)
    for each in placed:
        by_name[each.requirement.name].setdefault(_key(each.requirement), each)
    return ((name, list(versions.values())) for name, versions in by_name.items() if len(versions) > 1)


def _key(requirement: Requirement) -> object:
    version = parse(requirement.version or "")
    # Builds of one version for other hardware stand side by side on purpose.
    return public(version) if version else requirement.version


def _contradiction(name: str, places: list[Placed], *, together: bool) -> Fact:
    last = places[-1]
    return Fact(
        kind="dependency.contradiction",
        location=Location(path=last.path, line=last.requirement.line),
        subject=name,
        detail={
            "together": together,
            "pins": [
                {"version": each.requirement.version, "path": each.path, "line": each.requirement.line}
                for each in places[:20]
            ],
        },
    )
