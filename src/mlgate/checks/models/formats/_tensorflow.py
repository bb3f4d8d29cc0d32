"""What TensorFlow graphs do besides computing, from the events of either of their forms."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct, field

from mlgate.checks.models.formats._messages import ENTER, NUMBER, RAW, TEXT, VALUE, Event
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

_TABLE = Path(__file__).parent.parent / "data" / "tensorflow_ops.csv"

# saved_model.proto, meta_graph.proto, graph.proto, function.proto, node_def.proto,
# attr_value.proto, tensor.proto, saved_object_graph.proto.
SCHEMA = MappingProxyType(
    {
        "saved-model": {2: ("meta_graphs", "meta-graph")},
        "meta-graph": {
            2: ("graph_def", "graph"),
            4: ("collection_def", "collection entry"),
            6: ("asset_file_def", "asset"),
            7: ("object_graph_def", "objects"),
        },
        "collection entry": {2: ("value", "collection")},
        "collection": {2: ("bytes_list", "bytes list")},
        "bytes list": {1: ("value", TEXT)},
        "graph": {1: ("node", "node"), 2: ("library", "library")},
        "library": {1: ("function", "function")},
        "function": {1: ("signature", "signature"), 3: ("node_def", "node")},
        "signature": {1: ("name", TEXT)},
        "node": {1: ("name", TEXT), 2: ("op", TEXT), 3: ("input", TEXT), 5: ("attr", "attr")},
        "attr": {1: ("key", TEXT), 2: ("value", "value")},
        "value": {1: ("list", "list"), 2: ("s", TEXT), 6: ("type", NUMBER), 8: ("tensor", "tensor")},
        "list": {2: ("s", TEXT)},
        "tensor": {1: ("dtype", NUMBER), 4: ("tensor_content", RAW), 8: ("string_val", TEXT)},
        "asset": {2: ("filename", TEXT)},
        "objects": {1: ("nodes", "object")},
        "object": {4: ("user_object", "user-object")},
        "user-object": {1: ("identifier", TEXT), 3: ("metadata", TEXT)},
    }
)
# As the container of what Keras says of its layers.
HOLDER = "savedmodel"
ROOTS = ("saved-model", "meta-graph", "graph")

_STRING = (7, "DT_STRING")
# Operators that hand texts on, and how many of their inputs are the texts: -1 for all.
_CARRY = MappingProxyType(
    {
        "Identity": 1, "ExpandDims": 1, "Reshape": 1, "Squeeze": 1, "StridedSlice": 1, "Slice": 1,
        "Gather": 1, "GatherV2": 1, "Switch": 1, "Pack": -1, "ConcatV2": -1, "Merge": -1, "Select": -1,
        "SelectV2": -1, "StringJoin": -1, "ReduceJoin": 1, "StringLower": 1, "StringUpper": 1,
        "StringStrip": 1, "Substr": 1, "DecodeBase64": 1, "EncodeBase64": 1, "UnicodeTranscode": 1,
        "StaticRegexReplace": 1, "RegexReplace": -1, "StringFormat": -1, "ShardedFilename": 1,
        "DecodeCompressed": 1, "RandomShuffle": 1,
    }
)  # fmt: skip
# Carriers that hand on numbers as well: only those of texts count.
_OF_ANY_TYPE = frozenset(_CARRY) - {
    "StringJoin", "ReduceJoin", "StringLower", "StringUpper", "StringStrip", "Substr", "DecodeBase64",
    "EncodeBase64", "UnicodeTranscode", "StaticRegexReplace", "RegexReplace", "StringFormat",
    "ShardedFilename", "DecodeCompressed",
}  # fmt: skip
# These take a path first, and other texts behind it; the others have one of the first two inputs.
_PATH_FIRST = frozenset(
    {
        "WriteFile", "Save", "SaveV2", "SaveSlices", "ReadFile", "Restore", "RestoreV2", "RestoreSlice",
        "TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "FixedLengthRecordDataset",
        "FixedLengthRecordDatasetV2", "CSVDataset", "CSVDatasetV2", "ExperimentalCSVDataset", "LoadDataset",
        "ListSnapshotChunksDataset",
    }
)  # fmt: skip
# Datasets that functions make of the paths that they are given.
_FILES_OF_A_FUNCTION = frozenset(
    {
        "TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "FixedLengthRecordDataset",
        "FixedLengthRecordDatasetV2", "CSVDataset", "CSVDatasetV2", "ReadFile",
    }
)  # fmt: skip
# These take the name of a driver first, and the path behind it.
_PATH_SECOND = frozenset({"SqlDataset", "ExperimentalSqlDataset"})
# These take paths from a queue, which other nodes fill.
_FROM_QUEUE = frozenset(
    f"{kind}Reader{version}"
    for kind in ("WholeFile", "TextLine", "TFRecord", "FixedLengthRecord", "LMDB")
    for version in ("", "V2")
)
_QUEUES = frozenset({"QueueEnqueue", "QueueEnqueueV2", "QueueEnqueueMany", "QueueEnqueueManyV2"})
_PATH_ATTRIBUTES = frozenset({"memory_region_name", "file_pattern", "output_stream", "debug_urls"})
# Of a constant's texts, of a node's inputs, and of steps back from an operator.
_MOST_TEXTS, _MOST_INPUTS, _MOST_STEPS, _MOST_PACKED = 8, 64, 64, 1000
# Nodes without an operator: no parser of graphs takes them.
_MOST_EMPTY = 1000


class _Node(Struct):
    """A node while it is read."""

    at: int
    name: str = ""
    op: str = ""
    inputs: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    string: bool = False
    constant: list[str] = field(default_factory=list)


class _Scope(Struct):
    """Nodes of one graph or function that can say where a text comes from."""

    name: str = ""
    constants: dict[str, list[str]] = field(default_factory=dict)
    carriers: dict[str, list[str]] = field(default_factory=dict)
    acts: list[_Node] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)


class Graphs:
    """Collects the facts of all graphs of one file.

    Args:
        blob: The file.
        root: Of :data:`ROOTS`.
        limits: Of the policy.
        clock: Of the file.
        lines: True where places are lines.

    Attributes:
        known: Nodes with an operator of TensorFlow's own.
        metadata: What Keras says of its layers: value, start and end of each text.
        pickles: Texts that begin as pickles do, likewise.
    """

    def __init__(self, blob: Blob, root: str, limits: Limits, clock: Clock, *, lines: bool = False) -> None:
        self._blob, self._root, self._limits, self._clock, self._lines = blob, root, limits, clock, lines
        self._main = self._scope = _Scope()
        self._node: _Node | None = None
        self._key = ""
        self._attribute: list[str] = []
        self._facts: dict[tuple[object, ...], tuple[Fact, list[int]]] = {}
        self._empty = 0
        # How the first text of any constant leads out of the model's folder.
        self._led: str | None = None
        self.known = 0
        self.metadata: list[tuple[str, int, int]] = []
        self.pickles: list[tuple[str, int, int]] = []

    def feed(self, event: Event) -> None:
        """Take one event.

        Raises:
            Declined: This is no graph.
            LimitReached: There is too much to note.
        """
        if event.act == VALUE:
            self._value(event)
        elif event.act == ENTER:
            if event.message == "node":
                self._node = _Node(at=event.at)
            elif event.message == "attr":
                self._key, self._attribute = "", []
            elif event.message == "function":
                self._scope = _Scope(name="a function")
        elif event.message == "node":
            self._end_of_node()
        elif event.message == "attr":
            if self._node is not None and self._key in _PATH_ATTRIBUTES:
                self._node.texts += self._attribute
        elif event.message == "function":
            self._resolve(self._scope)
            self._scope = self._main
        elif event.message == "meta-graph":
            self._resolve(self._main)
            self._main = self._scope = _Scope()

    def facts(self) -> Iterator[Fact]:
        """Yield what was seen, each thing once."""
        # What a cut file had to say, too.
        for scope in (self._scope, self._main):
            self._resolve(scope)
        for fact, count in self._facts.values():
            detail = dict(fact.detail)
            if detail.pop("argument", False) and self._led is not None:
                # A function is given its path by whoever calls it, and here is one that the model chose.
                detail.update(constant=True, escape=self._led)
            yield Fact(fact.kind, fact.location, fact.subject, detail, count[0])

    def _value(self, event: Event) -> None:
        text = str(event.value)
        node = self._node
        kind = event.message
        if kind == "signature":
            self._scope.name = printable(text, 100)
        elif kind == "asset":
            self._asset(text, event.at)
        elif kind == "user-object":
            if event.field == "metadata" and text and text.lstrip()[:1] in ("", "{"):
                self._clock.spend("members", 1, self._limits.members)
                self.metadata.append((text, event.at, event.end))
        elif kind == "bytes list":
            self._pickle(event)
        elif node is None:
            return
        elif kind == "node":
            if event.field == "input":
                if len(node.inputs) < _MOST_INPUTS:
                    node.inputs.append(text)
            elif event.field == "op":
                node.op = text
            else:
                node.name = text
        elif event.field == "key":
            self._key = text
        elif event.field in ("type", "dtype"):
            node.string = node.string or event.value in _STRING
        elif event.field == "s":
            if len(self._attribute) < _MOST_TEXTS:
                self._attribute.append(text)
        elif event.field == "string_val":
            _keep(node.constant, text)
            self._pickle(event)
        elif event.field == "tensor_content":
            for each in _packed(text, event.end - event.at):
                _keep(node.constant, each)

    def _pickle(self, event: Event) -> None:
        if _begins_pickle().match(str(event.value)):
            if len(self.pickles) >= self._limits.facts:
                raise LimitReached("facts")
            self.pickles.append((str(event.value), event.at, event.end))

    def _end_of_node(self) -> None:
        node, self._node = self._node, None
        if node is None or not node.op:
            self._empty += 1
            if self._empty > _MOST_EMPTY and not self.known:
                raise Declined
            return
        acts = operators().get(node.op)
        self.known += acts is not None
        if acts is not False:
            self._clock.spend("members", 1, self._limits.members)
            self._scope.acts.append(node)
        elif node.op == "Const" and node.string:
            self._clock.spend("members", 1, self._limits.members)
            self._scope.constants[node.name] = node.constant
            # Savers put `/part` behind the paths that they are given.
            paths = [text for text in node.constant if text.count("/") > 1 or ".." in text]
            self._led = self._led or next(filter(None, map(escape, paths)), None)
        elif (count := _CARRY.get(node.op)) and (node.string or node.op not in _OF_ANY_TYPE):
            self._clock.spend("members", 1, self._limits.members)
            self._scope.carriers[node.name] = node.inputs if count < 0 else node.inputs[:count]
        elif node.op in _QUEUES and len(self._scope.queued) < _MOST_INPUTS:
            self._scope.queued += node.inputs[1:2]

    def _resolve(self, scope: _Scope) -> None:
        """Note the operators of a scope, now that all of its nodes are known."""
        acts, scope.acts = scope.acts, []
        for node in acts:
            self._clock.check()
            # What is printed is no path: that is an attribute.
            most = 0 if node.op == "PrintV2" else 1 if node.op in _PATH_FIRST else 2
            inputs = node.inputs[int(node.op in _PATH_SECOND) : most]
            if node.op in _FROM_QUEUE and not inputs:
                inputs = scope.queued
            constant = False
            texts = list(node.texts)
            leaves = [escape(text) for text in node.texts]
            for name in inputs:
                found = self._origin(scope, name)
                if found is not None:
                    constant = True
                    texts += [text for each in found for text in each]
                    leaves += [_escaping(each, first=not index) for index, each in enumerate(found)]
            way = next((each for each in leaves if each is not None), None)
            shown = [printable(text, 200) for text in texts[:_MOST_TEXTS]]
            key = (node.op, constant, way, tuple(shown) if way else any("://" in text for text in shown))
            self._note(
                key,
                node.at,
                "tensorflow.op",
                node.op,
                known=node.op in operators(),
                graph=self._root,
                scope=scope.name,
                texts=shown,
                constant=constant,
                escape=way,
                argument=bool(scope.name) and not constant and node.op in _FILES_OF_A_FUNCTION,
            )

    def _origin(self, scope: _Scope, start: str) -> list[list[str]] | None:
        """Return the constants that an input is made of, in order.

        None where it does not begin with one: then whoever calls the graph has a say in it.
        """
        found: list[list[str]] = []
        pending = [start]
        seen: set[str] = set()
        while pending:
            name = pending.pop().removeprefix("^").partition(":")[0]
            if name in seen:
                continue
            seen.add(name)
            if len(seen) > _MOST_STEPS:
                # Nobody hands on a path so often, unless to hide where it comes from.
                return found or [[]]
            if name in scope.constants:
                found.append(scope.constants[name])
            elif name in scope.carriers:
                pending += reversed(scope.carriers[name])
            elif not found:
                return None
        return found or None

    def _asset(self, text: str, at: int) -> None:
        way = escape(text)
        if way is not None:
            self._note(("asset", text), at, "tensorflow.asset", printable(text), escape=way)

    def _note(self, key: tuple[object, ...], at: int, kind: str, subject: str, **detail: object) -> None:
        if key in self._facts:
            self._facts[key][1][0] += 1
            return
        if len(self._facts) >= self._limits.facts:
            raise LimitReached("facts")
        place = {"line": at} if self._lines else {"offset": at}
        self._facts[key] = (self._blob.fact(kind, printable(subject, 200), **place, **detail), [1])  # type: ignore[arg-type]


@cache
def _begins_pickle() -> re.Pattern[str]:
    # A protocol header, or the import of a global.
    return re.compile(r"(?:\\x80|\x80)[\x02-\x05]|c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")


@cache
def operators() -> dict[str, bool]:
    """Return TensorFlow's own operators, and whether each reaches out of the computation."""
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = (line.split(",") for line in lines if not line.startswith("#"))
    next(rows)
    return {name: acts == "yes" for name, acts in rows}


