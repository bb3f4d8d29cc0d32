"""The walls that a worker puts around itself before it reads a byte of a model.

Resource limits, no new privileges, Landlock and seccomp: four walls, none of which
needs a privilege. The libraries that do this were judged first and not taken: one needs
Landlock version 6 (Linux 6.12) and brings a 13 MB program, one is an alpha that covers
files only, one needs the system's libseccomp. What is left is small enough to read.
"""

import ctypes
import os
import resource
from collections.abc import Callable

from msgspec import Struct

from mlgate.checks.assessment.sandbox import landlock, seccomp

_NO_NEW_PRIVILEGES = 38
_DIE_WITH_PARENT = 1
_SIGKILL = 9


class Wall(Struct, frozen=True, kw_only=True):
    """One wall.

    Attributes:
        name: ``resource limits``, ``no new privileges``, ``landlock``, ``seccomp``.
        stands: False where the kernel lacks it or refused.
        note: What it denies, or why it does not stand.
    """

    name: str
    stands: bool
    note: str


def confine(memory: int, cpu_seconds: int) -> tuple[Wall, ...]:
    """Confine this process for good, and say which walls stand.

    After it no file opens, so everything that will be needed must be imported before,
    and no thread but the caller's may exist: Landlock holds for the calling thread.

    Args:
        memory: Most bytes of address space.
        cpu_seconds: Most seconds of processor time.
    """
    threads = _threads()
    try:
        table = seccomp.table()
    except OSError as error:
        calls, table = Wall(name="seccomp", stands=False, note=str(error)), None
    limits = _build("resource limits", lambda: limit_resources(memory, cpu_seconds))
    privileges = _build("no new privileges", no_new_privileges)
    files = _build("landlock", landlock.restrict)
    if table is not None:
        calls = _build("seccomp", lambda: seccomp.restrict(table))
    if threads != 1 and files.stands:
        files = Wall(name=files.name, stands=False, note=f"{threads} threads ran before it was built")
    return limits, privileges, files, calls


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - names, not paths
    except OSError:
        return 1


def _build(name: str, build: Callable[[], str]) -> Wall:
    try:
        return Wall(name=name, stands=True, note=build())
    except (OSError, ValueError, AttributeError) as error:
        return Wall(name=name, stands=False, note=str(error))


def limit_resources(memory: int, cpu_seconds: int) -> str:
    """Bound address space and processor time; allow no file growth and no core dump."""
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))
    return f"at most {memory >> 20} MiB and {cpu_seconds} CPU seconds, no file writes, no core dump"


def no_new_privileges() -> str:
    """Make set-user-id programs powerless, and die when the parent does.

    Raises:
        landlock.WallError: The system has no such call.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise landlock.WallError(os.strerror(ctypes.get_errno()))
    libc.prctl(_DIE_WITH_PARENT, _SIGKILL, 0, 0, 0)
    return "no program can raise this process's rights"
