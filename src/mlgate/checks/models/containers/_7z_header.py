"""The records of a 7z archive, after 7zFormat.txt of the LZMA SDK; every count is held against the size."""

import zlib
from typing import BinaryIO

from msgspec import Struct

from mlgate.checks.models.reader import LimitReached
from mlgate.checks.models.stream import read_at
from mlgate.core.limits import Limits

MAGIC = b"7z\xbc\xaf\x27\x1c"
SIGNATURE = 32

_END, _HEADER, _PROPERTIES, _ADDITIONAL, _MAIN, _FILES = 0, 1, 2, 3, 4, 5
_PACK, _UNPACK, _SUBSTREAMS, _SIZE, _CRC, _FOLDER = 6, 7, 8, 9, 10, 11
_UNPACK_SIZE, _COUNTS, _EMPTY, _EMPTY_FILE = 12, 13, 14, 15
_NAMES, _ATTRIBUTES, ENCODED = 17, 21, 23
_MOST_CODERS = 32
_UNIX = 0x8000


class Malformed(ValueError):  # noqa: N818 - an answer, not an error
    """The records are none that a reader could follow."""


class Coder(Struct, frozen=True):
    """One step of a folder's unpacking: method, its properties, and its streams."""

    method: bytes
    properties: bytes
    inputs: int
    outputs: int


class Folder(Struct):
    """Data that is unpacked as one.

    Attributes:
        coders: In the archive's order.
        pairs: Which input takes which output.
        packed: Inputs that take a packed stream.
        sizes: What each output comes to.
        crc: Of the whole, or None.
    """

    coders: list[Coder]
    pairs: dict[int, int]
    packed: list[int]
    sizes: list[int]
    crc: int | None = None

    @property
    def size(self) -> int:
        """Bytes of the output that no input takes."""
        taken = set(self.pairs.values())
        return next((size for at, size in enumerate(self.sizes) if at not in taken), 0)


class Streams(Struct):
    """Packed data and how it unpacks: (offset, size) of each stream, folders, parts of each folder."""

    packed: list[tuple[int, int]]
    folders: list[Folder]
    parts: list[list[tuple[int, int | None]]]


class File(Struct):
    """An entry: name, whether it has data, whether it is a folder, and its Unix mode or 0."""

    name: str = ""
    has_data: bool = True
    is_folder: bool = False
    mode: int = 0


class Start(Struct, frozen=True):
    """Where the header stands, and whether the checksum over that holds."""

    offset: int
    size: int
    crc: int
    sound: bool


def start(stream: BinaryIO, size: int) -> Start:
    """Read the signature header.

    Raises:
        Malformed: It is cut off, or leads out of the file.
    """
    head = read_at(stream, 0, SIGNATURE)
    if len(head) < SIGNATURE:
        raise Malformed("the signature header is cut off")
    offset, length = (int.from_bytes(head[at : at + 8], "little") for at in (12, 20))
    if offset + length + SIGNATURE > size:
        raise Malformed("the header lies behind the end of the file")
    return Start(
        offset=offset + SIGNATURE,
        size=length,
        crc=int.from_bytes(head[28:32], "little"),
        sound=zlib.crc32(head[12:32]) == int.from_bytes(head[8:12], "little"),
    )


