"""Metadata of Zarr arrays, as Orbax writes them too: codecs that unpickle what the chunks hold."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs._yaml import text_with
from mlgate.checks.models.json_members import Malformed, begins_json, members, mentions
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import line_of, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "zarr"
KIND = "text"
ORDER = 80

# Where version 2 and version 3 name their codecs, and under which key.
_PLACES = {"filters": "id", "compressor": "id", "codecs": "name", "object_codec": "id"}
_UNPICKLES = frozenset({"pickle", "numcodecs.pickle"})


def sniff(blob: Blob) -> bool:
    """Look for the beginning of a JSON document."""
    return begins_json(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the codecs that unpickle.

    Raises:
        Declined: It is none of Zarr's documents, or has no such codec.
        LimitReached: It is too long or nested too deep.
    """
    # A vocabulary of tens of megabytes is JSON too.
    text = (
        read_text(blob, limits)
        if blob.size <= limits.text_bytes
        else text_with(blob, _telling().search, limits, clock)
    )
    if not mentions(text, ("zarr_format",)) or not mentions(text, ("pickle",)):
        raise Declined
    seen = False
    try:
        for each in members(text, clock):
            named = any(_PLACES.get(str(step)) == each.key for step in each.path)
            if named and each.value in _UNPICKLES:
                seen = True
                yield blob.fact("zarr.pickled", printable(str(each.value)), line=line_of(text, each.offset))
    except Malformed:
        pass
    if not seen:
        raise Declined


@cache
def _telling() -> re.Pattern[str]:
    return re.compile("zarr_format")
