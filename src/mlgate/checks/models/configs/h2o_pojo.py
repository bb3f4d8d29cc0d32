"""H2O's models as Java source (POJO), which are compiled and called: what in one is more than arithmetic.

Source: ``h2o-genmodel``; ``h2o.upload_mojo`` and ``import_pojo`` compile and load the class.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.search import comments, found
from mlgate.checks.models.stream import printable
from mlgate.checks.models.tables import is_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "h2o-pojo"
KIND = "model"
ORDER = 50


def sniff(blob: Blob) -> bool:
    """Look for Java that imports the models' base class."""
    return blob.name.endswith(".java") and is_text(blob.head) and b"hex.genmodel" in blob.head


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield what starts programs, loads code or connects.

    Raises:
        LimitReached: There is too much of it.
    """
    for each in found(blob, {"java": _acts()}, limits, clock, passed_by=comments("//", "*")):
        shown = printable(each.match[0], 200)
        yield blob.fact("config.command", "java", line=each.line, text=shown, role="pipeline")


@cache
def _acts() -> re.Pattern[str]:
    # Java reads `\u0065` for an `e` anywhere in its source.
    return re.compile(
        r"\b(?:Runtime\s*\.\s*getRuntime|ProcessBuilder|URLClassLoader|System\s*\.\s*load(?:Library)?"
        r"|Class\s*\.\s*forName|MethodHandles|ScriptEngineManager|defineClass|ObjectInputStream"
        r"|(?:Server)?Socket|HttpURLConnection|new\s+URL|Files\s*\.\s*(?:write|copy|move|delete)\w*"
        r"|FileOutputStream|FileWriter)\b[^\n]{0,150}|\\u+00[2-7][0-9a-fA-F][^\n]{0,100}"
    )
