"""Programs that ``torch.export`` saved (.pt2), where the policy accepts code.

``torch.export.load`` evaluates texts from the file and looks callables up by name. So it
runs only after the model check has passed the file, and behind the walls.
"""

import io
import warnings
from typing import Any

from mlgate.checks.assessment.loaders import _archive, _torch
from mlgate.checks.assessment.model import Request, Signature
from mlgate.checks.assessment.problems import Unassessable

FORMAT = "torch_export"
REQUIRES = ("numpy", "torch")
EXTRA = "torch"
MAX_BYTES = 8 << 30
CODE = True
TWIN = None


def claims(data: bytes) -> bool:
    """Say whether ``data`` is a torch archive that holds an exported program."""
    return _archive.kind(data) == "export"


def prepare(_request: Request) -> None:
    """Import torch, and export, save and load a first program."""
    _torch.prepare()
    import torch.export  # noqa: PLC0415 - only the worker pays for it

    batch = ({0: torch.export.Dim("n")},)
    first = torch.export.export(torch.nn.Linear(1, 1), (torch.ones(2, 1),), dynamic_shapes=batch)
    stream = io.BytesIO()
    torch.export.save(first, stream)
    stream.seek(0)
    torch.export.load(stream).module()(torch.ones(3, 1, requires_grad=True)).sum().backward()


def load(data: bytes, _request: Request) -> _torch.TorchModel:
    """Load the program.

    Raises:
        Unassessable: torch refuses it, or it does not have one input of float32 or float64.
    """
    import torch.export  # noqa: PLC0415 - only the worker pays for it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(io.BytesIO(data))
            inputs = [node.meta["val"] for node in program.graph.nodes if _is_input(program, node)]
            module = program.module()
    except Exception as error:  # the wall around a hostile file
        raise _torch.failed("model-load", "torch cannot load the exported program", error) from error
    return _torch.TorchModel(module, _signature(inputs))


def _is_input(program: Any, node: Any) -> bool:
    return node.op == "placeholder" and node.name in program.graph_signature.user_inputs


def _signature(inputs: list[Any]) -> Signature:
    if len(inputs) != 1 or not hasattr(inputs[0], "shape"):
        raise Unassessable(
            "model-input", f"the model has {len(inputs)} inputs; an assessment feeds exactly one, a tensor"
        )
    dtype = str(inputs[0].dtype).removeprefix("torch.")
    shape = tuple(size if type(size) is int else None for size in inputs[0].shape)
    if dtype not in ("float32", "float64") or not shape:
        raise Unassessable(
            "model-input",
            f"the model's input is {dtype} of shape {list(shape)}; "
            "an assessment feeds float32 or float64, batch first",
        )
    return Signature(shape, dtype)
