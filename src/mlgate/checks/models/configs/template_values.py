"""Values of a configuration that are templates: prompts and adapters of pipelines, rendered by Jinja.

Haystack, LangChain and others keep templates in JSON and YAML, and some render them without a sandbox.
Only values that could lead into Python are handed on; ordinary prompts are not.
"""

import io
import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.configs._scalars import scalars
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import member, printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "template-values"
KIND = "aside"
ORDER = 80

_MARKS = ("{{", "{%")


def sniff(blob: Blob) -> bool:
    """Any text may be JSON or YAML; see ``read`` for which are parsed."""
    return not blob.tentative and _yaml.could_be_yaml(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the templates that name what leads out of an object.

    Raises:
        Declined: There is none.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _telling().search, limits, clock)
    if not any(mark in text for mark in _MARKS) and not _yaml.escaped(text):
        raise Declined
    found = False
    try:
        for scalar in scalars(blob, text, clock):
            # Some of these have readers of their own as well; what both find, the rules say once.
            if "__" in scalar.value and any(mark in scalar.value for mark in _MARKS):
                clock.spend("members", 1, limits.members)
                found = True
                data = scalar.value.encode("utf-8", "replace")
                name = f"{printable(str(scalar.path[-1]), 100)}, line {scalar.line}.jinja"
                yield member(blob, name, io.BytesIO(data), len(data), container=FORMAT)
    except ValueError:
        pass  # its loader cannot read it either; what came before stands
    if not found:
        raise Declined


@cache
def _telling() -> re.Pattern[str]:
    # An inner name, or its underscores as an escape.
    return re.compile(
        r"__(?:class|globals|subclasses|builtins|import|mro|base|bases|code|getattribute|init)__"
        r"|\\(?:u00|x|U000000)5[fF]"
    )
