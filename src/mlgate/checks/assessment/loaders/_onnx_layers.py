"""ONNX operators with weights, windows or norms, and those of scikit-learn's linear models, in torch."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlgate.checks.assessment.loaders._onnx_node import Node, Operator, Unsupported

_BY_AXES = {1: "1d", 2: "2d", 3: "3d"}


def _for_axes(torch: Any, name: str, axes: int) -> Any:
    if axes not in _BY_AXES:
        raise Unsupported(f"{name} over {axes} axes")
    return getattr(torch.nn.functional, name + _BY_AXES[axes])


def _pads(node: Node, size: Sequence[int], kernel: Sequence[int]) -> list[int]:
    """Return the padding of each axis, before and after, last axis first as torch wants it."""
    axes = len(kernel)
    mode = node.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "VALID"):
        given = list(node.get("pads") or [0] * 2 * axes) if mode == "NOTSET" else [0] * 2 * axes
        pairs = [(given[axis], given[axis + axes]) for axis in range(axes)]
    else:
        strides, dilations = node.get("strides") or [1] * axes, node.get("dilations") or [1] * axes
        pairs = []
        for length, window, stride, dilation in zip(size, kernel, strides, dilations, strict=True):
            wide = (-(-length // stride) - 1) * stride + (window - 1) * dilation + 1
            whole = max(wide - length, 0)
            half = whole // 2
            pairs.append((half, whole - half) if mode == "SAME_UPPER" else (whole - half, half))
    if any(length < 0 for pair in pairs for length in pair):
        raise Unsupported(f"operator {node.name} with negative pads")
    return [length for pair in reversed(pairs) for length in pair]


def _padded(torch: Any, x: Any, pads: Sequence[int], value: float) -> Any:
    return torch.nn.functional.pad(x, list(pads), value=value) if any(pads) else x


def _convolve(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, weight, *bias = given
    axes = weight.dim() - 2
    return _for_axes(torch, "conv", axes)(
        _padded(torch, x, _pads(node, x.shape[2:], weight.shape[2:]), 0.0),
        weight,
        bias[0] if bias else None,
        stride=tuple(node.get("strides") or [1] * axes),
        dilation=tuple(node.get("dilations") or [1] * axes),
        groups=node.get("group", 1),
    )


def _transposed(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, weight, *bias = given
    axes = weight.dim() - 2
    node.lacks("auto_pad", "NOTSET")
    node.lacks("output_shape", None)
    pads = list(node.get("pads") or [0] * 2 * axes)
    if pads[:axes] != pads[axes:]:
        raise Unsupported("operator ConvTranspose with pads that differ before and after")
    return _for_axes(torch, "conv_transpose", axes)(
        x,
        weight,
        bias[0] if bias else None,
        stride=tuple(node.get("strides") or [1] * axes),
        padding=tuple(pads[:axes]),
        output_padding=tuple(node.get("output_padding") or [0] * axes),
        groups=node.get("group", 1),
        dilation=tuple(node.get("dilations") or [1] * axes),
    )


def _largest(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    (x,) = given
    kernel = tuple(node.get("kernel_shape"))
    node.lacks("storage_order", 0)
    if len(node.outputs) > 1:
        raise Unsupported("operator MaxPool with indices")
    return _for_axes(torch, "max_pool", len(kernel))(
        _padded(torch, x, _pads(node, x.shape[2:], kernel), float("-inf")),
        kernel,
        stride=tuple(node.get("strides") or [1] * len(kernel)),
        dilation=tuple(node.get("dilations") or [1] * len(kernel)),
        ceil_mode=bool(node.get("ceil_mode", 0)),
    )


def _average(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    (x,) = given
    kernel = tuple(node.get("kernel_shape"))
    node.lacks("dilations", None, [1] * len(kernel))
    pool, pads = _for_axes(torch, "avg_pool", len(kernel)), _pads(node, x.shape[2:], kernel)
    settings = {
        "kernel_size": kernel,
        "stride": tuple(node.get("strides") or [1] * len(kernel)),
        "ceil_mode": bool(node.get("ceil_mode", 0)),
    }
    found = pool(_padded(torch, x, pads, 0.0), **settings)
    if not any(pads) or node.get("count_include_pad", 0):
        return found
    return found / pool(_padded(torch, torch.ones_like(x[:1, :1]), pads, 0.0), **settings)


def _global(name: str) -> Operator:
    def compute(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
        axes = list(range(2, given[0].dim()))
        return getattr(torch, name)(given[0], dim=axes, keepdim=True)

    return compute


def _batch_norm(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    node.lacks("training_mode", 0)
    x, scale, shift, mean, variance = given[:5]
    return torch.nn.functional.batch_norm(x, mean, variance, scale, shift, eps=node.get("epsilon", 1e-5))


def _layer_norm(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, scale, *shift = given
    over = x.shape[node.get("axis", -1) :]
    made = torch.nn.functional.layer_norm(x, over, eps=node.get("epsilon", 1e-5)) * scale
    return made + shift[0] if shift and shift[0] is not None else made


def _instance_norm(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, scale, shift = given
    return torch.nn.functional.instance_norm(x, weight=scale, bias=shift, eps=node.get("epsilon", 1e-5))


def _group_norm(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x, scale, shift = given
    if node.opset < 21:
        raise Unsupported("operator GroupNormalization before version 21")
    return torch.nn.functional.group_norm(x, node.get("num_groups"), scale, shift, node.get("epsilon", 1e-5))


def _gemm(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    a, b, *c = given
    made = (a.T if node.get("transA", 0) else a) @ (b.T if node.get("transB", 0) else b)
    made = made * node.get("alpha", 1.0) if node.get("alpha", 1.0) != 1 else made
    if not c or c[0] is None:
        return made
    return torch.add(made, c[0], alpha=node.get("beta", 1.0))


def _einsum(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.einsum(node.get("equation"), *given)


def _lp_norm(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    order, axis = node.get("p", 2), node.get("axis", -1)
    return given[0] / torch.linalg.vector_norm(given[0], ord=order, dim=axis, keepdim=True)


def _scaler(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x = given[0].to(torch.float32)
    return (x - torch.tensor(node.get("offset"))) * torch.tensor(node.get("scale"))


def _normalizer(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    orders = {"L1": 1, "L2": 2, "MAX": float("inf")}
    return torch.nn.functional.normalize(given[0], p=orders[node.get("norm", "MAX")], dim=1)


def _linear(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    x = given[0].to(torch.float32)
    coefficients = torch.tensor(node.get("coefficients")).reshape(-1, x.shape[1])
    scores = x @ coefficients.T + torch.tensor(node.get("intercepts") or [0.0] * len(coefficients))
    after = node.get("post_transform", "NONE")
    if after not in ("NONE", "SOFTMAX", "LOGISTIC"):
        raise Unsupported(f"operator {node.name} with post_transform {after}")
    if after == "SOFTMAX":
        scores = torch.softmax(scores, dim=1)
    elif after == "LOGISTIC":
        scores = torch.sigmoid(scores)
    if node.name == "LinearRegressor":
        return scores
    if scores.shape[1] == 1:  # the second class of two
        first = -scores if after == "NONE" else 1 - scores
        scores = torch.cat([first, scores], dim=1)
    return None, scores


OPERATORS: Mapping[str, Operator] = {
    "Conv": _convolve, "ConvTranspose": _transposed, "MaxPool": _largest, "AveragePool": _average,
    "GlobalAveragePool": _global("mean"), "GlobalMaxPool": _global("amax"),
    "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm,
    "InstanceNormalization": _instance_norm, "GroupNormalization": _group_norm, "LpNormalization": _lp_norm,
    "Gemm": _gemm, "Einsum": _einsum,
    "Scaler": _scaler, "Normalizer": _normalizer, "LinearClassifier": _linear, "LinearRegressor": _linear,
}  # fmt: skip
