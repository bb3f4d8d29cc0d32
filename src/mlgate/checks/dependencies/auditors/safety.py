"""safety as a second auditor: its command line, where its user has a key to its vendor's database.

``safety check`` downloads that database and compares here; ``safety scan`` would upload what a
project requires. The free database is not for commercial use and is never asked for.
"""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from packaging.utils import canonicalize_name
from packaging.version import Version

from mlgate.checks import Scope
from mlgate.checks.dependencies.advisories import ratings
from mlgate.checks.dependencies.auditor import Advisory, Answer, Audit, Pin
from mlgate.checks.dependencies.auditors import _command, _external
from mlgate.checks.dependencies.auditors._command import FailedError, Outcome
from mlgate.checks.dependencies.auditors._external import Exact, Reply

NAME = "safety"

_KEY = "SAFETY_API_KEY"
# Where its own settings let it look; from the environment of whoever runs the gate.
_SETTINGS = (
    _KEY,
    "SAFETY_AUTH_SERVER_URL",
    "SAFETY_DATA_API_BASE_URL",
    "SAFETY_PLATFORM_API_BASE_URL",
    "SAFETY_PLATFORM_URL",
)
_LIMIT = 64 << 20
_CLEAN, _FOUND = 0, 64

# What its exit status says (safety 3.8, constants.py). Its own words are not repeated: they
# may hold the key.
_ENDINGS = {
    65: ("auditor-key", f"says that the key is not valid; set {_KEY} to a valid one"),
    66: ("auditor-service", "was told by its service that there were too many requests; run it again later"),
    67: ("auditor-service", "found no local database; unset the settings that name one"),
    68: ("auditor-service", "could not fetch its database; run it again"),
    69: ("auditor-service", f"got a database that it cannot read; check {_KEY}, or update safety"),
    70: ("auditor-failed", "refused a report; run `safety check` by hand"),
    71: ("auditor-failed", "could not read the pinned versions; update safety"),
    72: ("auditor-key", "says that the e-mail address of the key's owner is not verified; verify it"),
    73: ("auditor-key", f"could not register this machine; set {_KEY} to a valid key"),
    74: ("auditor-key", f"could not tell which machine this is; set {_KEY} to a valid key"),
    75: ("auditor-service", "could not register this machine; run it again later"),
}
_NETWORK = ("ConnectError", "ConnectTimeout", "ReadTimeout", "ProxyError", "unable to reach the server")


class _Score(Struct, frozen=True):
    base_score: Annotated[float, Meta(ge=0, le=10)] | None = None


class _Severity(Struct, frozen=True):
    cvssv2: _Score | None = None
    cvssv3: _Score | None = None


class _Vulnerability(Struct, frozen=True):
    vulnerability_id: str
    package_name: str
    analyzed_version: str | None
    fixed_versions: tuple[str, ...] = ()
    severity: _Severity | None = None
    cve: str | None = msgspec.field(name="CVE", default=None)


class _Scanned(Struct, frozen=True):
    name: str
    version: str | None


class _Affected(Struct, frozen=True):
    name: str
    secure_versions: tuple[str, ...] = ()


class _Report(Struct, frozen=True):
    scanned_packages: dict[str, _Scanned]
    vulnerabilities: tuple[_Vulnerability, ...]
    affected_packages: dict[str, _Affected] = {}
    ignored_vulnerabilities: tuple[_Vulnerability, ...] = ()


def audit(
    pins: Sequence[Pin],
    scope: Scope,
    *,
    environ: Mapping[str, str] = os.environ,
    seconds: float = _external.SECONDS,
    command: Sequence[str] | None = None,
) -> Audit:
    """Ask safety about each pin.

    Args:
        pins: The pins.
        scope: The run; offline, safety is not started.
        environ: The environment, with the key in ``SAFETY_API_KEY``.
        seconds: Wall time for all of it.
        command: How safety is started; None: as found.
    """
    if not pins:
        return Audit()
    try:
        found = tuple(_found(scope, environ, command))
    except FailedError as failure:
        return Audit(not_checked=(_external.failed(NAME, scope, failure),))
    ask = partial(_ask, found, environ)
    answers, gaps = _external.answer(NAME, pins, ask, scope=scope, seconds=seconds)
    return _external.audited(NAME, pins, answers, gaps, "by its vendor's database")


