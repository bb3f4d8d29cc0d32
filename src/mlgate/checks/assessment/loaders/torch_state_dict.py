"""State dicts that ``torch.save`` wrote, in the architecture that the policy declares.

They are pickles. ``weights_only`` unpickles them with torch's own list of types, in the
sandbox, and only after the model check has found nothing in them.
"""

import io
from collections.abc import Mapping
from typing import Any

from mlgate.checks.assessment.loaders import _architecture, _archive, _torch
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable

FORMAT = "torch_state_dict"
REQUIRES = ("numpy", "torch")
EXTRA = "torch"
MAX_BYTES = 8 << 30
CODE = False
TWIN = None

# torch.save before 1.6: a pickle of a number that says so.
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
# Keys under which trainers keep the weights among other things.
_NESTED = ("state_dict", "model_state_dict", "model")


def claims(data: bytes) -> bool:
    """Say whether ``data`` is a torch archive without code, or a stream of the old form."""
    return data.startswith(_LEGACY) or _archive.kind(data) == "weights"


def prepare(request: Request) -> None:
    """Import torch and what the architecture needs, and load a first state dict."""
    _torch.prepare()
    import torch  # noqa: PLC0415 - only the worker pays for it

    for modern in (True, False):
        stream = io.BytesIO()
        torch.save({"x": torch.ones(1)}, stream, _use_new_zipfile_serialization=modern)
        stream.seek(0)
        torch.load(stream, weights_only=True)
    _architecture.prepare(request)


def load(data: bytes, request: Request) -> _torch.TorchModel:
    """Build the architecture and fill it.

    Raises:
        Unassessable: The file holds anything but weights, there is no architecture, it
            fails, or the weights do not fit it.
    """
    import torch  # noqa: PLC0415 - only the worker pays for it

    try:
        held = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # the wall around a hostile file
        message = "torch cannot read the file as weights alone; save the model's state_dict()"
        raise _torch.failed("model-load", message, error) from error
    module = _architecture.build(request)
    _architecture.fill(module, _weights(torch, held))
    return _torch.TorchModel(module.eval(), _torch.as_the_data(module, request))


def _weights(torch: Any, held: Any) -> Mapping[str, Any]:
    """Return the state dict, which may lie in a checkpoint."""
    if isinstance(held, Mapping) and not _are_weights(torch, held):
        nested = [held[key] for key in _NESTED if key in held and _are_weights(torch, held[key])]
        held = nested[0] if len(nested) == 1 else held
    if not _are_weights(torch, held):
        raise Unassessable(
            "model-load",
            "the file holds no state dict (tensors by name), alone or as "
            f"{', '.join(_NESTED)}; save the model's state_dict()",
        )
    weights: Mapping[str, Any] = held
    return weights


def _are_weights(torch: Any, held: Any) -> bool:
    return (
        isinstance(held, Mapping)
        and bool(held)
        and all(isinstance(name, str) and isinstance(each, torch.Tensor) for name, each in held.items())
    )
