"""Where a lock file takes the files of a package from: a lock that lies about it is said."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from mlgate.checks.dependencies.manifest import LOCAL, URL, Index, Problem, shown

_PYPI = frozenset({"pypi.org", "pypi.python.org", "www.pypi.org"})
_PYPI_FILES = _PYPI | {"files.pythonhosted.org"}


def second_index(registry: str | None, line: int | None) -> Index | None:
    """Return an index other than PyPI; None for PyPI, and where the lock file names none."""
    if registry is None or _host(registry) in _PYPI:
        return None
    return Index(shown(registry.partition("?")[0].partition("#")[0]), "index", line)


def problems(package: dict[str, Any], name: str, registry: str | None, line: int | None) -> Iterator[Problem]:
    """Yield what is wrong with the files of a package that an index is said to serve.

    Args:
        package: Its table: ``sdist`` and ``wheels``, each with a ``url`` or a ``path``.
        name: Its normalised name.
        registry: The index that it is said to come from; None for PyPI.
        line: Of its table.
    """
    if registry is not None and _host(registry) == "":
        message = f"taken from {shown(registry)}, which is no index on the network; require a release of one"
        yield Problem(LOCAL, message, line, name)
        return
    files = package.get("wheels")
    entries = [package.get("sdist"), *(files if isinstance(files, list) else ())]
    for entry in entries:
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(url, str):
            continue
        host = _host(url)
        if host in _PYPI_FILES or (registry is not None and _host(registry) not in _PYPI):
            continue
        message = (
            f"said to be a release of PyPI, and its files come from {shown(host or url)}; write the lock "
            "file anew, and look at who changed it"
        )
        yield Problem(URL, message, line, name)
        return


def _host(url: str) -> str:
    """Return the host of an HTTP address, "" for anything else."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host if parts.scheme in ("http", "https") else ""
