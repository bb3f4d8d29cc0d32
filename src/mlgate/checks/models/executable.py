"""Native executables, known by their structure: four magic bytes in weights are noise."""

import struct
from typing import BinaryIO

from mlgate.checks.models.stream import read_at

MAGICS = (
    b"\x7fELF",
    b"MZ",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\xca\xfe\xba\xbf",
)

# ELF machines that are GPU kernels: part of many honest engines.
_KERNELS = frozenset({190, 224})
_PE_MACHINES = frozenset({0x014C, 0x8664, 0xAA64, 0x01C0, 0x01C4, 0x0200, 0x5032, 0x5064, 0x6264, 0x0EBC})
_MACH_CPUS = frozenset({7, 12, 18, 0x01000007, 0x0100000C, 0x01000012, 0x0200000C})


def executable(stream: BinaryIO, offset: int, size: int) -> str | None:
    """Name the executable format at ``offset``, or return None.

    Args:
        stream: The bytes.
        offset: Where the executable would start.
        size: Bytes from there to the end.

    Returns:
        ``ELF``, ``PE`` or ``Mach-O``, where headers, sizes and tables fit together.
    """
    head = read_at(stream, offset, min(size, 64))
    if len(head) < 52:
        return None
    if head.startswith(b"\x7fELF"):
        return "ELF" if _elf(head, size) else None
    if head.startswith(b"MZ"):
        return "PE" if _pe(stream, offset, size, head) else None
    if head[:4] in MAGICS[2:4]:
        return "Mach-O" if _mach(head, size) else None
    if head[:4] in MAGICS[4:]:
        return "Mach-O" if _fat(stream, offset, size, head) else None
    return None


def _elf(head: bytes, size: int) -> bool:
    wide, order, version = head[4], head[5], head[6]
    if wide not in (1, 2) or order not in (1, 2) or version != 1 or (wide == 2 and len(head) < 64):
        return False
    mark = "<" if order == 1 else ">"
    kind, machine, again = struct.unpack_from(mark + "HHI", head, 16)
    if wide == 2:
        table, sections = struct.unpack_from(mark + "QQ", head, 32)
        own, entry, count = struct.unpack_from(mark + "HHH", head, 52)
    else:
        table, sections = struct.unpack_from(mark + "II", head, 28)
        own, entry, count = struct.unpack_from(mark + "HHH", head, 40)
    if kind not in (1, 2, 3) or not machine or machine in _KERNELS or again != 1:
        return False
    if own != (64 if wide == 2 else 52) or (count and entry != (56 if wide == 2 else 32)):
        return False
    return bool(table <= size and (table or sections))


def _pe(stream: BinaryIO, offset: int, size: int, head: bytes) -> bool:
    if len(head) < 64:
        return False
    place = struct.unpack_from("<I", head, 60)[0]
    if not 4 <= place <= size - 26:
        return False
    header = read_at(stream, offset + place, 26)
    if not header.startswith(b"PE\0\0"):
        return False
    machine, sections, optional, magic = struct.unpack("<4xHH12xH2xH", header)
    return machine in _PE_MACHINES and 0 < sections <= 96 and optional >= 96 and magic in (0x10B, 0x20B)


def _mach(head: bytes, size: int) -> bool:
    cpu, _, kind, count, length = struct.unpack_from("<IIIII", head, 4)
    return cpu in _MACH_CPUS and 1 <= kind <= 12 and 1 <= count <= 4096 and count * 8 <= length <= size


def _fat(stream: BinaryIO, offset: int, size: int, head: bytes) -> bool:
    # A Java class has the same magic; its version stands where the count would.
    count = struct.unpack_from(">I", head, 4)[0]
    if not 1 <= count <= 16:
        return False
    wide = head[3] == 0xBF
    cpu = struct.unpack_from(">I", head, 8)[0]
    start, length = struct.unpack_from(">QQ" if wide else ">II", head, 16)
    if cpu not in _MACH_CPUS or start + length > size:
        return False
    return read_at(stream, offset + start, 4) in MAGICS[2:4]
