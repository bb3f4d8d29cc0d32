"""Run another auditor's command line: away from the repository, bounded in time and output."""

import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

# What a machine needs to reach the outside: proxies, certificates, where libraries lie. All of
# it is set by whoever runs the gate; nothing of it can come from the repository.
_KEPT = (
    "PATH",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    *(
        each
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
        for each in (name, name.lower())
    ),
)
_CHUNK = 1 << 16


class FailedError(Exception):
    """Another auditor could not do its work.

    Attributes:
        reason: Slug, as in ``NotChecked.reason``.
        message: What happened and what to do next, after the auditor's name.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Outcome(Struct, frozen=True):
    """A command that came to its own end.

    Attributes:
        code: Exit status.
        output: Standard output, whole.
        errors: Standard error, whole.
    """

    code: int
    output: bytes
    errors: str


def locate(module: str, program: str, root: Path, environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return how a tool is started: as a module of this interpreter, else from ``PATH``, else None.

    A program below ``root`` is not taken from ``PATH``: what is judged is never run.
    """
    if find_spec(module) is not None:
        # -P: the current folder is no place to import from.
        return (sys.executable, "-P", "-m", module)
    folders = [each for each in environ.get("PATH", "").split(os.pathsep) if Path(each).is_absolute()]
    found = shutil.which(program, path=os.pathsep.join(folders)) if folders else None
    if found is None or Path(found).resolve().is_relative_to(root.resolve()):
        return None
    return (found,)


def environment(folder: Path, environ: Mapping[str, str], more: Iterable[str] = ()) -> dict[str, str]:
    """Return the little of ``environ`` that a tool may see; its home is ``folder``."""
    kept = {name: environ[name] for name in (*_KEPT, *more) if name in environ}
    places = {"HOME": str(folder), "TMPDIR": str(folder), "XDG_CACHE_HOME": str(folder)}
    return {**kept, **places, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "NO_COLOR": "1"}


def run(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float, limit: int
) -> Outcome:
    """Run a command to its end.

    Args:
        command: Program and arguments; no shell is involved.
        folder: Where it runs.
        environment: All that it sees of the environment.
        seconds: Wall time after which it is killed, with all that it started.
        limit: Bytes that it may write to standard output, and to standard error.

    Raises:
        FailedError: It cannot be started, took too long or wrote too much.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - an installed tool, a list of arguments
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        message = f"cannot be started ({error.strerror or error}); install it anew"
        raise FailedError("auditor-failed", message) from error
    with process:
        try:
            output, errors = _drain(process, time.monotonic() + seconds, seconds, limit)
        except BaseException:
            # With its own children, which hold the pipes open. It was not waited for, so the
            # number is still its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return Outcome(process.returncode, output, errors.decode(errors="replace"))


def _drain(process: subprocess.Popen[bytes], end: float, seconds: float, limit: int) -> tuple[bytes, bytes]:
    """Read both pipes to their ends, then wait for the process."""
    late = FailedError(
        "auditor-timeout", f"gave no answer within {seconds:g} seconds and was stopped; run it again"
    )
    parts: dict[str, bytearray] = {"output": bytearray(), "errors": bytearray()}
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ, "output")  # type: ignore[arg-type]  # a pipe
        waiting.register(process.stderr, selectors.EVENT_READ, "errors")  # type: ignore[arg-type]  # a pipe
        while waiting.get_map():
            left = end - time.monotonic()
            if left <= 0:
                raise late
            for key, _ in waiting.select(left):
                data = os.read(key.fd, _CHUNK)
                if not data:
                    waiting.unregister(key.fileobj)
                parts[key.data] += data
                if len(parts[key.data]) > limit:
                    message = f"wrote more than {limit >> 20} MiB; audit the manifests one by one"
                    raise FailedError("auditor-output", message)
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise late from error
    return bytes(parts["output"]), bytes(parts["errors"])
