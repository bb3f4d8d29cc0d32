"""XML that is a program: Java beans that are decoded, stylesheets that call Java, lists of plugins.

Sources: ``java.beans.XMLDecoder``; the extension functions of Xalan, Saxon and MSXML; OpenVINO's
``plugins.xml``.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.tables import is_text
from mlgate.checks.models.text import line_of, read_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "xml-programs"
KIND = "aside"
ORDER = 80

_SPACE = b" \t\r\n\xef\xbb\xbf\xff\xfe"
_WORDS = ("XMLDecoder", "stylesheet", "script", "document", "php:", "<plugin")
_LONGEST = 1 << 20
_MOST = 50


def sniff(blob: Blob) -> bool:
    """Look for markup."""
    return blob.head.lstrip(_SPACE)[:1] == b"<" and not blob.tentative and is_text(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield what runs, and what loads a library.

    Raises:
        Declined: There is nothing of that.
    """
    del clock
    if blob.size > limits.text_bytes:
        raise Declined
    # What makes a document a program stands at its start.
    text = read_text(blob, limits)[:_LONGEST]
    if not any(word in text for word in _WORDS):
        raise Declined
    found = False
    for language, pattern in _programs().items():
        for number, match in enumerate(pattern.finditer(text)):
            if number >= _MOST:
                break
            found = True
            line = line_of(text, match.start())
            shown = printable(match[0], 200)
            if language == "plugin":
                way = escape(match[1])
                subject, what = printable(match[1], 200), "list of OpenVINO's plugins"
                yield blob.fact(
                    "native.library", subject, line=line, what=what, escape=way, format="openvino"
                )
            else:
                yield blob.fact("xml.script", shown, line=line, language=language, format=FORMAT)
    if not found:
        raise Declined


@cache
def _programs() -> dict[str, re.Pattern[str]]:
    return {
        "java": re.compile(
            r"<java\b[^>]{0,200}\bclass\s*=\s*[\"']java\.beans\.XMLDecoder"
            r"|<(?:\w+:)?stylesheet\b[^>]{0,2000}?(?:xalan/java|xslt/java|xalan://|saxon\.sf\.net/java-type"
            r"|=\s*[\"']java:[\w.]+)[^>]{0,200}"
        ),
        "xslt": re.compile(
            r"<(?:msxsl:script|lxslt:script|xalan:script)\b[^>]{0,200}|\bphp:function\s*\([^)]{0,100}"
        ),
        "document": re.compile(r"\bdocument\s*\(\s*(?:&quot;|&apos;|[\"'])(?:https?|ftp|jar)://[^)]{0,200}"),
        "plugin": re.compile(
            r"<plugin\b[^>]{0,300}?\blocation\s*=\s*[\"']([^\"']{1,200}\.(?:so|dll|dylib)[\w.]{0,20})[\"']"
        ),
    }
