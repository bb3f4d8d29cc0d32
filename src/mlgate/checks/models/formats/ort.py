"""ONNX Runtime's own format: every offset held against the file, and operators from elsewhere."""

from collections.abc import Iterator

from mlgate.checks.models.formats._flat import Broken, Flat, Table, schema, tail, unsound
from mlgate.checks.models.reader import Blob, Clock, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "ort"
KIND = "model"
ORDER = 10

# Operators of these come with every runtime.
_STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"})


def sniff(blob: Blob) -> bool:
    """Look for the file identifier."""
    return blob.head[4:8] == b"ORTM"


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield which operator sets from elsewhere the model asks for, and what leads out of the file.

    Raises:
        LimitReached: It asks for too many, or the time is up.
    """
    flat = Flat(blob.stream, blob.size, schema("ort"), clock)
    domains: dict[str, list[int]] = {}
    # Graphs stand in nodes: of each, by its depth.
    nodes: dict[int, int] = {}
    broken: Broken | None = None
    try:
        for table in flat.walk("InferenceSession"):
            if table.kind == "Graph":
                nodes[table.depth] = flat.number(table, "max_node_index")
            elif table.kind == "NodeEdge":
                _below(flat, table, "node_index", nodes)
            elif table.kind == "Node":
                _below(flat, table, "index", nodes)
                domain = flat.text(table, "domain", 200)
                if domain not in _STANDARD:
                    domains.setdefault(domain, [table.offset, 0])[1] += 1
                if len(domains) > limits.facts:
                    raise LimitReached("facts")
    except Broken as problem:
        broken = problem
    for domain, (offset, count) in domains.items():
        yield blob.fact("onnx.domain", printable(domain), offset=offset, count=count)
    if broken is not None:
        yield from unsound(blob, broken, FORMAT)
        return
    yield from tail(blob, flat.end, FORMAT)


def _below(flat: Flat, table: Table, name: str, nodes: dict[int, int]) -> None:
    """Hold the index of a node against how many its graph makes room for."""
    if flat.number(table, name) >= max(nodes[table.depth - 1], 1):
        raise Broken(table.offset, f"{table.kind}.{name} names what is not there")
