"""TorchScript: programs that torch's own interpreter runs, where the policy accepts that.

The program in the file computes, and can call every operator that torch has, those that
open files and sockets too. So it is code: the model check and the walls come before it.
"""

import io
import warnings

from mlgate.checks.assessment.loaders import _archive, _torch
from mlgate.checks.assessment.model import Request

FORMAT = "torchscript"
REQUIRES = ("numpy", "torch")
EXTRA = "torch"
MAX_BYTES = 8 << 30
CODE = True
TWIN = None


def claims(data: bytes) -> bool:
    """Say whether ``data`` is a torch archive that holds TorchScript."""
    return _archive.kind(data) == "script"


def prepare(_request: Request) -> None:
    """Import torch, and compile, save and load a first program."""
    _torch.prepare()
    import torch  # noqa: PLC0415 - only the worker pays for it

    torch._C._jit_set_texpr_fuser_enabled(False)  # noqa: FBT003, SLF001 - its kernels are made at run time
    torch._C._jit_override_can_fuse_on_cpu(False)  # noqa: FBT003, SLF001
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = torch.jit.trace(torch.nn.Linear(1, 1), torch.ones(1, 1))
        stream = io.BytesIO()
        torch.jit.save(first, stream)
        stream.seek(0)
        torch.jit.load(stream)(torch.ones(1, 1, requires_grad=True)).sum().backward()


def load(data: bytes, request: Request) -> _torch.TorchModel:
    """Load the program.

    Raises:
        Unassessable: torch refuses it.
    """
    import torch  # noqa: PLC0415 - only the worker pays for it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = torch.jit.load(io.BytesIO(data), map_location="cpu")
    except Exception as error:  # the wall around a hostile file
        raise _torch.failed("model-load", "torch cannot load the TorchScript", error) from error
    return _torch.TorchModel(module.eval(), _torch.as_the_data(module, request))
