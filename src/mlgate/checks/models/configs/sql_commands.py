"""SQL that leaves the database: statements that start programs, load native code or write files."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.search import found
from mlgate.checks.models.stream import printable
from mlgate.checks.models.tables import is_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "sql-commands"
KIND = "aside"
ORDER = 80

_SQLITE = b"SQLite format 3\0"


def sniff(blob: Blob) -> bool:
    """Look for SQL by its name, and for SQLite, which keeps the text of its views and triggers."""
    if blob.head.startswith(_SQLITE):
        return True
    return blob.size > 0 and blob.name.endswith(".sql") and is_text(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield the statements.

    Raises:
        Declined: There is none.
        LimitReached: There is too much of it.
    """
    binary = blob.head.startswith(_SQLITE)
    said = False
    for each in found(
        blob,
        {"sql": _statements()},
        limits,
        clock,
        binary=binary,
        most=limits.search_bytes if binary else None,
    ):
        said = True
        text = each.match[0]
        shown = printable(text.encode("latin-1").decode("utf-8", "replace") if binary else text, 200)
        line, offset = (None, each.offset) if binary else (each.line, None)
        yield blob.fact("config.command", "sql", line=line, offset=offset, text=shown, role="pipeline")
    if not said:
        raise Declined


@cache
def _statements() -> re.Pattern[str]:
    # PostgreSQL's COPY and untrusted languages, SQL Server's and MySQL's shells, SQLite's libraries.
    return re.compile(
        r"\bcopy\s[^;\n]{1,150}\b(?:from|to)\s+program\s*'[^'\n]{1,200}"
        r"|\bxp_cmdshell\b[^;\n]{0,200}|\bsys_(?:exec|eval)\s*\([^;\n]{0,200}"
        r"|\bload_extension\s*\(\s*['\"][^;\n]{1,200}|\blanguage\s+'?(?:plpython3?u|plperlu|plsh)\b"
        r"|\binto\s+(?:out|dump)file\s+['\"][^;\n]{1,200}"
        # SQLite's and psql's own commands; databases and files elsewhere; DuckDB's libraries.
        r"|^[ \t]*\.(?:shell|system|load)[ \t]+[^\n]{1,200}|^[ \t]*\\!\s*[^\n]{1,200}"
        r"|\battach\s+(?:database\s+)?'(?:/|\.\./|[a-z]:)[^'\n]{1,200}"
        r"|\bcopy\s[^;]{1,150}\bto\s+'/(?:etc|root|home|var|usr|lib|opt)/[^'\n]{1,200}"
        r"|\binstall\s+\w+\s+from\s+'http://[^'\n]{1,200}|\bload\s+'[^'\n]{1,200}\.(?:so|dll|dylib|duckdb_extension)",
        re.IGNORECASE | re.MULTILINE,
    )
