"""HDF5 as its oldest library writes it: superblock 0, version 1 object headers."""

import struct
from collections.abc import Mapping

UNDEFINED = 0xFFFFFFFFFFFFFFFF


def _message(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 8)
    return struct.pack("<HHB3x", kind, len(body), 0) + body


def _header(messages: list[bytes]) -> bytes:
    body = b"".join(messages)
    return struct.pack("<BBHII4x", 1, 0, len(messages), 1, len(body)) + body


def attribute(name: str, value: bytes) -> bytes:
    """A scalar attribute of fixed-length text."""
    named = name.encode() + b"\0"
    kind = struct.pack("<B3BI", 0x13, 0, 0, 0, max(1, len(value)))
    space = struct.pack("<BBB5x", 1, 0, 0)

    def padded(data: bytes) -> bytes:
        return data + bytes(-len(data) % 8)

    head = struct.pack("<BBHHH", 1, 0, len(named), len(kind), len(space))
    return _message(0x0C, head + padded(named) + padded(kind) + padded(space) + (value or b"\0"))


def external_link(name: str, file: str, path: str) -> bytes:
    """A link message to an object of another file."""
    value = b"\0" + file.encode() + b"\0" + path.encode() + b"\0"
    body = bytes((1, 0x08, 64, len(name))) + name.encode() + struct.pack("<H", len(value)) + value
    return _message(0x06, body)


def soft_link(name: str, path: str) -> bytes:
    """A link message to a path of the same file."""
    body = bytes((1, 0x08, 1, len(name))) + name.encode() + struct.pack("<H", len(path)) + path.encode()
    return _message(0x06, body)


def hdf5(
    attributes: Mapping[str, bytes], *links: bytes, external: str | None = None, prefix: bytes = b""
) -> bytes:
    """A file whose root group has attributes, links, and one dataset that lies in ``external``."""
    base = len(prefix)
    messages = [attribute(name, value) for name, value in attributes.items()]
    # Link info and group info: a group of the new style, links kept in its header.
    messages.append(_message(0x02, struct.pack("<BBQQ", 0, 0, UNDEFINED, UNDEFINED)))
    messages.append(_message(0x0A, b"\0\0"))
    messages += links
    root = 96
    trailer = b""
    if external is not None:
        # The dataset's header follows the root's; its link needs the length of the whole first.
        size = len(_header([*messages, _hard("w", 0)]))
        dataset_at = root + size
        messages.append(_hard("w", dataset_at))
        trailer = _dataset(external, dataset_at)
    body = _header(messages) + trailer
    superblock = b"\x89HDF\r\n\x1a\n" + struct.pack("<BBBBBBBBHHI", 0, 0, 0, 0, 0, 8, 8, 0, 4, 16, 0)
    superblock += struct.pack("<QQQQ", base, UNDEFINED, base + root + len(body), UNDEFINED)
    superblock += struct.pack("<QQII16x", 0, root, 0, 0)
    return prefix + superblock + body


def _hard(name: str, address: int) -> bytes:
    return _message(0x06, bytes((1, 0, len(name))) + name.encode() + struct.pack("<Q", address))


def _dataset(external: str, at: int) -> bytes:
    space = _message(0x01, struct.pack("<BBB5xQ", 1, 1, 0, 4))
    kind = _message(0x03, struct.pack("<B3BIHHBBBBI", 0x11, 0x20, 0x1F, 0, 4, 0, 32, 23, 8, 0, 23, 127))
    fill = _message(0x05, struct.pack("<BBBB", 2, 2, 0, 0))
    layout = _message(0x08, struct.pack("<BBQQ", 3, 1, UNDEFINED, 16))
    # The heap comes after the header; both lengths are fixed.
    size = len(_header([space, kind, fill, layout, _message(0x07, bytes(8 + 8 + 24))]))
    heap_at = at + size
    files = struct.pack("<B3xHHQ", 1, 1, 1, heap_at) + struct.pack("<QQQ", 8, 0, 16)
    header = _header([space, kind, fill, layout, _message(0x07, files)])
    data = bytes(8) + external.encode() + b"\0"
    data += bytes(-len(data) % 8)
    heap = b"HEAP" + struct.pack("<B3xQQQ", 0, len(data), 1, heap_at + 32) + data
    return header + heap
