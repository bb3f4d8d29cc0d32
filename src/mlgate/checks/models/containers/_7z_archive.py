"""A 7z archive: its names, and its members."""

import zlib
from collections.abc import Iterator

from mlgate.checks.models.containers._7z_folder import Part, Unpacked, Unsupported
from mlgate.checks.models.containers._7z_header import (
    ENCODED,
    File,
    Malformed,
    Records,
    Start,
    Streams,
    start,
)
from mlgate.checks.models.containers.seven_zip import FORMAT
from mlgate.checks.models.paths import escape, link_escapes
from mlgate.checks.models.reader import Blob, Clock, LimitReached
from mlgate.checks.models.stream import member, printable, read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

# A header that is packed may be packed again, but nobody does.
_MOST_HEADERS = 4
# Names of as many members as there may be; all of it is held in memory, more than once.
_LARGEST = 16 << 20
_LINK, _TYPE = 0o120000, 0o170000
_DEVICES = {0o020000: "character device", 0o060000: "block device", 0o010000: "pipe"}


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what unpacking would do, and the members.

    Raises:
        LimitReached: Too many members, or too much content.
    """
    try:
        first = start(blob.stream, blob.size)
        if not first.sound:
            yield blob.fact("archive.checksum", "the signature header", offset=8)
        if not first.size:
            if blob.size > first.offset:
                yield blob.fact("core.unaccounted", "bytes behind the archive", offset=first.offset)
            return
        data = _header(blob, first, limits, clock)
        if zlib.crc32(read_at(blob.stream, first.offset, first.size)) != first.crc:
            yield blob.fact("archive.checksum", "the header", offset=first.offset)
        records = Records(data, blob.size, limits)
        records.expect(1)
        streams, files = records.header()
        yield from _names(blob, files)
        yield from _members(blob, streams, files, limits, clock)
    except Malformed as error:
        yield blob.not_checked(
            "malformed", f"the 7z archive cannot be followed: {error}; fetch the file again"
        )
        return
    except Unsupported as error:
        yield blob.not_checked(error.reason, f"the list of members cannot be read: {error.what}")
        return
    if blob.size > first.offset + first.size:
        yield blob.fact("core.unaccounted", "bytes behind the archive", offset=first.offset + first.size)


def _header(blob: Blob, first: Start, limits: Limits, clock: Clock) -> bytes:
    """Return the header, unpacked where it is packed."""
    largest = min(limits.header_bytes, _LARGEST)
    if first.size > largest:
        raise LimitReached("header_bytes")
    data = read_at(blob.stream, first.offset, first.size)
    for _ in range(_MOST_HEADERS):
        if data[:1] != bytes([ENCODED]):
            return data
        records = Records(data, blob.size, limits)
        records.expect(ENCODED)
        streams = records.streams()
        if not streams.folders or not streams.packed:
            raise Malformed("the packed header is missing")
        folder = streams.folders[0]
        if folder.size > largest:
            raise LimitReached("header_bytes")
        place, packed = streams.packed[0]
        part = Unpacked(blob.stream, place, packed, folder, limits, clock).part(folder.size)
        with part.stream as stream:
            data = read_at(stream, 0, part.size)
        if part.problem is not None:
            raise Malformed(f"the packed header is {part.problem}")
    raise Malformed("the header is packed again and again")


def _names(blob: Blob, files: list[File]) -> Iterator[Fact]:
    seen: set[str] = set()
    for file in files:
        shown = printable(file.name)
        how = escape(file.name)
        if how is not None:
            yield blob.fact("archive.escape", shown, how=how)
        device = _DEVICES.get(file.mode & _TYPE)
        if device is not None:
            yield blob.fact("archive.device", shown, device=device)
        if not file.is_folder and file.name:
            if file.name in seen:
                yield blob.fact("archive.duplicate", shown, identical=False, container=FORMAT)
            seen.add(file.name)


def _members(
    blob: Blob, streams: Streams, files: list[File], limits: Limits, clock: Clock
) -> Iterator[Fact | NotChecked | Blob]:
    names = iter(file for file in files if file.has_data)
    taken = 0
    for folder, parts in zip(streams.folders, streams.parts, strict=True):
        held = [next(names, File(name="")) for _ in parts]
        first, taken = taken, taken + len(folder.packed)
        if first >= len(streams.packed):
            raise Malformed("a folder has no packed data")
        place, packed = streams.packed[first]
        try:
            unpacked = Unpacked(blob.stream, place, packed, folder, limits, clock)
        except Unsupported as error:
            if held:
                shown = printable(held[0].name)
                yield blob.not_checked(
                    error.reason, f"{shown} and all that is packed with it cannot be read: {error.what}"
                )
            continue
        for file, (size, crc) in zip(held, parts, strict=True):
            part = unpacked.part(size)
            try:
                yield from _member(blob, file, part, crc)
            finally:
                part.stream.close()
            if part.problem is not None:
                if file is not held[-1]:
                    yield blob.not_checked(
                        "truncated", f"what is packed behind {printable(file.name)} cannot be read"
                    )
                break
    if next(names, None) is not None:
        raise Malformed("more members are listed than there is data for")


def _member(blob: Blob, file: File, part: Part, crc: int | None) -> Iterator[Fact | NotChecked | Blob]:
    shown = printable(file.name)
    if part.problem == "bomb":
        yield blob.fact("archive.bomb", shown, how="ratio")
        yield blob.not_checked(
            "limit", f"{shown} unpacks to far more than it takes; raise limits.ratio to read on"
        )
    elif part.problem is not None:
        yield blob.not_checked(
            "truncated", f"{shown} is {part.problem}; what could be unpacked was looked at"
        )
    elif crc is not None and crc != part.crc:
        yield blob.fact("archive.checksum", shown)
    if file.mode & _TYPE == _LINK:
        target = read_at(part.stream, 0, min(part.size, 4096)).decode("utf-8", "backslashreplace")
        if link_escapes(file.name, target):
            yield blob.fact("archive.link", shown, target=printable(target), how="symbolic link")
    yield member(blob, file.name, part.stream, part.size, container=FORMAT)
