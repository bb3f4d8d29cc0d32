"""Tar archives: v7, ustar, GNU and pax, read header by header."""

from collections.abc import Iterator

from mlgate.checks.models.containers._tar_header import (
    BLOCK,
    DEVICES,
    EXTENSIONS,
    LINKS,
    SPARSE,
    Header,
    Pax,
    behind_maps,
    extend,
    header,
    padded,
)
from mlgate.checks.models.paths import escape, link_escapes
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import chunks, member, printable, read_at, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tar"
KIND = "container"
ORDER = 20

# A long name or a set of pax records; more is no name.
_LONGEST = 1 << 20
_TORCH = frozenset({"pickle", "storages", "tensors", "sys_info"})


def sniff(blob: Blob) -> bool:
    """Look for a header whose checksum holds."""
    return header(blob.head[:BLOCK]) is not None


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what unpacking would do, and the members.

    Raises:
        Declined: The first header does not hold.
        LimitReached: Too many members.
    """
    return _Archive(blob, limits, clock).items()


class _Archive:
    def __init__(self, blob: Blob, limits: Limits, clock: Clock) -> None:
        self._blob = blob
        self._limits = limits
        self._clock = clock
        self._place = 0
        # What stood at a name last: True for a symbolic link.
        self._names: dict[str, bool] = {}
        self._has_links = False
        self._ended = False

    def items(self) -> Iterator[Fact | NotChecked | Blob]:
        pax = Pax(names=[], links=[])
        for number in range(self._limits.members + 1):
            self._clock.check()
            if number == self._limits.members:
                raise LimitReached("members")
            # A size may be larger than any file.
            self._place = min(self._place, self._blob.size)
            block = read_at(self._blob.stream, self._place, BLOCK)
            head = header(block)
            if head is None:
                if number == 0:
                    raise Declined
                yield from self._ending(block)
                if not self._next_archive(block):
                    break
            elif head.kind in EXTENSIONS:
                yield from self._negative(head)
                yield from self._extension(head, pax)
            else:
                yield from self._negative(head)
                yield from self._member(head, pax)
                pax = Pax(names=[], links=[])
        if len(_TORCH & {name.rpartition("/")[2] for name in self._names}) >= 3:
            yield self._blob.fact("core.format", "torch")
            yield self._blob.fact("torch.legacy", "tar")

    def _negative(self, head: Header) -> Iterator[NotChecked]:
        if head.negative:
            yield self._blob.not_checked(
                "malformed",
                f"{printable(head.name)} has a size below zero; fetch the file again",
                offset=self._place,
            )

    def _extension(self, head: Header, pax: Pax) -> Iterator[NotChecked]:
        data = read_at(self._blob.stream, self._place + BLOCK, min(head.size, _LONGEST))
        read = Pax(names=[], links=[])
        extend(read, head.kind, data)
        if head.kind == b"g" and read.changes:
            yield self._blob.not_checked(
                "unsupported-format",
                "a global header gives all members one name, target or size, which readers take "
                "differently; pack the archive again",
                offset=self._place,
            )
        if read.problem is not None or head.size > _LONGEST:
            yield self._blob.not_checked(
                "malformed",
                f"{read.problem or 'an extension is longer than any'}; pack the archive again",
                offset=self._place,
            )
        pax.names += read.names
        pax.links += read.links
        pax.size = pax.size if read.size is None else read.size
        pax.sparse = pax.sparse or read.sparse
        self._place += BLOCK + padded(head.size)

    def _member(self, head: Header, pax: Pax) -> Iterator[Fact | NotChecked | Blob]:
        place = self._place
        names = list(dict.fromkeys([*pax.names[::-1], head.name, head.bare]))
        name = names[0]
        size = head.size if pax.size is None else pax.size
        start = place + BLOCK
        if head.extended:
            start = behind_maps(self._blob.stream, start)
        yield from self._naming(head, names, pax.links or [head.link], place)
        self._place = start + (padded(size) if head.has_data else 0)
        if not head.has_data:
            yield from self._without_data(head, name, size, start)
            return
        if head.kind == SPARSE or pax.sparse:
            yield self._blob.not_checked(
                "unsupported-format",
                f"{printable(name)} is a file with holes, which were not filled in; what is stored was "
                "looked at. Pack the archive again without --sparse",
                offset=place,
            )
        held = min(size, max(self._blob.size - start, 0))
        if held < size:
            yield self._blob.not_checked(
                "truncated", f"the archive ends within {printable(name)}; fetch the file again", offset=start
            )
        yield member(self._blob, name, window(self._blob.stream, start, held), held, container=FORMAT)

    def _naming(self, head: Header, names: list[str], links: list[str], place: int) -> Iterator[Fact]:
        """Yield what the names of a member, and those that it leads to, would do."""
        blob, shown = self._blob, printable(names[0])
        for each in names:
            how = escape(each)
            if how is not None:
                yield blob.fact("archive.escape", printable(each), offset=place, how=how)
                break
        if self._has_links and self._leaves_through_link(names[0]):
            yield blob.fact("archive.link", shown, offset=place, target=shown, how="name through a link")
        if head.kind in DEVICES:
            yield blob.fact("archive.device", shown, offset=place, device=DEVICES[head.kind])
        elif head.kind in LINKS:
            # A hard link names its target from the archive's root.
            base = names[0] if head.kind == b"2" else ""
            for target in links:
                folder = base.replace("\\", "/").rpartition("/")[0]
                if link_escapes(base, target) or self._leaves_through_link(f"{folder}/{target}"):
                    how = LINKS[head.kind]
                    yield blob.fact("archive.link", shown, offset=place, target=printable(target), how=how)
                    break
        if head.is_folder:
            return
        plain = _plain(names[0])
        if plain in self._names:
            yield blob.fact("archive.duplicate", shown, offset=place, identical=False, container=FORMAT)
        self._names[plain] = head.kind == b"2"
        self._has_links = self._has_links or head.kind == b"2"

    def _leaves_through_link(self, path: str) -> bool:
        """Say whether a path goes through a link of this archive and up again: no name shows where to."""
        through = False
        parts: list[str] = []
        for part in path.replace("\\", "/").split("/"):
            if part == "..":
                if through:
                    return True
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
                through = through or (self._has_links and self._names.get("/".join(parts), False))
        return False

    def _without_data(self, head: Header, name: str, size: int, start: int) -> Iterator[Fact | Blob]:
        """Look at what follows a link or folder that gives a size: readers differ in whether it has data."""
        if not size:
            return
        # A hard link may state the size of what it leads to.
        follows = read_at(self._blob.stream, start, BLOCK)
        sound = header(follows) is not None or not any(follows)
        if head.kind == b"1" and sound:
            return
        yield self._blob.fact(
            "archive.disagreement", printable(name), offset=start - BLOCK, fields=["size of what has no data"]
        )
        if not sound:
            held = min(size, max(self._blob.size - start, 0))
            yield member(self._blob, name, window(self._blob.stream, start, held), held, container=FORMAT)
            self._place = start + padded(size)

    def _ending(self, block: bytes) -> Iterator[Fact | NotChecked]:
        place = self._place
        if self._ended:
            return
        if any(block):
            yield self._blob.not_checked(
                "truncated",
                "what follows the last member is no tar header; fetch the file again",
                offset=place,
            )
        elif not block:
            yield self._blob.not_checked(
                "truncated", "the archive has no end mark; fetch the file again", offset=place
            )
        else:
            rest = self._behind(place + len(block))
            if rest is not None:
                yield self._blob.fact("core.unaccounted", "bytes behind the archive", offset=rest)

    def _behind(self, start: int) -> int | None:
        """Return where something stands behind the end mark, or None."""
        for data in chunks(self._blob.stream, start, self._blob.size - start, 4096):
            self._clock.check()
            bare = data.lstrip(b"\0")
            if bare:
                return start + len(data) - len(bare)
            start += len(data)
        return None

    def _next_archive(self, block: bytes) -> bool:
        """Go to the archive that follows an end mark, if there is one: readers may be told to go on."""
        self._ended = True
        if any(block) or not block:
            return False
        rest = self._behind(self._place + len(block))
        if rest is None:
            return False
        self._place = rest // BLOCK * BLOCK
        return header(read_at(self._blob.stream, self._place, BLOCK)) is not None


def _plain(name: str) -> str:
    """Return a name without what does not matter in it."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))
