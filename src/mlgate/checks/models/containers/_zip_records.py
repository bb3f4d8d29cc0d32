"""What the records of a zip archive say about each other: facts without a look at any content."""

from collections.abc import Iterator
from itertools import pairwise

from mlgate.checks.models.containers._zip_directory import DEFERRED, ENCRYPTED, NEWEST, STRANGE, Header
from mlgate.checks.models.containers._zip_listing import Listing, name
from mlgate.checks.models.executable import executable
from mlgate.checks.models.reader import Blob
from mlgate.checks.models.stream import printable
from mlgate.checks.models.tables import is_native_name
from mlgate.core.facts import Fact


def structure(blob: Blob, archive: Listing) -> Iterator[Fact]:
    """Yield what the headers alone show."""
    first: dict[bytes, Header] = {}
    # The reader inside PyTorch does not tell capitals from small letters.
    folded = archive.kind in ("torch", "torchscript")
    for entry in archive.entries:
        earlier = first.setdefault(entry.name.lower() if folded else entry.name, entry)
        if earlier is not entry and not entry.name.endswith(b"/"):
            alike = (earlier.crc, earlier.size) == (entry.crc, entry.size)
            yield blob.fact(
                "archive.duplicate",
                printable(name(entry)),
                offset=entry.offset,
                identical=alike,
                container="zip",
            )
    ordered = sorted(archive.entries, key=lambda entry: entry.offset)
    overlapping = [
        after
        for before, after in pairwise(ordered)
        if after.offset < before.offset + 30 + len(before.name) + before.packed
    ]
    if overlapping:
        yield blob.fact(
            "archive.bomb",
            printable(name(overlapping[0])),
            offset=overlapping[0].offset,
            count=len(overlapping),
            how="overlap",
        )
    starts = [directory.start for directory in archive.directories]
    for entry in ordered:
        end = entry.offset + 30 + len(entry.name) + entry.packed
        if any(entry.offset < start < end for start in starts[:1]):
            yield blob.fact(
                "archive.disagreement", printable(name(entry)), offset=entry.offset, fields=["packed size"]
            )
    for rival in archive.rivals:
        yield blob.fact("archive.disagreement", "central directory", offset=rival.start, fields=["directory"])
    if archive.directories and not archive.rivals:
        declared = archive.directories[0].count
        if declared % 65536 != len(archive.entries) % 65536:
            yield blob.fact(
                "archive.disagreement",
                "central directory",
                offset=archive.directories[0].start,
                fields=["number of entries"],
            )


def differences(entry: Header, header: Header) -> list[str]:
    """Name the fields in which the two headers of an entry disagree."""
    fields = []
    if entry.name != header.name:
        fields.append("name")
    if entry.method != header.method:
        fields.append("method")
    if (entry.flags ^ header.flags) & ENCRYPTED:
        fields.append("encryption flag")
    if (entry.flags | header.flags) & STRANGE and not entry.flags & header.flags & ENCRYPTED:
        fields.append("flags")
    if entry.needs > NEWEST:
        fields.append("version needed")
    for each in (entry, header):
        # A plain name needs no other: where there is one all the same, readers differ.
        if each.other and each.other.isascii() and each.other != each.name and "name" not in fields:
            fields.append("name")
    # Sizes that follow the data are zero in the local header.
    deferred = bool(header.flags & DEFERRED)
    for field in ("packed", "size", "crc"):
        ours, theirs = getattr(entry, field), getattr(header, field)
        if ours != theirs and not (deferred and theirs in (0, 0xFFFFFFFF)):
            fields.append({"packed": "packed size"}.get(field, field))
    return fields


def prefix(blob: Blob, archive: str, size: int) -> Fact:
    """Say what stands before the archive."""
    kind = executable(blob.stream, 0, size)
    script = blob.head.startswith(b"#!") and b"\0" not in blob.head[: min(size, 4096)]
    return blob.fact(
        "archive.prefix",
        kind or ("script" if script else "data"),
        offset=0,
        archive=archive,
        native=is_native_name(blob.name),
    )
