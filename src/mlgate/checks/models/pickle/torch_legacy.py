"""PyTorch's format before the zip: five pickles, then the storages.

Source: ``torch/serialization.py``, ``_legacy_save`` and ``_legacy_load``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mlgate.checks.models.pickle.values import Global

MAGIC = 0x1950A86A20F9469CFC6C
STREAMS = 5

_WIDTHS = {
    "FloatStorage": 4, "DoubleStorage": 8, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8,
    "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1,
    "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "UntypedStorage": 1, "QInt8Storage": 1,
    "QUInt8Storage": 1, "QInt32Storage": 4, "QUInt4x2Storage": 1, "QUInt2x4Storage": 1,
}  # fmt: skip


def storage(pid: Any) -> tuple[str, int] | None:
    """Return key and bytes of the storage that a persistent id names, or None if it names none."""
    if type(pid) is not tuple or not 5 <= len(pid) <= 6 or pid[0] != "storage":
        return None
    _, kind, key, place, items = pid[:5]
    if type(kind) is not Global or not kind.module.startswith("torch"):
        return None
    width = _WIDTHS.get(kind.name)
    if width is None or type(key) is not str or type(place) is not str or type(items) is not int:
        return None
    return (key, width * items) if items >= 0 else None


def source(pid: Any) -> bool:
    """Say whether a persistent id is that of a module class with its source, which is only compared."""
    return type(pid) is tuple and len(pid) == 4 and pid[0] == "module" and type(pid[1]) is Global


def is_legacy(results: Sequence[Any]) -> bool:
    """Say whether the first streams' results are those of a legacy file."""
    return bool(results) and results[0] == MAGIC


def tail(storages: Mapping[str, int]) -> int:
    """Bytes after the fifth stream: each storage follows its number of items in eight bytes."""
    return sum(8 + size for size in storages.values())
