"""Models that bring code: what must hold before any of it runs."""

import datetime as dt
import subprocess

import numpy as np
import pytest
from tests.checks.assessment import onnx_models, torch_models

from mlgate import gate
from mlgate.checks.assessment import opening
from mlgate.checks.assessment.sandbox.walls import Wall
from mlgate.checks.assessment.sandbox.worker import Worker
from mlgate.core.facts import Check
from mlgate.core.report import Verdict

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

NET = """\
from torch import nn
from nets.parts import layer


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = layer()

    def forward(self, x):
        return self.layer(x)
"""
PARTS = "from torch import nn\n\n\ndef layer():\n    return nn.Linear(4, 2)\n"
X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
ARCHITECTURE = ", architecture: 'nets/net.py:Net'"


class Repository:
    def __init__(self, folder):
        self.folder = folder
        (folder / "nets").mkdir()
        (folder / "nets" / "net.py").write_text(NET)
        (folder / "nets" / "parts.py").write_text(PARTS)
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(4, 2)
        y = self.layer(torch.tensor(X)).argmax(1).numpy()
        np.savez(folder / "d.npz", x=X, y=y)
        self.state = {f"layer.{name}": value for name, value in self.layer.state_dict().items()}
        self.entries = []

    def model(self, name, data, more=""):
        (self.folder / name).write_bytes(data)
        self.entries.append(
            f"  - name: {name}\n    model: {{path: {name}{more}}}\n"
            "    data: {path: d.npz, features: x, label: y}\n    performance: {accuracy: {min: 0.9}}\n"
        )

    def weights(self, name="m.pt", more=ARCHITECTURE, **beside):
        data = torch_models.written(lambda stream: torch.save({**self.state, **beside}, stream))
        self.model(name, data, more)

    def check(self, **more):
        text = "version: 1\nlimits: {file_seconds: 60}\nassessment:\n" + "".join(self.entries)
        (self.folder / ".mlgate.yaml").write_text(text)
        return gate.run(
            gate.Request(
                root=self.folder,
                checks=(Check.ASSESSMENT,),
                today=dt.date(2026, 6, 15),
                offline=True,
                **more,
            )
        )


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def reasons(report):
    return [gap.item.reason for gap in report.not_checked if gap.item.check is Check.ASSESSMENT]


def messages(report):
    return " ".join(gap.item.message for gap in report.not_checked)


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_weights_in_an_architecture_of_the_repository_are_assessed(repository):
    repository.weights()
    report = repository.check()
    (figure,) = report.measurements
    assert (report.verdict, figure.value) == (Verdict.PASS, 1.0)
    assert figure.detail["architecture"] == "nets/net.py:Net"
    assert list(figure.detail["architecture_sha256"]) == ["nets/net.py", "nets/parts.py"]
    assert set(figure.detail["versions"]) == {"mlgate", "numpy", "torch"}


def test_two_runs_give_the_same(repository):
    repository.weights()
    repository.entries.append(
        "    robustness: {epsilon: 0.05, min_accuracy: 0.5, queries: 20, attacks: [pgd, square]}\n"
    )
    one, two = repository.check(), repository.check()
    assert [figure.name for figure in one.measurements] == ["accuracy", "robust_accuracy"]
    assert one.measurements == two.measurements


def test_a_payload_among_weights_is_never_loaded(repository, tmp_path):
    repository.weights(more=ARCHITECTURE + ", accept_code: true", extra=Touch(tmp_path / "marker"))
    report = repository.check()
    assert report.verdict is not Verdict.PASS
    assert reasons(report) == ["model-not-cleared"]
    assert not (tmp_path / "marker").exists()


def pickled(module, _x):
    return torch_models.written(lambda stream: torch.save(module, stream))


