"""Credentials in texts that travel with a model: metadata, configurations, notebooks.

Only what has a shape of its own counts, and looks random besides: examples from manuals,
placeholders and names are left alone. What is found is never shown whole.
"""

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

from mlgate.checks.models.reader import Blob
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact

_TABLE = Path(__file__).parent / "data" / "secrets.tsv"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Of one text; more of them say nothing new.
_MOST = 100


class Secret(Struct, frozen=True):
    """A credential.

    Attributes:
        name: What it is: ``Hugging Face token``.
        masked: As much of it as may be shown.
        offset: Of its first character in the text.
    """

    name: str
    masked: str
    offset: int


class _Shape(Struct, frozen=True):
    name: str
    mark: str
    keep: int
    spread: float
    pattern: str


def secrets(text: str) -> Iterator[Secret]:
    """Yield the credentials in a text, whatever the text is; quick where it has none.

    In JSON and other notations a text may be passed as it stands, or one value at a time.
    """
    found = 0
    for shape in _shapes():
        if shape.mark not in text:
            continue
        for match in _compiled(shape.pattern).finditer(text):
            secret = match["secret"] if match.re.groups else match[0]
            if not _real(shape, secret):
                continue
            found += 1
            if found > _MOST:
                return
            yield Secret(name=shape.name, masked=_masked(shape, secret), offset=match.start())
    if "://" in text:
        yield from _in_addresses(text)


def secret_facts(
    blob: Blob, text: str, *, line: int | None = None, offset: int | None = None, where: str = ""
) -> Iterator[Fact]:
    """Yield a fact for each credential in a text that a blob holds.

    Args:
        blob: What holds the text.
        text: The text.
        line: Line of the blob that the text starts in, where the blob is a text.
        offset: Where the text is in the blob, where the blob is none.
        where: Key or cell that it was found under.
    """
    for secret in secrets(text):
        at = None if line is None else line + text.count("\n", 0, secret.offset)
        subject = f"{secret.name} {secret.masked}".rstrip()
        yield blob.fact(
            "secret.credential",
            subject,
            line=at,
            offset=offset,
            name=secret.name,
            where=printable(where, 100),
        )


def _real(shape: _Shape, secret: str) -> bool:
    """Say whether a text of the right shape could be a credential that opens something."""
    if _spread(secret) < shape.spread or _examples().search(secret):
        return False
    if shape.name == "GitHub token" and len(secret) == 40:
        return _checksum(secret[4:-6]) == secret[-6:]
    return shape.name != "Hugging Face token" or not (secret.islower() or secret.isdigit())


def _masked(shape: _Shape, secret: str) -> str:
    return f"{secret[: shape.keep]}...{secret[-2:]}" if shape.keep else ""


def _in_addresses(text: str) -> Iterator[Secret]:
    """Yield the passwords in addresses: ``scheme://user:password@host``."""
    for count, match in enumerate(_addresses().finditer(text)):
        if count >= 10 * _MOST:
            return
        user, password, host = match.groups()
        kinds = sum(any(test(c) for c in password) for test in (str.islower, str.isupper, str.isdigit))
        if (
            kinds >= 2
            and _spread(password) >= 2.75
            and not _examples().search(password)
            and not _placeholders().search(f"{user}:{password}")
            and not _nowhere().match(host)
        ):
            masked = printable(f"{user[:40]}:...@{host[:100]}")
            yield Secret(name="password in an address", masked=masked, offset=match.start())


def _spread(text: str) -> float:
    """Return the entropy of a text's characters, in bits."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _checksum(text: str) -> str:
    """Return the checksum that GitHub puts at the end of a token: a CRC-32 in base 62."""
    number = zlib.crc32(text.encode())
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0")


@cache
def _shapes() -> tuple[_Shape, ...]:
    rows = (
        line.split("\t")
        for line in _TABLE.read_text(encoding="utf-8").splitlines()
        if line[:1] not in ("#", "")
    )
    next(rows)
    return tuple(
        _Shape(name=name, mark=mark, keep=int(keep), spread=float(spread), pattern=pattern)
        for name, mark, keep, spread, pattern in rows
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


@cache
def _examples() -> re.Pattern[str]:
    # Words and runs that nobody's random number generator makes.
    return re.compile(
        r"example|sample|dummy|placeholder|changeme|your[_-]?|redacted|secret|passw|token"
        r"|abcdef|12345|98765|\.\.\.|\*\*|(.)\1{4}",
        re.IGNORECASE,
    )


@cache
def _placeholders() -> re.Pattern[str]:
    return re.compile(r"[<>{}$%*\[\]()]|\.\.\.|^user(?:name)?:|xxx", re.IGNORECASE)


@cache
def _nowhere() -> re.Pattern[str]:
    return re.compile(
        r"(?:.*\.)?(?:example(?:\.\w+)?|localhost|test|invalid|local)(?::\d+)?$|127\.|0\.0\.0\.0|\[|host(?:name)?\b",
        re.IGNORECASE | re.ASCII,
    )


@cache
def _addresses() -> re.Pattern[str]:
    # A text that it must start with lets the search skip all the rest.
    return re.compile(
        r"://([^\s/:@\"'`<>\\]{1,100}):([^\s/@\"'`<>\\]{8,200})@([A-Za-z0-9._:\[\]-]{1,253})", re.ASCII
    )
