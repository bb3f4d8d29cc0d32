"""Python source among the values of a configuration: which of them is executed, and what it does."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _python_effects, _python_words, _yaml
from mlgate.checks.models.configs._scalars import scalars
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

_KEYS = frozenset(("source_code", "python_code", "code"))
# A langflow component has its source below the key.
_VALUE = "value"


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the commands that such source runs, and what it evaluates that is hidden.

    Raises:
        Declined: There is none, or no program is known that executes it.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _program().search, limits, clock)
    parts: list[tuple[str, int]] = []
    try:
        for scalar in scalars(blob, text, clock):
            keys = [key for key in scalar.path[-2:] if isinstance(key, str)]
            named = bool(keys) and (keys[-1] in _KEYS or (keys[-1] == _VALUE and keys[0] in _KEYS))
            if named and _python_words.telling(scalar.value.encode("utf-8", "replace")):
                clock.spend("members", 1, limits.members)
                parts.append((scalar.value, scalar.line))
    except ValueError:
        raise Declined from None
    found = False
    # Each stands for itself: what one imports, the next has not.
    for part in parts:
        source = _python_effects.analyse_parts([part], clock)
        if source.unread is not None:
            found = True
            yield blob.not_checked(
                "limit",
                "the source in this value is too long to be judged; move it into a file",
                line=source.unread,
            )
        for effect in source.effects:
            hidden = effect.source in ("decoded", "downloaded")
            if (effect.act == "executes" and effect.source != "usual") or hidden:
                found = True
                clock.spend("facts", 1, limits.facts)
                yield blob.fact(
                    "config.expression",
                    effect.subject,
                    line=effect.line,
                    act=effect.act,
                    source=effect.source,
                )
    if not found:
        raise Declined


@cache
def _program() -> re.Pattern[str]:
    # AutoGen's components, and functions; Langflow's; ComfyUI's nodes.
    return re.compile(
        r"global_imports[\"']?\s{0,9}:|component_type[\"']?\s{0,9}:|\"type\"\s{0,9}:\s{0,9}\"code\"|class_type[\"']?\s{0,9}:"
    )
