"""The arithmetic of torch's tensors: what each needs of the storage that it is a view of.

Source: ``torch/_utils.py``, and ``computeStorageNbytes`` of ``aten/src/ATen/EmptyTensor.cpp``.
An honest writer stores tensors that exist, so that every one of them fits.
"""

from typing import Any

from mlgate.checks.models.pickle.torch_legacy import storage
from mlgate.checks.models.pickle.values import Global, Made, Persistent

_VIEWS = frozenset(("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor"))
_SPARSE = frozenset(("_rebuild_sparse_tensor", "_rebuild_sparse_csr_tensor"))
MODULES = ("torch._utils", "torch.tensor", "torch._tensor")
# Bytes of an item, where the call names the type; at least one for a type that is not listed.
_ITEMS = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2, "uint64": 8,
    "uint32": 4, "uint16": 2, "complex32": 4, "complex64": 8, "complex128": 16, "bits16": 2,
}  # fmt: skip
# Types of which several items share a byte.
_PACKED = {"QUInt4x2Storage": 2, "QUInt2x4Storage": 4}
_LARGEST = 1 << 63


def problem(callee: Global, args: tuple[Any, ...] | None) -> str | None:
    """Say what is impossible about a tensor that is rebuilt, or return None.

    ``numbers that cannot be read`` stands for arguments that no pickler writes.
    """
    name = callee.name
    if not args or not name.startswith("_rebuild") or callee.module not in MODULES:
        return None
    if name == "_rebuild_from_type_v2" and len(args) > 2:
        function, inner = args[0], args[2]
        return problem(function, inner) if type(function) is Global and type(inner) is tuple else None
    if name in _VIEWS and len(args) >= 4:
        return _view(name, args)
    if name in _SPARSE and len(args) == 2 and type(args[1]) is tuple:
        return _sparse(args[1])
    return None


def _view(name: str, args: tuple[Any, ...]) -> str | None:
    target, offset = args[0], args[1]
    size, stride = _numbers(args[2]), _numbers(args[3])
    if size is None or stride is None or type(offset) is not int:
        return "numbers that cannot be read"
    if len(size) != len(stride):
        return "as many strides as sizes are missing"
    if min((offset, *size, *stride)) < 0:
        return "a negative size, stride or offset"
    if type(target) is not Persistent or (named := storage(target.pid)) is None:
        # What else is a storage says nothing of its size here.
        return None
    pid = target.pid
    needed = (
        0
        if 0 in size
        else offset + sum(step * (side - 1) for side, step in zip(size, stride, strict=True)) + 1
    )
    if max(needed, *size, *stride, 0) >= _LARGEST or needed * 16 >= _LARGEST:
        return "numbers that overflow"
    width = named[1] // pid[4] if pid[4] else 1
    if name == "_rebuild_tensor_v3" and len(args) > 6:
        kind = args[6]
        width = _ITEMS.get(kind.name, 1) if type(kind) is Global else 1
    available = _within(pid, named[1]) * _PACKED.get(pid[1].name, 1)
    return "a view that reaches beyond its storage" if needed * width > available else None


def _within(pid: tuple[Any, ...], size: int) -> int:
    """Bytes of a storage, or of the part of it that an old persistent id names."""
    part = pid[5] if len(pid) > 5 else None
    if type(part) is not tuple or len(part) != 3 or type(part[1]) is not int or type(part[2]) is not int:
        return size
    width = size // pid[4] if pid[4] else 1
    inside = part[1] >= 0 and part[2] >= 0 and part[1] + part[2] <= pid[4]
    return part[2] * width if inside else -1


def _sparse(data: tuple[Any, ...]) -> str | None:
    """Compare the shapes of a sparse tensor's parts, as far as they are known."""
    if len(data) not in (3, 4):
        return None
    coordinates = len(data) == 3 or type(data[3]) is bool
    whole = _numbers(data[2] if coordinates else data[3])
    if whole is None:
        return None
    if whole and min(whole) < 0:
        return "a negative size, stride or offset"
    first, second = _shape(data[0]), _shape(data[1] if coordinates else data[2])
    if not coordinates or first is None or second is None:
        return None
    fits = len(first) == 2 and bool(second) and first[1] == second[0]
    fits = fits and first[0] + len(second) - 1 == len(whole) and list(second[1:]) == whole[first[0] :]
    return None if fits else "parts of a sparse tensor that do not fit each other"


def _shape(value: Any) -> list[int] | None:
    """Size of a tensor that was rebuilt, where it is known."""
    if type(value) is not Made or type(value.maker) is not Global or not value.args:
        return None
    if value.maker.name not in _VIEWS or len(value.args) < 4:
        return None
    return _numbers(value.args[2])


def _numbers(value: Any) -> list[int] | None:
    if type(value) is Made and value.args and len(value.args) == 1:
        value = value.args[0]
    if type(value) not in (tuple, list) or not all(type(item) is int for item in value):
        return None
    return list(value)
