"""What an ONNX model asks for from elsewhere, from the events of any of its forms."""

from collections.abc import Iterator
from types import MappingProxyType

from mlgate.checks.models.formats._messages import ENTER, NUMBER, NUMBERS, SPAN, TEXT, VALUE, Event
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

# onnx.proto3: what leads to tensors and nodes.
SCHEMA = MappingProxyType(
    {
        "model": {
            6: ("doc_string", TEXT),
            7: ("graph", "graph"),
            14: ("metadata_props", "property"),
            20: ("training_info", "training"),
            25: ("functions", "function"),
        },
        "property": {1: ("key", TEXT), 2: ("value", TEXT)},
        "training": {1: ("initialization", "graph"), 2: ("algorithm", "graph")},
        "function": {7: ("node", "node"), 10: ("domain", TEXT), 11: ("attribute_proto", "attribute")},
        "graph": {
            1: ("node", "node"),
            5: ("initializer", "tensor"),
            15: ("sparse_initializer", "sparse"),
        },
        "node": {4: ("op_type", TEXT), 5: ("attribute", "attribute"), 7: ("domain", TEXT)},
        "attribute": {
            1: ("name", TEXT),
            4: ("s", TEXT),
            5: ("t", "tensor"),
            6: ("g", "graph"),
            10: ("tensors", "tensor"),
            11: ("graphs", "graph"),
            22: ("sparse_tensor", "sparse"),
            23: ("sparse_tensors", "sparse"),
        },
        "sparse": {1: ("values", "tensor"), 2: ("indices", "tensor")},
        "tensor": {
            1: ("dims", NUMBERS),
            2: ("data_type", NUMBER),
            9: ("raw_data", SPAN),
            13: ("external_data", "entry"),
        },
        "entry": {1: ("key", TEXT), 2: ("value", TEXT)},
    }
)
# They repeat other fields, sometimes by the million.
CROWDED = frozenset({"model", "attribute", "tensor"})

# Operators of these come with every runtime.
_STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"})
# Operators that call Python, or any operator of PyTorch, by a name in the model.
_PYTHON = MappingProxyType(
    {
        "ai.onnx.contrib": frozenset({"PyOp", "PyCustomOp", "PyCustomOpDef"}),
        "com.microsoft": frozenset({"PyOp", "PythonOp", "PythonOpGrad", "ATen"}),
        "org.pytorch.aten": frozenset({"ATen"}),
    }
)
# A library of operators that send their input to services.
_SERVICES, _SENDS = "com.microsoft.extensions", ("Azure", "OpenAI")
# What onnxruntime takes for an address in its own memory: `*/_ORT_MEM_ADDR_/*`, and its like.
_ADDRESS = ("*/_ORT_", "MEM_ADDR_/*")
# Bits of one element, by onnx.proto3's TensorProto.DataType.
_BITS = MappingProxyType(
    {
        1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128,
        16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
    }
)  # fmt: skip
# Names of functions among a node's attributes, and what stands for more of them than any exporter writes.
_MOST_NAMES, _LONGEST_NAME = 16, 200
MORE = "*"
# No size of anything is more than a signed number of 64 bits.
_MOST = 1 << 63
# No file has so many bytes.
_LARGEST_FILE = 1 << 50
# protobuf's own parsers give up at so many messages in messages.
_DEEPEST = 100


class _Node:
    """A node while it is read: what it is, and short texts among its attributes."""

    __slots__ = ("at", "domain", "operator", "texts")

    def __init__(self, at: int) -> None:
        self.domain = self.operator = ""
        self.at = at
        self.texts: list[str] = []

    def keep(self, text: str) -> None:
        """Remember a text; of too many, that there were more."""
        if text not in self.texts and len(self.texts) <= _MOST_NAMES:
            self.texts.append(text if len(self.texts) < _MOST_NAMES else MORE)


class _Tensor:
    """A tensor while it is read."""

    __slots__ = ("bits", "damage", "elements", "external", "raw")

    def __init__(self) -> None:
        self.elements = 1
        self.bits: int | None = None
        self.raw: int | None = None
        self.damage = ""
        self.external = False


