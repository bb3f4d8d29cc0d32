"""ONNX operators that move, pick and shape values, in torch."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlgate.checks.assessment.loaders._onnx_node import Node, Operator, Unsupported

_ENDLESS = 1 << 62


def _same(_torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return given[0]


def _constant(torch: Any, node: Node, _given: Sequence[Any]) -> Any:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if node.get(name) is not None:
            return torch.as_tensor(node.get(name))
    raise Unsupported("operator Constant that is no number")


def _constant_of_shape(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    value = node.get("value", torch.zeros(1))
    return value.reshape(()).expand(given[0].tolist()).clone()


def _shape(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.tensor(list(given[0].shape)[node.get("start", 0) : node.get("end", None)], dtype=torch.int64)


def _size(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return torch.tensor(given[0].numel(), dtype=torch.int64)


def _flatten(_torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, axis = given[0], node.get("axis", 1)
    axis = axis + x.dim() if axis < 0 else axis
    first = 1
    for length in x.shape[:axis]:
        first *= length
    return x.reshape(first, -1)


def _reshape(_torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, wanted = given[0], given[1].tolist()
    if not node.get("allowzero", 0):
        wanted = [x.shape[axis] if length == 0 else length for axis, length in enumerate(wanted)]
    return x.reshape(wanted)


def _transpose(_torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return given[0].permute(*(node.get("perm") or reversed(range(given[0].dim()))))


def _squeeze(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    axes = node.ints("axes", given, 1, 13)
    return torch.squeeze(given[0]) if axes is None else torch.squeeze(given[0], dim=tuple(axes))


def _unsqueeze(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, axes = given[0], node.ints("axes", given, 1, 13) or []
    for axis in sorted(axis % (x.dim() + len(axes)) for axis in axes):
        x = torch.unsqueeze(x, axis)
    return x


def _concat(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.cat(list(given), dim=node.get("axis"))


def _split(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    axis = node.get("axis", 0)
    sizes = node.ints("split", given, 1, 13)
    if sizes is None:
        parts = len(node.outputs)
        size = -(-given[0].shape[axis] // parts)
        sizes = [size] * (parts - 1) + [given[0].shape[axis] - size * (parts - 1)]
    return torch.split(given[0], sizes, dim=axis)


def _slice(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x = given[0]
    starts, ends = node.ints("starts", given, 1, 10) or [], node.ints("ends", given, 2, 10) or []
    axes = node.ints("axes", given, 3, 10) or list(range(len(starts)))
    steps = (node.ints("steps", given, 4, 10) if node.opset >= 10 else None) or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places = range(x.shape[axis])[start : end if end > -_ENDLESS else None : step]
        if step == 1:
            x = torch.narrow(x, axis, places.start, len(places))
        else:
            x = torch.index_select(x, axis, torch.tensor(list(places), dtype=torch.int64))
    return x


def _gather(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, places = given
    axis = node.get("axis", 0) % x.dim()
    flat = places.reshape(-1).long()
    flat = torch.where(flat < 0, flat + x.shape[axis], flat)
    found = torch.index_select(x, axis, flat)
    return found.reshape(*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])


def _gather_elements(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, places = given
    axis = node.get("axis", 0)
    places = places.long()
    return torch.gather(x, axis, torch.where(places < 0, places + x.shape[axis], places))


def _columns(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return torch.index_select(given[0], -1, given[1].reshape(-1).long())


def _pad(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x = given[0]
    axes = node.ints("axes", given, 3, 18) if node.opset >= 18 else None
    pads = node.ints("pads", given, 1, 11) or []
    value = (
        node.get("value", 0.0)
        if node.opset < 11
        else (float(given[2]) if len(given) > 2 and given[2] is not None else 0.0)
    )
    named = [axis % x.dim() for axis in (axes if axes is not None else range(x.dim()))]
    around = dict(zip(named, zip(pads[: len(named)], pads[len(named) :], strict=True), strict=True))
    flat = [length for axis in reversed(range(x.dim())) for length in around.get(axis, (0, 0))]
    mode = node.get("mode", "constant")
    if mode == "constant":
        return torch.nn.functional.pad(x, flat, value=value)
    if mode not in ("reflect", "edge") or any(flat[2 * (x.dim() - 2) :]):
        raise Unsupported(f"operator Pad with mode {mode} on these axes")
    return torch.nn.functional.pad(x, flat[: 2 * (x.dim() - 2)], mode="replicate" if mode == "edge" else mode)


def _expand(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    shape = torch.broadcast_shapes(given[0].shape, tuple(given[1].tolist()))
    return given[0].expand(shape)


def _tile(_torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return given[0].repeat(given[1].tolist())


def _range(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    start, end, step = (each.item() for each in given)
    return torch.arange(start, end, step, dtype=given[0].dtype)


OPERATORS: Mapping[str, Operator] = {
    "Identity": _same, "Dropout": _same, "ZipMap": _same,
    "Constant": _constant, "ConstantOfShape": _constant_of_shape, "Shape": _shape, "Size": _size,
    "Flatten": _flatten, "Reshape": _reshape, "Transpose": _transpose, "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze, "Concat": _concat, "Split": _split, "Slice": _slice, "Gather": _gather,
    "GatherElements": _gather_elements, "ArrayFeatureExtractor": _columns, "Pad": _pad, "Expand": _expand,
    "Tile": _tile, "Range": _range,
}  # fmt: skip
