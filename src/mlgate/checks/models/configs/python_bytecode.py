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


def sniff(blob: Blob) -> bool:
    """Go by the name, as the importer does; what is in a cache belongs to source that is there."""
    path = blob.location.member or blob.location.path
    cached = _CACHE in path.split("/")
    return blob.name.endswith((".pyc", ".pyo")) and not cached and blob.head[2:4] == b"\r\n"


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield that the module is there."""
    del limits, clock
    yield blob.fact(
        "python.effect", "its bytecode", act="bytecode", where="import", source="", container=blob.container
    )
