"""TensorFlow graphs: SavedModel, GraphDef and MetaGraphDef, every function in them, no tensor."""

from collections.abc import Iterator

from mlgate.checks.models.formats._messages import events
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._tensorflow import HOLDER, ROOTS, SCHEMA, Graphs
from mlgate.checks.models.formats._wire import BYTES, VARINT, Malformed, Wire
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tensorflow"
KIND = "model"
ORDER = 50


def sniff(blob: Blob) -> bool:
    """Say whether the first byte can be that of a protobuf message."""
    return blob.size >= 4 and blob.head[0] >= 8 and blob.head[0] & 7 in (VARINT, 1, BYTES, 3, 5)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what operators of the graphs reach for, and what Keras says of its layers.

    Parsers skip what they do not know, so that one file can be several kinds of graph:
    it is read as each.

    Raises:
        Declined: As none of them has it an operator of TensorFlow's own.
        LimitReached: It holds too much to note.
    """
    fields = outline(blob, clock)
    found = False
    for root in ROOTS:
        if fields.isdisjoint((number, BYTES) for number in SCHEMA[root]):
            continue
        graphs = Graphs(blob, root, limits, clock)
        cut = 0
        try:
            for event in events(Wire(blob.stream, clock), 0, blob.size, SCHEMA, root):
                graphs.feed(event)
        except Declined:
            continue
        except LimitReached:
            yield from graphs.facts()
            raise
        except Malformed as malformed:
            cut = malformed.offset or 1
        if not graphs.known:
            continue
        found = True
        yield from graphs.facts()
        for _, start, end in graphs.metadata:
            stream = window(blob.stream, start, end - start)
            yield member(blob, "keras_metadata.json", stream, end - start, container=HOLDER)
        for _, start, end in graphs.pickles:
            stream = window(blob.stream, start, end - start)
            yield member(blob, "constant", stream, end - start, container=FORMAT, tentative=True)
        if cut:
            yield blob.not_checked(
                "truncated", "the graph ends within a part of it, or is damaged; fetch it again", offset=cut
            )
    if not found:
        raise Declined
