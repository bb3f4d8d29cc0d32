"""Landlock: the kernel takes every file, TCP port and foreign signal from this thread.

No rule is ever added, so everything that the kernel's version can handle is denied.
Source: the kernel's ``Documentation/userspace-api/landlock.rst``.
"""

import ctypes
import os
import platform
import struct

# The same numbers on x86_64 and aarch64.
_CREATE_RULESET = 444
_RESTRICT_SELF = 446
_VERSION_QUERY = 1

# Rights by the version that brought them: (first version, bits).
_FILES = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11


class WallError(OSError):
    """The kernel does not offer the wall, or refused to build it."""


def version() -> int:
    """Return the Landlock version that the kernel offers, 0 for none."""
    if platform.system() != "Linux":
        return 0  # elsewhere the number is another call's
    found: int = ctypes.CDLL(None, use_errno=True).syscall(_CREATE_RULESET, None, 0, _VERSION_QUERY)
    return max(found, 0)


def restrict() -> str:
    """Deny this thread, and threads that it starts, all that the kernel can deny.

    ``PR_SET_NO_NEW_PRIVS`` must be set before. There is no way back.

    Returns:
        What is denied, for a person.

    Raises:
        WallError: The kernel lacks Landlock, or it is switched off.
    """
    offered = version()
    if offered < 1:
        raise WallError("the system does not offer Landlock")
    files = sum(bits for since, bits in _FILES if offered >= since)
    fields = [files]
    denied = ["files"]
    if offered >= _TCP_SINCE:
        fields.append(_TCP)
        denied.append("TCP")
    if offered >= _SCOPES_SINCE:
        fields.append(_SCOPES)
        denied.append("signals and abstract sockets of others")
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    libc = ctypes.CDLL(None, use_errno=True)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        raise WallError(f"Landlock refused: {os.strerror(ctypes.get_errno())}")
    try:
        if libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
            raise WallError(f"Landlock refused: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(ruleset)
    return f"version {offered}: no {', '.join(denied)}"
