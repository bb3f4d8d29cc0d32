"""ONNX operators that work number by number, or on whole axes, in torch."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from mlgate.checks.assessment.loaders._onnx_node import Node, Operator, Unsupported

_REDUCED_BY_INPUT = 18


def _named(name: str) -> Operator:
    return lambda torch, _node, given: getattr(torch, name)(*given)


def _function(name: str) -> Operator:
    return lambda torch, _node, given: getattr(torch.nn.functional, name)(given[0])


def _over(name: str) -> Operator:
    """One that takes any number of inputs, pair by pair."""
    return lambda torch, _node, given: reduce(getattr(torch, name), given)


def _mean(_torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return sum(given) / len(given)


def _divide(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    whole = not (given[0].is_floating_point() or given[1].is_floating_point())
    return torch.div(*given, rounding_mode="trunc" if whole else None)


def _power(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return torch.pow(given[0], given[1].to(given[0].dtype))


def _modulo(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return (torch.fmod if node.get("fmod", 0) else torch.remainder)(*given)


def _clip(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    if node.opset < 11:
        low, high = node.get("min"), node.get("max")
    else:
        low, high = [*given[1:], None, None][:2]
    return given[0] if low is None and high is None else torch.clamp(given[0], low, high)


def _elu(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.nn.functional.elu(given[0], node.get("alpha", 1.0))


def _celu(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.nn.functional.celu(given[0], node.get("alpha", 1.0))


def _selu(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    alpha, gamma = node.get("alpha", 1.67326319217681884765625), node.get("gamma", 1.05070102214813232421875)
    return gamma * torch.where(given[0] > 0, given[0], alpha * torch.expm1(given[0].clamp(max=0)))


def _leaky(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.nn.functional.leaky_relu(given[0], node.get("alpha", 0.01))


def _prelu(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return torch.where(given[0] >= 0, given[0], given[0] * given[1])


def _thresholded(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.where(given[0] > node.get("alpha", 1.0), given[0], 0.0)


def _hard_sigmoid(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.clamp(given[0] * node.get("alpha", 0.2) + node.get("beta", 0.5), 0, 1)


def _hard_swish(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return given[0] * torch.clamp(given[0] / 6 + 0.5, 0, 1)


def _gelu(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    return torch.nn.functional.gelu(given[0], approximate=node.get("approximate", "none"))


def _softmax(name: str) -> Operator:
    def compute(torch: Any, node: Node, given: Sequence[Any]) -> Any:
        x, of = given[0], getattr(torch.nn.functional, name)
        if node.opset >= 13:
            return of(x, dim=node.get("axis", -1))
        axis = node.get("axis", 1) % x.dim() if x.dim() else 0
        flat = x.reshape(*x.shape[:axis], -1)  # up to version 12: over all axes from this one on
        return of(flat, dim=-1).reshape(x.shape)

    return compute


def _reduce(name: str) -> Operator:
    def compute(torch: Any, node: Node, given: Sequence[Any]) -> Any:
        x = given[0]
        since = 13 if node.name == "ReduceSum" else _REDUCED_BY_INPUT
        axes = node.ints("axes", given, 1, since)
        keep = bool(node.get("keepdims", 1))
        if not axes:
            if node.get("noop_with_empty_axes", 0):
                return x
            axes = list(range(x.dim()))
        if name == "prod":
            for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
                x = torch.prod(x, dim=axis, keepdim=keep)
            return x
        return _REDUCTIONS[name](torch, x, axes, keep)

    return compute


_REDUCTIONS: Mapping[str, Any] = {
    "mean": lambda torch, x, axes, keep: torch.mean(x, dim=axes, keepdim=keep),
    "sum": lambda torch, x, axes, keep: torch.sum(x, dim=axes, keepdim=keep),
    "max": lambda torch, x, axes, keep: torch.amax(x, dim=axes, keepdim=keep),
    "min": lambda torch, x, axes, keep: torch.amin(x, dim=axes, keepdim=keep),
    "l1": lambda torch, x, axes, keep: torch.sum(torch.abs(x), dim=axes, keepdim=keep),
    "l2": lambda torch, x, axes, keep: torch.linalg.vector_norm(x, dim=axes, keepdim=keep),
    "square": lambda torch, x, axes, keep: torch.sum(x * x, dim=axes, keepdim=keep),
    "logsum": lambda torch, x, axes, keep: torch.log(torch.sum(x, dim=axes, keepdim=keep)),
    "logsumexp": lambda torch, x, axes, keep: torch.logsumexp(x, dim=axes, keepdim=keep),
}


def _where(torch: Any, _node: Node, given: Sequence[Any]) -> Any:
    return torch.where(given[0].bool(), given[1], given[2])


def _extreme(name: str) -> Operator:
    def compute(torch: Any, node: Node, given: Sequence[Any]) -> Any:
        node.lacks("select_last_index", 0)
        found: Any = getattr(torch, name)
        return found(given[0], dim=node.get("axis", 0), keepdim=bool(node.get("keepdims", 1)))

    return compute


def _cumulative(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    node.lacks("exclusive", 0)
    node.lacks("reverse", 0)
    return torch.cumsum(given[0], dim=int(given[1]))


def _cast(torch: Any, node: Node, given: Sequence[Any]) -> Any:
    # Numbers of TensorProto.DataType.
    kinds = {
        1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64,
        9: torch.bool, 10: torch.float16, 11: torch.float64, 16: torch.bfloat16,
    }  # fmt: skip
    if node.get("to") not in kinds:
        raise Unsupported(f"operator Cast to type {node.get('to')}")
    return given[0].to(kinds[node.get("to")])


OPERATORS: Mapping[str, Operator] = {
    **{
        name: _named(name.lower())
        for name in (
            "Abs", "Acos", "Acosh", "Add", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Erf",
            "Exp", "Floor", "Greater", "IsInf", "IsNaN", "Less", "Log", "MatMul", "Mul", "Neg", "Reciprocal",
            "Relu", "Round", "Sigmoid", "Sign", "Sin", "Sinh", "Sqrt", "Sub", "Tan", "Tanh",
        )
    },
    **{name: _function(name.lower()) for name in ("Softplus", "Softsign", "Mish")},
    "Equal": _named("eq"), "GreaterOrEqual": _named("ge"), "LessOrEqual": _named("le"),
    "And": _named("logical_and"), "Or": _named("logical_or"), "Xor": _named("logical_xor"),
    "Not": _named("logical_not"),
    "Max": _over("maximum"), "Min": _over("minimum"), "Sum": _over("add"), "Mean": _mean,
    "Div": _divide, "Pow": _power, "Mod": _modulo, "Clip": _clip, "Cast": _cast, "Where": _where,
    "Elu": _elu, "Celu": _celu, "Selu": _selu, "LeakyRelu": _leaky, "PRelu": _prelu,
    "ThresholdedRelu": _thresholded, "HardSigmoid": _hard_sigmoid, "HardSwish": _hard_swish, "Gelu": _gelu,
    "Softmax": _softmax("softmax"), "LogSoftmax": _softmax("log_softmax"),
    "ReduceMean": _reduce("mean"), "ReduceSum": _reduce("sum"), "ReduceMax": _reduce("max"),
    "ReduceMin": _reduce("min"), "ReduceProd": _reduce("prod"), "ReduceL1": _reduce("l1"),
    "ReduceL2": _reduce("l2"), "ReduceSumSquare": _reduce("square"), "ReduceLogSum": _reduce("logsum"),
    "ReduceLogSumExp": _reduce("logsumexp"), "ArgMax": _extreme("argmax"), "ArgMin": _extreme("argmin"),
    "CumSum": _cumulative,
}  # fmt: skip
