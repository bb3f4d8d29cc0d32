"""pip-audit as a second auditor: its command line, over exact pins, with every answer accounted for.

Its Python API is private ("intentionally unstable"); ``--format json`` is its stable surface.
It is asked about a file of our own, so that it resolves, installs and skips nothing.
"""

import os
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from packaging.version import Version

from mlgate.checks import Scope
from mlgate.checks.dependencies.auditor import Advisory, Answer, Audit, Pin
from mlgate.checks.dependencies.auditors import _command, _external
from mlgate.checks.dependencies.auditors._command import FailedError, Outcome
from mlgate.checks.dependencies.auditors._external import Exact, Reply
from mlgate.checks.dependencies.versions import parse

NAME = "pip-audit"

_LIMIT = 64 << 20
_UPGRADES = 3
_SOCKET_SECONDS = 15

# The last line of a traceback begins with the exception, and only that is shown: the rest may
# hold an address with a password in it.
_EXCEPTION = re.compile(r"([A-Za-z_][\w.]*)(?::.*)?")
_NETWORK = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ProxyError", "SSLError", "Timeout")


class _Vulnerability(Struct, frozen=True):
    id: str
    fix_versions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


class _Dependency(Struct, frozen=True):
    name: str
    version: str | None = None
    vulns: tuple[_Vulnerability, ...] | None = None
    skip_reason: str | None = None


class _Report(Struct, frozen=True):
    dependencies: tuple[_Dependency, ...]


def audit(
    pins: Sequence[Pin],
    scope: Scope,
    *,
    environ: Mapping[str, str] = os.environ,
    seconds: float = _external.SECONDS,
    command: Sequence[str] | None = None,
) -> Audit:
    """Ask pip-audit about each pin.

    It asks PyPI, which says when it does not know a version. ``PIP_AUDIT_OSV_URL`` in the
    environment of whoever runs the gate, pip-audit's own variable, makes it ask that OSV
    service instead; no file of the repository can.

    Args:
        pins: The pins.
        scope: The run; offline, pip-audit is not started.
        environ: The environment.
        seconds: Wall time for all of it.
        command: How pip-audit is started; None: as found.
    """
    if not pins:
        return Audit()
    try:
        found = tuple(_found(scope, environ, command))
    except FailedError as failure:
        return Audit(not_checked=(_external.failed(NAME, scope, failure),))
    ask = partial(_ask, found, environ)
    end = time.monotonic() + seconds
    answers, gaps = _external.answer(NAME, pins, ask, scope=scope, seconds=seconds)
    answers |= _with_upgrades(answers, ask, end)
    where = (
        "asked PyPI" if "PIP_AUDIT_OSV_URL" not in environ else "asked the OSV service of PIP_AUDIT_OSV_URL"
    )
    return _external.audited(NAME, pins, answers, gaps, where)


def _found(scope: Scope, environ: Mapping[str, str], command: Sequence[str] | None) -> Sequence[str]:
    """Return how pip-audit is started.

    Raises:
        FailedError: It may not or cannot be.
    """
    if scope.offline:
        raise FailedError("auditor-offline", "needs the network, and this run is offline; run it online")
    found = command or _command.locate("pip_audit", NAME, scope.target.root, environ)
    if found is None:
        raise _missing()
    return found


def _missing() -> FailedError:
    return FailedError("auditor-missing", "is not installed; pip install 'mlgate[pip-audit]'")


def _ask(
    command: tuple[str, ...],
    environ: Mapping[str, str],
    pins: Sequence[Exact],
    file: Path,
    seconds: float,
) -> Reply:
    folder = file.parent
    url = environ.get("PIP_AUDIT_OSV_URL")
    service = ("--vulnerability-service", "pypi") if url is None else ("-s", "osv", "--osv-url", url)
    outcome = _command.run(
        (
            *command,
            *("--format", "json", "--aliases", "on", "--desc", "off", "--progress-spinner", "off"),
            *("--no-deps", "--disable-pip", "--requirement", str(file)),
            *("--cache-dir", str(folder / "cache"), "--timeout", str(_SOCKET_SECONDS)),
            *service,
        ),
        folder=folder,
        # Without a cache of pip it need not start pip to ask where that is.
        environment={**_command.environment(folder, environ), "PIP_NO_CACHE_DIR": "1"},
        seconds=seconds,
        limit=_LIMIT,
    )
    return _read(outcome, dict(pins))


