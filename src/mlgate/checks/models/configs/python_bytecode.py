"""Bytecode that Python imports in the place of source.

What it does cannot be told from here. Whether anything imports it is for the rules to say.
"""

from collections.abc import Iterator

from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "python-bytecode"
KIND = "text"
ORDER = 70

_CACHE = "__pycache__"
# Of the flags behind the magic: a hash stands in the place of a time, and nobody compares it.
# Source: https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation
_HASHED, _COMPARED = 1, 2


def sniff(blob: Blob) -> bool:
    """Go by the name, as the importer does; what is in a cache belongs to source that is there."""
    named = blob.name.endswith((".pyc", ".pyo")) and blob.head[2:4] == b"\r\n"
    return named and (not _cached(blob) or _unchecked(blob))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield that the module is there."""
    del limits, clock
    source = "unchecked" if _cached(blob) else ""
    yield blob.fact(
        "python.effect",
        "its bytecode",
        act="bytecode",
        where="import",
        source=source,
        container=blob.container,
    )


def _cached(blob: Blob) -> bool:
    return _CACHE in (blob.location.member or blob.location.path).split("/")


def _unchecked(blob: Blob) -> bool:
    """Say whether Python runs the bytecode whatever the source beside it says."""
    flags = int.from_bytes(blob.head[4:8], "little")
    return bool(flags & _HASHED) and not flags & _COMPARED
