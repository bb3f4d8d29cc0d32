"""From manifests to packages: follow includes, apply constraints, say what stays open."""

import posixpath
from collections import deque
from collections.abc import Iterator

from msgspec import Struct

from mlgate.checks.dependencies import discovery
from mlgate.checks.dependencies.discovery import Root
from mlgate.checks.dependencies.manifest import (
    CONSTRAINTS,
    ELSEWHERE,
    LOCAL,
    MANIFEST,
    PROJECT,
    REQUIREMENTS,
    Include,
    Index,
    Problem,
    Reader,
    Reading,
    Requirement,
    Unreadable,
    shown,
)
from mlgate.core.facts import Check, Location, NotChecked
from mlgate.core.limits import Limits
from mlgate.target import Target


class Placed(Struct, frozen=True):
    """A requirement and the manifest that states it.

    Attributes:
        requirement: As read.
        path: The manifest.
        constraint: True where it only says which version, if anything asks for the package.
        locked: True where the manifest is a lock file.
    """

    requirement: Requirement
    path: str
    constraint: bool = False
    locked: bool = False


class Tree(Struct, frozen=True):
    """All that one root manifest brings in.

    Attributes:
        root: The manifest to start from.
        paths: The files that were reached, the root among them.
        required: Those that were reached as requirements, not only as constraints.
        missing: Those that are included and are not there.
        placed: Every requirement and constraint, in reading order.
        indexes: (manifest, index) pairs.
    """

    root: Root
    paths: frozenset[str]
    required: frozenset[str]
    missing: frozenset[str]
    placed: tuple[Placed, ...]
    indexes: tuple[tuple[str, Index], ...]

    @property
    def folder(self) -> str:
        """Folder of the root manifest."""
        return posixpath.dirname(self.root.path)

    @property
    def files(self) -> frozenset[str]:
        """All that it names, whether it is there or not."""
        return self.paths | self.missing


