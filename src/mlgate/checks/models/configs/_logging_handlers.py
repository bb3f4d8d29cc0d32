"""What the handlers of a logging configuration do.

``class``, ``args`` and ``kwargs`` of a section ``[handler_NAME]`` are evaluated with the names of
the module ``logging`` (Lib/logging/config.py, ``_install_handlers``).
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _python_words, _yaml
from mlgate.checks.models.configs._monai_expressions import done
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

# What the module has imported itself, of what matters here.
_THERE = ("import os, sys, io, types, weakref, logging", 1)
_EVALUATED = frozenset({"class", "args", "kwargs"})


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the handlers do beyond logging.

    Raises:
        Declined: They do nothing of note, or there are none.
        LimitReached: The text is too long.
    """
    text = _yaml.text_with(blob, _section().search, limits, clock)
    if not _python_words.telling(text.encode("utf-8", "replace")):
        raise Declined
    parts = [_THERE]
    for key, value, line in _values(text):
        if key in _EVALUATED:
            clock.spend("members", 1, limits.members)
            parts.append((value, line))
    yield from done(blob, parts, limits, clock)


def _values(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield key, value and line of what stands in a section of a handler, as ``configparser`` reads it."""
    inside, key, value, line = False, "", "", 0
    for number, each in enumerate(text.splitlines(), 1):
        if not each.strip() or each.lstrip()[0] in "#;":
            continue
        if each[0] in " \t" and key:
            value += "\n" + each.strip()
            continue
        if key:
            yield key, value.strip(), line
        key = ""
        section = _section().match(each)
        if each.lstrip()[:1] == "[":
            inside = section is not None
        elif inside:
            name, _, value = min(each.partition("="), each.partition(":"), key=lambda cut: len(cut[0]))
            key, line = name.strip().lower(), number
    if key:
        yield key, value.strip(), line


@cache
def _section() -> re.Pattern[str]:
    return re.compile(r"(?m)^\s*\[handler_")
