"""MXNet's graphs (``-symbol.json``): operators that are written in Python."""

from collections.abc import Iterator

from mlgate.checks.models.json_members import Malformed, begins_json, members, mentions
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import Lines, looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "mxnet-symbol"
KIND = "text"
ORDER = 60

# What every graph has beside its nodes.
_WORDS = ("arg_nodes",)
_CUSTOM = frozenset({"Custom", "_Native", "_NDArray"})
# MXNet matches names with a regular expression that long ones strangle (CVE-2022-24294).
_LONGEST_NAME = 1000


def sniff(blob: Blob) -> bool:
    """Say whether it can be a JSON document."""
    return begins_json(blob.head) and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the operators that call Python, and names that no operator has.

    Raises:
        Declined: It is no graph.
    """
    if blob.size > limits.text_bytes and not blob.name.endswith("-symbol.json"):
        raise Declined
    text = read_text(blob, limits)
    if not mentions(text, _WORDS):
        raise Declined
    found: dict[tuple[str, str], Fact] = {}
    lines = Lines(text)
    # Of the node that is read: its operator, what it is registered as, and where it begins.
    node: dict[str, str] = {}
    index: int | str = -1
    offset = 0
    graph = False

    def end_of_node() -> None:
        if node.get("op") in _CUSTOM:
            name = node.get("op_type") or node.get("info") or node["op"]
            key = ("native.function", printable(name, 200))
            if key not in found:
                clock.spend("facts", 1, limits.facts)
                found[key] = blob.fact(*key, line=lines.at(offset), what="MXNet operator")

    try:
        for each in members(text, clock):
            path = each.path
            if path[:1] == ("arg_nodes",):
                graph = True
            if len(path) < 3 or path[0] != "nodes" or not isinstance(each.value, str):
                continue
            if path[1] != index:
                end_of_node()
                node, index, offset = {}, path[1], each.offset
            node[str(path[-1])] = each.value
            if path[2:] in (("op",), ("name",)) and len(each.value) > _LONGEST_NAME:
                key = ("native.name", printable(each.value, 60))
                if key not in found:
                    clock.spend("facts", 1, limits.facts)
                    found[key] = blob.fact(*key, line=lines.at(each.offset))
    except Malformed as malformed:
        raise Declined from malformed
    end_of_node()
    if not graph or not node:
        raise Declined
    yield from found.values()
