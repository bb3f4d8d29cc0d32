"""Programs that ``torch.export`` saved (.pt2), where the policy accepts code.

``torch.export.load`` evaluates texts from the file and looks callables up by name. So it
runs only after the model check has passed the file, and behind the walls.
"""

import io
import warnings

from mlgate.checks.assessment.loaders import _archive, _torch
from mlgate.checks.assessment.model import Request

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


def load(data: bytes, request: Request) -> _torch.TorchModel:
    """Load the program; its batch must be free, or as long as one batch of the assessment.

    Raises:
        Unassessable: torch refuses it.
    """
    import torch.export  # noqa: PLC0415 - only the worker pays for it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(io.BytesIO(data))
            module = program.module()
    except Exception as error:  # the wall around a hostile file
        raise _torch.failed("model-load", "torch cannot load the exported program", error) from error
    return _torch.TorchModel(module, request)