class Walker:
    """Reads each manifest once, and says once what could not be read."""

    def __init__(self, target: Target, limits: Limits) -> None:
        self._target = target
        self._limits = limits
        self._readings: dict[str, Reading | None] = {}
        self._locks: dict[str, Reading] = {}
        self._deferred: list[tuple[str, Problem]] = []
        self._left = 10 * limits.requirements
        self._gaps: dict[tuple[str, str, int | None, str, str], NotChecked] = {}
        self._absent: set[str] = set()

    @property
    def not_checked(self) -> tuple[NotChecked, ...]:
        """What could not be read so far."""
        return tuple(self._gaps.values())

    @property
    def aside(self) -> tuple[str, ...]:
        """Names of what is required and is no Python package, sorted."""
        readings = (reading for reading in self._readings.values() if reading is not None)
        return tuple(sorted({name for reading in readings for name in reading.aside}))

    def locks(self, folder: str) -> tuple[Reading, ...]:
        """Return the lock files, read so far, that speak for the declarations in a folder."""
        return tuple(reading for path, reading in self._locks.items() if folder in _folders(path, reading))

    def settle(self) -> None:
        """Note what a lock file would settle, where there is none; call it once all is read."""
        for path, problem in self._deferred:
            if not self.locks(posixpath.dirname(path)):
                self.gap(problem.reason, path, problem.message, problem.line, problem.subject)

    def gap(
        self,
        reason: str,
        path: str,
        message: str,
        line: int | None = None,
        subject: str = "",
        *,
        written: str = "",
    ) -> None:
        """Note something that could not be judged; the same thing is noted once."""
        location = Location(path=path, line=line)
        entry = NotChecked(Check.DEPENDENCIES, reason, location, message, subject, written)
        self._gaps.setdefault((reason, path, line, message, subject), entry)

    def tree(self, root: Root) -> Tree:
        """Read a root manifest with all that it includes; cycles end where they close."""
        placed: list[Placed] = []
        indexes: list[tuple[str, Index]] = []
        role = CONSTRAINTS if "constraints" in posixpath.basename(root.path).lower() else REQUIREMENTS
        pending = deque([(root.path, root.reader, role)])
        seen: set[tuple[str, bool]] = set()
        missing: set[str] = set()
        while pending:
            path, reader, role = pending.popleft()
            constraint = role == CONSTRAINTS
            if (path, constraint) in seen:
                continue
            seen.add((path, constraint))
            reading = self._read(path, reader)
            if reading is None:
                continue
            self._left -= len(reading.requirements)
            if self._left < 0:
                self.gap("limit", root.path, "its includes hold too many requirements; the rest was not read")
                break
            locked = reader is not None and reader.LOCK
            placed += [Placed(each, path, constraint, locked) for each in reading.requirements]
            indexes += [(path, index) for index in reading.indexes]
            self._absent.clear()
            pending.extend(self._includes(path, role, reading.includes))
            missing |= self._absent
        return Tree(
            root=root,
            paths=frozenset(path for path, _ in seen),
            required=frozenset(path for path, constraint in seen if not constraint),
            missing=frozenset(missing),
            placed=tuple(placed),
            indexes=tuple(indexes),
        )

    def _includes(
        self, path: str, role: str, includes: tuple[Include, ...]
    ) -> Iterator[tuple[str, Reader | None, str]]:
        for include in includes:
            if include.role == PROJECT:
                inside = posixpath.join(include.path, "pyproject.toml")
                place = _join(self._base(path, inside, include), inside)
                if self._target.find(place) is not None:
                    yield place, discovery.reader_for(place), role
                else:
                    self._local(path, include)
                continue
            base = self._base(path, include.path, include)
            place = _join(base, include.path)
            crossed = discovery.crossed(self._target, base, include.path)
            if crossed:
                message = (
                    f"includes {shown(include.path)}, which goes through the link {shown(crossed)} and back "
                    "out of it: where that leads cannot be told; write the path without the link"
                )
                self.gap("missing-include", path, message, include.line, shown(include.path))
                continue
            if include.role == ELSEWHERE or self._target.find(place) is None:
                self._absent.add(place)
                self._missing(path, include, place)
                continue
            # A file that was included as a constraint makes constraints of all it includes.
            role_below = CONSTRAINTS if CONSTRAINTS in (role, include.role) else REQUIREMENTS
            named = discovery.reader_for(place) if include.role == MANIFEST else None
            yield place, named or discovery.requirements_reader(), role_below

    def _base(self, path: str, relative: str, include: Include) -> str:
        """Return the file, or one in a folder above it, whose folder an include is relative to."""
        base = path
        while include.anywhere and base and self._target.find(_join(base, relative)) is None:
            base = posixpath.dirname(base)
        return base or path

    def _missing(self, path: str, include: Include, place: str) -> None:
        if include.role == ELSEWHERE:
            what = f"includes {shown(include.path)}, which is not in the repository; commit a copy of it"
        elif place.startswith("../") or include.path.startswith("/"):
            what = (
                f"includes {shown(include.path)}, which lies outside what this run looks at; "
                "run from the repository's root"
            )
        else:
            what = f"includes {shown(include.path)}, and there is no such file; restore it or remove the line"
        self.gap("missing-include", path, what, include.line, shown(include.path))

    def _local(self, path: str, include: Include) -> None:
        what = shown(include.path)
        message = (
            f"installs the folder {what}, which has no pyproject.toml here to read; pin what it depends on "
            "in a manifest, and waive this line"
        )
        self.gap(LOCAL, path, message, include.line, what)

    def _read(self, path: str, reader: Reader | None) -> Reading | None:
        if path in self._readings:
            return self._readings[path]
        self._readings[path] = None
        if len(self._readings) > self._limits.manifests:
            message = f"more than {self._limits.manifests} manifests; raise limits.manifests or exclude some"
            self.gap("limit", path, message)
            return None
        data = self.data(path)
        if data is not None and reader is not None:
            self._readings[path] = self._parse(path, data, reader)
        return self._readings[path]

    def _parse(self, path: str, data: bytes, reader: Reader) -> Reading | None:
        try:
            reading = reader.read(data, self._limits)
        except Unreadable as error:
            self.gap(error.reason, path, error.message, error.line)
            return None
        except Exception as error:  # noqa: BLE001 - the wall around one hostile file
            self.gap("unparseable", path, f"cannot be read as {reader.FORMAT}: {type(error).__name__}")
            return None
        if reader.LOCK:
            self._locks[path] = reading
        for problem in reading.problems:
            if problem.until_locked:
                self._deferred.append((path, problem))
                continue
            self.gap(problem.reason, path, problem.message, problem.line, problem.subject)
        return reading

    def data(self, path: str) -> bytes | None:
        """Return a manifest's bytes, or None where they cannot be had, which is noted."""
        limit = self._limits.manifest_bytes
        file = discovery.followed(self._target, path)
        if file is None:
            message = "is named as a manifest, and there is no such file; correct dependencies.manifests"
            self.gap("missing-manifest", path, message)
            return None
        try:
            with file.open() as stream:
                data = stream.read(limit + 1)
        except OSError as error:
            self.gap("unreadable", path, f"cannot be read: {error.strerror or error}")
            return None
        if len(data) > limit:
            self.gap(
                "limit", path, f"is larger than {limit} bytes; raise limits.manifest_bytes or exclude it"
            )
            return None
        return data


def _folders(path: str, reading: Reading) -> set[str]:
    """Folders for which a lock file speaks, "" for the root: its own, and its members'."""
    folders = {posixpath.dirname(_join(path, f"{member}/pyproject.toml")) for member in reading.members}
    return folders | {posixpath.dirname(path)}


def _join(path: str, relative: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))
