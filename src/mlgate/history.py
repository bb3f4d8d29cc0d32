"""Read the JSON reports of earlier runs, for a trend; a file that is none is named, never passed over."""

import datetime as dt
import errno
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from mlgate.core.report import History, PastRun, Verdict

# Reports of one trend, and bytes of one report.
MOST_FILES, MOST_BYTES = 1_000, 64 << 20
_VERSION = 1


class _Named(Struct, frozen=True):
    version: str = ""
    sha256: str | None = None


class _Finding(Struct, frozen=True):
    severity: Literal["info", "low", "medium", "high", "critical"]
    blocks: bool
    waived: Any = None
    baseline: bool = False


class _Gap(Struct, frozen=True):
    counts: bool


class _Report(Struct, frozen=True):
    """What a trend needs of the JSON report, version 1; every other key is passed over."""

    version: int
    verdict: Literal["pass", "fail", "undecided"]
    started: str
    findings: list[_Finding]
    not_checked: list[_Gap]
    tool: _Named = _Named()
    policy: _Named = _Named()


class _UnreadableError(Exception):
    """A file is no report that can be read. The text says why."""


def read(paths: Iterable[Path]) -> History:
    """Return the runs that the JSON reports at ``paths`` tell of, oldest first.

    Of a folder every ``*.json`` below it is read, links not followed. Whatever cannot be
    read is in ``unreadable`` with its reason: a missing or too large file, another JSON, a
    newer version of the report, what is beyond the first 1,000 files.
    """
    runs: list[tuple[dt.datetime, PastRun]] = []
    unreadable: list[str] = []
    for number, (path, place) in enumerate(_files(paths)):
        if number == MOST_FILES:
            unreadable.append(f"a trend is made of at most {MOST_FILES:,} reports; the rest was not read")
            break
        try:
            runs.append(_run(path, place))
        except _UnreadableError as problem:
            unreadable.append(f"{path}: {problem}")
    runs.sort(key=lambda run: run[0])
    return History(tuple(run for _, run in runs), tuple(unreadable))


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield each file as it is named, and where it is: a link that the user names is the user's choice."""
    for path in paths:
        if not path.is_dir():
            yield path, Path(os.path.realpath(path))
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            found = (Path(folder, name) for name in sorted(names) if name.endswith(".json"))
            yield from ((each, each) for each in found)


def _run(path: Path, place: Path) -> tuple[dt.datetime, PastRun]:
    try:
        report = msgspec.json.decode(_bytes(place), type=_Report)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        reason = str(error).split("\n", 1)[0][:200]
        raise _UnreadableError(
            f"it is no JSON report of mlgate ({reason}); make one with --report json=FILE"
        ) from None
    if report.version != _VERSION:
        raise _UnreadableError(f"it is of version {report.version}, and this mlgate reads version {_VERSION}")
    active = [one for one in report.findings if one.waived is None and not one.baseline]
    run = PastRun(
        path=path.as_posix(),
        started=report.started,
        verdict=Verdict(report.verdict),
        blocking=sum(one.blocks for one in active),
        severities=dict(Counter(one.severity for one in active)),
        accepted=len(report.findings) - len(active),
        not_checked=sum(one.counts for one in report.not_checked),
        policy=report.policy.sha256,
        version=report.tool.version,
    )
    return _moment(report.started), run


def _bytes(path: Path) -> bytes:
    """Return a regular file's bytes; a pipe or a device is never waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _UnreadableError("it is no regular file")
            data = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ELOOP:
            raise _UnreadableError("it is a symbolic link, which is not followed in a folder") from None
        raise _UnreadableError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MOST_BYTES:
        raise _UnreadableError(f"it has more than {MOST_BYTES >> 20} MiB")
    return data


def _moment(started: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(started)
    except ValueError:
        raise _UnreadableError("it does not say when it started, so it has no place in a trend") from None
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
