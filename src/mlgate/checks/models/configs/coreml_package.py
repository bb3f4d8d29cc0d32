"""The manifest of a Core ML package (``.mlpackage/Manifest.json``): where its parts lie."""

from collections.abc import Iterator

from mlgate.checks.models.json_members import Malformed, begins_json, members, mentions
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import Lines, looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "coreml-package"
KIND = "text"
ORDER = 60

_ENTRIES = "itemInfoEntries"


def sniff(blob: Blob) -> bool:
    """Say whether it can be a JSON document."""
    return begins_json(blob.head) and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the paths of parts that lead out of the package.

    Raises:
        Declined: It is no manifest, or all of its parts are in the package.
    """
    if blob.size > limits.text_bytes:
        raise Declined
    text = read_text(blob, limits)
    if not mentions(text, (_ENTRIES,)):
        raise Declined
    found: list[Fact] = []
    lines = Lines(text)
    try:
        for each in members(text, clock):
            path = each.path
            if len(path) != 3 or path[0] != _ENTRIES or path[2] != "path" or not isinstance(each.value, str):
                continue
            way = escape(each.value)
            if way is not None:
                clock.spend("facts", 1, limits.facts)
                line = lines.at(each.offset)
                found.append(
                    blob.fact("native.path", printable(each.value), line=line, format="coreml", escape=way)
                )
    except Malformed as malformed:
        raise Declined from malformed
    if not found:
        raise Declined
    yield from found
