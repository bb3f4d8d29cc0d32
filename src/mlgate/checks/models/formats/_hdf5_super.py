"""HDF5's superblock: where the file starts, how wide its addresses are, and its first object."""

from msgspec import Struct

from mlgate.checks.models.formats._hdf5_source import Broken, Cursor, Source
from mlgate.checks.models.reader import Blob
from mlgate.checks.models.stream import read_at

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FIRST = 512
_WIDTHS = (2, 4, 8, 16, 32)
_CACHED_TABLE = 1


class Root(Struct, frozen=True):
    """What the superblock says.

    Attributes:
        object: Address of the root group.
        end: Of the file, as it was written: bytes from the superblock on.
        extension: Address of more settings, or None.
        driver: True where the file is a part of several.
        symbols: Tree and heap of the root group, where the superblock repeats them.
    """

    object: int
    end: int
    extension: int | None = None
    driver: bool = False
    symbols: tuple[int, int] | None = None


def place(blob: Blob) -> int | None:
    """Return where the superblock is: at 0, or behind a user block of 512, 1024, ... bytes."""
    if blob.head.startswith(SIGNATURE):
        return 0
    at = _FIRST
    while at + len(SIGNATURE) <= blob.size:
        if at + len(SIGNATURE) <= len(blob.head):
            if blob.head.startswith(SIGNATURE, at):
                return at
        elif blob.tentative:
            return None  # numbers: nobody would look for a file so far inside
        elif read_at(blob.stream, at, len(SIGNATURE)) == SIGNATURE:
            return at
        at *= 2
    return None


def root(source: Source) -> Root:
    """Read the superblock, and set the widths of addresses and lengths.

    Raises:
        Broken: It is cut off, or of a version that is not known.
    """
    head = source.cursor(0, 16)
    head.take(len(SIGNATURE))
    version = head.number(1)
    if version in (0, 1):
        head.take(4)
    elif version not in (2, 3):
        raise Broken("it has a version that is not known", source.base, "unsupported-format")
    source.wide, source.long = head.number(1), head.number(1)
    if source.wide not in _WIDTHS or source.long not in _WIDTHS:
        raise Broken("its addresses have no known width", source.base)
    return _old(source, 24 + 4 * version) if version < 2 else _new(source)


def _old(source: Source, at: int) -> Root:
    body = source.cursor(at, 6 * source.wide + 24)
    start = body.pointer()
    body.pointer()
    end, driver = body.pointer(), body.pointer()
    body.pointer()
    address, cache = body.pointer(), body.number(4)
    body.take(4)
    symbols = (body.pointer(), body.pointer()) if cache == _CACHED_TABLE else None
    return Root(address, end - start, driver=not source.undefined(driver), symbols=symbols)


def _new(source: Source) -> Root:
    body: Cursor = source.cursor(12, 4 * source.wide)
    start = body.pointer()
    extension, end, address = body.pointer(), body.pointer(), body.pointer()
    return Root(address, end - start, extension=None if source.undefined(extension) else extension)
