"""Zip archives: every entry by content, and every place where two loaders would differ."""

from collections.abc import Iterator

from mlgate.checks.models.containers._zip_content import Content, UnsupportedMethod, content
from mlgate.checks.models.containers._zip_directory import (
    DEFERRED,
    ENCRYPTED,
    END,
    LOCAL,
    Header,
    directories,
    local,
    signature,
)
from mlgate.checks.models.containers._zip_listing import (
    Listing,
    holds_numbers,
    listing,
    name,
    names,
    record_sizes,
)
from mlgate.checks.models.containers._zip_records import differences, prefix, structure
from mlgate.checks.models.containers._zip_series import series
from mlgate.checks.models.paths import escape, link_escapes
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import chunks, member, printable, read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "zip"
KIND = "container"
ORDER = 10

# A gap between entries is searched for entries that no directory lists, so far.
_GAP = 1 << 20
_LINK = 0o120000
_TYPE = 0o170000
_AES = 99
_METHODS = {1: "shrink", 6: "implode", 9: "Deflate64", 93: "Zstandard", 96: "JPEG", 97: "WavPack", 98: "PPMd"}


def sniff(blob: Blob) -> bool:
    """Say whether it starts as a zip, or ends as one that something stands before."""
    if blob.head.startswith((LOCAL, END)):
        return True
    return blob.size >= 22 and not blob.tentative and bool(directories(blob.stream, blob.size))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the archive's irregularities and its members.

    Raises:
        Declined: There is neither a directory nor an entry.
        LimitReached: Too many entries, or too much content.
    """
    if series(blob, limits, clock):
        raise Declined  # read archive by archive
    archive = listing(blob.stream, blob.size, limits, clock)
    if not archive.entries and not archive.directories:
        raise Declined
    yield blob.fact(
        "core.format",
        archive.kind,
        appended=not blob.head.startswith((LOCAL, END)),
        model=archive.kind != FORMAT,
    )
    if archive.kind in ("torch", "torchscript"):
        yield blob.fact("torch.records", archive.kind, sizes=record_sizes(archive))
    if not archive.directories:
        yield blob.not_checked(
            "truncated",
            "this zip archive has no directory: it is incomplete. What is there was looked at; "
            "fetch it again",
        )
    yield from structure(blob, archive)
    extents = [(each.start, each.tail) for each in archive.directories]
    for entry in archive.entries:
        clock.check()
        yield from _entry(blob, archive, entry, extents, limits, clock)
    if archive.directories:
        yield from _gaps(blob, archive, sorted(extents), limits, clock)


def _entry(  # noqa: PLR0917 - the archive, an entry, and what it may cost
    blob: Blob,
    archive: Listing,
    entry: Header,
    extents: list[tuple[int, int]],
    limits: Limits,
    clock: Clock,
) -> Iterator[Fact | NotChecked | Blob]:
    path = name(entry)
    shown = printable(path)
    header = local(blob.stream, blob.size, entry.offset)
    for each in names(entry) if header is None else names(entry, header):
        how = escape(each)
        if how is not None:
            yield blob.fact("archive.escape", printable(each), offset=entry.offset, how=how)
    if header is None:
        yield blob.not_checked(
            "truncated", f"{shown} is listed and is not there; fetch the file again", offset=entry.offset
        )
        return
    fields = differences(entry, header)
    if fields:
        yield blob.fact("archive.disagreement", shown, offset=entry.offset, fields=fields)
    if path.endswith("/") and not entry.packed and not header.packed:
        extents.append((entry.offset, header.data))
        return
    deferred = bool(header.flags & DEFERRED)
    readings = {(entry.method, entry.packed)}
    if not deferred or header.packed:
        readings.add((header.method, header.packed))
    else:
        readings.add((header.method, entry.packed))
    for method, packed in sorted(readings):
        try:
            inside = content(blob.stream, blob.size, header, method, packed, limits, clock)
        except UnsupportedMethod:
            yield _unread(blob, shown, method)
            extents.append((entry.offset, header.data + packed))
            continue
        extents.append((entry.offset, inside.end + (24 if deferred else 0)))
        try:
            yield from _content(blob, archive, entry, header, inside)
        finally:
            inside.stream.close()


def _unread(blob: Blob, shown: str, method: int) -> NotChecked:
    if method == _AES:
        return blob.not_checked("encrypted", f"{shown} is encrypted; a gate cannot look into it")
    known = f" ({_METHODS[method]})" if method in _METHODS else ""
    return blob.not_checked(
        "unsupported-format",
        f"{shown} is packed by zip method {method}{known}, which cannot be read; pack it again with deflate",
    )


def _content(
    blob: Blob, archive: Listing, entry: Header, header: Header, inside: Content
) -> Iterator[Fact | NotChecked | Blob]:
    path = name(entry)
    shown = printable(path)
    encrypted = (entry.flags | header.flags) & ENCRYPTED
    sound = inside.problem is None and (inside.crc is None or inside.crc == entry.crc)
    if encrypted and sound and inside.crc is not None:
        yield blob.fact(
            "archive.disagreement", shown, offset=entry.offset, fields=["encryption flag is false"]
        )
    elif encrypted:
        yield blob.not_checked("encrypted", f"{shown} is encrypted; a gate cannot look into it")
    elif inside.problem == "bomb":
        yield blob.fact("archive.bomb", shown, offset=entry.offset, how="ratio")
        yield blob.not_checked(
            "limit", f"{shown} unpacks to far more than it takes; raise limits.ratio to read on"
        )
    elif inside.problem is not None:
        yield blob.not_checked(
            "truncated",
            f"{shown} is {inside.problem}; what could be unpacked was looked at",
            offset=entry.offset,
        )
    elif not sound:
        yield blob.fact("archive.checksum", shown, offset=entry.offset)
    if entry.mode & _TYPE == _LINK:
        target = read_at(inside.stream, 0, min(inside.size, 4096)).decode("utf-8", "backslashreplace")
        if link_escapes(path, target):
            yield blob.fact(
                "archive.link", shown, offset=entry.offset, target=printable(target), how="symbolic link"
            )
        # Most readers do not know links, and take what it says for the member's content.
    raw = bool(encrypted and not sound) or (
        inside.end == header.data + inside.size and holds_numbers(archive.kind, path)
    )
    yield member(blob, path, inside.stream, inside.size, container=archive.kind, tentative=raw)


def _gaps(
    blob: Blob, archive: Listing, extents: list[tuple[int, int]], limits: Limits, clock: Clock
) -> Iterator[Fact | NotChecked | Blob]:
    """Look at what no record covers: before, between and behind the entries."""
    covered = 0
    for start, end in [*extents, (blob.size, blob.size)]:
        if start > covered:
            hidden = False
            for item in _hidden(blob, archive, covered, start, limits, clock):
                hidden = True
                yield item
            if covered == 0 and not hidden:
                yield prefix(blob, archive.kind, start)
            elif start == blob.size and extents[0][0] == 0 and not hidden and _holds_data(blob, covered):
                yield blob.fact("core.unaccounted", "bytes behind the archive", offset=covered)
        covered = max(covered, end)


def _holds_data(blob: Blob, start: int) -> bool:
    """Say whether there is more than zeros, which fill the last block of a tape or pipe."""
    return any(data.strip(b"\0") for data in chunks(blob.stream, start, min(blob.size - start, _GAP), 4096))


def _hidden(  # noqa: PLR0917 - a range of the archive, and what it may cost
    blob: Blob, archive: Listing, start: int, end: int, limits: Limits, clock: Clock
) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the entries in a range that no directory lists, each within 1 MiB of what stands before it."""
    following = start
    while following < end:
        clock.check()
        place = signature(blob.stream, following, min(end, following + _GAP))
        if place is None:
            return
        header = local(blob.stream, blob.size, place)
        following = place + len(LOCAL)
        if header is not None and header.data <= end and _is_believable(header, blob.size):
            yield blob.fact(
                "archive.disagreement", printable(name(header)), offset=place, fields=["directory"]
            )
            extents: list[tuple[int, int]] = []
            yield from _entry(blob, archive, header, extents, limits, clock)
            following = max((stop for _, stop in extents), default=following)


def _is_believable(header: Header, size: int) -> bool:
    """Say whether four bytes that look like a header's start are one: unpackers hold them as text."""
    fits = bool(header.flags & DEFERRED) or header.data + header.packed <= size
    return bool(header.name) and header.method in (0, 8, 9, 12, 14, 93, 95) and fits