class Records:
    """A cursor on a header.

    Args:
        data: The header, unpacked.
        size: Of the file.
        limits: Of the policy.
    """

    def __init__(self, data: bytes, size: int, limits: Limits) -> None:
        self._data = data
        self._at = 0
        self._file = size
        self._limits = limits

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        if count > len(self._data) - self._at:
            raise Malformed("the header ends early")
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def number(self) -> int:
        """Return the next number: as many leading ones as bytes follow the first."""
        first = self.byte()
        mask, value = 0x80, 0
        for index in range(8):
            if not first & mask:
                return value | (first & mask - 1) << 8 * index
            value |= self.byte() << 8 * index
            mask >>= 1
        return value

    def count(self) -> int:
        """Return a number of things, each of which takes space in the header.

        Raises:
            LimitReached: ``members``.
            Malformed: There cannot be so many.
        """
        value = self.number()
        if value > self._limits.members:
            raise LimitReached("members")
        return value

    def bits(self, count: int, *, shortcut: bool = False) -> list[bool]:
        """Return a bit for each of ``count`` things; ``shortcut`` where one byte can say "all"."""
        if shortcut and self.byte():
            return [True] * count
        data = self.take((count + 7) // 8)
        return [bool(data[at >> 3] >> (7 - (at & 7)) & 1) for at in range(count)]

    def digests(self, count: int) -> list[int | None]:
        """Return the checksums of ``count`` things, as far as there are any."""
        known = self.bits(count, shortcut=True)
        return [int.from_bytes(self.take(4), "little") if each else None for each in known]

    def expect(self, kind: int) -> None:
        """Take a record's type, which can only be ``kind``."""
        if self.byte() != kind:
            raise Malformed("the records stand in no order that readers know")

    def streams(self) -> Streams:
        """Read how data is packed, up to the end mark."""
        found = Streams(packed=[], folders=[], parts=[])
        kind = self.byte()
        if kind == _PACK:
            found.packed = self._packs()
            kind = self.byte()
        if kind == _UNPACK:
            found.folders = self._folders()
            kind = self.byte()
        found.parts = [[(folder.size, folder.crc)] for folder in found.folders]
        if kind == _SUBSTREAMS:
            found.parts = self._substreams(found.folders)
            kind = self.byte()
        if kind != _END:
            raise Malformed("the records stand in no order that readers know")
        return found

    def _packs(self) -> list[tuple[int, int]]:
        place = SIGNATURE + self.number()
        number = self.count()
        packs: list[tuple[int, int]] = []
        kind = self.byte()
        if kind == _SIZE:
            for _ in range(number):
                size = self.number()
                packs.append((place, size))
                place += size
            kind = self.byte()
        if kind == _CRC:
            self.digests(number)
            kind = self.byte()
        if kind != _END or place > self._file:
            raise Malformed("packed data lies behind the end of the file")
        return packs

    def _folders(self) -> list[Folder]:
        self.expect(_FOLDER)
        number = self.count()
        self._inside()
        folders = [self._folder() for _ in range(number)]
        self.expect(_UNPACK_SIZE)
        for folder in folders:
            folder.sizes = [self.number() for _ in range(sum(each.outputs for each in folder.coders))]
        kind = self.byte()
        if kind == _CRC:
            for folder, crc in zip(folders, self.digests(number), strict=True):
                folder.crc = crc
            kind = self.byte()
        if kind != _END:
            raise Malformed("the folders are followed by something unknown")
        return folders

    def _inside(self) -> None:
        if self.byte():
            raise Malformed("a record is kept outside of the header")

    def _folder(self) -> Folder:
        number = self.number()
        if not 0 < number <= _MOST_CODERS:
            raise Malformed("a folder has no coder, or too many")
        coders = []
        for _ in range(number):
            flags = self.byte()
            method = self.take(flags & 15)
            inputs = outputs = 1
            if flags & 0x10:
                inputs, outputs = self.number(), self.number()
                if not (0 < inputs <= _MOST_CODERS and 0 < outputs <= _MOST_CODERS):
                    raise Malformed("a coder has no stream, or too many")
            properties = self.take(self.number()) if flags & 0x20 else b""
            coders.append(Coder(method=method, properties=properties, inputs=inputs, outputs=outputs))
        inputs, outputs = sum(each.inputs for each in coders), sum(each.outputs for each in coders)
        pairs = {}
        for _ in range(outputs - 1):
            taker = self.number()
            pairs[taker] = self.number()
        fed = inputs - len(pairs)
        if fed < 1:
            raise Malformed("a folder takes no packed data")
        if fed == 1:
            packed = [each for each in range(inputs) if each not in pairs][:1]
        else:
            packed = [self.number() for _ in range(fed)]
        return Folder(coders=coders, pairs=pairs, packed=packed, sizes=[])

    def _substreams(self, folders: list[Folder]) -> list[list[tuple[int, int | None]]]:
        counts = [1] * len(folders)
        kind = self.byte()
        if kind == _COUNTS:
            counts = [self.count() for _ in folders]
            kind = self.byte()
        if sum(counts) > self._limits.members:
            raise LimitReached("members")
        sizes: list[list[int]] = []
        for folder, count in zip(folders, counts, strict=True):
            listed = [self.number() for _ in range(count - 1)] if kind == _SIZE else []
            if count and sum(listed) > folder.size:
                raise Malformed("the parts of a folder are larger than it is")
            sizes.append([*listed, folder.size - sum(listed)] if count else [])
        if kind == _SIZE:
            kind = self.byte()
        unknown = [
            (at, part)
            for at, (folder, count) in enumerate(zip(folders, counts, strict=True))
            for part in range(count)
            if count != 1 or folder.crc is None
        ]
        crcs: dict[tuple[int, int], int | None] = {
            (at, 0): folder.crc for at, folder in enumerate(folders) if counts[at] == 1
        }
        while kind != _END:
            if kind == _CRC:
                crcs.update(zip(unknown, self.digests(len(unknown)), strict=True))
            else:
                self.take(self.number())
            kind = self.byte()
        return [
            [(size, crcs.get((at, part))) for part, size in enumerate(each)] for at, each in enumerate(sizes)
        ]

    def header(self) -> tuple[Streams, list[File]]:
        """Read a whole header, behind its first byte."""
        streams, files = Streams(packed=[], folders=[], parts=[]), list[File]()
        kind = self.byte()
        if kind == _PROPERTIES:
            while self.byte():
                self.take(self.number())
            kind = self.byte()
        if kind == _ADDITIONAL:
            self.streams()
            kind = self.byte()
        if kind == _MAIN:
            streams = self.streams()
            kind = self.byte()
        if kind == _FILES:
            files = self._files()
            kind = self.byte()
        if kind != _END:
            raise Malformed("the records stand in no order that readers know")
        return streams, files

    def _files(self) -> list[File]:
        files = [File() for _ in range(self.count())]
        empty: list[File] = []
        while kind := self.byte():
            size = self.number()
            data = Records(self.take(size), self._file, self._limits)
            if kind == _EMPTY:
                for file, flag in zip(files, data.bits(len(files)), strict=True):
                    file.has_data = not flag
                empty = [file for file in files if not file.has_data]
                for file in empty:
                    file.is_folder = True
            elif kind == _EMPTY_FILE:
                for file, flag in zip(empty, data.bits(len(empty)), strict=True):
                    file.is_folder = not flag
            elif kind == _NAMES:
                data.names(files)
            elif kind == _ATTRIBUTES:
                data.attributes(files)
        return files

    def names(self, files: list[File]) -> None:
        """Give files their names, each ended by a zero."""
        self._inside()
        data = self.take(len(self._data) - self._at)
        text = data.decode("utf-16-le", "backslashreplace")
        names = text.split("\0")
        if len(names) <= len(files):
            raise Malformed("there are fewer names than files")
        for file, name in zip(files, names, strict=False):
            file.name = name

    def attributes(self, files: list[File]) -> None:
        """Give files their modes."""
        known = self.bits(len(files), shortcut=True)
        self._inside()
        for file, each in zip(files, known, strict=True):
            value = int.from_bytes(self.take(4), "little") if each else 0
            file.mode = value >> 16 if value & _UNIX else 0
