"""Path configuration files (``.pth``) of Python's ``site``: a line that begins with ``import`` is run.

PyTorch's weights have the same extension, and are no text.
Source: https://docs.python.org/3/library/site.html
"""

from collections.abc import Iterator

from mlgate.checks.models.configs._python_effects import analyse_parts
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.tables import is_text
from mlgate.checks.models.text import read_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "path-configuration"
KIND = "text"
ORDER = 70


def sniff(blob: Blob) -> bool:
    """Go by the name: ``site`` reads no other."""
    return bool(blob.size) and blob.name.endswith(".pth") and is_text(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield what its lines do.

    Raises:
        Declined: None is run.
        LimitReached: It is too long.
    """
    lines = [
        (line, number)
        for number, line in enumerate(read_text(blob, limits).splitlines(), 1)
        if line.startswith(("import ", "import\t"))
    ]
    effects = analyse_parts(lines, clock) if lines else ()
    if not effects:
        raise Declined
    for effect in effects:
        clock.spend("facts", 1, limits.facts)
        yield blob.fact(
            "python.effect",
            effect.subject,
            line=effect.line,
            act=effect.act,
            where="import",
            source=effect.source,
            container=blob.container,
        )
