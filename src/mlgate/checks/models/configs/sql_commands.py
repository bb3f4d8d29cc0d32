"""SQL that leaves the database: statements that start programs, load native code or write files."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import CHUNK, printable, read_at
from mlgate.checks.models.tables import is_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "sql-commands"
KIND = "aside"
ORDER = 80

_SQLITE = b"SQLite format 3\0"
_OVERLAP = 1024
_MOST = 20


def sniff(blob: Blob) -> bool:
    """Look for SQL by its name, and for SQLite, which keeps the text of its views and triggers."""
    if blob.head.startswith(_SQLITE):
        return True
    return blob.size > 0 and blob.name.endswith(".sql") and is_text(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield the statements, a few at most.

    Raises:
        Declined: There is none.
    """
    found: dict[str, int] = {}
    for start in range(0, min(blob.size, limits.search_bytes), CHUNK):
        clock.check()
        data = read_at(blob.stream, start, CHUNK + _OVERLAP)
        for match in _statements().finditer(data):
            found.setdefault(printable(match[0].decode("utf-8", "replace"), 200), start + match.start())
        if len(found) >= _MOST:
            break
    if not found:
        raise Declined
    for text, offset in list(found.items())[:_MOST]:
        yield blob.fact("config.command", "sql", offset=offset, text=text, role="pipeline")


@cache
def _statements() -> re.Pattern[bytes]:
    # PostgreSQL's COPY and untrusted languages, SQL Server's and MySQL's shells, SQLite's libraries.
    return re.compile(
        rb"\bcopy\s[^;\n]{1,150}\b(?:from|to)\s+program\s*'[^'\n]{1,200}"
        rb"|\bxp_cmdshell\b[^;\n]{0,200}|\bsys_(?:exec|eval)\s*\([^;\n]{0,200}"
        rb"|\bload_extension\s*\(\s*['\"][^;\n]{1,200}|\blanguage\s+'?(?:plpython3?u|plperlu|plsh)\b"
        rb"|\binto\s+(?:out|dump)file\s+['\"][^;\n]{1,200}"
        # SQLite's and psql's own commands; databases and files elsewhere; DuckDB's libraries.
        rb"|^[ \t]*\.(?:shell|system|load)[ \t]+[^\n]{1,200}|^[ \t]*\\!\s*[^\n]{1,200}"
        rb"|\battach\s+(?:database\s+)?'(?:/|\.\./|[a-z]:)[^'\n]{1,200}"
        rb"|\bcopy\s[^;]{1,150}\bto\s+'/(?:etc|root|home|var|usr|lib|opt)/[^'\n]{1,200}"
        rb"|\binstall\s+\w+\s+from\s+'http://[^'\n]{1,200}|\bload\s+'[^'\n]{1,200}\.(?:so|dll|dylib|duckdb_extension)",
        re.IGNORECASE | re.MULTILINE,
    )
