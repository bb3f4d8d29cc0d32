"""Small PyTorch models, their files, and the source that builds them."""

import io
import sys
import warnings
from functools import cache
from types import ModuleType

import numpy as np

SHAPE = (1, 8, 8)
X = np.random.default_rng(0).random((7, *SHAPE), dtype=np.float32)
SOURCE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(1, width, 3), nn.BatchNorm2d(width)
        self.drop, self.last = nn.Dropout(0.5), nn.Linear(width * 36, 3)

    def forward(self, x):
        return self.last(self.drop(torch.relu(self.norm(self.convolution(x))).flatten(1)))
"""


@cache
def _home(source):
    home = ModuleType("nets_of_the_tests")
    sys.modules[home.__name__] = home
    exec(source, home.__dict__)  # of this file
    return home


def built(source=SOURCE, name="Net", **arguments):
    """The model that a harmless source builds, in this process."""
    import torch

    torch.manual_seed(0)
    return getattr(_home(source), name)(**arguments).eval()


def written(write):
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(stream)
    return stream.getvalue()


def safetensors(model):
    from safetensors import torch as writer

    return writer.save(model.state_dict())


def state_dict(model, *, modern=True, within=None, prefix=""):
    import torch

    state = {prefix + name: value for name, value in model.state_dict().items()}
    state = state if within is None else {within: state, "epoch": 3}
    return written(lambda stream: torch.save(state, stream, _use_new_zipfile_serialization=modern))


def torchscript(model, x=X):
    import torch

    return written(lambda stream: torch.jit.save(torch.jit.trace(model, torch.tensor(x)), stream))


def exported(model, x=X, *, fixed=False):
    import torch

    free = None if fixed else ({0: torch.export.Dim("n")},)
    program = torch.export.export(model, (torch.tensor(x),), dynamic_shapes=free)
    return written(lambda stream: torch.export.save(program, stream))


def expected(model, x=X):
    """Scores, and the gradient of their sum, by torch in this process."""
    import torch

    given = torch.tensor(x, requires_grad=True)
    scores = model(given)
    (gradient,) = torch.autograd.grad(scores.sum(), given)
    return scores.detach().numpy(), gradient.numpy()
