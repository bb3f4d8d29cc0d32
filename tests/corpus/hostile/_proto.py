"""Protocol buffers and flatbuffers, field by field."""

import struct
from typing import Any


def varint(value: int) -> bytes:
    """An unsigned varint; negative numbers take ten bytes."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: bytes | str | int) -> bytes:
    """One field: text and bytes by length, numbers as varints."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(*pairs: tuple[int, bytes | str | int]) -> bytes:
    """Several fields."""
    return b"".join(field(number, value) for number, value in pairs)


class Table(dict[int, Any]):
    """A flatbuffer table: slot to value (``Table``, list of tables, text, or packed scalar bytes)."""


class _Writer:
    """Writes objects front to back; every reference is patched when its object is placed."""

    def __init__(self, identifier: bytes) -> None:
        self.out = bytearray(4) + bytearray(identifier)
        self.todo: list[tuple[int, Any]] = []

    def align(self, to: int = 4) -> None:
        self.out += bytes(-len(self.out) % to)

    def place(self, value: Any) -> int:
        self.align(8)
        if isinstance(value, Table):
            return self._table(value)
        at = len(self.out)
        if isinstance(value, str):
            # Text that stands for bytes is written as those.
            data = value.encode("latin1" if max(value, default="a") < "\u0100" else "utf-8")
            self.out += struct.pack("<I", len(data)) + data + b"\0"
        elif isinstance(value, bytes):  # a vector of bytes
            self.out += struct.pack("<I", len(value)) + value
        elif value and isinstance(value[0], int):
            self.out += struct.pack(f"<I{len(value)}i", len(value), *value)
        else:
            self.out += struct.pack("<I", len(value))
            for each in value:
                self.todo.append((len(self.out), each))
                self.out += bytes(4)
        return at

    def _table(self, table: Table) -> int:
        slots = max(table, default=-1) + 1
        layout, size = [0] * slots, 4
        for slot, value in sorted(table.items()):
            width = len(value[1]) if isinstance(value, tuple) else 4
            size += -size % width
            layout[slot] = size
            size += width
        vtable = len(self.out)
        self.out += struct.pack(f"<HH{slots}H", 4 + 2 * slots, size, *layout)
        self.align(8)
        at = len(self.out)
        self.out += struct.pack("<i", at - vtable) + bytes(size - 4)
        for slot, value in table.items():
            where = at + layout[slot]
            if isinstance(value, tuple):  # ("raw", bytes): a scalar
                self.out[where : where + len(value[1])] = value[1]
            else:
                self.todo.append((where, value))
        return at


def flatbuffer(root: Table, identifier: bytes) -> bytes:
    """A flatbuffer with a file identifier."""
    writer = _Writer(identifier)
    writer.todo.append((0, root))
    while writer.todo:
        where, value = writer.todo.pop(0)
        at = writer.place(value)
        struct.pack_into("<I", writer.out, where, at - where)
    writer.align(8)
    return bytes(writer.out)


def raw(form: str, value: int) -> tuple[str, bytes]:
    """A scalar of a table."""
    return ("raw", struct.pack("<" + form, value))
