"""What stands before the root element of an XML document, read without a parser."""

import re
from functools import cache

from msgspec import Struct

# No honest prolog is longer.
LONGEST = 1 << 20


class Prolog(Struct, frozen=True):
    """The start of a document.

    Attributes:
        root: Name of the root element, without its prefix, or the one that the declaration of the
            type gives where there is no telling; "" where none was found.
        doctype: Line of the document type declaration, or None.
        entities: Names, texts and lines of the declared entities, at most a hundred.
        external: The external subset that the declaration names, or "".
    """

    root: str
    doctype: int | None
    entities: tuple[tuple[str, str, int], ...]
    external: str


def prolog(text: str) -> Prolog:
    """Read a document's start, as far as the name of its root element."""
    at = 1 if text[:1] == "\ufeff" else 0
    doctype: int | None = None
    entities: list[tuple[str, str, int]] = []
    external = declared = ""
    skipped, opening, element = _patterns()
    while True:
        found = skipped.match(text, at)
        if found is not None and found.end() > at:
            at = found.end()
            continue
        found = opening.match(text, at)
        if found is None:
            break
        doctype = text.count("\n", 0, at) + 1
        external = (found["system"] or "")[1:-1]
        declared = found["root"]
        at = found.end()
        if found["subset"]:
            at = _subset(text, at, entities)
    root = element.match(text, at)
    return Prolog(
        root=root[1] if root else declared, doctype=doctype, entities=tuple(entities), external=external
    )


def _subset(text: str, at: int, entities: list[tuple[str, str, int]]) -> int:
    """Note the entities of an internal subset, and return where it ends."""
    pattern = _declaration()
    while True:
        found = pattern.match(text, at)
        if found is None or found.end() == at:
            return at
        at = found.end()
        if found["entity"] and len(entities) < 100:
            line = text.count("\n", 0, found.start("entity")) + 1
            entities.append((found["name"], found["value"], line))
        if found["end"]:
            return at


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    text = "\"[^\"]*+\"|'[^']*+'"
    return (
        re.compile(r"\s++|<!--.*?-->|<\?.*?\?>", re.DOTALL),
        re.compile(
            rf"<!DOCTYPE\s+(?P<root>[^\s\[>]+)\s*(?:SYSTEM\s*(?P<system>{text})|PUBLIC\s*(?:{text})\s*(?P<public>{text})?)?"
            r"\s*(?:(?P<subset>\[)|>)",
        ),
        re.compile(r"<(?:[\w.-]+:)?([\w.-]+)"),
    )


@cache
def _declaration() -> re.Pattern[str]:
    text = "\"[^\"]*+\"|'[^']*+'"
    return re.compile(
        r"\s++|<!--.*?-->|<\?.*?\?>|%[^;\s<>]+;"
        rf"|(?P<entity><!ENTITY)\s+(?:%\s+)?(?P<name>[^\s\"'>]+)(?P<value>(?:[^\"'>]|{text})*+)>"
        rf"|<!(?!ENTITY)[A-Z\[](?:[^\"'>]|{text})*+>"
        r"|(?P<end>\]\s*>)",
        re.DOTALL,
    )
