"""PyTorch's four formats in the sandbox: scores, gradients, and what does not fit."""

import numpy as np
import pytest
from tests.checks.assessment import torch_models
from tests.checks.assessment.torch_models import SHAPE, SOURCE, X

from mlgate.checks.assessment.loaders import (
    onnx,
    safetensors,
    torch_export,
    torch_module,
    torch_state_dict,
    torchscript,
)
from mlgate.checks.assessment.model import Request, Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox.worker import Worker

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

LOADERS = (safetensors, torch_state_dict, torchscript, torch_export, torch_module)
REQUEST = Request(
    architecture="nets/cnn.py:Net",
    sources={"nets/cnn.py": SOURCE, "nets/nets_of_the_repos.py": SOURCE},
    shape=SHAPE,
)


def start(loader, request=REQUEST):
    return Worker(loader, request, memory=16 << 30, seconds=60.0, cpu_seconds=120)


@pytest.fixture(scope="module")
def model():
    return torch_models.built()


@pytest.fixture(scope="module")
def files(model):
    return {
        safetensors: torch_models.safetensors(model),
        torch_state_dict: torch_models.state_dict(model),
        torchscript: torch_models.torchscript(model),
        torch_export: torch_models.exported(model),
        torch_module: saved(model).replace(b"nets_of_the_tests", b"nets_of_the_repos"),
    }


@pytest.fixture(scope="module")
def weights():
    """A worker that takes state dicts for one architecture."""
    with start(torch_state_dict) as running:
        yield running


def refused(running, data):
    with pytest.raises(Unassessable) as caught:
        running.load(data)
    assert caught.value.reason == "model-load"
    return caught.value.message


