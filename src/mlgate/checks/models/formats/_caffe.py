"""What Caffe's layers import, from the events of either form of a network."""

import re
from collections.abc import Iterator
from functools import cache
from types import MappingProxyType

from mlgate.checks.models.formats._messages import ENTER, LEAVE, NUMBER, TEXT, VALUE, Event
from mlgate.checks.models.reader import Blob, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

# caffe.proto: layers, and layers of the first version, whose type is a number.
SCHEMA = MappingProxyType(
    {
        "net": {100: ("layer", "layer")},
        "layer": {1: ("name", TEXT), 2: ("type", TEXT), 130: ("python_param", "python")},
        "python": {1: ("module", TEXT), 2: ("layer", TEXT), 3: ("param_str", TEXT)},
    }
)
OLD = MappingProxyType(
    {"net": {2: ("layers", "old layer")}, "old layer": {4: ("name", TEXT), 5: ("type", NUMBER)}}
)
_LAYERS = frozenset({"layer", "old layer"})


class Layers:
    """Collects the facts of one network.

    Args:
        blob: The network.
        limits: Of the policy.
        lines: True where places are lines.

    Attributes:
        seen: Layers.
        known: Those that have a name and a type.
    """

    def __init__(self, blob: Blob, limits: Limits, *, lines: bool = False) -> None:
        self._blob, self._limits, self._lines = blob, limits, lines
        self._layer: dict[str, str] = {}
        self._python: dict[str, str] = {}
        self._at = 0
        self._found: dict[str, Fact] = {}
        self.seen = self.known = 0

    def feed(self, event: Event) -> None:
        """Take one event.

        Raises:
            LimitReached: There is too much to note.
        """
        if event.act == VALUE:
            into = self._layer if event.message in _LAYERS else self._python
            into[event.field] = str(event.value)
            if event.field == "module":
                self._at = event.at
        elif event.act == ENTER and event.message in _LAYERS:
            self._layer, self._python = {}, {}
        elif event.act == LEAVE and event.message in _LAYERS:
            self._end_of_layer()

    def facts(self) -> Iterator[Fact]:
        """Yield what is imported, each thing once."""
        yield from self._found.values()

    def _end_of_layer(self) -> None:
        self.seen += 1
        layer, python = self._layer, self._python
        if not layer.get("name") or not _kind().fullmatch(layer.get("type", "")):
            return
        self.known += 1
        if layer["type"] != "Python" or not python.get("module"):
            return
        name = f"{python['module']}.{python.get('layer', '')}"
        if name in self._found:
            return
        if len(self._found) >= self._limits.facts:
            raise LimitReached("facts")
        place = {"line": self._at} if self._lines else {"offset": self._at}
        self._found[name] = self._blob.fact(
            "native.module",
            printable(name, 200),
            **place,
            what="Caffe layer",
            arguments=printable(python.get("param_str", ""), 200),
        )


@cache
def _kind() -> re.Pattern[str]:
    return re.compile(r"\w{1,64}", re.ASCII)
