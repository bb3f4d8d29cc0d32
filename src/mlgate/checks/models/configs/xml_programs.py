"""XML that is a program: Java beans that are decoded, stylesheets that call Java, lists of plugins.

Sources: ``java.beans.XMLDecoder``; the extension functions of Xalan, Saxon and MSXML; OpenVINO's
``plugins.xml``.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.search import found
from mlgate.checks.models.stream import printable
from mlgate.checks.models.tables import is_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "xml-programs"
KIND = "aside"
ORDER = 80

_SPACE = b" \t\r\n\xef\xbb\xbf\xff\xfe"
_WORDS = ("XMLDecoder", "stylesheet", "script", "document", "php:", "<plugin")


def sniff(blob: Blob) -> bool:
    """Look for markup."""
    return blob.head.lstrip(_SPACE)[:1] == b"<" and not blob.tentative and is_text(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield what runs, and what loads a library.

    Raises:
        Declined: There is nothing of that.
        LimitReached: There is too much of it.
    """
    said = False
    for each in found(blob, _programs(), limits, clock, words=dict.fromkeys(_programs(), _WORDS)):
        said = True
        if each.what == "plugin":
            path = each.match[1]
            yield blob.fact(
                "native.library",
                printable(path, 200),
                line=each.line,
                what="list of OpenVINO's plugins",
                escape=escape(path),
                format="openvino",
            )
        else:
            shown = printable(each.match[0], 200)
            yield blob.fact("xml.script", shown, line=each.line, language=each.what, format=FORMAT)
    if not said:
        raise Declined


@cache
def _programs() -> dict[str, re.Pattern[str]]:
    return {
        "java": re.compile(
            r"<java\b[^<>]{0,200}?\bclass\s*=\s*[\"']java\.beans\.XMLDecoder"
            r"|<(?:\w+:)?stylesheet\b[^<>]{0,2000}?(?:xalan/java|xslt/java|xalan://|saxon\.sf\.net/java-type"
            r"|=\s*[\"']java:[\w.]+)[^<>]{0,200}"
        ),
        "xslt": re.compile(
            r"<(?:msxsl:script|lxslt:script|xalan:script)\b[^<>]{0,200}|\bphp:function\s*\([^)]{0,100}"
        ),
        "document": re.compile(r"\bdocument\s*\(\s*(?:&quot;|&apos;|[\"'])(?:https?|ftp|jar)://[^)]{0,200}"),
        "plugin": re.compile(
            r"<plugin\b[^<>]{0,300}?\blocation\s*=\s*[\"']([^\"']{1,200}\.(?:so|dll|dylib)[\w.]{0,20})[\"']"
        ),
    }
