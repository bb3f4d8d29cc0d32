"""Headers of tar archives, as Python's tarfile takes them: it is the reader that models meet."""

from typing import BinaryIO

from msgspec import Struct

from mlgate.checks.models.stream import read_at

BLOCK = 512
LINKS = {b"1": "hard link", b"2": "symbolic link"}
DEVICES = {b"3": "character device", b"4": "block device", b"6": "pipe"}
# GNU: long name, long link name; pax: for the next member, for all that follow.
EXTENSIONS = frozenset({b"L", b"K", b"x", b"X", b"g"})
SPARSE = b"S"
_FOLDER = b"5"
# Types that have no data, whatever their size says.
_EMPTY = frozenset({*LINKS, *DEVICES, _FOLDER})
_GNU = frozenset({b"L", b"K", b"S"})
_MOST_DIGITS = 20


class Header(Struct, frozen=True):
    """One header.

    Attributes:
        name: Of the member, the prefix included.
        size: Bytes of its data.
        kind: Its type.
        link: Where a link leads.
        bare: Its name without the prefix, for readers that know of none.
        extended: True where more blocks follow that say where a sparse file has holes.
        negative: True where the size is below zero, which sends some readers back; it is 0 here.
    """

    name: str
    size: int
    kind: bytes
    link: str
    bare: str
    extended: bool = False
    negative: bool = False

    @property
    def is_folder(self) -> bool:
        """True for a folder; before there was a type for it, its name ended with a slash."""
        return self.kind == _FOLDER or (self.kind == b"\0" and self.bare.endswith("/"))

    @property
    def has_data(self) -> bool:
        """True where data follows, as Python sees it."""
        return self.kind not in _EMPTY and not self.is_folder


class Pax(Struct):
    """What extensions say of the next member.

    Attributes:
        names: Names for it; readers differ in which counts.
        links: Where it leads, likewise.
        size: Bytes of its data, or None.
        sparse: True where it has holes.
        problem: What is wrong with the records, or None.
        changes: True where the records change a member at all.
    """

    names: list[str]
    links: list[str]
    size: int | None = None
    sparse: bool = False
    problem: str | None = None
    changes: bool = False


def padded(size: int) -> int:
    """Return the bytes that data of a size takes in the archive."""
    return (size + BLOCK - 1) // BLOCK * BLOCK


# Bytes that are numbers above zero, signed or not.
_POSITIVE = bytes(range(128))


def header(block: bytes) -> Header | None:
    """Read one header, or return None where its checksum does not hold."""
    if len(block) < BLOCK or not any(block):
        return None
    stated = _number(block[148:156])
    total = sum(block) - sum(block[148:156]) + 8 * 32
    if stated != total:
        # Old writers added up signed bytes, and Python's tarfile takes both.
        negative = (block[:148] + block[156:]).translate(None, _POSITIVE)
        if stated != total - 256 * len(negative):
            return None
    size = _number(block[124:136])
    if size is None:
        return None
    kind = block[156:157]
    name = bare = _text(block[:100])
    if block[345] and kind not in _GNU:
        name = f"{_text(block[345:500])}/{name}"
    return Header(
        name=name,
        size=max(size, 0),
        kind=kind,
        link=_text(block[157:257]),
        bare=bare,
        extended=kind == SPARSE and bool(block[482]),
        negative=size < 0,
    )


def behind_maps(stream: BinaryIO, place: int) -> int:
    """Return where the data of a sparse member starts: behind the blocks that list its holes."""
    while True:
        block = read_at(stream, place, BLOCK)
        place += BLOCK
        if len(block) < BLOCK or not block[504]:
            return place


def extend(pax: Pax, kind: bytes, data: bytes) -> None:
    """Add what an extension says."""
    if kind in (b"L", b"K"):
        (pax.names if kind == b"L" else pax.links).append(_text(data))
        pax.changes = True
        return
    at = 0
    # Each record is "length key=value\n", the length counting all of it.
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + _MOST_DIGITS + 1)
        digits = data[at:space] if space > at else b""
        length = int(digits) if digits.isdigit() else 0
        key, equals, value = data[space + 1 : at + length - 1].partition(b"=")
        if length < 5 or at + length > len(data) or not equals or data[at + length - 1] != 10:
            pax.problem = "an extension has records that readers take differently"
            return
        _apply(pax, key, value)
        at += length


def _apply(pax: Pax, key: bytes, value: bytes) -> None:
    if key in (b"path", b"GNU.sparse.name"):
        pax.names.append(value.decode("utf-8", "backslashreplace"))
    elif key == b"linkpath":
        pax.links.append(value.decode("utf-8", "backslashreplace"))
    elif key == b"size":
        if not (value.isdigit() and len(value) <= _MOST_DIGITS):
            pax.problem = "an extension gives a size that is no number"
            return
        pax.size = int(value)
    elif key.startswith(b"GNU.sparse."):
        pax.sparse = True
    else:
        return
    pax.changes = True


def _number(field: bytes) -> int | None:
    """Octal digits, or base 256 where the first bit is set."""
    if field[0] in (0x80, 0xFF):
        value = int.from_bytes(field[1:], "big")
        return value if field[0] == 0x80 else value - (1 << 8 * (len(field) - 1))
    if field[0] & 0x80:
        return None
    digits = field.split(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError:
        return None


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "backslashreplace")
