"""Weights in safetensors, in the architecture that the policy declares."""

from mlgate.checks.assessment.loaders import _architecture, _torch
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable

FORMAT = "safetensors"
REQUIRES = ("numpy", "safetensors", "torch")
EXTRA = "torch"
MAX_BYTES = 8 << 30
CODE = False
TWIN = None

_LARGEST_HEADER = 100_000_000


def claims(data: bytes) -> bool:
    """Say whether ``data`` begins like safetensors: the length of a JSON object, and its brace."""
    return data[8:9] == b"{" and 2 <= int.from_bytes(data[:8], "little") <= _LARGEST_HEADER


def prepare(request: Request) -> None:
    """Import torch, safetensors and what the architecture needs."""
    _torch.prepare()
    import safetensors.torch  # noqa: F401, PLC0415 - only the worker pays for it

    _architecture.prepare(request)


def load(data: bytes, request: Request) -> _torch.TorchModel:
    """Build the architecture and fill it.

    Raises:
        Unassessable: There is no architecture, it fails, or the weights do not fit it.
    """
    import safetensors.torch  # noqa: PLC0415 - only the worker pays for it

    module = _architecture.build(request)
    try:
        state = safetensors.torch.load(data)
    except Exception as error:  # the wall around a hostile file
        raise _torch.failed("model-load", "safetensors cannot read the weights", error) from error
    if not state:
        raise Unassessable("model-load", "the file holds no weights")
    _architecture.fill(module, state)
    return _torch.TorchModel(module.eval(), _torch.as_the_data(module, request))
