"""R's startup files (``.Rprofile``), which R runs as soon as it starts in their folder, and R's source.

Of source, which analyses run as a matter of course, only what hides or fetches what it runs is told.

Source: https://stat.ethz.ch/R-manual/R-devel/library/base/html/Startup.html
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.search import comments, found
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import looks_like_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "r-profile"
KIND = "aside"
ORDER = 80

_NAMES = frozenset((".rprofile", "rprofile.site"))
_SOURCE = (".r", ".rmd", ".qmd")


def sniff(blob: Blob) -> bool:
    """Go by the names that R looks for."""
    return (blob.name in _NAMES or blob.name.endswith(_SOURCE)) and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield the calls that start programs, load native code or fetch what is run.

    Raises:
        Declined: There is none.
        LimitReached: There is too much of it.
    """
    subject, calls = ("startup", _calls()) if blob.name in _NAMES else ("hides", _hidden())
    said = False
    for each in found(blob, {subject: calls}, limits, clock, passed_by=comments("#", anywhere=True)):
        said = True
        shown = printable(each.match[0], 200)
        yield blob.fact("config.command", subject, line=each.line, text=shown, role="pipeline")
    if not said:
        raise Declined


@cache
def _calls() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:system2?|shell(?:\.exec)?|dyn\.load|download\.file|socketConnection|unlink|pipe)\s*\([^\n]{0,150}"
        r"|\bsource\s*\(\s*(?:url\s*\(\s*)?[\"'](?:https?|ftp)://[^\n]{0,150}"
        r"|\beval\s*\(\s*parse\s*\([^\n]{0,150}"
    )


@cache
def _hidden() -> re.Pattern[str]:
    # A function by a computed name, and code that is fetched or decoded.
    computed = r"(?:intToUtf8|rawToChar|chartr|strtoi|rev)\s*\("
    fetched = (
        r"(?:url|readLines|scan|GET|content|base64decode|base64_dec|memDecompress|intToUtf8|rawToChar)\s*\("
    )
    return re.compile(
        rf"\b(?:do\.call|match\.fun|get|get0|Reduce|lapply|sapply)\s*\(\s*{computed}[^\n]{{0,150}}"
        rf"|\beval\s*\(\s*(?:str2lang|str2expression|parse)\s*\([^\n]{{0,60}}?\b{fetched}[^\n]{{0,150}}"
        r"|\bsource\s*\(\s*(?:url\s*\(\s*)?[\"']http://[^\n]{0,150}"
    )
