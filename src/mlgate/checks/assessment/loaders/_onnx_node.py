"""One operator of an ONNX graph, as the functions see it that compute it in torch.

The libraries that convert ONNX to torch were judged first and not taken: both import
torchvision, whose wheels from PyPI do not work with torch's builds for the CPU.
Source of all operators: https://onnx.ai/onnx/operators/
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct


class Unsupported(Exception):  # noqa: N818 - an answer, not an error
    """The graph holds what is not computed here."""


class Node(Struct, frozen=True):
    """An operator and its settings.

    Attributes:
        name: Of the operator.
        attributes: As plain values; tensors are torch's.
        opset: Version of the operator set.
        inputs: Names of its inputs; "" where one is left out.
        outputs: Names of its outputs.
    """

    name: str
    attributes: Mapping[str, Any]
    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""
        return self.attributes.get(name, default)

    def lacks(self, name: str, *usual: Any) -> None:
        """Hold an attribute to the values that are computed here.

        Raises:
            Unsupported: It is set to another.
        """
        if self.attributes.get(name, usual[0]) not in usual:
            raise Unsupported(f"operator {self.name} with {name} {self.attributes[name]}")

    def ints(self, name: str, given: Sequence[Any], place: int, since: int) -> list[int] | None:
        """Return whole numbers that are an attribute up to a version, and an input from it on."""
        if self.opset < since:
            found = self.attributes.get(name)
            return None if found is None else list(found)
        return given[place].reshape(-1).tolist() if len(given) > place and given[place] is not None else None


# From torch, the node and its inputs (None where left out) to its output, or several.
Operator: TypeAlias = Callable[[Any, Node, Sequence[Any]], Any]
