"""What builds a model around its weights: a factory of a package, or of the repository.

The repository's Python files are gathered as text, from the factory's own file along its
imports. Nothing of them runs, or is even parsed, outside the sandbox.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from msgspec import Struct

from mlgate.checks.assessment.inputs import read
from mlgate.checks.assessment.problems import Unassessable
from mlgate.target import Target

_MOST_FILES = 200
_MOST_BYTES = 4 << 20
_MOST_NAMES = 20_000
_DEEPEST = 20
# Imports, wherever they stand: one too many costs a look for a file that is not there.
_FROM = re.compile(
    r"^[ \t]*+from[ \t]++(\.*+)((?:\w[\w.]*+)?)[ \t]*+import[ \t]*+(\([^)]*+|[^\n]*+)", re.MULTILINE
)
_IMPORT = re.compile(r"^[ \t]*+import[ \t]++([^\n]*+)", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_][\w.]*")


class Factory(Struct, frozen=True):
    """A factory as the policy names it.

    Attributes:
        place: A dotted module, or the path of a file in the repository.
        name: Of the callable in it.
    """

    place: str
    name: str

    @property
    def is_file(self) -> bool:
        """True where the repository holds it."""
        return self.place.endswith(".py")


def factory(text: str) -> Factory:
    """Read ``module:factory`` or ``path/of/file.py:factory``."""
    place, _, name = text.rpartition(":")
    return Factory(place.removeprefix("./"), name)


def module_of(path: str, sources: Mapping[str, str]) -> tuple[str, str]:
    """Return the folder that a file's imports start from, and the file's dotted name there.

    The folder is the first one above the file that is no package.
    """
    where = PurePosixPath(path)
    folder, names = where.parent, [where.stem]
    while str(folder) != "." and f"{folder}/__init__.py" in sources:
        names.insert(0, folder.name)
        folder = folder.parent
    return "" if str(folder) == "." else str(folder), ".".join(names)


def imported(text: str, package: str) -> Iterator[str]:
    """Yield the dotted names that a source may import, relative ones made absolute.

    Args:
        text: Of the source.
        package: That it lies in, "" for none.
    """
    for dots, module, names in _FROM.findall(text):
        start = module
        if dots:
            above = package.split(".") if package else []
            keep = above[: len(above) - len(dots) + 1]
            start = ".".join([*keep, *([module] if module else [])])
        if start:
            yield start
        for name in _NAME.findall(names):
            yield f"{start}.{name}" if start else name
    for names in _IMPORT.findall(text):
        yield from _NAME.findall(names)


def files_of(name: str, root: str) -> tuple[str, str]:
    """Return the two paths at which a dotted name may lie below a folder."""
    path = "/".join([*([root] if root else []), *name.split(".")])
    return f"{path}.py", f"{path}/__init__.py"


def gather(target: Target, text: str, key: str) -> dict[str, str]:
    """Return the repository's files that a factory may import, by path; none for a package's factory.

    Args:
        target: Where the files are.
        text: ``path/of/file.py:factory``.
        key: The policy key that names it.

    Raises:
        Unassessable: The file is missing, no UTF-8, or it reaches too much.
    """
    wanted = factory(text)
    if not wanted.is_file:
        return {}
    gathering = _Gathering(target, wanted.place, key)
    gathering.follow()
    return gathering.found


class _Gathering:
    def __init__(self, target: Target, path: str, key: str) -> None:
        self._target, self._path, self._key = target, path, key
        self._names: set[str] = set()
        self.found: dict[str, str] = {}
        if not self._take(path):
            raise Unassessable("missing-file", f"{path} does not exist in the repository", self._key)
        folder = PurePosixPath(path).parent
        while str(folder) != "." and self._take(f"{folder}/__init__.py"):
            folder = folder.parent
        # Imports start from the packages' folder, or from the repository's root.
        self._root = "" if str(folder) == "." else str(folder)

    def follow(self) -> None:
        pending = list(self.found)
        while pending:
            path = pending.pop()
            for root in dict.fromkeys((self._root, "")):
                if not PurePosixPath(path).is_relative_to(root or "."):
                    continue
                for name in imported(self.found[path], _package(path, root)):
                    pending += self._reach(name, root)

    def _reach(self, name: str, root: str) -> list[str]:
        """Take the files of a dotted name and of the packages that it lies in."""
        parts = name.split(".", _DEEPEST)[:_DEEPEST]
        new = []
        for length in range(1, len(parts) + 1):
            for path in files_of(".".join(parts[:length]), root):
                if path not in self._names and path not in self.found:
                    self._names.add(path)
                    new += [path] if self._take(path) else []
        if len(self._names) > _MOST_NAMES:
            raise self._too_much()
        return new

    def _take(self, path: str) -> bool:
        file = self._target.find(path)
        if file is None or file.kind != "file":
            return False
        data = read(self._target, path, _MOST_BYTES, "an architecture", self._key).data if file.size else b""
        try:
            self.found[path] = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unassessable("wrong-architecture", f"{path} is not UTF-8: {error}", self._key) from error
        if len(self.found) > _MOST_FILES or sum(map(len, self.found.values())) > _MOST_BYTES:
            raise self._too_much()
        return True

    def _too_much(self) -> Unassessable:
        return Unassessable(
            "limit",
            f"{self._path} imports more than {_MOST_FILES} files, {_MOST_BYTES >> 20} MiB or {_MOST_NAMES} "
            "names; keep the architecture in a module that imports little else",
            self._key,
        )


def _package(path: str, root: str) -> str:
    return ".".join(PurePosixPath(path).parent.relative_to(root or ".").parts)
