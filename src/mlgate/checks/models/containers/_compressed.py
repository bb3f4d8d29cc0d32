"""One compressed stream, or several of them end to end: what all such formats share."""

from collections.abc import Callable, Iterator

from mlgate.checks.models.inflate import Inflated, Step, inflate
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import chunks, member, read_at, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

# Fewer bytes than this, and then an error: it was not this format.
_PROOF = 16
_LONGEST_MAGIC = 16
# Read at a time from where a stream starts: there may be very many short ones.
_FIRST = 4096
# Engines may not take more memory than this, whatever the stream asks for.
MEMORY = 80 << 20


def unpack(
    blob: Blob,
    step: Callable[[], Step],
    suffixes: tuple[str, ...],
    limits: Limits,
    clock: Clock,
    *,
    container: str,
    magic: Callable[[bytes], bool] | bytes = b"",
    padded: bool = False,
    start: int = 0,
    sure: bool = True,
) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content, as far as it can be had.

    Args:
        blob: The compressed file.
        step: Makes a decompressor.
        suffixes: Extensions that the content's name goes without.
        limits: Of the policy.
        clock: Of the file.
        container: The format's name.
        magic: What another stream behind the first starts with, or what knows one by its first bytes;
            empty where there is none.
        padded: Whether zeros may stand between two streams.
        start: Where the stream starts.
        sure: False for a magic that proves little: then the first bytes must decompress.

    Raises:
        Declined: The bytes are not of this format.
        LimitReached: ``inflated_bytes``.
    """
    out = Inflated()
    try:
        while True:
            out = inflate(
                chunks(blob.stream, start + out.consumed, blob.size - start - out.consumed, _FIRST),
                step(),
                limits,
                clock,
                into=out,
            )
            end = start + out.consumed
            gap = _zeros(blob, end) if padded and out.complete else 0
            following = read_at(blob.stream, end + gap, _LONGEST_MAGIC)
            another = following.startswith(magic) if isinstance(magic, bytes) else magic(following)
            if not (out.complete and magic and another):
                break
            clock.spend("members", 1, limits.members)
            out.consumed += gap
        if not out.complete and not out.bomb and not sure and out.size < _PROOF:
            raise Declined
        if out.bomb:
            yield blob.fact("archive.bomb", container, how="ratio")
            yield blob.not_checked(
                "limit", "it unpacks to far more than it takes; raise limits.ratio to read on"
            )
        elif out.error is not None and "memory" in out.error.lower():
            yield blob.not_checked(
                "limit",
                f"the {container} stream asks for more memory than a gate gives it; pack it again with less",
            )
        elif not out.complete:
            yield blob.not_checked(
                "truncated",
                f"the {container} stream is {'damaged' if out.error else 'cut off'}; what could be unpacked "
                "was looked at. Fetch the file again",
            )
        elif read_at(blob.stream, end, 4096).strip(b"\0"):
            yield blob.fact("core.unaccounted", f"bytes behind the {container} stream", offset=end)
            rest = blob.size - end
            behind = window(blob.stream, end, rest)
            yield member(blob, "bytes behind the stream", behind, rest, container=container, tentative=True)
        yield member(blob, _inner(blob.name, suffixes), out.stream, out.size, container=container)
    finally:
        out.stream.close()


def _zeros(blob: Blob, at: int) -> int:
    """Count the zeros from an offset on."""
    found = 0
    for data in chunks(blob.stream, at, blob.size - at, _FIRST):
        rest = data.lstrip(b"\0")
        found += len(data) - len(rest)
        if rest:
            break
    return found


def _inner(name: str, suffixes: tuple[str, ...]) -> str:
    for suffix in suffixes:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name.removesuffix(suffix) + (".tar" if suffix.startswith(".t") else "")
    return "content"
