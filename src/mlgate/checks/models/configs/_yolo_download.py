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
# What a description has besides.
_SPLITS = frozenset(("train", "val", "test", "minival"))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the commands that the source runs, and a command that is no script of the repository.

    Raises:
        Declined: There is no such text, or nothing in it.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _download(), limits, clock)
    found: list[tuple[str, int]] = []
    keys: set[str | int] = set()
    try:
        for scalar in scalars(blob, text, clock):
            keys.add(scalar.path[1] if len(scalar.path) > 1 else "")
            if scalar.path[1:] == (_KEY,):
                found.append((scalar.value.strip(), scalar.line))
    except ValueError:
        raise Declined from None
    if not found or not keys & _SPLITS:
        raise Declined
    value, line = found[-1]
    said = False
    if value.startswith("bash "):
        said = _script().fullmatch(value) is None
        if said:
            yield blob.fact("config.command", "given", line=line, text=printable(value, 200), role="pipeline")
    elif not value.startswith("http"):
        source = _python_effects.analyse_parts([(value, line)], clock)
        if source.unread is not None:
            said = True
            yield blob.not_checked(
                "limit", "the source in this value is too long to be judged; move it into a file", line=line
            )
        for effect in source.effects:
            hidden = effect.source in ("decoded", "downloaded") and effect.act in ("evaluates", "loads")
            if hidden or effect.act == "writes" or (effect.act == "executes" and effect.source != "usual"):
                said = True
                clock.spend("facts", 1, limits.facts)
                yield blob.fact(
                    "config.expression", effect.subject, line=line, act=effect.act, source=effect.source
                )
    if not said:
        raise Declined


@cache
def _download() -> re.Pattern[str]:
    return re.compile(r"(?m)^[\"']?download[\"']?[ \t]*:|\"download\"|\\(?:x|u00|U000000)[67]")


@cache
def _script() -> re.Pattern[str]:
    # As `bash data/scripts/get_coco.sh --train`.
    return re.compile(r"bash (?:[\w-]+/)*[\w.-]+\.sh(?: [\w=./-]+)*", re.ASCII)
