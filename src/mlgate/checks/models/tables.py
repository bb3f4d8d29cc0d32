"""What extensions promise, and which content is recognised and not read."""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from msgspec import Struct

_HOME = Path(__file__).parent / "data"
# Shared libraries carry versions behind the suffix: libfoo.so.1.2.
_NATIVE = re.compile(
    r"\.(?:so|dylib|jnilib)(?:\.[\w.-]+)?$"
    r"|\.(?:dll|pyd|exe|com|sys|efi|node|bundle|o|obj|a|lib|ko|elf|axf|llamafile|out|scr|cpl|mexa64|co|hsaco|debug|class|jar)$"
    # Programs have no suffix, or a version: protoc, python3.11.
    r"|^[^.]+$|\.\d+$"
)


class Promise(Struct, frozen=True):
    """What an extension says of a file.

    Attributes:
        formats: What is ordinary under it; empty for data and text.
        closed: True where content that nothing can read is "not checked".
        text: True where plain text is ordinary.
        unread: Name of the format, where there is no reader for it.
    """

    formats: frozenset[str]
    closed: bool
    text: bool
    unread: str


class Magic(Struct, frozen=True):
    """Content that is recognised and not read.

    Attributes:
        format: Its name.
        inert: True where it is no model.
        offset: Where the magic stands.
        magic: The bytes.
        extensions: Customary ones.
    """

    format: str
    inert: bool
    offset: int
    magic: bytes
    extensions: frozenset[str]


def promise(name: str) -> Promise | None:
    """Return what a lower-case base name promises, or None where it promises nothing."""
    return promises().get(_extension(name))


def recognise(head: bytes, name: str) -> Magic | None:
    """Return what the first bytes are known as.

    Inert content counts only under its customary extension: magic bytes are easily put
    in front of anything.
    """
    first, further = _starts()
    if not head.startswith(first) and not any(head.startswith(magic, at) for at, magic in further):
        return None
    for each in magics():
        if head.startswith(each.magic, each.offset) and (
            not each.inert or _extension(name) in each.extensions
        ):
            return each
    return None


def is_native_name(name: str) -> bool:
    """Say whether a lower-case base name is one that native code ordinarily has."""
    return _NATIVE.search(name) is not None


# Most readers ask for the same bytes, one after the other.
@lru_cache(maxsize=2)
def is_text(head: bytes) -> bool:
    """Say whether bytes hold none of the control characters that text does without."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        # UTF-16 is half zeros where it is ordinary text.
        head = head.replace(b"\0", b"")[2:]
    return not head.translate(_CONTROLS, _PRINTED)


_PRINTED = bytes(byte for byte in range(256) if byte >= 32 or byte in b"\t\n\v\f\r\b\x1b")
_CONTROLS = bytes(range(256))


def _extension(name: str) -> str:
    return name.rpartition(".")[2] if "." in name else ""


def _rows(file: str) -> Iterator[list[str]]:
    lines = (_HOME / file).read_text(encoding="utf-8").splitlines()
    rows = (line.split(",") for line in lines if line and not line.startswith("#"))
    next(rows)
    return rows


@cache
def promises() -> Mapping[str, Promise]:
    """Return what each extension promises."""
    return {
        extension: Promise(
            formats=frozenset(formats.split()), closed=closed == "yes", text=text == "yes", unread=unread
        )
        for extension, formats, closed, text, unread in _rows("extensions.csv")
    }


@cache
def magics() -> tuple[Magic, ...]:
    """Return all content that is recognised and not read."""
    return tuple(
        Magic(
            format=name,
            inert=verdict == "inert",
            offset=int(offset),
            magic=bytes.fromhex(magic),
            extensions=frozenset(extensions.split()),
        )
        for name, verdict, offset, magic, extensions in _rows("magics.csv")
    )


@cache
def _starts() -> tuple[tuple[bytes, ...], tuple[tuple[int, bytes], ...]]:
    """Return the magic bytes that a file begins with, and those further on with their offsets."""
    return (
        tuple(each.magic for each in magics() if not each.offset),
        tuple((each.offset, each.magic) for each in magics() if each.offset),
    )
