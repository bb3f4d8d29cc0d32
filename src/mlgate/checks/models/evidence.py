"""Show what a flagged pickle does as readable Python: fickling's decompilation, in a worker.

fickling only rewrites opcodes as source text. It still is a large parser fed with hostile
bytes, so that it runs in a process of its own, with limits on memory and time, isolated
from the environment and the working directory, and is killed when it takes too long.
"""

import io
import subprocess
import sys
from typing import BinaryIO

from mlgate.checks.models.pickle.streams import Reading
from mlgate.checks.models.pickle.values import printable
from mlgate.checks.models.reader import Clock
from mlgate.core.limits import Limits

# Bytes of the stream that are decompiled; what is flagged is rarely far from the start.
_LONGEST = 256 << 10
_SECONDS = 5
_LINES = 40
_CHARACTERS = 4096
# What the worker may print before it is cut off.
_OUTPUT = 256 << 10
_SHOWN = ("call", "instance", "computed-callee", "mutation", "dotted", "unresolved", "extension")


def decompile(stream: BinaryIO, start: int, limits: Limits) -> str | None:
    """Decompile the pickle that begins at ``start`` into readable Python.

    The text has at most 40 lines and 4,096 characters. Where fickling fails, it is mlgate's
    own rendering of the calls, in order, one a line. Never raises.

    Args:
        stream: Seekable; read at most 256 KiB from ``start`` on.
        start: Offset of the pickle.
        limits: For the rendering by mlgate's own engine.

    Returns:
        None where there is nothing to show.
    """
    try:
        stream.seek(start)
        data = stream.read(_LONGEST)
    except (OSError, ValueError):
        return None
    if not data:
        return None
    return _bounded(_fickling(data) or "") or _bounded(_rendered(data, limits))


def _fickling(data: bytes) -> str | None:
    """Run the worker on the bytes; None where it fails or takes too long."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-W", "ignore", "-m", "mlgate.checks.models.pickle.decompiler"],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
            cwd="/",
            env={"PATH": ""},
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout[:_OUTPUT].decode("utf-8", "replace") if done.returncode == 0 else None


def _rendered(data: bytes, limits: Limits) -> str:
    reading = Reading(io.BytesIO(data), len(data), limits, Clock(_SECONDS))
    reading.run()
    return "\n".join(
        str(event.detail.get("text") or f"{event.kind} {event.subject}")
        for event in reading.events
        if event.kind in _SHOWN
    )


def _bounded(text: str) -> str | None:
    lines = [printable(line.rstrip()) for line in text[: 16 * _CHARACTERS].splitlines() if line.strip()]
    if len(lines) > _LINES:
        # What happens last is what the file is for; how it begins says what it claims to be.
        half = _LINES // 2
        lines = [*lines[: half - 1], "...", *lines[-half:]]
    shown = "\n".join(lines)
    if len(shown) > _CHARACTERS:
        shown = shown[: _CHARACTERS - 4] + "\n..."
    return shown or None
