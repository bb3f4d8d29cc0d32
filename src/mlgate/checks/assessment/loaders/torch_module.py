"""Whole models that ``torch.save`` pickled, where the policy accepts code.

Unpickling one runs what the pickle says. So it is done only after the model check has found
nothing in it, and behind the walls; classes of the repository come from the files that
`architecture` names.
"""

import io

from mlgate.checks.assessment.loaders import _architecture, _archive, _torch
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable

FORMAT = "torch_module"
REQUIRES = ("numpy", "torch")
EXTRA = "torch"
MAX_BYTES = 8 << 30
CODE = True
TWIN = None


def claims(data: bytes) -> bool:
    """Say whether ``data`` is a torch archive with a pickled module."""
    return _archive.kind(data) == "module"


def prepare(request: Request) -> None:
    """Import torch and what the architecture's files need, and load a first module."""
    _torch.prepare()
    import torch  # noqa: PLC0415 - only the worker pays for it

    stream = io.BytesIO()
    torch.save(torch.nn.Linear(1, 1), stream)
    stream.seek(0)
    torch.load(stream, weights_only=False)
    _architecture.prepare(request)


def load(data: bytes, request: Request) -> _torch.TorchModel:
    """Unpickle a model.

    Raises:
        Unassessable: It cannot be unpickled, or is no ``torch.nn.Module``.
    """
    import torch  # noqa: PLC0415 - only the worker pays for it

    _architecture.offer(request)
    try:
        module = torch.load(io.BytesIO(data), map_location="cpu", weights_only=False)
    except ImportError as error:
        raise Unassessable(
            "model-load",
            f"the pickle names what is not here ({error}); say under model which `architecture` it is, as "
            "path/of/file.py:factory, or save the model's state_dict()",
        ) from error
    except Exception as error:  # the wall around a hostile file
        raise _torch.failed("model-load", "torch cannot unpickle the model", error) from error
    if not isinstance(module, torch.nn.Module):
        raise Unassessable("model-load", f"the file holds a {type(module).__name__}, not a torch.nn.Module")
    return _torch.TorchModel(module.eval(), _torch.as_the_data(module, request))
