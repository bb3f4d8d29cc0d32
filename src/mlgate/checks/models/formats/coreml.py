"""Core ML models: classes of the app that they name, and files that their numbers come from."""

from collections.abc import Iterator
from types import MappingProxyType

from mlgate.checks.models.formats._messages import LEAVE, NUMBER, TEXT, VALUE, Event, events
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._properties import properties
from mlgate.checks.models.formats._wire import BYTES, VARINT, Malformed, Wire
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "coreml"
KIND = "model"
ORDER = 50

_NETWORK = "network"
# Model.proto, NeuralNetwork.proto, CustomModel.proto, LinkedModel.proto, MIL.proto.
_SCHEMA = MappingProxyType(
    {
        "model": {
            1: ("specificationVersion", NUMBER),
            2: ("description", "description"),
            200: ("pipelineClassifier", "pipelines"),
            201: ("pipelineRegressor", "pipelines"),
            202: ("pipeline", "pipeline"),
            303: ("neuralNetworkRegressor", _NETWORK),
            403: ("neuralNetworkClassifier", _NETWORK),
            500: ("neuralNetwork", _NETWORK),
            502: ("mlProgram", "program"),
            555: ("customModel", "custom model"),
            556: ("linkedModel", "linked model"),
        },
        "description": {100: ("metadata", "metadata")},
        "metadata": {100: ("userDefined", "property")},
        "property": {1: ("key", TEXT), 2: ("value", TEXT)},
        "pipelines": {1: ("pipeline", "pipeline")},
        "pipeline": {1: ("models", "model")},
        _NETWORK: {1: ("layers", "layer")},
        "layer": {500: ("custom", "custom layer"), 605: ("branch", "branch"), 615: ("loop", "loop")},
        "branch": {1: ("ifBranch", _NETWORK), 2: ("elseBranch", _NETWORK)},
        "loop": {3: ("conditionNetwork", _NETWORK), 4: ("bodyNetwork", _NETWORK)},
        "custom layer": {10: ("className", TEXT)},
        "custom model": {10: ("className", TEXT)},
        "linked model": {1: ("linkedModelFile", "linked file")},
        "linked file": {1: ("linkedModelFileName", "path"), 2: ("linkedModelSearchPath", "path")},
        "path": {1: ("defaultValue", TEXT)},
        "program": {2: ("functions", "function entry"), 4: ("attributes", "value entry")},
        "function entry": {2: ("value", "function")},
        "function": {3: ("block_specializations", "block entry"), 4: ("attributes", "value entry")},
        "block entry": {2: ("value", "block")},
        "block": {3: ("operations", "operation"), 4: ("attributes", "value entry")},
        "operation": {
            2: ("inputs", "argument entry"),
            4: ("blocks", "block"),
            5: ("attributes", "value entry"),
        },
        "argument entry": {2: ("value", "argument")},
        "argument": {1: ("arguments", "binding")},
        "binding": {2: ("value", "value")},
        "value entry": {2: ("value", "value")},
        "value": {5: ("blobFileValue", "blob file")},
        "blob file": {1: ("fileName", TEXT)},
    }
)
_CUSTOM = frozenset({"custom layer", "custom model"})
_FILES = frozenset({"path", "blob file"})
# What a model can be; every one is a message.
_TYPES = frozenset(
    {
        200, 201, 202, 300, 301, 302, 303, 304, 400, 401, 402, 403, 404, 500, 501, 502, 555, 556, 560, 600,
        601, 602, 603, 604, 606, 607, 609, 610, 900, 2000, 2001, 2002, 2003, 2004, 2005, 2006, 3000,
    }
)  # fmt: skip
# Where weights of a program lie: relative to the model's own folder.
_HERE = "@model_path/"


def sniff(blob: Blob) -> bool:
    """Say whether it can begin with the version of the specification, or with any other field."""
    return blob.size >= 4 and blob.head[0] >= 8 and blob.head[0] & 7 in (VARINT, BYTES, 3)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the classes and files that the model names, and its properties.

    Raises:
        Declined: It has not the structure of a model.
        LimitReached: It names too much.
    """
    fields = outline(blob, clock)
    if (1, VARINT) not in fields or fields.isdisjoint((number, BYTES) for number in _TYPES):
        raise Declined
    wire = Wire(blob.stream, clock)
    seen: set[tuple[str, str]] = set()
    texts: list[tuple[str, Event]] = []
    key = ""
    value: Event | None = None
    try:
        for event in events(wire, 0, blob.size, _SCHEMA, "model"):
            kind = event.message
            if kind == "property":
                if event.act == VALUE and event.field == "key":
                    key = str(event.value)
                elif event.act == VALUE:
                    value = event
                elif event.act == LEAVE and value is not None:
                    clock.spend("members", 1, limits.members)
                    texts.append((key, value))
                    value = None
            elif event.act == VALUE and (kind in _CUSTOM or kind in _FILES):
                fact = _fact(blob, kind, event)
                if fact is not None and (fact.kind, fact.subject) not in seen:
                    if len(seen) >= limits.facts:
                        raise LimitReached("facts")
                    seen.add((fact.kind, fact.subject))
                    yield fact
    except Malformed as malformed:
        yield blob.not_checked(
            "truncated",
            "the model ends within a part of it, or is damaged; fetch it again",
            offset=malformed.offset,
        )
    yield from properties(blob, texts, FORMAT)


def _fact(blob: Blob, kind: str, event: Event) -> Fact | None:
    text = str(event.value)
    if kind in _CUSTOM:
        return blob.fact("native.class", printable(text, 200), offset=event.at, format=FORMAT, what=kind)
    way = escape(text.removeprefix(_HERE))
    if way is None:
        return None
    return blob.fact("native.path", printable(text), offset=event.at, format=FORMAT, escape=way)
