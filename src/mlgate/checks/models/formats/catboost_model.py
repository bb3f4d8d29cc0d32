"""CatBoost models: a flatbuffer behind a magic and its size."""

from collections.abc import Iterator

from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "catboost"
KIND = "model"
ORDER = 10

_START = 8
_FIELDS = 40


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(b"CBM1") and blob.size > 16


def read(blob: Blob, _limits: Limits, _clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield where the sizes and offsets at the start lead out of the file."""
    size = int.from_bytes(blob.head[4:8], "little")
    if size > blob.size - _START:
        yield blob.not_checked("truncated", "the file ends within the model; fetch it again", offset=4)
        return
    problem = _root(blob, size)
    if problem is not None:
        yield blob.fact("booster.malformed", problem, offset=_START, format=FORMAT)


def _root(blob: Blob, size: int) -> str | None:
    """Say what is wrong with the root table, if anything is."""
    root = _number(blob, 0)
    if size < 8 or root + 4 > size:
        return "the root table lies outside the model"
    table = root - _signed(_number(blob, root))
    if not 0 <= table <= size - 4:
        return "the list of fields lies outside the model"
    length, whole = _short(blob, table), _short(blob, table + 2)
    if length < 4 or length % 2 or table + length > size or root + whole > size or length > 4 + 2 * _FIELDS:
        return "the list of fields has an impossible length"
    for at in range(table + 4, table + length, 2):
        field = _short(blob, at)
        if field >= max(whole, 4):
            return "a field lies outside its table"
    return None


def _number(blob: Blob, at: int) -> int:
    return int.from_bytes(read_at(blob.stream, _START + at, 4), "little")


def _short(blob: Blob, at: int) -> int:
    return int.from_bytes(read_at(blob.stream, _START + at, 2), "little")


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
