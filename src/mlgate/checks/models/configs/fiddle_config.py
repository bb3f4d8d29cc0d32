"""Fiddle's configurations in JSON: functions and classes by module and name, which ``build`` calls.

Source: ``fiddle/_src/experimental/serialization.py`` (``pyref``).
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models import json_members
from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.configs.targets import shortened
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import Lines
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "fiddle-config"
KIND = "text"
ORDER = 70

_LONGEST = 300


def sniff(blob: Blob) -> bool:
    """Look for JSON."""
    return json_members.begins_json(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield each function or class that is referred to, once.

    Raises:
        Declined: There is none.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _reference().search, limits, clock)
    # Module and name of each reference, by the path of its object.
    refers = False
    modules: dict[tuple[str | int, ...], str] = {}
    names: dict[tuple[str | int, ...], tuple[str, int]] = {}
    try:
        for each in json_members.members(text, clock):
            if isinstance(each.value, str) and each.path:
                refers = refers or each.value == "pyref"
                if each.path[-1] == "module":
                    modules[each.path[:-1]] = each.value
                elif each.path[-1] == "name":
                    names[each.path[:-1]] = each.value, each.offset
    except json_members.Malformed:
        raise Declined from None
    known: set[str] = set()
    lines = Lines(text)
    if not refers:
        raise Declined
    for path, module in modules.items():
        name, offset = names.get(path, ("", 0))
        subject = f"{module}.{name}"
        if not name or subject in known or _dotted().fullmatch(subject) is None:
            continue
        known.add(subject)
        clock.spend("facts", 1, limits.facts)
        yield blob.fact(
            "config.target",
            printable(shortened(subject), _LONGEST),
            line=lines.at(offset),
            key="pyref",
            nemo=False,
            given=[],
            container=blob.container,
        )
    if not known:
        raise Declined


@cache
def _reference() -> re.Pattern[str]:
    # The word, or a letter as an escape.
    return re.compile(r"pyref|\\u00[2-7]")


@cache
def _dotted() -> re.Pattern[str]:
    return re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