@pytest.mark.parametrize("loader", LOADERS)
def test_scores_and_gradients_through_all_walls(loader, model, files):
    scores, gradient = torch_models.expected(model)
    with start(loader) as running:
        assert [wall.name for wall in running.walls if not wall.stands] == []
        assert running.load(files[loader]) == Signature((None, *SHAPE), "float32", ("gradients",))
        np.testing.assert_allclose(running.predict(X).values, scores, rtol=1e-4, atol=1e-5)
        followed = running.predict(X[:5], follow=True).values
        pulled = running.pull(X[:5], np.ones((5, 3), np.float32))
    np.testing.assert_allclose(followed, scores[:5], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(pulled, gradient[:5], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("loader", LOADERS)
def test_each_file_has_one_loader(loader, files):
    assert [each for each in (onnx, *LOADERS) if each.claims(files[loader])] == [loader]


@pytest.mark.parametrize(
    ("loader", "code"),
    [(torchscript, True), (torch_export, True), (torch_module, True), (safetensors, False)],
)
def test_code_is_called_code(loader, code):
    assert loader.CODE is code


@pytest.mark.parametrize(
    "settings",
    [{}, {"modern": False}, {"within": "state_dict"}, {"within": "model"}, {"prefix": "module."}],
)
def test_the_ways_in_which_weights_are_saved(weights, model, settings):
    data = torch_models.state_dict(model, **settings)
    assert torch_state_dict.claims(data)
    weights.load(data)
    np.testing.assert_allclose(
        weights.predict(X).values, torch_models.expected(model)[0], rtol=1e-4, atol=1e-5
    )


def test_a_fixed_batch_is_filled_up(model):
    scores, gradient = torch_models.expected(model, X)
    with start(torch_export, Request(shape=(64,))) as running:
        assert running.load(torch_models.exported(model, X[:3], fixed=True)).shape == (3, *SHAPE)
        np.testing.assert_allclose(running.predict(X, follow=True).values, scores, rtol=1e-4, atol=1e-5)
        pulled = running.pull(X, np.ones((7, 3), np.float32))
    np.testing.assert_allclose(pulled, gradient, rtol=1e-3, atol=1e-5)


class Two(torch.nn.Module):
    def forward(self, x, y):
        return x + y


class Whole(torch.nn.Module):
    def forward(self, x):
        return x * 0.5


@pytest.mark.parametrize(
    ("module", "inputs", "said"),
    [(Two(), (X, X), "2 inputs"), (Whole(), (X.astype(np.int64),), "input is int64")],
)
def test_an_exported_program_has_one_input_of_floats(module, inputs, said):
    given = tuple(torch.tensor(each) for each in inputs)
    program = torch.export.export(module, given)
    data = torch_models.written(lambda stream: torch.export.save(program, stream))
    with start(torch_export) as running, pytest.raises(Unassessable, match=said):
        running.load(data)


def test_half_precision_is_computed_in_single(weights, model):
    weights.load(torch_models.state_dict(torch_models.built().half()))
    np.testing.assert_allclose(weights.predict(X).values, torch_models.expected(model)[0], atol=1e-2)


def saved(value):
    return torch_models.written(lambda stream: torch.save(value, stream))


def changed(model, **changes):
    state = dict(model.state_dict())
    for name, value in changes.items():
        if value is None:
            del state[name.replace("__", ".")]
        else:
            state[name.replace("__", ".")] = value
    return saved(state)


def test_weights_that_are_missing_are_named(weights, model):
    said = refused(weights, changed(model, last__bias=None))
    assert "the file lacks last.bias" in said


def test_weights_without_a_place_are_named(weights, model):
    said = refused(weights, changed(model, extra__weight=torch.ones(2)))
    assert "it holds besides extra.weight" in said


def test_weights_of_another_shape_are_named(weights, model):
    said = refused(weights, changed(model, last__bias=torch.ones(4)))
    assert "last.bias ([4], not [3])" in said


def test_a_whole_model_is_no_state_dict(weights, model):
    said = refused(weights, saved(model))
    assert "save the model's state_dict()" in said
    assert "nets_of_the_tests.Net" in said
    assert "weights_only" not in said


def test_a_pickled_module_of_a_class_that_is_not_here_is_said(model):
    with start(torch_module) as running:
        said = refused(running, saved(model))
        assert "No module named 'nets_of_the_tests'" in said
        assert "`architecture`" in said
        assert "a dict, not a torch.nn.Module" in refused(running, saved({"a": 1}))


@pytest.mark.parametrize("value", [torch.ones(3), {}, {"epoch": 3}, [1, 2], {"a": {"b": torch.ones(1)}}])
def test_what_is_no_state_dict_is_said(weights, value):
    assert "no state dict" in refused(weights, saved(value))


def test_a_file_that_breaks_off_is_said(weights, files):
    assert "weights alone" in refused(weights, files[torch_state_dict][:-300])


def test_torchscript_is_no_state_dict(weights, files):
    refused(weights, files[torchscript])


def test_safetensors_that_break_off_are_said(files):
    with start(safetensors) as running:
        assert "safetensors cannot read" in refused(running, files[safetensors][:-300])


@pytest.mark.parametrize("loader", [torchscript, torch_export])
def test_a_program_that_breaks_off_is_said(loader, files):
    with start(loader) as running:
        assert "torch cannot load" in refused(running, files[loader][: len(files[loader]) // 2])


def answering(expression):
    """An architecture without weights of note, which answers an expression."""
    return (
        "import collections\nimport torch\nfrom torch import nn\n"
        "Pair = collections.namedtuple('Pair', 'logits hidden')\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__(); self.w = nn.Parameter(torch.ones(1))\n"
        f"    def forward(self, x):\n        z = x.flatten(1)[:, :3] * self.w\n        return {expression}\n"
    )


# One worker for all: which answer a model gives is chosen by the first number of the first sample.
ANSWERS = {
    "(z, None)": None,
    "[z, z.argmax(1)]": None,
    "{'logits': z, 'hidden': z + 1}": None,
    "{'a': z}": None,
    "Pair(z, z + 1)": None,
    "z[:, :, None]": None,
    "z.double()": None,
    "(z, z)": "0: float32 [7, 3], 1: float32 [7, 3]",
    "{'a': z, 'b': z}": "do not say which one",
    "z.argmax(1)": "output: int64 [7]",
    "None": "output: NoneType",
    "z[:3]": "float32 [3, 3]",
    "z.reshape(7, 3, 1).expand(7, 3, 2)": "scores of shape [7, 3, 2]",
    "undefined": "NameError",
}


@pytest.fixture(scope="module")
def answers():
    chosen = ", ".join(f"lambda x, z: {expression}" for expression in ANSWERS)
    source = answering(f"[{chosen}][round(float(x[0, 0, 0, 0]))](x, z)")
    request = Request(architecture="net.py:Net", sources={"net.py": source}, shape=SHAPE)
    with start(torch_state_dict, request) as running:
        running.load(saved({"w": torch.ones(1)}))
        yield running


@pytest.mark.parametrize("expression", ANSWERS)
def test_which_output_holds_the_scores(answers, expression):
    x = X.copy()
    x[0, 0, 0, 0] = list(ANSWERS).index(expression)
    said = ANSWERS[expression]
    if said is None:
        np.testing.assert_array_equal(answers.predict(x).values, x.reshape(7, -1)[:, :3])
        return
    with pytest.raises(Unassessable) as caught:
        answers.predict(x)
    assert said in caught.value.message


def test_files_of_the_repository_import_each_other(model):
    sources = {
        "src/acme/__init__.py": "",
        "src/acme/nets/__init__.py": "from acme.nets import parts",
        "src/acme/nets/cnn.py": "from .parts import Net\nfrom ..more import one\ndef make(**how): return one(Net, how)",
        "src/acme/nets/parts.py": SOURCE,
        "src/acme/more.py": "import decimal, statistics\ndef one(kind, how): return kind(**how)",
    }
    wide = torch_models.built(width=6)
    request = Request(
        architecture="src/acme/nets/cnn.py:make", sources=sources, arguments={"width": 6}, shape=SHAPE
    )
    with start(torch_state_dict, request) as running:
        running.load(torch_models.state_dict(wide))
        found = running.predict(X).values
    np.testing.assert_allclose(found, torch_models.expected(wide)[0], rtol=1e-4, atol=1e-5)


def test_a_factory_of_an_installed_package():
    request = Request(
        architecture="torch.nn:Linear", arguments={"in_features": 8, "out_features": 3}, shape=(8,)
    )
    with start(torch_state_dict, request) as running:
        running.load(torch_models.state_dict(torch.nn.Linear(8, 3)))
        assert running.predict(np.ones((2, 8), np.float32)).values.shape == (2, 3)


def test_a_package_that_is_not_there_is_said():
    request = Request(architecture="nowhere.at.all:Net", shape=SHAPE)
    with pytest.raises(Unassessable, match="no installed package has a module nowhere.at.all"):
        start(torch_state_dict, request)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x02", b"PK\x05\x06/data.pkl"])
def test_what_is_no_file_of_torch_has_no_loader(data):
    assert not any(loader.claims(data) for loader in LOADERS)
