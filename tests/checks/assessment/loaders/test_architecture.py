"""Factories: the repository's files from memory, packages' modules before the walls."""

import sys

import pytest
from tests.checks.assessment import torch_models
from tests.checks.assessment.torch_models import SOURCE

from mlgate.checks.assessment.loaders import _architecture
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def clean():
    """These sources are harmless, and run in this process: nothing of them may stay."""
    modules, finders = dict(sys.modules), list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for name in sys.modules.keys() - modules.keys():
        if isinstance(getattr(sys.modules[name], "__loader__", None), _architecture._FromMemory):
            del sys.modules[name]


def build(architecture, sources, **arguments):
    request = Request(architecture=architecture, sources=sources, arguments=arguments)
    _architecture.prepare(request)
    return _architecture.build(request)


@pytest.mark.parametrize(
    ("architecture", "sources"),
    [
        ("cnn.py:Net", {"cnn.py": SOURCE}),
        ("lib/cnn.py:make", {"lib/cnn.py": "from nets import Net\nmake = Net", "lib/nets.py": SOURCE}),
        ("lib/cnn.py:make", {"lib/cnn.py": "from lib.nets import Net as make", "lib/nets.py": SOURCE}),
        (
            "src/a/cnn.py:make",
            {"src/a/__init__.py": "", "src/a/cnn.py": "from .b.c import Net as make", "src/a/b/c.py": SOURCE},
        ),
    ],
)
def test_a_factory_finds_its_siblings(architecture, sources):
    made = build(architecture, sources, width=5)
    wanted = torch_models.built(width=5).state_dict()
    assert {name: value.shape for name, value in made.state_dict().items()} == {
        name: value.shape for name, value in wanted.items()
    }


def test_two_builds_give_the_same_weights():
    one, two = (build("cnn.py:Net", {"cnn.py": SOURCE}).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("architecture", "sources", "said"),
    [
        (None, {}, "say under model which `architecture`"),
        ("net.py:Missing", {"net.py": SOURCE}, "net.py has no factory Missing"),
        ("net.py:Net", {"net.py": "class Net: pass"}, "makes a Net, not a torch.nn.Module"),
        ("net.py:Net", {"net.py": "\n\ndef Net(): return 1 / 0"}, "ZeroDivisionError: division by zero (net.py, line 3)"),
        ("net.py:Net", {"net.py": "def Net(:"}, "SyntaxError"),
        ("net.py:Net", {"net.py": "x = '\0'"}, "fails"),
        ("net.py:Net", {"net.py": "import nowhere_to_be_found"}, "only installed packages"),
        ("json.py:Net", {"json.py": SOURCE}, "give it another name"),
        ("torch.py:Net", {"torch.py": SOURCE}, "give it another name"),
        ("os:system", {}, "no installed package has a module os"),
        ("torch.__main__:x", {}, "no installed package has a module torch.__main__"),
        ("nowhere.at.all:Net", {}, "give its path"),
        ("torch.nowhere:Net", {}, "importing torch.nowhere fails"),
        ("torch.nn:Nowhere", {}, "torch.nn has no factory Nowhere"),
    ],
)  # fmt: skip
def test_an_architecture_that_fails_is_said(architecture, sources, said):
    with pytest.raises(Unassessable) as caught:
        build(architecture, sources)
    assert caught.value.reason == "model-load"
    assert said in caught.value.message


def test_nothing_of_the_repository_runs_before_it_is_built():
    request = Request(architecture="net.py:Net", sources={"net.py": "import sys\nsys.ran = True\n" + SOURCE})
    _architecture.prepare(request)
    assert not hasattr(sys, "ran")
    _architecture.build(request)
    assert sys.ran
    del sys.ran


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("import numpy.linalg", ["numpy.linalg"]),
        ("import antigravity, this", []),
        ("from torch.__main__ import x", []),
        ("import net, lib", []),
        ("from msgspec import json", ["msgspec", "msgspec.json"]),
    ],
)
def test_only_installed_packages_are_imported_before_the_walls(source, wanted):
    assert _architecture._installed({"net.py": source, "lib/parts.py": ""}) == wanted
