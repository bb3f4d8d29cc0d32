"""LZ4 blocks, after the format's description (lz4_Block_format.md)."""


class Corrupt(ValueError):  # noqa: N818 - one of the errors that a step may raise
    """The block is no LZ4 block, or unpacks to more than it may."""


def decode(data: bytes, history: bytes, most: int) -> bytes:
    """Return what a block unpacks to; cost and memory are linear in its input and ``most``.

    Args:
        data: The block.
        history: What stood before it, which it may copy from.
        most: Bytes that it may unpack to.

    Raises:
        Corrupt: See there.
    """
    out = bytearray(history)
    most += len(history)
    at, end = 0, len(data)
    try:
        while True:
            token = data[at]
            at += 1
            count = token >> 4
            if count == 15:
                count, at = _longer(data, at)
            if at + count > end or len(out) + count > most:
                raise Corrupt("literals run past the end")
            out += data[at : at + count]
            at += count
            if at == end:
                return bytes(out[len(history) :])
            distance = data[at] | data[at + 1] << 8
            at += 2
            count = token & 15
            if count == 15:
                count, at = _longer(data, at)
            count += 4
            start = len(out) - distance
            if start < 0 or not distance or len(out) + count > most:
                raise Corrupt("a match lies outside the block")
            if distance >= count:
                out += out[start : start + count]
            else:
                # The match overlaps what it writes: its first bytes repeat.
                out += (out[start:] * (count // distance + 1))[:count]
    except IndexError as error:
        raise Corrupt("the block ends early") from error


def _longer(data: bytes, at: int) -> tuple[int, int]:
    """Read the rest of a length that does not fit its four bits."""
    start = at
    while data[at] == 255:
        at += 1
    return 15 + 255 * (at - start) + data[at], at + 1
