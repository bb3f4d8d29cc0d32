"""The texts of a configuration, whether it is JSON or YAML."""

from collections.abc import Iterator

from msgspec import Struct

from mlgate.checks.models import json_members
from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.reader import Blob, Clock


class Scalar(Struct, frozen=True):
    """A text of a configuration.

    Attributes:
        path: Number of its document, and the keys and list indexes that lead to it.
        value: The text.
        line: 1-based.
    """

    path: tuple[str | int, ...]
    value: str
    line: int


def scalars(blob: Blob, text: str, clock: Clock) -> Iterator[Scalar]:
    """Yield the texts in order.

    Raises:
        ValueError: It is neither JSON nor YAML from here on. What was yielded before stands.
        LimitReached: It is nested too deep, or the time is up.
    """
    if json_members.begins_json(blob.head):
        try:
            yield from _from_json(text, clock)
        except json_members.Malformed:
            pass  # JSON with comments or tabs is what YAML loaders may still read
        else:
            return
    for node in _yaml.nodes(text, clock):
        if node is not None and node.value is not None and node.path:
            yield Scalar((node.document, *node.path), node.value, node.line)


def _from_json(text: str, clock: Clock) -> Iterator[Scalar]:
    line, at = 1, 0
    for member in json_members.members(text, clock):
        if isinstance(member.value, str) and member.path:
            line, at = line + text.count("\n", at, member.offset), member.offset
            yield Scalar((0, *member.path), member.value, line)
