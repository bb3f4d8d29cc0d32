"""What every model that runs in torch shares: the import, the scores, the gradients.

On the CPU, with one thread. oneDNN, NNPACK and XNNPACK make code at run time, which the
walls do not allow, so that torch's own kernels compute.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mlgate.checks.assessment.loaders import _scores
from mlgate.checks.assessment.model import Request, Scores, Signature
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Floats

_NO_MEMORY = ("allocate memory", "bad_alloc", "not enough memory")


def prepare() -> None:
    """Import torch, and use what it imports or reads only at its first use."""
    os.environ["TORCH_DEVICE_BACKEND_AUTOLOAD"] = "0"  # no plugins of other packages
    import torch  # noqa: PLC0415 - only the worker pays for it

    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = False
    torch.backends.nnpack.set_flags(_enabled=False)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    x = torch.ones(2, 2, 8, 8, requires_grad=True)
    layer = torch.nn.Conv2d(2, 2, 3, padding=1)
    y = torch.nn.functional.max_pool2d(torch.nn.functional.gelu(layer(x)), 2).flatten(1).double().float()
    scores = torch.softmax(torch.nn.functional.layer_norm(y, y.shape[1:]) @ torch.ones(32, 3), dim=1)
    torch.autograd.grad(scores, x, torch.ones_like(scores))
    repr(scores)
    layer.load_state_dict(layer.state_dict())


class TorchModel:
    """A module whose one input is the samples; a fixed batch is filled up.

    Args:
        module: A ``torch.nn.Module``, or what is called like one.
        signature: What it wants.
    """

    def __init__(self, module: Any, signature: Signature) -> None:
        import torch  # noqa: PLC0415 - only the worker pays for it

        self._torch, self._module = torch, module
        self._followed: tuple[Any, Any] | None = None
        self.signature = replace(signature, offers=("gradients",))

    def predict(self, x: "Floats") -> Scores:
        """Score samples; see :class:`mlgate.checks.assessment.model.Model`."""
        with self._torch.no_grad():
            return Scores(self._score(self._torch.tensor(x)).numpy())

    def follow(self, x: "Floats") -> Scores:
        """Score samples and keep what :meth:`pull` needs."""
        given = self._torch.tensor(x, requires_grad=True)
        with self._torch.enable_grad():
            scores = self._score(given)
        self._followed = given, scores
        return Scores(scores.detach().numpy())

    def pull(self, weights: "Floats") -> "Floats":
        """Return the gradient of the followed scores, weighted; zeros where none flows.

        Raises:
            Unassessable: Nothing was followed, or torch cannot.
        """
        if self._followed is None:
            raise Unassessable("model-run", "no gradient was prepared")
        given, scores = self._followed
        if not scores.requires_grad:
            zeros: Floats = self._torch.zeros_like(given).detach().numpy()
            return zeros
        try:
            (gradient,) = self._torch.autograd.grad(
                scores,
                given,
                self._torch.tensor(weights, dtype=scores.dtype),
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
        except Exception as error:  # the wall around a hostile file
            raise failed("model-run", "the model has no gradient", error) from error
        pulled: Floats = gradient.detach().numpy()
        return pulled

    def _score(self, given: Any) -> Any:
        batch = self.signature.shape[0]
        if batch is None or len(given) == batch:
            return self._once(given)
        parts = []
        for part in self._torch.split(given, batch):
            missing = batch - len(part)
            last = part[-1:].expand(missing, *part.shape[1:])
            parts.append(self._once(self._torch.cat([part, last]) if missing else part)[: len(part)])
        return self._torch.cat(parts)

    def _once(self, given: Any) -> Any:
        try:
            answer = self._module(given)
        except Unassessable:
            raise
        except Exception as error:  # the wall around a hostile file
            raise failed("model-run", "the model fails on the data", error) from error
        scores = _one(self._torch, answer, len(given))
        _scores.check(scores.shape, len(given))
        wide = self._torch.float64 if scores.dtype == self._torch.float64 else self._torch.float32
        return scores.reshape(len(given), -1).to(wide)


def failed(reason: str, what: str, error: Exception) -> Unassessable:
    """Say what failed in torch, and whether it was for memory."""
    text = str(error)
    if isinstance(error, MemoryError) or any(word in text for word in _NO_MEMORY):
        return Unassessable("worker-memory", f"{what}: it needs more memory than limits.worker_bytes allows")
    if "Traceback of TorchScript" in text:  # the reason stands at its end
        text = text.strip().splitlines()[-1].removeprefix("RuntimeError: ")
    # torch goes on to say how its list of types could be gone round.
    text = text.rpartition("WeightsUnpickler error: ")[2].strip().split("\n\n")[0]
    text = text.partition(". Please use `torch")[0]
    return Unassessable(reason, f"{what}: {type(error).__name__}: {text}")


def as_the_data(module: Any, request: Request) -> Signature:
    """Return the signature of a module that does not say what it wants: the data's shape.

    Its parameters are brought to a dtype that samples can have.
    """
    import torch  # noqa: PLC0415 - only the worker pays for it

    parameters = getattr(module, "parameters", list)
    found = {each.dtype for each in parameters() if each.is_floating_point()}
    if found - {torch.float32, torch.float64} or len(found) > 1:
        module.float()
        found = {torch.float32}
    return Signature((None, *request.shape), "float64" if found == {torch.float64} else "float32")


def _one(torch: Any, answer: Any, samples: int) -> Any:
    """Return the one output that holds the scores."""
    fields = getattr(answer, "_asdict", None)
    if isinstance(answer, (tuple, list)):
        answer = fields() if fields else {str(number): each for number, each in enumerate(answer)}
    if not isinstance(answer, Mapping):
        answer = {"output": answer}
    fitting = [
        name
        for name, each in answer.items()
        if isinstance(each, torch.Tensor) and each.is_floating_point() and each.shape[:1] == (samples,)
    ]
    listed = ", ".join(f"{name}: {_shown(torch, each)}" for name, each in answer.items())
    return answer[_scores.chosen(fitting, listed)]


def _shown(torch: Any, value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    return type(value).__name__
