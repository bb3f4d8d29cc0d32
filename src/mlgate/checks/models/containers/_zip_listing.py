"""What a zip archive holds, by all the records that a loader could go by."""

import re
from functools import cache
from typing import BinaryIO

from msgspec import Struct

from mlgate.checks.models.containers._zip_directory import (
    DEFERRED,
    UTF8,
    Directory,
    Header,
    central,
    directories,
    local,
    signature,
)
from mlgate.checks.models.reader import Clock
from mlgate.checks.models.stream import printable
from mlgate.core.limits import Limits


class Listing(Struct, frozen=True):
    """The entries of an archive.

    Attributes:
        kind: ``zip``, or what the members' names make of it: ``torch``, ``npz``, ...
        entries: Of all directories, each once.
        directories: That some loader would use, the usual one first.
        rivals: Directories that list something that the first does not.
    """

    kind: str
    entries: tuple[Header, ...]
    directories: tuple[Directory, ...]
    rivals: tuple[Directory, ...]


def listing(stream: BinaryIO, size: int, limits: Limits, clock: Clock) -> Listing:
    """List an archive by its directories, or by local headers where it has none.

    Raises:
        LimitReached: Too many entries.
    """
    found = directories(stream, size)
    entries: list[Header] = []
    rivals: list[Directory] = []
    seen: set[tuple[int, bytes]] = set()
    for directory in found:
        if directory.tail < size and _is_inside(directory, entries):
            continue  # of an archive that is a member of this one: readers want an end at the file's end
        fresh = [
            entry
            for entry in central(stream, size, directory, limits, clock)
            if (entry.offset, entry.name) not in seen
        ]
        if entries and fresh:
            rivals.append(directory)
        seen.update((entry.offset, entry.name) for entry in fresh)
        entries += fresh
    if not found:
        entries = _recover(stream, size, limits, clock)
    return Listing(
        kind=_kind({each for entry in entries for each in names(entry)}),
        entries=tuple(entries),
        directories=tuple(found),
        rivals=tuple(rivals),
    )


def name(entry: Header) -> str:
    """Return an entry's name as text. Without the UTF-8 flag it is UTF-8 all the same, or code page 437."""
    return _text(entry.name, entry.flags)


def names(*headers: Header) -> set[str]:
    """Return every name that a reader could give what the headers of one entry are of."""
    found = {name(each) for each in headers}
    return found | {_text(each.other, UTF8) for each in headers if each.other}


def _text(name_: bytes, flags: int) -> str:
    try:
        return name_.decode("utf-8")
    except UnicodeDecodeError:
        return name_.decode("utf-8", "backslashreplace") if flags & UTF8 else name_.decode("cp437")


def holds_numbers(kind: str, path: str) -> bool:
    """Say whether a stored member holds a tensor's raw numbers, by the archive's layout."""
    return kind in ("torch", "torchscript") and _tensor().search(path) is not None


def record_sizes(archive: Listing) -> dict[str, int]:
    """Return the bytes of each member that holds a tensor's numbers; the fewest where there are several."""
    sizes: dict[str, int] = {}
    for entry in archive.entries:
        path = name(entry)
        if holds_numbers(archive.kind, path):
            shown = printable(path)
            sizes[shown] = min(sizes.get(shown, entry.size), entry.size)
    return sizes


def _is_inside(directory: Directory, entries: list[Header]) -> bool:
    # The local extra field is not known here; 64 KiB is the longest it can be. Compressed
    # data counts too: what cannot be compressed any further stands in it as it is.
    return any(
        entry.offset < directory.start
        and directory.tail <= entry.offset + 30 + len(entry.name) + entry.packed + 65535
        for entry in entries
    )


def _recover(stream: BinaryIO, size: int, limits: Limits, clock: Clock) -> list[Header]:
    """List the entries by their local headers alone."""
    entries: list[Header] = []
    place: int | None = 0
    while place is not None and len(entries) < limits.members:
        clock.check()
        header = local(stream, size, place)
        if header is None:
            following = place + 1
        else:
            # Without a size, the data runs to the next header at most.
            following = header.data + (0 if header.flags & DEFERRED else header.packed)
            if header.flags & DEFERRED and not header.packed:
                end = signature(stream, header.data, size) or size
                header = _sized(header, end - header.data)
            entries.append(header)
        place = signature(stream, following, size) if following < size else None
    return entries


def _sized(header: Header, packed: int) -> Header:
    return Header(
        name=header.name,
        flags=header.flags,
        method=header.method,
        crc=header.crc,
        packed=packed,
        size=header.size,
        offset=header.offset,
        data=header.data,
    )


def _kind(names: set[str]) -> str:
    # PyTorch's own reader does not tell capitals from small letters.
    tails = {"/" + each.lower() for each in names}
    if any(each.endswith("/data.pkl") for each in tails):
        has_code = any("/code/" in each and each.endswith(".py") for each in tails)
        return (
            "torchscript" if has_code or any(each.endswith("/constants.pkl") for each in tails) else "torch"
        )
    if any(each.endswith(("/archive_format", "/models/model.json")) for each in tails):
        return "torch"
    if names and all(each.endswith(".npy") for each in names):
        return "npz"
    if "config.json" in names and names & {"metadata.json", "model.weights.h5"}:
        return "keras"
    if "schema.json" in names:
        return "skops"
    return "torch-model-archive" if "MAR-INF/MANIFEST.json" in names else "zip"


@cache
def _tensor() -> re.Pattern[str]:
    # Where torch keeps raw numbers; a tensor has a number for a name.
    return re.compile(r"(?:^|/)(?:data|constants|tensors|weights)/(?:[a-z_]*\d+)$")
