"""Caffe networks in text form (``.prototxt``): modules that their layers import."""

from collections.abc import Iterator

from mlgate.checks.models.formats._caffe import OLD, SCHEMA, Layers
from mlgate.checks.models.formats._messages import text_events, text_form
from mlgate.checks.models.formats._wire import Malformed
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.text import looks_like_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "caffe-text"
KIND = "model"
ORDER = 60

# A network has layers of either version.
_SCHEMA = {**OLD, **SCHEMA, "net": {**OLD["net"], **SCHEMA["net"]}}
_MARKS = r"\blayers?\b"


def sniff(blob: Blob) -> bool:
    """Say whether it is a text."""
    return looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield which Python modules the network's layers import.

    Raises:
        Declined: It has no layer.
        LimitReached: It is too long, or imports too many.
    """
    text = text_form(blob, limits, ("layer",), _MARKS, (".prototxt",))
    layers = Layers(blob, limits, lines=True)
    line = 0
    try:
        for event in text_events(text, _SCHEMA, "net", clock):
            layers.feed(event)
    except LimitReached:
        yield from layers.facts()
        raise
    except Malformed as malformed:
        line = malformed.offset
    if not layers.known:
        raise Declined
    yield from layers.facts()
    if line:
        yield blob.not_checked(
            "malformed", "the network's text ends or breaks off here; fetch it again", line=line
        )
