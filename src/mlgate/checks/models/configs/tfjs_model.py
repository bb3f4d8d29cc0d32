"""Models for TensorFlow.js (``model.json``): what their graphs do, and where their weights lie.

Converters make SavedModels of them, which do the same.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from mlgate.checks.models.formats._tensorflow import operators
from mlgate.checks.models.json_members import Malformed, begins_json, members, mentions
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import Lines, looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tensorflow-js"
KIND = "text"
ORDER = 60

_WORDS = ("modelTopology", "weightsManifest")
_NODES = frozenset({"node", "nodeDef", "node_def"})


def sniff(blob: Blob) -> bool:
    """Say whether it can be a JSON document."""
    return begins_json(blob.head) and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the operators that reach out of the computation, and weights outside the folder.

    Raises:
        Declined: It is no model.
        LimitReached: It is too long, or there is too much to note.
    """
    if blob.size > limits.text_bytes and not any(word.encode() in blob.head for word in _WORDS):
        raise Declined
    text = read_text(blob, limits)
    if not mentions(text, _WORDS):
        raise Declined
    found: dict[tuple[str, str], Fact] = {}
    lines = Lines(text)
    model = False
    try:
        for each in members(text, clock):
            path = each.path
            model = model or path[:1] in ((_WORDS[0],), (_WORDS[1],))
            if not isinstance(each.value, str) or len(path) < 3:
                continue
            fact = _fact(blob, path, each.value)
            if fact is not None and (fact.kind, fact.subject) not in found:
                clock.spend("facts", 1, limits.facts)
                place = blob.at(None, lines.at(each.offset))
                found[fact.kind, fact.subject] = replace(fact, location=place)
    except Malformed as malformed:
        raise Declined from malformed
    if not model:
        raise Declined
    yield from found.values()


def _fact(blob: Blob, path: tuple[str | int, ...], value: str) -> Fact | None:
    if path[-1] == "op" and path[-3] in _NODES:
        acts = operators().get(value)
        if acts is not False:
            return blob.fact(
                "tensorflow.op",
                printable(value, 200),
                known=acts is not None,
                graph=FORMAT,
                scope="",
                texts=[],
                constant=False,
                escape=None,
            )
    elif path[0] == "weightsManifest" and "paths" in path:
        way = escape(value)
        if way is not None:
            return blob.fact("native.path", printable(value), format=FORMAT, escape=way)
    return None
