"""Which database a run is judged by.

``--advisories``, else the policy's, else OSV's export; without a network the version of it
that is held, else the bundled set.
"""

import contextlib
import datetime as dt
import posixpath
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from mlgate.checks import Scope
from mlgate.checks.dependencies.advisories import cache, export
from mlgate.checks.dependencies.advisories.database import Database, bundled, from_path, from_zip
from mlgate.checks.dependencies.advisories.download import Patience, UnavailableError
from mlgate.checks.dependencies.advisories.export import Export
from mlgate.checks.dependencies.advisories.files import AdvisoriesError

_NAME = "OSV export for PyPI"


def configured(scope: Scope) -> str | None:
    """Return how the given database is named in reports; None where none is given."""
    if scope.advisories is not None:
        return scope.advisories.as_posix()
    path = scope.policy.policy.dependencies.advisories.path
    return path if isinstance(path, str) else None


def needs_network(scope: Scope) -> bool:
    """Say whether the run may ask OSV for its export."""
    return configured(scope) is None and not scope.offline


def choose(
    scope: Scope, wanted: Collection[str], now: dt.datetime, patience: Patience | None = None
) -> Database:
    """Return what the run's database says of the wanted packages.

    Args:
        scope: The run.
        wanted: Normalised names.
        now: The time, which decides whether the export that is held is fresh.
        patience: Limits of a download.

    Raises:
        AdvisoriesError: The database cannot be read.
        UnavailableError: The service did not give its export.
    """
    folder = cache.folder(scope.target.root)
    shown = configured(scope)
    if scope.advisories is not None:
        found = from_path(scope.advisories, wanted, scope.advisories.as_posix(), folder)
        return replace(found, origin="given by --advisories")
    if shown is not None:
        return replace(_of_policy(scope, shown, wanted, folder), origin="given by the policy")
    url = export.address()
    held = export.cached(url, folder)
    if scope.offline:
        return bundled(wanted) if held is None or folder is None else _held(folder, held, wanted)
    if held is not None and folder is not None and export.is_fresh(held, now):
        with contextlib.suppress(AdvisoriesError):
            return _held(folder, held, wanted)
        export.forget(folder, held)
        held = None
    scope.progress("fetching the OSV export for PyPI")
    return _fetched(url, folder, wanted, now, patience=patience, held=held)


def _of_policy(scope: Scope, path: str, wanted: Collection[str], folder: Path | None) -> Database:
    normal = posixpath.normpath(path)
    if normal.startswith(("/", "../")) or normal == "..":
        raise AdvisoriesError(f"{path} lies outside the repository")
    file = scope.target.find(normal)
    if file is not None:
        try:
            with file.open() as stream:
                return from_zip(stream, wanted, path, folder)
        except OSError as error:
            raise AdvisoriesError(f"{path} cannot be read: {error.strerror or error}") from error
    below = scope.target.root / normal
    if not below.is_dir() or not below.resolve().is_relative_to(scope.target.root.resolve()):
        raise AdvisoriesError(f"{path} does not exist in the repository")
    return from_path(below, wanted, path, folder)


def _held(folder: Path, held: Export, wanted: Collection[str]) -> Database:
    try:
        with export.open_zip(folder, held) as stream:
            return _of_export(held, stream, wanted, folder, "cached")
    except OSError as error:
        raise AdvisoriesError(f"in the cache cannot be read: {error.strerror or error}") from error


def _fetched(
    url: str,
    folder: Path | None,
    wanted: Collection[str],
    now: dt.datetime,
    *,
    patience: Patience | None,
    held: Export | None,
) -> Database:
    try:
        with export.fetched(url, folder, held, now, patience) as (current, stream):
            return _of_export(current, stream, wanted, folder, "fetched")
    except OSError as error:
        raise UnavailableError(f"no room for it: {error.strerror or error}") from error
    except AdvisoriesError:
        if held is None or folder is None:
            raise
        # It is unchanged there and damaged here.
        export.forget(folder, held)
    return _fetched(url, folder, wanted, now, patience=patience, held=None)


def _of_export(
    current: Export, stream: BinaryIO, wanted: Collection[str], folder: Path | None, origin: str
) -> Database:
    found = from_zip(stream, wanted, _NAME, folder, current.sha256)
    return replace(found, origin=origin, confirmed=current.confirmed.date().isoformat())