def _keep(texts: list[str], text: str) -> None:
    """Keep the first few texts of a constant, and the first that leads out."""
    if len(texts) < _MOST_TEXTS:
        texts.append(text)
    elif len(texts) == _MOST_TEXTS and escape(text) is not None:
        texts.insert(0, text)


def _escaping(texts: list[str], *, first: bool) -> str | None:
    """Say how a piece of a path leads out; what stands behind another piece is not absolute."""
    ways = [escape(text) for text in texts]
    return next((way for way in ways if way is not None and (first or way == "parent")), None)


def _packed(text: str, size: int) -> Iterator[str]:
    """Yield the texts of a string tensor's content: the lengths of all, then all.

    Args:
        text: The first bytes of the content.
        size: Of the content, where it is larger.
    """
    data = text.encode("latin-1", "replace")
    lengths: list[int] = []
    at = total = 0
    while at + total != max(size, len(data)):
        value = shift = 0
        while at < len(data) and data[at] >= 0x80 and shift < 28:
            value |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
        if at >= len(data) or len(lengths) >= _MOST_PACKED or total > size + len(data):
            return
        lengths.append(value | data[at] << shift)
        total += lengths[-1]
        at += 1
    for length in lengths:
        yield data[at : at + length].decode("utf-8", "backslashreplace")
        at += length
