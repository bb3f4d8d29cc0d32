"""Llamafiles: one program for several systems, with the model in an archive at its end."""

from collections.abc import Iterator

from mlgate.checks.models.configs._shell_words import WORDS, commands
from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.search import comments, found
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "llamafile"
KIND = "model"
ORDER = 10

# How programs begin that are a shell script and a native executable at once.
_BEGINNINGS = (b"MZqFpD='", b"jartsr='", b"APEDBG='")
# The script stands before the first program.
_SCRIPT = 64 << 10


def sniff(blob: Blob) -> bool:
    """Look for the beginning of such a program."""
    return blob.head.startswith(_BEGINNINGS)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield that it is a program, and commands of its script. The archive in it is read as any archive is.

    Raises:
        LimitReached: There are too many commands.
    """
    yield blob.fact("llamafile.program", blob.name, offset=0)
    script = found(
        blob, commands(), limits, clock, words=WORDS, binary=True, most=_SCRIPT, passed_by=comments("#")
    )
    for each in script:
        shown = printable(each.match[0], 200)
        yield blob.fact("config.command", each.what, line=each.line, text=shown, role="pipeline")
