"""R's startup files (``.Rprofile``), which R runs as soon as it starts in their folder.

Source: https://stat.ethz.ch/R-manual/R-devel/library/base/html/Startup.html
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import line_of, looks_like_text, read_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "r-profile"
KIND = "aside"
ORDER = 80

_NAMES = frozenset((".rprofile", "rprofile.site"))
_MOST = 20


def sniff(blob: Blob) -> bool:
    """Go by the names that R looks for."""
    return blob.name in _NAMES and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield the calls that start programs, load native code or fetch what is run.

    Raises:
        Declined: There is none.
        LimitReached: The text is too long.
    """
    del clock
    text = read_text(blob, limits)
    found = False
    for number, match in enumerate(_calls().finditer(text)):
        start = text.rfind("\n", 0, match.start()) + 1
        if number >= _MOST:
            break
        if "#" in text[start : match.start()]:
            continue
        found = True
        line = line_of(text, match.start())
        yield blob.fact("config.command", "startup", line=line, text=printable(match[0], 200), pipeline=True)
    if not found:
        raise Declined


@cache
def _calls() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:system2?|shell(?:\.exec)?|dyn\.load|download\.file|socketConnection|unlink|pipe)\s*\([^\n]{0,150}"
        r"|\bsource\s*\(\s*(?:url\s*\(\s*)?[\"'](?:https?|ftp)://[^\n]{0,150}"
        r"|\beval\s*\(\s*parse\s*\([^\n]{0,150}"
    )