def _found(scope: Scope, environ: Mapping[str, str], command: Sequence[str] | None) -> Sequence[str]:
    """Return how safety is started.

    Raises:
        FailedError: It may not or cannot be.
    """
    if scope.offline:
        raise FailedError("auditor-offline", "needs the network, and this run is offline; run it online")
    if not environ.get(_KEY):
        message = (
            f"needs a key: set {_KEY} (safety asks its vendor's service with it), or remove safety from "
            "dependencies.auditors"
        )
        raise FailedError("auditor-key", message)
    found = command or _command.locate(NAME, NAME, scope.target.root, environ)
    if found is None:
        raise _missing()
    return found


def _missing() -> FailedError:
    return FailedError("auditor-missing", "is not installed; pip install 'mlgate[safety]'")


def _ask(
    command: tuple[str, ...],
    environ: Mapping[str, str],
    pins: Sequence[Exact],
    file: Path,
    seconds: float,
) -> Reply:
    folder = file.parent
    report = folder / "report.json"
    outcome = _command.run(
        (
            *(*command, "--disable-optional-telemetry", "check", "--file", str(file)),
            # Standard output also gets notices about the command's future.
            *("--output", "json", "--save-json", str(report), "--disable-audit-and-monitor"),
        ),
        folder=folder,
        # The key is no argument: every user of a machine can read those.
        environment=_command.environment(folder, environ, _SETTINGS),
        seconds=seconds,
        limit=_LIMIT,
    )
    if outcome.code not in {_CLEAN, _FOUND}:
        raise _failure(outcome)
    return Reply(_read(_content(report), outcome.code, dict(pins)))


def _content(report: Path) -> bytes:
    try:
        with report.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        raise FailedError("auditor-output", "left no report; update safety") from error
    if len(data) > _LIMIT:
        message = f"wrote more than {_LIMIT >> 20} MiB; audit the manifests one by one"
        raise FailedError("auditor-output", message)
    return data


def _read(data: bytes, code: int, pins: Mapping[str, Version]) -> dict[Exact, Answer]:
    """Read a report: a pin that it does not list as scanned has no answer.

    Raises:
        FailedError: It is no report, or contradicts the exit status.
    """
    try:
        report = msgspec.json.decode(data, type=_Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = "answered in a form that is not known; pip install --upgrade safety mlgate"
        raise FailedError("auditor-output", message) from error
    if (code == _FOUND) != bool(report.vulnerabilities):
        message = "answered with an exit status that contradicts its findings; run it again"
        raise FailedError("auditor-output", message)
    answers = {
        _external.recognise(each.name, each.version, pins): Answer()
        for each in report.scanned_packages.values()
        if each.version is not None
    }
    found: defaultdict[Exact, dict[str, Advisory]] = defaultdict(dict)
    # What its own settings ignore is heard here: waivers stand in the policy.
    for vulnerability in (*report.vulnerabilities, *report.ignored_vulnerabilities):
        pin = _external.recognise(vulnerability.package_name, vulnerability.analyzed_version, pins)
        found[pin][vulnerability.vulnerability_id] = _advisory(vulnerability, pin)
    secure: dict[str, tuple[str, ...]] = {
        canonicalize_name(each.name): each.secure_versions for each in report.affected_packages.values()
    }
    for pin, advisories in found.items():
        upgrade = _external.smallest_later(pin[1], secure.get(pin[0], ()))
        answers[pin] = Answer(advisories=tuple(advisories.values()), upgrade=upgrade)
    return answers


def _advisory(each: _Vulnerability, pin: Exact) -> Advisory:
    own = f"SAFETY-{each.vulnerability_id}"
    scores = (
        [
            score.base_score
            for score in (each.severity.cvssv2, each.severity.cvssv3)
            if score is not None and score.base_score is not None
        ]
        if each.severity
        else []
    )
    cvss = max(scores, default=None)
    return Advisory(
        id=each.cve or own,
        aliases=(own,) if each.cve else (),
        cvss=cvss,
        severity=None if cvss is None else ratings.of_score(cvss),
        fixed=_external.smallest_later(pin[1], each.fixed_versions),
    )


def _failure(outcome: Outcome) -> FailedError:
    if outcome.code in _ENDINGS:
        return FailedError(*_ENDINGS[outcome.code])
    if "No module named" in outcome.errors and outcome.errors.rstrip().endswith("named safety"):
        return _missing()
    if any(word in outcome.errors for word in _NETWORK):
        return FailedError("auditor-unreachable", "could not reach its service; run it again")
    message = f"failed (exit status {outcome.code}) and gave no answer; run `safety check` by hand"
    return FailedError("auditor-failed", message)