class Parts:
    """Collects the facts of one model, each thing once.

    Args:
        blob: The model.
        limits: Of the policy.
        clock: Of the file.
        lines: True where places are lines.

    Attributes:
        nodes: How many there are.
        asks: Whether any tensor's data is in a file.
        properties: Texts that the model carries for programs: name, value, start and end.
    """

    def __init__(self, blob: Blob, limits: Limits, clock: Clock, *, lines: bool = False) -> None:
        self._blob, self._limits, self._clock, self._lines = blob, limits, clock, lines
        self._facts: dict[tuple[object, ...], tuple[Fact, list[int]]] = {}
        self._own: set[str] = set()
        self._nodes: list[_Node] = []
        self._tensor: _Tensor | None = None
        self._pair: list[str] = ["", ""]
        self._value: Event | None = None
        self._depth = 0
        self.nodes = 0
        self.asks = False
        self.properties: list[tuple[str, Event]] = []

    def feed(self, event: Event) -> None:
        """Take one event.

        Raises:
            LimitReached: There is too much to note.
        """
        kind = event.message
        if event.act == ENTER:
            self._enter(kind, event)
        elif event.act == VALUE:
            self._take(kind, event)
        else:
            self._depth -= 1
            if kind == "node" and self._nodes:
                self._end_of_node(self._nodes.pop())
            elif kind == "tensor":
                self._end_of_tensor()
            elif kind == "attribute":
                # A file with what a compiler made of a part of the graph.
                if self._pair[0] == "ep_cache_context" and self._value is not None:
                    self._compiled(self._pair[1], self._value.at)
                if self._nodes and 0 < len(self._pair[1]) <= _LONGEST_NAME:
                    self._nodes[-1].keep(self._pair[1])
            elif kind == "entry":
                self._external(*self._pair)
            elif kind == "property" and self._value is not None:
                self.properties.append((self._pair[0], self._value))

    @property
    def octets(self) -> bool:
        """Say whether the tensor that is being read may be of bytes: its type can follow on its data."""
        return self._tensor is not None and self._tensor.bits in (None, 8)

    def facts(self) -> Iterator[Fact]:
        """Yield what was seen."""
        for fact, count in self._facts.values():
            if fact.kind != "onnx.domain" or fact.subject not in self._own:
                yield Fact(fact.kind, fact.location, fact.subject, fact.detail, count[0])

    def _enter(self, kind: str, event: Event) -> None:
        self._depth += 1
        if self._depth == _DEEPEST + 1:
            self._note(
                "onnx.damage", "messages are nested deeper than any parser reads", event.at, grave=True
            )
        if kind == "node":
            self.nodes += 1
            self._nodes.append(_Node(event.at))
        elif kind == "tensor":
            self._tensor = _Tensor()
        elif kind in ("entry", "property", "attribute"):
            self._pair, self._value = ["", ""], None
        if self._depth == 1:
            # Of others there may be millions.
            self._clock.spend("members", 1, self._limits.members)

    def _take(self, kind: str, event: Event) -> None:
        text = str(event.value)
        if kind == "node" and self._nodes:
            setattr(self._nodes[-1], "operator" if event.field == "op_type" else "domain", text)
        elif kind == "tensor" and self._tensor is not None:
            self._measure(self._tensor, event)
        elif kind == "function":
            self._own.add(printable(text))
        elif kind == "model":
            self.properties.append((event.field, event))
        elif event.field in ("key", "name"):
            self._pair[0] = text
        else:
            self._pair[1], self._value = text, event

    def _end_of_node(self, node: _Node) -> None:
        domain, operator = node.domain, node.operator
        # Each of onnxruntime's Python operators has a domain of its own.
        if operator in _PYTHON.get(domain, ()) or (operator == "PyOp" and domain not in _STANDARD):
            names = tuple(printable(text) for text in node.texts)
            self._note("onnx.python", f"{domain}::{operator}", node.at, names=names)
        if domain == _SERVICES and operator.startswith(_SENDS):
            self._note("onnx.service", f"{domain}::{operator}", node.at)
        if domain not in _STANDARD:
            self._note("onnx.domain", domain, node.at)

    def _measure(self, tensor: _Tensor, event: Event) -> None:
        if event.field == "raw_data":
            tensor.raw = event.end - event.at if event.end else len(str(event.value))
        elif not isinstance(event.value, int):
            return
        elif event.field == "data_type":
            tensor.bits = _BITS.get(event.value)
        elif not 0 <= event.value < _MOST:
            tensor.damage = "a tensor has a negative side"
        else:
            tensor.elements *= event.value
            if tensor.elements >= _MOST:
                tensor.damage = "the size of a tensor overflows"
                tensor.elements = _MOST

    def _end_of_tensor(self) -> None:
        tensor, self._tensor = self._tensor, None
        if tensor is None:
            return
        at = self._value.at if self._value is not None else 0
        if tensor.damage:
            self._note("onnx.damage", tensor.damage, at, grave=True)
        elif (
            tensor.raw is not None
            and tensor.bits is not None
            and not tensor.external
            and (tensor.elements * tensor.bits + 7) // 8 != tensor.raw
        ):
            self._note("onnx.damage", "a tensor has another size than its shape says", at, grave=False)

    def _external(self, key: str, value: str) -> None:
        """Note where a tensor's data is. Fields may come in any order, and the last of each counts."""
        if self._value is None:
            return
        at = self._value.at
        if self._tensor is not None:
            self._tensor.external = True
        if key == "location":
            self.asks = True
            way = "memory" if all(part in value for part in _ADDRESS) else escape(value)
            # Some loaders take an address for a path, and others fetch it.
            way = way or ("absolute" if "://" in value else None)
            self._note("onnx.external", value, at, escape=way)
        elif key in ("offset", "length") and not (
            value.strip().isdecimal() and int(value[:30]) < _LARGEST_FILE
        ):
            self._note("onnx.damage", f"the {key} of external data is no size", at, grave=True)

    def _compiled(self, value: str, at: int) -> None:
        way = escape(value)
        # With the bytes themselves in the model, this is no path.
        if way in ("absolute", "drive", "parent") and value.isprintable() and len(value) < 1024:
            self._note("onnx.external", value, at, escape=way)

    def _note(self, kind: str, text: str, at: int, **detail: object) -> None:
        subject = printable(text)
        key = (kind, subject, detail.get("names"))
        if key in self._facts:
            self._facts[key][1][0] += 1
            return
        if len(self._facts) >= self._limits.facts:
            raise LimitReached("facts")
        place = {"line": at} if self._lines else {"offset": at}
        self._facts[key] = (self._blob.fact(kind, subject, **place, **detail), [1])  # type: ignore[arg-type]
