"""Native code that Python would import as a module.

What it does cannot be told from here, and most of it is honest: this only tells that it lies where an
import would find it, for the rules to say whether something beside it names it.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.executable import executable
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "native-module"
KIND = "aside"
ORDER = 70


def sniff(blob: Blob) -> bool:
    """Go by the name, as the importer does."""
    return _importable().fullmatch(blob.name) is not None


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield that the module is there.

    Raises:
        Declined: It is no native code.
    """
    del limits, clock
    if executable(blob.stream, 0, blob.size) is None:
        raise Declined
    yield blob.fact(
        "python.effect",
        "its native code",
        act="extension",
        where="import",
        source="",
        container=blob.container,
    )


@cache
def _importable() -> re.Pattern[str]:
    return re.compile(r"[a-z_]\w*(?:\.cpython-[\w-]+|\.abi3|\.pypy\d+-[\w-]+|\.cp\d+-[\w-]+)?\.(?:so|pyd)")
