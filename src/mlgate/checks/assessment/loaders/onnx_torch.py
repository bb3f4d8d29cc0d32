"""ONNX models once more, operator by operator in torch, for their gradients.

What it answers counts only where it agrees with onnxruntime on the data; where it does not
know an operator, it says which.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mlgate.checks.assessment.loaders import (
    _onnx_arithmetic,
    _onnx_layers,
    _onnx_shapes,
    _scores,
    _torch,
)
from mlgate.checks.assessment.loaders._onnx_node import Node, Operator, Unsupported
from mlgate.checks.assessment.model import Request, Signature
from mlgate.checks.assessment.problems import Unassessable

FORMAT = "onnx_torch"
REQUIRES = ("numpy", "onnx", "torch")
EXTRA = "torch"
MAX_BYTES = (2 << 30) - 1
CODE = False
TWIN = None

_OPERATORS: Mapping[str, Operator] = {
    **_onnx_arithmetic.OPERATORS,
    **_onnx_layers.OPERATORS,
    **_onnx_shapes.OPERATORS,
}
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
# Numbers of TensorProto.DataType.
_FLOATS = {1: "float32", 11: "float64"}


def claims(_data: bytes) -> bool:
    """Say no: onnxruntime loads the model itself."""
    return False


def prepare(_request: Request) -> None:
    """Import torch and onnx."""
    _torch.prepare()
    import onnx.numpy_helper  # noqa: F401, PLC0415 - only the worker pays for it


def load(data: bytes, _request: Request) -> _torch.TorchModel:
    """Convert a model.

    Raises:
        Unassessable: It holds an operator that is not known here, or does not fit.
    """
    import onnx  # noqa: PLC0415 - only the worker pays for it

    try:
        model = onnx.load_model_from_string(data)
        graph = Graph(model)
    except Unsupported as problem:
        raise Unassessable("model-load", f"{problem} has no counterpart in torch here") from problem
    except Exception as error:  # the wall around a hostile file
        raise _torch.failed("model-load", "the model cannot be converted to torch", error) from error
    return _torch.TorchModel(graph, graph.signature)


class Graph:
    """A graph's operators, from its input to its scores.

    Args:
        model: An ``onnx.ModelProto``.

    Attributes:
        signature: What it wants.

    Raises:
        Unsupported: An operator on the way is not known.
        Unassessable: It has not one input and one set of scores.
    """

    def __init__(self, model: Any) -> None:
        import torch  # noqa: PLC0415 - only the worker pays for it

        self._torch = torch
        graph = model.graph
        self._constants = {each.name: self._tensor(each) for each in graph.initializer}
        if graph.sparse_initializer or model.functions:
            raise Unsupported("a model with sparse weights or functions of its own")
        inputs = [each for each in graph.input if each.name not in self._constants]
        if len(inputs) != 1:
            raise Unassessable("model-input", f"the model has {len(inputs)} inputs")
        self._input = inputs[0].name
        kind = inputs[0].type.tensor_type
        sizes = tuple(each.dim_value if each.dim_value > 0 else None for each in kind.shape.dim)
        self.signature = Signature(sizes or (None,), _FLOATS.get(kind.elem_type, "float32"))
        self._output = _score_output(graph.output)
        versions = {each.domain: each.version for each in model.opset_import}
        self._nodes = [self._node(each, versions) for each in _needed(graph.node, self._output)]

    def __call__(self, x: Any) -> Any:
        """Return the scores of samples [n, ...], n being the batch where that is fixed."""
        values: dict[str, Any] = {**self._constants, self._input: x}
        for node in self._nodes:
            try:
                given = [values[name] if name else None for name in node.inputs]
                answer = _OPERATORS[node.name](self._torch, node, given)
            except Unsupported as problem:
                raise Unassessable("model-run", f"{problem} has no counterpart in torch here") from problem
            several = answer if isinstance(answer, (tuple, list)) else (answer,)
            values.update(zip(node.outputs, several, strict=False))
        return values[self._output]

    def _tensor(self, given: Any) -> Any:
        from onnx import numpy_helper  # noqa: PLC0415 - only the worker pays for it

        return self._torch.from_numpy(numpy_helper.to_array(given).copy())

    def _node(self, given: Any, versions: Mapping[str, int]) -> Node:
        if given.domain not in _DOMAINS or given.op_type not in _OPERATORS:
            raise Unsupported(f"operator {given.domain + '.' if given.domain else ''}{given.op_type}")
        return Node(
            given.op_type,
            {each.name: self._value(each) for each in given.attribute},
            versions.get(given.domain, versions.get("ai.onnx" if not given.domain else "", 1)),
            tuple(given.input),
            tuple(given.output),
        )

    def _value(self, given: Any) -> Any:
        import onnx  # noqa: PLC0415 - only the worker pays for it

        value = onnx.helper.get_attribute_value(given)
        if isinstance(value, onnx.TensorProto):
            return self._tensor(value)
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _needed(nodes: Sequence[Any], output: str) -> list[Any]:
    """Return the nodes that lead to an output, in the graph's order."""
    wanted, kept = {output}, []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def _score_output(outputs: Sequence[Any]) -> str:
    fitting = [
        each.name
        for each in outputs
        if each.type.WhichOneof("value") == "sequence_type" or each.type.tensor_type.elem_type in _FLOATS
    ]
    return _scores.chosen(fitting, ", ".join(each.name for each in outputs))
