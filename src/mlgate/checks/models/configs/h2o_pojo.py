"""H2O's models as Java source (POJO), which are compiled and called: what in one is more than arithmetic.

Source: ``h2o-genmodel``; ``h2o.upload_mojo`` and ``import_pojo`` compile and load the class.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.search import comments, found
from mlgate.checks.models.stream import printable
from mlgate.checks.models.tables import is_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "h2o-pojo"
KIND = "model"
ORDER = 50


def sniff(blob: Blob) -> bool:
    """Look for Java."""
    return blob.name.endswith(".java") and is_text(blob.head) and not blob.tentative


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield what starts programs, loads code or connects.

    Raises:
        Declined: It does not import the models' base class.
        LimitReached: There is too much of it.
    """
    if next(found(blob, {"base": _base()}, limits, clock), None) is None:
        raise Declined
    for each in found(blob, {"java": _acts()}, limits, clock, passed_by=comments("//")):
        shown = printable(each.match[0], 200)
        yield blob.fact("config.command", "java", line=each.line, text=shown, role="pipeline")


@cache
def _base() -> re.Pattern[str]:
    return re.compile(r"\bhex\s*\.\s*genmodel\b")


@cache
def _acts() -> re.Pattern[str]:
    # Names that no such source has, outside of its texts; Java reads `\u0065` for an `e` anywhere.
    return re.compile(
        r"(?<![\w\"'])(?:Runtime|ProcessBuilder|\w{0,40}ClassLoader|getMethods?|getDeclaredMethods?|forName"
        r"|loadClass|MethodHandles?|ScriptEngine\w{0,20}|defineClass|ObjectInputStream|(?:Server)?Socket"
        r"|\w{0,20}URLConnection|File(?:Output|Input)Stream|FileWriter|RandomAccessFile|loadLibrary|Unsafe)"
        r"(?![\w\"'])[^\n]{0,150}"
        r"|(?<![\w\"'])java\s*\.\s*(?:net|nio|io|lang\s*\.\s*reflect)\b[^\n]{0,100}"
        r"|(?<![\w\"'])System\s*\.\s*(?:load|exit|getenv)[^\n]{0,100}"
        r"|\\u+00[2-7][0-9a-fA-F][^\n]{0,100}"
    )
