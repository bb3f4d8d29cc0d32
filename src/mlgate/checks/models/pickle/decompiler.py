"""The worker behind :mod:`mlgate.checks.models.evidence`: a pickle in, Python text out.

It reads one pickle from standard input and prints what fickling makes of it. fickling
works on opcodes: nothing that the pickle names is imported.
"""

import contextlib
import sys

_MEMORY = 1 << 30
_SECONDS = 5
_RECURSION = 2000
_LONGEST = 256 << 10


def confine() -> None:
    """Limit memory, processor time and files of this process, where the system can."""
    try:
        import resource  # noqa: PLC0415 - only where there is one
    except ImportError:
        return
    for what, limit in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (limit, limit))


def main() -> int:
    """Decompile standard input to standard output; 1 where that fails."""
    import ast  # noqa: PLC0415 - only needed here

    from fickling.fickle import Pickled  # noqa: PLC0415 - heavy, and only needed here

    confine()
    sys.setrecursionlimit(_RECURSION)
    try:
        text = ast.unparse(Pickled.load(sys.stdin.buffer.read(_LONGEST)).ast)
    except Exception:  # noqa: BLE001 - the wall around one hostile file
        return 1
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace")[:_LONGEST])
    return 0


if __name__ == "__main__":
    sys.exit(main())
