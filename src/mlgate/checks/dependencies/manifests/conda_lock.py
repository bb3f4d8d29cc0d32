"""conda-lock.yml, the lock file of conda-lock, of version 1."""

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import PINNED, URL, VCS, Reading, Requirement, Unreadable, shown
from mlgate.checks.dependencies.manifests import _origin, _yaml, conda
from mlgate.checks.dependencies.manifests._entries import Entries, one_by_platform
from mlgate.core.limits import Limits

FORMAT = "conda-lock"
LOCK = True
NAMES = ("conda-lock.yml", "conda-lock.yaml")

_VERSION = "1"
_BYTES = 4 << 20
_ANEW = "write it anew with `conda-lock`"


def claims(path: str) -> bool:
    """``conda-lock.yml`` and ``*.conda-lock.yml``."""
    name = path.rpartition("/")[2]
    return name in NAMES or name.endswith((".conda-lock.yml", ".conda-lock.yaml"))


def read(data: bytes, limits: Limits) -> Reading:
    """Read a conda-lock.yml: every package of every platform, conda's and pip's.

    Raises:
        Unreadable: It is not YAML, of an unknown version, or not shaped like a conda-lock.yml.
    """
    root = _yaml.load(data, _BYTES)
    version = next(iter(root.all("version")), None)
    if version is None or version.text != _VERSION:
        said = "" if version is None else version.text or ""
        raise Unreadable(
            "future-lock-version",
            f"is a conda-lock.yml of version {shown(said, 40)!r}, and this mlgate reads {_VERSION}; upgrade "
            "mlgate, or name an exported requirements.txt in dependencies.manifests",
            None if version is None else version.line,
        )
    entries = Entries(limits)
    for listed in root.all("package") or [_yaml.Node(1)]:
        if listed.items is None:
            raise Unreadable("unparseable", f"`package` is not a list of packages; {_ANEW}", listed.line)
        for package in listed.items:
            _package(package, entries)
    return one_by_platform(entries.reading())


def _package(package: _yaml.Node, entries: Entries) -> None:
    fields = {key.text: value for key, value in package.pairs or ()}
    name, version = _text(fields, "name"), _text(fields, "version")
    line = fields["version"].line if "version" in fields else package.line
    if not name or not version:
        entries.problem("unparseable", f"a package has no name or no version; {_ANEW}", line, shown(name))
        return
    manager, url = _text(fields, "manager"), _text(fields, "url")
    if manager == "conda":
        conda.package(f"{name}=={version}", line, entries)
        return
    if manager != "pip":
        message = (
            f"{shown(name)} comes from {shown(manager, 40) or 'no'} manager; conda-lock knows conda and pip"
        )
        entries.problem("unparseable", message, line, canonicalize_name(name))
        return
    direct = url.startswith(("git+", "hg+", "svn+", "bzr+"))
    entries.add(
        Requirement(
            name=canonicalize_name(name),
            text=shown(f"{name} from {url}" if direct else f"{name}=={version}"),
            line=line,
            kind=VCS if direct else PINNED,
            version=None if direct else version,
            hashed="hash" in fields,
        )
    )
    if not direct:
        for problem in _elsewhere(name, url, line):
            entries.problem(*problem)


def _elsewhere(name: str, url: str, line: int | None) -> Iterator[tuple[str, str, int | None, str]]:
    """Yield what is wrong with where a file of pip's comes from."""
    found = _origin.problems({"sdist": {"url": url}}, canonicalize_name(name), None, line)
    for each in found:
        message = f"taken from {shown(url)}, not from PyPI: what it is cannot be told by its version"
        yield URL, message, each.line, each.subject


def _text(fields: dict[str | None, _yaml.Node], key: str) -> str:
    return (fields[key].text or "") if key in fields else ""
