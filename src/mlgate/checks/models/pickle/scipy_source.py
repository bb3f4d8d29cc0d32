"""The Python source in the state of distributions of ``scipy.stats``, and whether it is SciPy's own.

``rv_generic.__setstate__`` executes the text ``_parse_arg_template`` while the pickle loads. SciPy
fills one template with the names of a distribution's parameters; whatever else such a text holds is
somebody's program.
"""

import re
from functools import cache
from typing import Any

from mlgate.checks.models.pickle.values import Dict, Global, Made, Payload

_KEY = "_parse_arg_template"
# Where subclasses live that honest files are known to hold.
_HOMES = ("scipy.stats", "statsmodels.")
# SciPy's template with some hundred parameters is shorter.
LONGEST = 1 << 14


def concerns(target: Any, state: Any) -> bool:
    """Say whether an object that is given ``state`` may execute a text of it."""
    if type(state) is Dict and _KEY in [key for key in state[::2] if type(key) is str]:
        return True
    origin = target.origin() if type(target) is Made else None
    return origin is not None and distribution(origin)


def distribution(cls: Global) -> bool:
    """Say whether a class is one whose instances execute a text of their state, by its name."""
    last = cls.name.rpartition(".")[2]
    return cls.module.startswith(_HOMES) and (last.startswith("rv_") or last.endswith("_gen"))


def source(state: Any) -> str | Payload | None:
    """Return the text that a state executes: "" where there is none, None where that cannot be told."""
    if type(state) is tuple and len(state) == 2 and state[1] is None:
        # SciPy below 1.6: arguments for the constructor, and a random state.
        state = state[0]
    if type(state) is not Dict or len(state) & 1 or not all(type(key) is str for key in state[::2]):
        return None
    found = dict(zip(state[::2], state[1::2], strict=True)).get(_KEY, "")
    return found if type(found) in (str, Payload) else None


def ordinary(text: str) -> bool:
    """Say whether a text is SciPy's template, with names filled in."""
    return _template().fullmatch(text) is not None


@cache
def _template() -> re.Pattern[str]:
    return re.compile(
        r"(?:\s*def _parse_args(?:_rvs|_stats)?\(self,[\w ,=.'-]*\):\n"
        r" +return (?:self\._argcheck_rvs)?\([\w ,=.]*\)[\w ,=.]*)*\s*"
    )
