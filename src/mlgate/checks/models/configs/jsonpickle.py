"""JSON that jsonpickle wrote, or that somebody wrote for it: objects, classes and calls by name.

Source: ``jsonpickle/tags.py`` and ``jsonpickle/unpickler.py``.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models import json_members
from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "jsonpickle"
KIND = "text"
ORDER = 70

_NAMES = frozenset(("py/object", "py/type", "py/function"))
# Beside a class's name, these are the arguments of its constructor.
_ARGUMENTS = frozenset(("py/newargs", "py/newargsex", "py/initargs"))
_LONGEST = 300
_MOST = 100_000


def sniff(blob: Blob) -> bool:
    """Look for JSON."""
    return json_members.begins_json(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield every name once, with what the loader does with it.

    Raises:
        Declined: There is none.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _telling().search, limits, clock)
    document = _Document()
    try:
        for each in json_members.members(text, clock):
            document.add(each)
    except json_members.Malformed:
        pass  # jsonpickle cannot read it either
    uses = document.uses()
    if not uses:
        raise Declined
    line, at = 1, 0
    for (how, subject), offset in sorted(uses.items(), key=lambda use: use[1]):
        clock.spend("facts", 1, limits.facts)
        line, at = line + text.count("\n", at, offset), offset
        yield blob.fact("jsonpickle.object", printable(subject, _LONGEST), line=line, how=how)


class _Document:
    """What of a document names objects of Python."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, str], int] = {}
        self._objects: dict[tuple[str | int, ...], tuple[str, int]] = {}
        self._called: set[tuple[str | int, ...]] = set()

    def add(self, member: json_members.Member) -> None:
        path, value = member.path, member.value
        key = path[-1] if path else ""
        for at, each in enumerate(path):
            if each in _ARGUMENTS:
                self._called.add(path[:at])
        if key == "py/repr":
            # "module/expression", which is evaluated.
            self._uses.setdefault(("call", "builtins.eval"), member.offset)
        elif key in _NAMES and isinstance(value, str):
            if key == "py/object":
                self._objects[path[:-1]] = (value, member.offset)
            else:
                # The first item of a reduction is called with the others.
                how = "call" if path[-3:-1] == ("py/reduce", 0) else "name"
                self._uses.setdefault((how, value), member.offset)
        if len(self._uses) + len(self._objects) + len(self._called) > _MOST:
            raise LimitReached("facts")

    def uses(self) -> dict[tuple[str, str], int]:
        """Return what is done with which name, each with the offset of the first place."""
        for place, (name, offset) in self._objects.items():
            self._uses.setdefault(("new" if place in self._called else "instance", name), offset)
        return self._uses


@cache
def _telling() -> re.Pattern[str]:
    # Every key of jsonpickle begins so, and each letter of it may be escaped.
    return re.compile(r'"(?:p|\\u0070)(?:y|\\u0079)(?:\\?/|\\u002[fF])')
