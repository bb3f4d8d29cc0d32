"""mlgate's own auditor: advisory records in OSV form against pinned versions, offline."""

import datetime as dt
import posixpath
from collections.abc import Collection, Iterable, Sequence

from msgspec import UNSET

from mlgate.checks import Scope
from mlgate.checks.dependencies.advisories.database import (
    AdvisoriesError,
    Database,
    bundled,
    from_path,
    from_zip,
)
from mlgate.checks.dependencies.advisories.packages import PackageRecords, advisory, of_package
from mlgate.checks.dependencies.auditor import Answer, Audit, Pin
from mlgate.checks.dependencies.versions import parse, public
from mlgate.core.facts import Check, Location, NotChecked, Source

NAME = "osv"

# Where OSV publishes every advisory about PyPI packages, as its documentation says.
_EXPORT = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
_SHOWN = 3


def audit(pins: Sequence[Pin], scope: Scope) -> Audit:
    """Match each pin against ``--advisories``, the policy's database, or the bundled set."""
    wanted = {pin.name for pin in pins}
    try:
        database = _open(scope, wanted)
    except AdvisoriesError as error:
        where, _ = _configured(scope)
        message = f"the advisory database {error}; no package was audited"
        gap = NotChecked(Check.DEPENDENCIES, "advisories-unreadable", Location(where or "."), message)
        return Audit(not_checked=(gap,))
    packages = {name: of_package(name, database.records.get(name, ())) for name in wanted}
    answers = {pin: _answer(pin, packages[pin.name], database) for pin in pins}
    today = dt.datetime.now(dt.UTC).date()
    return Audit(answers, tuple(_complaints(database, scope, today)), (_source(database, today),))


def _configured(scope: Scope) -> tuple[str | None, str | None]:
    """Return how the database is named in reports, and its path below the root, if it has one."""
    if scope.advisories is not None:
        return scope.advisories.as_posix(), None
    path = scope.policy.policy.dependencies.advisories.path
    return (path, path) if isinstance(path, str) else (None, None)


def _open(scope: Scope, wanted: Collection[str]) -> Database:
    if scope.advisories is not None:
        return from_path(scope.advisories, wanted, scope.advisories.as_posix())
    shown, path = _configured(scope)
    if path is None or shown is None:
        return bundled(wanted)
    normal = posixpath.normpath(path)
    if normal.startswith(("/", "../")) or normal == "..":
        raise AdvisoriesError(f"{shown} lies outside the repository")
    file = scope.target.find(normal)
    if file is not None:
        try:
            with file.open() as stream:
                return from_zip(stream, wanted, shown)
        except OSError as error:
            raise AdvisoriesError(f"{shown} cannot be read: {error.strerror or error}") from error
    folder = scope.target.root / normal
    if not folder.is_dir() or not folder.resolve().is_relative_to(scope.target.root.resolve()):
        raise AdvisoriesError(f"{shown} does not exist in the repository")
    return from_path(folder, wanted, shown)


def _answer(pin: Pin, package: PackageRecords, database: Database) -> Answer:
    if database.covered is not None and pin.name not in database.covered:
        message = (
            f"not among the packages that the {database.name} cover; pass a full database with --advisories "
            f"({_EXPORT})"
        )
        return Answer(unknown="not-covered", message=message)
    written = parse(pin.version)
    if written is None:
        message = "this is no PEP 440 version, so ranges cannot be matched; pin a released version"
        listed = [group for group in package.groups if group.lists(pin.version)]
        advisories = tuple(advisory(group, package, None) for group in listed)
        return Answer(advisories=advisories, unknown="invalid-version", message=message)
    version = public(written)
    groups = [group for group in package.groups if group.affects(version)]
    upgrade = package.upgrade(version, package.groups) if groups else None
    advisories = tuple(advisory(group, package, version) for group in groups)
    unread = sorted(
        each for group in package.groups if group not in groups for each in group.uncertain(version)
    )
    if not unread:
        return Answer(advisories=advisories, upgrade=upgrade)
    message = (
        f"cannot be held against {', '.join(unread[:_SHOWN])}; read the advisory, and waive this where it "
        "does not apply"
    )
    return Answer(advisories=advisories, upgrade=upgrade, unknown="advisory-unreadable", message=message)


def _complaints(database: Database, scope: Scope, today: dt.date) -> Iterable[NotChecked]:
    where = _configured(scope)[0] or scope.policy.path or "."
    if database.broken:
        names = ", ".join(database.broken[:_SHOWN])
        message = (
            f"{len(database.broken)} files of the advisory database are no OSV records ({names}): what they "
            "would say is not known; fetch the database anew"
        )
        yield NotChecked(Check.DEPENDENCIES, "advisories-unreadable", Location(where), message)
    oldest = scope.policy.policy.dependencies.advisories.max_age_days
    age = _age(database, today)
    if oldest is not UNSET and (age is None or age > oldest):
        line = scope.policy.line("dependencies.advisories.max_age_days")
        is_old = f"is {age} days old" if age is not None else "does not say how old it is"
        message = (
            f"the advisory database ({database.name}) {is_old}, and the policy allows {oldest} days; "
            "pass a newer one with --advisories"
        )
        place = Location(scope.policy.path or ".", line=line)
        yield NotChecked(Check.DEPENDENCIES, "advisories-too-old", place, message)


def _age(database: Database, today: dt.date) -> int | None:
    try:
        return (today - dt.date.fromisoformat(database.newest)).days
    except ValueError:
        return None


def _source(database: Database, today: dt.date) -> Source:
    age = _age(database, today)
    old = f", {age} days old" if age is not None else ", of unknown age"
    limits = ""
    if database.covered is not None:
        limits = "; only these packages are covered; facts from the " + database.licence
    return Source(
        check=Check.DEPENDENCIES,
        name=database.name,
        summary=(
            f"{database.total} advisories for {database.packages} packages, "
            f"newest of {database.newest or '?'}"
            f"{old}; read offline{limits}"
        ),
        detail={
            "advisories": database.total,
            "packages": database.packages,
            "newest": database.newest,
            "age_days": age,
            "covers": "all" if database.covered is None else sorted(database.covered),
            "licence": database.licence,
        },
    )