def _read(outcome: Outcome, pins: Mapping[str, Version]) -> Reply:
    """Read an outcome. Findings and failures share the exit status 1: the JSON tells them apart.

    Raises:
        FailedError: It is no answer.
    """
    if outcome.code not in {0, 1} or not outcome.output.strip():
        raise _failure(outcome)
    try:
        report = msgspec.json.decode(outcome.output, type=_Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = "answered in a form that is not known; pip install --upgrade pip-audit mlgate"
        raise FailedError("auditor-output", message) from error
    if (outcome.code == 1) != any(each.vulns for each in report.dependencies):
        message = "answered with an exit status that contradicts its findings; run it again"
        raise FailedError("auditor-output", message)
    about: defaultdict[Exact, list[_Dependency]] = defaultdict(list)
    for each in report.dependencies:
        about[_external.recognise(each.name, each.version, pins)].append(each)
    answers = {pin: _answer(pin, entries) for pin, entries in about.items()}
    # It leaves out records that it cannot read, and says so only here.
    unread = "WARNING:pip_audit._service" in outcome.errors
    doubt = "left out advisories that it could not read; use the auditor osv beside it" if unread else ""
    return Reply(answers, doubt)


def _answer(pin: Exact, about: Sequence[_Dependency]) -> Answer:
    name, version = pin
    advisories = tuple(
        Advisory(
            id=each.id,
            aliases=tuple(sorted({*each.aliases} - {each.id})),
            fixed=_external.smallest_later(version, each.fix_versions),
            malicious=any(identifier.startswith("MAL-") for identifier in (each.id, *each.aliases)),
        )
        for dependency in about
        for each in dependency.vulns or ()
    )
    if all(each.skip_reason is None and each.vulns is not None for each in about):
        return Answer(advisories=advisories)
    message = (
        f"pip-audit skipped it: its service does not know {name} {version}; pin a released version, and let "
        "pip-audit reach PyPI itself where a mirror answers in its place"
    )
    return Answer(advisories=advisories, unknown="auditor-skipped", message=message)


def _failure(outcome: Outcome) -> FailedError:
    lines = [line.strip() for line in outcome.errors.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if "No module named" in last and "pip_audit" in last:
        return _missing()
    match = _EXCEPTION.fullmatch(last)
    exception = match[1].rpartition(".")[2] if match and "Traceback" in outcome.errors else ""
    if exception in _NETWORK or "Could not connect to" in outcome.errors:
        message = f"could not reach its service ({exception or 'ConnectTimeout'}); run it again"
        return FailedError("auditor-unreachable", message)
    if exception in {"ServiceError", "JSONDecodeError", "HTTPError", "ChunkedEncodingError"}:
        message = f"got a broken answer from its service ({exception}); run it again"
        return FailedError("auditor-service", message)
    ended = f" with {exception}" if exception else ""
    message = f"failed{ended} (exit status {outcome.code}) and gave no answer; run `pip-audit` by hand"
    return FailedError("auditor-failed", message)


def _with_upgrades(answers: Mapping[Pin, Answer], ask: _external.Ask, end: float) -> dict[Pin, Answer]:
    """Find for each vulnerable pin the smallest upgrade that is clean, by asking about it too.

    Whatever is below the highest of the fixed versions still has one of the flaws; that
    version itself may have others, so it is asked about before it is named.
    """
    search = {
        pin: fix for pin, answer in answers.items() if answer.advisories and (fix := _fix(answer.advisories))
    }
    done: dict[Pin, Answer] = {}
    try:
        for _ in range(_UPGRADES):
            wanted = {
                pin: at
                for pin, fix in search.items()
                if (at := _external.exact(Pin(pin.name, fix))) is not None
            }
            if not wanted:
                break
            known: dict[Exact, Answer] = {}
            for reply in _external.runs(wanted.values(), ask, end):
                known |= {} if reply.doubt else reply.answers
            search = {}
            for pin, at in wanted.items():
                answer = known.get(at)
                if answer is None or answer.unknown is not None:
                    continue
                if not answer.advisories:
                    done[pin] = msgspec.structs.replace(answers[pin], upgrade=str(at[1]))
                elif fix := _fix(answer.advisories):
                    search[pin] = fix
    except FailedError:
        # The answers stand; only the advice is missing.
        return done
    return done


def _fix(advisories: Sequence[Advisory]) -> str | None:
    """Return the highest of the fixed versions; None where a flaw has no fix."""
    versions = [parse(each.fixed) for each in advisories if each.fixed is not None]
    known = [each for each in versions if each is not None]
    return str(max(known)) if known and len(known) == len(advisories) else None