@pytest.mark.parametrize("write", [torch_models.torchscript, torch_models.exported, pickled])
def test_code_is_loaded_where_the_policy_accepts_it(repository, write):
    data = write(repository.layer, X[:2])
    repository.model("refused.pt", data)
    repository.model("accepted.pt", data, ", accept_code: true")
    report = repository.check()
    assert reasons(report) == ["code-not-accepted"]
    assert "accept_code: true" in messages(report)
    assert [(figure.assessment, figure.value) for figure in report.measurements] == [("accepted.pt", 1.0)]


class WithoutLandlock(Worker):
    """A worker on a kernel that lacks a wall."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.walls = tuple(
            Wall(name=wall.name, stands=False, note="the system does not offer it")
            if wall.name == "landlock"
            else wall
            for wall in self.walls
        )


def test_code_is_refused_where_a_wall_is_missing(repository, monkeypatch):
    monkeypatch.setattr(opening, "Worker", WithoutLandlock)
    repository.weights("w.pt")
    repository.model("s.pt", torch_models.torchscript(repository.layer, X[:2]), ", accept_code: true")
    repository.weights("a.pt", ARCHITECTURE + ", accept_missing_walls: true")
    repository.model("plain.onnx", onnx_models.linear(repository.layer.weight.detach().numpy().T))
    report = repository.check()
    assert reasons(report) == ["missing-wall", "missing-wall"]
    assert "landlock (the system does not offer it)" in messages(report)
    assert "accept_missing_walls: true" in messages(report)
    assert [figure.assessment for figure in report.measurements] == ["a.pt", "plain.onnx"]
    assert report.measurements[0].detail["sandbox"]["landlock"] is False


def test_a_hostile_architecture_leaves_the_others_their_figures(repository, tmp_path):
    body = f"import os\nopen({str(tmp_path / 'marker')!r}, 'w')\n"
    (repository.folder / "nets" / "bad.py").write_text(body + NET)
    repository.weights("bad.pt", ", architecture: 'nets/bad.py:Net'")
    repository.weights("good.pt")
    report = repository.check()
    assert reasons(report) == ["model-load"]
    assert "nets/bad.py, line 2" in messages(report)
    assert "PermissionError" in messages(report)
    assert [(figure.assessment, figure.value) for figure in report.measurements] == [("good.pt", 1.0)]
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    ("architecture", "reason", "said"),
    [
        ("nets/missing.py:Net", "missing-file", "nets/missing.py does not exist"),
        ("nets/net.py:Nothing", "model-load", "has no factory Nothing"),
        ("nets.net:Net", "model-load", "give its path"),
    ],
)
def test_an_architecture_that_is_not_there_is_said(repository, architecture, reason, said):
    repository.weights(more=f", architecture: '{architecture}'")
    report = repository.check()
    assert (report.verdict, reasons(report)) == (Verdict.UNDECIDED, [reason])
    assert said in messages(report)


def test_data_of_another_shape_is_brought_to_the_model_s(repository):
    source = (
        "from torch import nn\ndef Net(window): return nn.Sequential(nn.Conv2d(1, 2, window), nn.Flatten())\n"
    )
    (repository.folder / "nets" / "net.py").write_text(source)
    made = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 2), torch.nn.Flatten())
    y = made(torch.tensor(X).reshape(-1, 1, 2, 2)).argmax(1).numpy()
    np.savez(repository.folder / "d.npz", x=X, y=y)
    repository.state = made.state_dict()
    repository.weights(more=ARCHITECTURE + ", shape: [1, 2, 2], arguments: {window: [2, 2]}")
    (figure,) = repository.check().measurements
    assert (figure.value, figure.detail["input_shape"]) == (1.0, [1, 2, 2])


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_change_of_source_assesses_what_it_builds_again(repository):
    repository.weights()
    repository.model("plain.onnx", onnx_models.linear(repository.layer.weight.detach().numpy().T))
    repository.check()
    git(repository.folder, "init", "-q")
    git(repository.folder, "add", "-A")
    git(repository.folder, "commit", "-qm", "first")
    (repository.folder / "nets" / "parts.py").write_text(PARTS + "# more\n")
    report = repository.check(changed_since="HEAD")
    assert [figure.assessment for figure in report.measurements] == ["m.pt"]
