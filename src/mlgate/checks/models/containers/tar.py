"""Tar archives: v7, ustar, GNU and pax, read header by header."""

from collections.abc import Iterator

from msgspec import Struct

from mlgate.checks.models.paths import escape, link_escapes
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member, printable, read_at, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tar"
KIND = "container"
ORDER = 20

_BLOCK = 512
# A long name or a set of pax records; more is no name.
_LONGEST = 1 << 20
_TORCH = frozenset({"pickle", "storages", "tensors", "sys_info"})
_LINKS = {b"1": "hard link", b"2": "symbolic link"}
_DEVICES = {b"3": "character device", b"4": "block device", b"6": "pipe"}
# GNU: long name, long link name; pax: for the next member, for all that follow.
_EXTENSIONS = frozenset({b"L", b"K", b"x", b"X", b"g"})


class _Header(Struct, frozen=True):
    name: str
    size: int
    kind: bytes
    link: str


def sniff(blob: Blob) -> bool:
    """Look for a header whose checksum holds."""
    return _header(blob.head[:_BLOCK]) is not None


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what unpacking would do, and the members.

    Raises:
        Declined: The first header does not hold.
        LimitReached: Too many members.
    """
    names: dict[str, None] = {}
    place = 0
    pending: dict[str, str] = {}
    for number in range(limits.members + 1):
        clock.check()
        if number == limits.members:
            raise LimitReached("members")
        block = read_at(blob.stream, place, _BLOCK)
        header = _header(block)
        if header is None:
            if number == 0:
                raise Declined
            yield from _ending(blob, block, place)
            break
        start = place + _BLOCK
        if header.kind in _EXTENSIONS:
            data = read_at(blob.stream, start, min(header.size, _LONGEST))
            records = _extended(header.kind, data)
            if header.kind == b"g" and records:
                yield blob.not_checked(
                    "unsupported-format",
                    "a global header gives all members one name, target or size, which readers take "
                    "differently; pack the archive again",
                    offset=place,
                )
            pending.update(records)
            place = start + _padded(header.size)
            continue
        header = _overridden(header, pending)
        pending = {}
        yield from _member(blob, header, start, names)
        place = start + (
            _padded(header.size) if header.kind not in _LINKS and header.kind not in _DEVICES else 0
        )
    if len(_TORCH & {name.rpartition("/")[2] for name in names}) >= 3:
        yield blob.fact("core.format", "torch")
        yield blob.fact("torch.legacy", "tar")


def _member(
    blob: Blob, header: _Header, start: int, names: dict[str, None]
) -> Iterator[Fact | NotChecked | Blob]:
    shown = printable(header.name)
    how = escape(header.name)
    if how is not None:
        yield blob.fact("archive.escape", shown, offset=start - _BLOCK, how=how)
    if header.kind == b"5" or header.name.endswith("/"):
        return
    if header.name in names:
        yield blob.fact("archive.duplicate", shown, offset=start - _BLOCK, identical=False, container=FORMAT)
    names[header.name] = None
    if header.kind in _DEVICES:
        yield blob.fact("archive.device", shown, offset=start - _BLOCK, device=_DEVICES[header.kind])
    elif header.kind in _LINKS:
        # A hard link names its target from the archive's root.
        base = header.name if header.kind == b"2" else ""
        if link_escapes(base, header.link):
            yield blob.fact(
                "archive.link",
                shown,
                offset=start - _BLOCK,
                target=printable(header.link),
                how=_LINKS[header.kind],
            )
    else:
        size = min(header.size, max(blob.size - start, 0))
        if size < header.size:
            yield blob.not_checked(
                "truncated", f"the archive ends within {shown}; fetch the file again", offset=start
            )
        yield member(blob, header.name, window(blob.stream, start, size), size, container=FORMAT)


def _ending(blob: Blob, block: bytes, place: int) -> Iterator[Fact | NotChecked]:
    if any(block):
        yield blob.not_checked(
            "truncated", "what follows the last member is no tar header; fetch the file again", offset=place
        )
    elif not block:
        yield blob.not_checked("truncated", "the archive has no end mark; fetch the file again", offset=place)
    else:
        rest = place + len(block)
        while rest < blob.size:
            data = read_at(blob.stream, rest, 1 << 20)
            if not data:
                return
            if data.strip(b"\0"):
                yield blob.fact("core.unaccounted", "bytes behind the archive", offset=rest)
                return
            rest += len(data)


def _padded(size: int) -> int:
    return (size + _BLOCK - 1) // _BLOCK * _BLOCK


def _header(block: bytes) -> _Header | None:
    """Read one header, or return None where its checksum does not hold."""
    if len(block) < _BLOCK or not any(block):
        return None
    stated = _number(block[148:156])
    total = sum(block) - sum(block[148:156]) + 8 * 32
    if stated != total:
        # Old writers added up signed bytes, and Python's tarfile takes both.
        bytes_ = block[:148] + block[156:]
        if stated != total - 256 * sum(byte > 127 for byte in bytes_):
            return None
    size = _number(block[124:136])
    if size is None or size < 0:
        return None
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        name = f"{_text(block[345:500])}/{name}"
    return _Header(name=name, size=size, kind=block[156:157], link=_text(block[157:257]))


def _number(field: bytes) -> int | None:
    """Octal digits, or base 256 where the first bit is set."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else None
    digits = field.split(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError:
        return None


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "backslashreplace")


def _extended(kind: bytes, data: bytes) -> dict[str, str]:
    if kind in (b"L", b"K"):
        return {"path" if kind == b"L" else "linkpath": _text(data)}
    found: dict[str, str] = {}
    at = 0
    # Each record is "length key=value\n", the length counting all of it.
    while at < len(data):
        space = data.find(b" ", at, at + 12)
        if space < 0 or not data[at:space].isdigit():
            break
        length = int(data[at:space])
        if length <= space - at:
            break
        key, _, value = data[space + 1 : at + length - 1].partition(b"=")
        if key in (b"path", b"linkpath", b"size"):
            found[key.decode()] = value.decode("utf-8", "backslashreplace")
        at += length
    return found


def _overridden(header: _Header, pending: dict[str, str]) -> _Header:
    size = pending.get("size", "")
    return _Header(
        name=pending.get("path", header.name),
        size=int(size) if size.isdecimal() and len(size) < 20 else header.size,
        kind=header.kind,
        link=pending.get("linkpath", header.link),
    )
