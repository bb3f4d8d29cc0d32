"""Seccomp: this process keeps the system calls that a computation needs, and no others.

A list of what arithmetic needs is shorter than a list of what an intruder may want, and
a call that nobody thought of is denied. The numbers live in ``seccomp.json``. Everything
else fails with EPERM: no file is opened, no program started, no process forked, no
socket made, nothing traced, signalled, mounted or mapped as code. A call by another
architecture's table kills the process.

Source: the kernel's ``Documentation/userspace-api/seccomp_filter.rst``, seccomp(2).
"""

import ctypes
import errno
import json
import os
import platform
import struct
from pathlib import Path
from typing import Any

from mlgate.checks.assessment.sandbox.landlock import WallError

_SET_MODE_FILTER = 1
_ALL_THREADS = 1

# Classic BPF, <linux/bpf_common.h>: load a word, compare, return.
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
# Offsets in struct seccomp_data; arguments are read as their low words (little endian).
_NUMBER, _ARCH, _FIRST_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 16, 32
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
_PROT_EXEC = 0x4


def _step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, value)


def program(table: dict[str, Any]) -> bytes:
    """Assemble the filter for one architecture of ``seccomp.json``."""
    deny = _step(_RETURN, _ERRNO | errno.EPERM)
    allow = _step(_RETURN, _ALLOW)
    steps = [
        _step(_LOAD, _ARCH),
        _step(_EQUAL, table["audit_arch"], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        # On x86_64 this bit chooses the x32 table; no other architecture uses it.
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _KILL),
    ]
    for number in table["allow"].values():
        steps += [_step(_EQUAL, number, 0, 1), allow]
    for number in table["not_executable"].values():
        steps += [_step(_EQUAL, number, 0, 4), _step(_LOAD, _THIRD_ARGUMENT)]
        steps += [_step(_HAS_BITS, _PROT_EXEC, 0, 1), deny, allow]
    # A thread of this process is harmless; a process is not. The flags of clone3 lie
    # behind a pointer that a filter cannot follow: ENOSYS makes libc use clone.
    steps += [_step(_EQUAL, table["clone"], 0, 4), _step(_LOAD, _FIRST_ARGUMENT)]
    steps += [_step(_HAS_BITS, _CLONE_THREAD, 0, 1), allow, deny]
    steps += [_step(_EQUAL, table["clone3"], 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS), deny]
    return b"".join(steps)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def table() -> dict[str, Any]:
    """Read this machine's table of system calls, while files still open.

    Raises:
        WallError: There is none.
    """
    tables: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "seccomp.json").read_bytes())
    if platform.system() != "Linux" or platform.machine() not in tables:
        raise WallError(f"no table of system calls for {platform.system()} on {platform.machine()}")
    return tables[platform.machine()]


def restrict(calls: dict[str, Any]) -> str:
    """Put the filter on every thread of this process.

    ``PR_SET_NO_NEW_PRIVS`` must be set before. There is no way back.

    Args:
        calls: From :func:`table`.

    Returns:
        What is denied, for a person.

    Raises:
        WallError: The kernel lacks seccomp, or it is switched off.
    """
    steps = program(calls)
    buffer = ctypes.create_string_buffer(steps, len(steps))
    whole = _Program(len(steps) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(calls["seccomp"], _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(whole)) != 0:
        raise WallError(f"seccomp refused: {os.strerror(ctypes.get_errno())}")
    return f"no system calls but the {len(calls['allow']) + 3} that arithmetic needs"
