"""mlgate's own auditor: advisory records in OSV form against pinned versions."""

import datetime as dt
from collections.abc import Iterable, Sequence

from msgspec import UNSET

from mlgate.checks import Scope
from mlgate.checks.dependencies.advisories import export, sources
from mlgate.checks.dependencies.advisories.database import Database
from mlgate.checks.dependencies.advisories.download import Patience, UnavailableError, host_of
from mlgate.checks.dependencies.advisories.files import AdvisoriesError
from mlgate.checks.dependencies.advisories.packages import PackageRecords, advisory, of_package
from mlgate.checks.dependencies.auditor import Answer, Audit, Pin
from mlgate.checks.dependencies.versions import parse, public
from mlgate.core.facts import Check, Location, NotChecked, Source

NAME = "osv"

_SHOWN = 3
_DAY = dt.timedelta(days=1)


def audit(pins: Sequence[Pin], scope: Scope, patience: Patience | None = None) -> Audit:
    """Match each pin against the run's database, see :mod:`.advisories.sources`.

    Args:
        pins: The pins.
        scope: The run.
        patience: Limits of a download.
    """
    if not pins and sources.needs_network(scope):
        return Audit()
    wanted = {pin.name for pin in pins}
    now = dt.datetime.now(dt.UTC)
    try:
        database = sources.choose(scope, wanted, now, patience)
    except AdvisoriesError as error:
        message = f"the advisory database {error}; no package was audited"
        return _nothing("advisories-unreadable", scope, message)
    except UnavailableError as error:
        message = (
            f"the advisories cannot be fetched from {host_of(export.address())}: {error}; no package was "
            "audited; use --offline to judge by the cached or bundled set, or --advisories PATH"
        )
        return _nothing("advisories-unavailable", scope, message)
    packages = {name: of_package(name, database.records.get(name, ())) for name in wanted}
    answers = {pin: _answer(pin, packages[pin.name], database) for pin in pins}
    # Where nothing is asked of it, its age harms nobody: a commit that changes no manifest, say.
    complaints = tuple(_complaints(database, scope, now.date())) if pins else ()
    return Audit(answers, complaints, (_source(database, now.date()),))


def _nothing(reason: str, scope: Scope, message: str) -> Audit:
    place = Location(sources.configured(scope) or scope.policy.path or ".")
    return Audit(not_checked=(NotChecked(Check.DEPENDENCIES, reason, place, message),))


def _answer(pin: Pin, package: PackageRecords, database: Database) -> Answer:
    if database.covered is not None and pin.name not in database.covered:
        message = (
            f"not among the packages that the {database.name} cover; pass a full database with --advisories "
            f"({export.ADDRESS})"
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
    where = sources.configured(scope) or scope.policy.path or "."
    if database.unread:
        names = ", ".join(database.broken[:_SHOWN])
        message = (
            f"{database.unread} files of the advisory database are no OSV records ({names}): what they "
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
    """Return the days since the newest record; None where no honest date says."""
    try:
        newest = dt.date.fromisoformat(database.newest)
    except ValueError:
        return None
    return max(0, (today - newest).days) if newest <= today + _DAY else None


def _source(database: Database, today: dt.date) -> Source:
    age = _age(database, today)
    summary = (
        f"{database.total} advisories for {database.packages} packages, newest of {database.newest or '?'}, "
        f"{'of unknown age' if age is None else '1 day old' if age == 1 else f'{age} days old'}; "
        f"{database.origin}"
    )
    if database.confirmed is not None:
        summary += f", current on {database.confirmed}"
    summary += f"; sha256 {database.digest[:12]}"
    if database.covered is not None:
        summary += f"; only these packages are covered; facts from the {database.licence}"
    return Source(
        check=Check.DEPENDENCIES,
        name=database.name,
        summary=summary,
        detail={
            "advisories": database.total,
            "packages": database.packages,
            "newest": database.newest,
            "age_days": age,
            "sha256": database.digest,
            "origin": database.origin,
            "confirmed": database.confirmed,
            "covers": "all" if database.covered is None else sorted(database.covered),
            "licence": database.licence,
        },
    )
