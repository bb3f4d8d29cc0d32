"""What the ``download`` of a dataset's description does where the data is missing.

``check_det_dataset`` of Ultralytics and ``check_dataset`` of YOLOv5 fetch an address, hand what begins
with ``bash`` to a shell, and execute anything else as Python.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _python_effects, _yaml
from mlgate.checks.models.configs._scalars import scalars
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

_KEY = "download"
_GRAVE = ("executes", "evaluates", "writes")
# What a description has besides.
_SPLITS = frozenset(("train", "val", "test", "minival"))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the commands that the source runs, and a command that is no script of the repository.

    Raises:
        Declined: There is no such text, or nothing in it.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _download().search, limits, clock)
    if not any(key in text for key in _SPLITS) and not _yaml.escaped(text):
        raise Declined
    found: list[tuple[str, int]] = []
    keys: set[str | int] = set()
    try:
        for scalar in scalars(blob, text, clock):
            keys.update(scalar.path[1:2])
            # A merge key brings what stands elsewhere to the top.
            if scalar.path[-1] == _KEY:
                clock.spend("members", 1, limits.members)
                found.append((scalar.value.strip(), scalar.line))
    except ValueError:
        raise Declined from None
    if not found or not keys & _SPLITS:
        raise Declined
    said = False
    for value, line in found:
        for item in _acts(blob, value, line, limits, clock):
            said = True
            yield item
    if not said:
        raise Declined


def _acts(blob: Blob, value: str, line: int, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked]:
    if value.startswith("bash "):
        if _script().fullmatch(value) is None:
            yield blob.fact("config.command", "given", line=line, text=printable(value, 200), role="pipeline")
        return
    source = _python_effects.analyse_parts([(value, line)], clock)
    if source.unread is not None:
        yield blob.not_checked(
            "limit", "the source in this value is too long to be judged; move it into a file", line=line
        )
    for effect in source.effects:
        hidden = effect.source in ("decoded", "downloaded") and effect.act == "loads"
        if hidden or (effect.act in _GRAVE and effect.source != "usual"):
            clock.spend("facts", 1, limits.facts)
            yield blob.fact(
                "config.expression", effect.subject, line=line, act=effect.act, source=effect.source
            )


@cache
def _download() -> re.Pattern[str]:
    return re.compile(r"\bdownload\b|\\(?:x|u00|U000000)[67]")


@cache
def _script() -> re.Pattern[str]:
    # As `bash data/scripts/get_coco.sh --train`.
    return re.compile(r"bash (?:[\w-]+/)*[\w.-]+\.sh(?: [\w=./-]+)*", re.ASCII)
