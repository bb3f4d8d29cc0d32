"""What the layers in a model description of YOLO do.

``parse_model`` of YOLOv5, of YOLOv7 and of Ultralytics before 8.3 takes the rows ``[from, number,
module, args]`` of ``backbone`` and ``head``, and calls ``eval`` on every module and argument that
is a text, and on ``activation``.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _python_words, _yaml
from mlgate.checks.models.configs._monai_expressions import done
from mlgate.checks.models.configs._scalars import scalars
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

_ROWS = frozenset({"backbone", "head"})
# What the modules of the loaders have imported themselves.
_THERE = ("import os, sys, math, platform, subprocess, torch", 1)
_EVALUATED = frozenset({"activation", "act"})


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the modules and arguments do beyond computing.

    Raises:
        Declined: They do nothing of note, or there are none.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _rows().search, limits, clock)
    if not _python_words.telling(text.encode("utf-8", "replace")) and not _yaml.escaped(text):
        raise Declined
    parts = [_THERE]
    try:
        for scalar in scalars(blob, text, clock):
            key = scalar.path[1]
            row = key in _ROWS and len(scalar.path) > 3
            if row or (key in _EVALUATED and len(scalar.path) == 2):
                clock.spend("members", 1, limits.members)
                parts.append((scalar.value.strip(), scalar.line))
    except ValueError:
        raise Declined from None
    yield from done(blob, parts, limits, clock)


@cache
def _rows() -> re.Pattern[str]:
    key = r"(?:backbone|head)[\"']?[ \t]*:"
    # Or a letter of such a key as an escape.
    return re.compile(rf"(?m)^[ \t{{]*[\"']?{key}|[\"']{key}|\\(?:x|u00|U000000)[67]")
