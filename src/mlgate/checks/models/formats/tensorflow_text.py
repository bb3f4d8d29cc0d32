"""TensorFlow graphs in text form: ``saved_model.pbtxt``, ``graph.pbtxt``."""

import io
import re
from collections.abc import Iterator
from functools import cache
from types import MappingProxyType

from mlgate.checks.models.formats._messages import text_events, text_form
from mlgate.checks.models.formats._tensorflow import HOLDER, ROOTS, SCHEMA, Graphs
from mlgate.checks.models.formats._wire import Malformed
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member
from mlgate.checks.models.text import looks_like_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tensorflow-text"
KIND = "model"
ORDER = 60

_NAMES = (".pbtxt", ".pb.txt", ".textproto")
_MARKS = r"\bnode(?:_def)?\b"
# What a text cannot do without that is one of these.
_NEEDS = MappingProxyType({"saved-model": "meta_graphs", "meta-graph": "graph_def", "graph": "node"})


def sniff(blob: Blob) -> bool:
    """Say whether it is a text."""
    return looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what operators of the graphs reach for, and what Keras says of its layers.

    Raises:
        Declined: It holds no graph with an operator of TensorFlow's own.
        LimitReached: It is too long, or holds too much to note.
    """
    text = text_form(blob, limits, ("node",), _MARKS, _NAMES)
    found, broken = False, 0
    for root in (root for root in ROOTS if _NEEDS[root] in text):
        graphs = Graphs(blob, root, limits, clock, lines=True)
        line = 0
        try:
            for event in text_events(text, SCHEMA, root, clock):
                graphs.feed(event)
        except Declined:
            continue
        except LimitReached:
            yield from graphs.facts()
            raise
        except Malformed as malformed:
            line = broken = malformed.offset
        if not graphs.known:
            continue
        found = True
        yield from graphs.facts()
        for metadata, _, _ in graphs.metadata:
            data = metadata.encode("utf-8", "surrogateescape")
            yield member(blob, "keras_metadata.json", io.BytesIO(data), len(data), container=HOLDER)
        for value, _, _ in graphs.pickles:
            data = value.encode("latin-1", "replace")
            yield member(blob, "constant", io.BytesIO(data), len(data), container=FORMAT, tentative=True)
        if line:
            yield blob.not_checked(
                "malformed", "the graph's text ends or breaks off here; fetch it again", line=line
            )
    if not found:
        if not broken or not blob.name.endswith(_NAMES) or not _operator().search(text):
            raise Declined
        yield blob.not_checked(
            "malformed", "the graph's text breaks off before its first operator; fetch it again", line=broken
        )


@cache
def _operator() -> re.Pattern[str]:
    return re.compile(r"\bop\s*:")
