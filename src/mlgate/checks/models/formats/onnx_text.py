"""ONNX models in protobuf's text form: ``.textproto``, ``.prototxt``, ``.pbtxt``."""

from collections.abc import Iterator

from mlgate.checks.models.formats._messages import text_events, text_form
from mlgate.checks.models.formats._onnx import SCHEMA, Parts
from mlgate.checks.models.formats._properties import properties
from mlgate.checks.models.formats._wire import Malformed
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.text import looks_like_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "onnx-text"
KIND = "model"
ORDER = 60

_MARKS = r"\b(?:op_type|external_data)\b"


def sniff(blob: Blob) -> bool:
    """Say whether it is a text."""
    return looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the model asks for from elsewhere, what is wrong with its tensors, and its properties.

    Raises:
        Declined: It holds no graph.
        LimitReached: It is too long, or asks for too much.
    """
    text = text_form(
        blob, limits, ("op_type", "external_data"), _MARKS, (".textproto", ".prototxt", ".pbtxt", ".onnxtxt")
    )
    parts = Parts(blob, limits, clock, lines=True)
    line = 0
    try:
        for event in text_events(text, SCHEMA, "model", clock):
            parts.feed(event)
    except LimitReached:
        yield from parts.facts()
        raise
    except Malformed as malformed:
        line = malformed.offset
    if not parts.nodes and not parts.asks:
        raise Declined
    yield from parts.facts()
    if line:
        yield blob.not_checked(
            "malformed", "the model's text ends or breaks off here; export it again", line=line
        )
    yield from properties(blob, parts.properties, FORMAT, lines=True)
