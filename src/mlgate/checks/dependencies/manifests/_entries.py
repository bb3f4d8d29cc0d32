"""Requirements that stand inside another file: single lines, read as pip reads them."""

from collections import Counter
from collections.abc import Callable

from msgspec.structs import replace

from mlgate.checks.dependencies.manifest import (
    ELSEWHERE,
    LOCAL,
    UNPINNED,
    VCS,
    Include,
    Index,
    Problem,
    Reading,
    Requirement,
    Unreadable,
    shown,
)
from mlgate.checks.dependencies.manifests import requirements
from mlgate.core.limits import Limits

# The tools that install. A command that renews them says nothing about what the project
# runs, as little as a build system's requirements do; a pinned one is audited.
INSTALLERS = frozenset(
    {"pip", "setuptools", "wheel", "uv", "poetry", "pdm", "pipenv", "pip-tools", "build", "virtualenv"}
)


_MOST_FETCHED = 100


def one_by_platform(reading: Reading) -> Reading:
    """Return the reading of a lock file that lists a package once for each platform.

    The same version counts once, where it stands first; different ones differ on purpose.
    """
    kept: dict[tuple[str, str | None, str], Requirement] = {}
    for each in reading.requirements:
        kept.setdefault((each.name, each.version, each.kind), each)
    versions = Counter(name for name, _, _ in kept)
    return replace(
        reading,
        requirements=tuple(replace(each, forked=versions[each.name] > 1) for each in kept.values()),
        problems=tuple(dict.fromkeys(reading.problems)),
    )


class Entries:
    """Collects what the lines of a file say, up to a limit.

    Args:
        limits: Of the run.
        rebase: Says where an included file or folder really lies; None where it is
            accounted for elsewhere.
        built: Says of a local file whether the same manifest builds it from what it
            installs anyway.
    """

    def __init__(
        self,
        limits: Limits,
        rebase: Callable[[Include], Include | None] | None = None,
        built: Callable[[str], bool] | None = None,
    ) -> None:
        self._limits = limits
        self._rebase = rebase
        self._built = built
        self._full = False
        self._fetched: dict[str, str] = {}
        self._inside = ""
        self.requirements: list[Requirement] = []
        self.includes: list[Include] = []
        self.indexes: list[Index] = []
        self.problems: list[Problem] = []
        self.aside: list[str] = []

    def _room(self, line: int | None) -> bool:
        size = len(self.requirements) + len(self.includes) + len(self.indexes) + len(self.problems)
        if size + len(self.aside) < self._limits.requirements:
            return True
        if not self._full:
            self._full = True
            message = f"holds more than {self._limits.requirements} requirements; the rest was not read"
            self.problems.append(Problem("limit", message, line))
        return False

    def add(self, requirement: Requirement) -> None:
        """Add a requirement; a tool that installs counts only where it is pinned."""
        if requirement.kind == UNPINNED and requirement.name in INSTALLERS:
            return
        if requirement.kind == LOCAL and self._built and self._built(requirement.text):
            return
        if self._room(requirement.line):
            self.requirements.append(requirement)

    def fetch(self, folder: str, address: str) -> None:
        """Note that a folder of this name is fetched from elsewhere, not from the repository."""
        if len(self._fetched) < _MOST_FETCHED:
            self._fetched[folder] = address

    def enter(self, folder: str) -> None:
        """Note the folder in which the next commands run: one that was fetched, or another."""
        fetched = next((part for part in folder.split("/") if part in self._fetched), "")
        if fetched or folder.startswith(("/", "~", "..", "$")):
            self._inside = fetched

    def include(self, include: Include) -> None:
        """Add an include. One that was fetched from elsewhere is a problem instead."""
        parts = [] if include.role == ELSEWHERE else include.path.split("/")
        fetched = next((part for part in parts if part in self._fetched), "")
        fetched = fetched or (self._inside if parts and parts[0] else "")
        if fetched:
            message = (
                f"installs {shown(include.path, 80)} of what is cloned from {self._fetched[fetched]}, which "
                "is not in the repository; pin a release of it instead, or waive this line"
            )
            self.problem(VCS, message, include.line)
            return
        rebased = self._rebase(include) if self._rebase else include
        if rebased is None:
            return
        include = rebased
        if self._room(include.line):
            self.includes.append(include)

    def index(self, index: Index) -> None:
        """Add a second index."""
        if self._room(index.line):
            self.indexes.append(index)

    def problem(self, reason: str, message: str, line: int | None, subject: str = "") -> None:
        """Add a problem."""
        if self._room(line):
            self.problems.append(Problem(reason, message, line, subject))

    def leave(self, name: str) -> None:
        """Add a name of which this audit does not speak."""
        if self._room(None):
            self.aside.append(name)

    def line(self, text: str, line: int | None, condition: str | None = None) -> Reading:
        """Add one line of a requirements file, and return what it says by itself."""
        try:
            # One line stays one line, and a comment on an encoding has no say here.
            said = requirements.read(f"\n\n{' '.join(text.split())}\n".encode(), self._limits)
        except (Unreadable, UnicodeEncodeError):
            said = Reading(problems=(Problem("unparseable", "holds a requirement that is not text"),))
        for each in said.requirements:
            both = "; ".join(part for part in (condition, each.condition) if part)
            self.add(replace(each, line=line, condition=both or None))
        for include in said.includes:
            self.include(replace(include, line=line))
        for index in said.indexes:
            self.index(replace(index, line=line))
        for problem in said.problems:
            self.problem(problem.reason, problem.message, line, problem.subject)
        return said

    def reading(self) -> Reading:
        """Return all of it."""
        return Reading(
            requirements=tuple(self.requirements),
            includes=tuple(self.includes),
            indexes=tuple(self.indexes),
            problems=tuple(self.problems),
            aside=tuple(self.aside),
        )
