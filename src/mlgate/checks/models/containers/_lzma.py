"""The two forms of LZMA files, which Python's reader takes in turn within one file."""

XZ = b"\xfd7zXZ\x00"
# (pb * 5 + lp) * 9 + lc, each at its largest, and one more.
_MOST_PROPERTIES = 225
_ANY = 0xFFFFFFFF


def is_alone(head: bytes) -> bool:
    """Say whether bytes could begin a file with the old header, as liblzma's automatic decoder decides."""
    # The first byte of the data itself is zero: the range coder starts so.
    if len(head) < 14 or head[0] >= _MOST_PROPERTIES or head[13]:
        return False
    dictionary = int.from_bytes(head[1:5], "little")
    length = int.from_bytes(head[5:13], "little")
    # A power of two, or the sum of two that follow each other.
    lowest = dictionary & -dictionary
    rounded = dictionary == _ANY or (dictionary >= 4096 and dictionary in (lowest, 3 * lowest))
    return rounded and (length == 2**64 - 1 or length < 2**38)


def is_stream(head: bytes) -> bool:
    """Say whether :class:`lzma.LZMAFile` would go on with what stands behind a stream."""
    return head.startswith(XZ) or is_alone(head)
