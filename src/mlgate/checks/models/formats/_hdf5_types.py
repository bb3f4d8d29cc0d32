"""What HDF5's values are made of, as far as it decides what a loader could make of them."""

from msgspec import Struct

from mlgate.checks.models.formats._hdf5_source import Cursor

INTEGER, STRING, OPAQUE, COMPOUND, SEQUENCE, ARRAY = 0, 3, 5, 6, 9, 10


class Type(Struct, frozen=True):
    """A datatype.

    Attributes:
        kind: Its class.
        size: Bytes of one value in the file.
        text: True for text of variable length.
    """

    kind: int
    size: int
    text: bool = False

    @property
    def bytes(self) -> bool:
        """Whether values are bytes, or may hold some, rather than numbers."""
        return self.kind in (STRING, OPAQUE, COMPOUND, ARRAY) or (self.kind == INTEGER and self.size == 1)


def datatype(cursor: Cursor) -> Type:
    """Read the outermost part of a datatype.

    Raises:
        Broken: There is none.
    """
    first = cursor.number(1)
    bits = cursor.number(3)
    size = cursor.number(4)
    kind = first & 15
    return Type(kind, size, text=kind == SEQUENCE and bits & 15 == 1)


def count(cursor: Cursor) -> int:
    """Read a dataspace, and return how many values there are.

    Raises:
        Broken: There is none.
    """
    version, rank = cursor.number(1), cursor.number(1)
    cursor.number(1)
    null = cursor.number(1) == 2 and version == 2
    if version == 1:
        cursor.take(4)
    elif version != 2:
        raise cursor.broken("a dataspace has a version that is not known")
    total = 1
    for _ in range(rank):
        total *= cursor.length()
    return 0 if null else total
