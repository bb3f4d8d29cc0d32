"""The lines of a path configuration file that are run."""

from collections.abc import Iterator

from mlgate.checks.models.configs._python_effects import analyse_parts
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.text import read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked]:
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
    done = analyse_parts(lines, clock)
    if not done.effects and done.unread is None:
        raise Declined
    if done.unread is not None:
        yield blob.not_checked(
            "limit", "this line is too long to be judged; move its code into a module", line=done.unread
        )
    for effect in done.effects:
        clock.spend("facts", 1, limits.facts)
        yield blob.fact(
            "python.effect",
            effect.subject,
            line=effect.line,
            act=effect.act,
            where="import",
            source=effect.source,
            function=effect.function,
            container=blob.container,
        )
