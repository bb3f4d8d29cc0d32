"""Models that try to get out: each wall is tried from within a model, and nothing tried does harm.

Every payload only tries to touch a marker file, to read what is not secret, or to open
something that is closed again at once.
"""

import errno
import io
import pickle
import zipfile

import numpy as np
import pytest
from tests.checks.assessment import onnx_models, torch_models

from mlgate.checks.assessment.loaders import onnx, torch_export, torch_state_dict, torchscript
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox.worker import Worker

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

X = np.zeros((2, 4), np.float32)
HEAD = """\
import ctypes, errno, mmap, os, resource, shutil, socket, subprocess, sys, threading
import torch
from torch import nn


def deny():
    raise PermissionError(errno.EPERM, "denied")


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x[:, :2] * self.w + torch.tensor([0.0, 1.0])
"""
# What fails without an exception is made to fail with one.
ATTEMPTS = {
    "touch a file": "open(MARKER, 'w')",
    "write scratch": "open('/tmp/mlgate-test-scratch', 'w')",
    "write through torch": "torch.save({}, MARKER)",
    "map a file through torch": "torch.from_file(MARKER, shared=True, size=4)",
    "read a file": "open(VICTIM).read()",
    "read the passwords' file": "open('/etc/passwd').read()",
    "read its own environment": "open('/proc/self/environ').read()",
    "read its parent's memory": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "list a folder": "os.listdir('/')",
    "copy a file": "shutil.copy(VICTIM, MARKER)",
    "remove a file": "os.unlink(VICTIM)",
    "see a secret": "os.environ.get('MLGATE_TEST_SECRET') or deny()",
    "see an argument": "[each for each in sys.argv if 'secret' in each] or deny()",
    "fork": "os.fork() or os._exit(0)",
    "execute": "os.execv('/bin/sh', ['sh', '-c', 'touch ' + MARKER])",
    "start a shell": "os.system('touch ' + MARKER) == 0 or deny()",
    "start a program": "subprocess.run(['touch', MARKER])",
    "start one by the C library": "ctypes.CDLL(None).system(('touch ' + MARKER).encode()) == 0 or deny()",
    "open a connection": "socket.socket().connect(('127.0.0.1', 9))",
    "listen": "socket.socket().bind(('127.0.0.1', 0))",
    "open a socket of the machine": "socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
    "signal its parent": "os.kill(os.getppid(), 0)",
    "raise a limit": "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
    "write code into memory": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "load a library": "ctypes.CDLL(VICTIM)",
}
TRYING = """
import torch as _torch


class Trying(Model):
    def __init__(self):
        super().__init__()
        self.said = _torch.tensor([attempted(each) for each in ATTEMPTS])

    def forward(self, x):
        return self.said.expand(len(x), -1)


def attempted(attempt):
    try:
        eval(attempt, globals())
    except OSError as error:
        return float(error.errno or errno.EACCES)  # what cannot be loaded as a library has no number
    except RuntimeError as error:
        said = ("denied", "not permitted", "cannot be opened", "does not exist")
        return float(errno.EACCES) if any(each in str(error) for each in said) else -1.0
    except ValueError as error:
        return float(errno.EINVAL) if "limit" in str(error) else -1.0
    except Exception:
        return -1.0
    return 0.0
"""


def start(loader, request, *, memory=8 << 30):
    return Worker(loader, request, memory=memory, seconds=60.0, cpu_seconds=120)


def weights():
    return torch_models.written(lambda stream: torch.save({"w": torch.ones(1)}, stream))


def asking(forward):
    """A request for an architecture whose answer is preceded by some statements."""
    body = "".join(f"        {line}\n" for line in forward.splitlines())
    source = f"{HEAD}\n\nclass Hostile(Model):\n    def forward(self, x):\n{body}        return super().forward(x)\n"
    return Request(architecture="net.py:Hostile", sources={"net.py": source}, shape=(4,))


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "victim").write_text("private")
    names = {
        "MARKER": str(folder / "marker"),
        "VICTIM": str(folder / "victim"),
        "ATTEMPTS": list(ATTEMPTS.values()),
    }
    source = "".join([HEAD, TRYING, *(f"\n{name} = {value!r}" for name, value in names.items())])
    request = Request(architecture="net.py:Trying", sources={"net.py": source}, shape=(4,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLGATE_TEST_SECRET", "secret")
        with start(torch_state_dict, request) as running:
            running.load(weights())
            (codes, _) = running.predict(X).values
    return dict(zip(ATTEMPTS, codes.astype(int).tolist(), strict=True)), folder


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_model_cannot(tried, attempt):
    assert tried[0][attempt] in (errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOENT)


def test_nothing_that_a_model_tried_left_a_trace(tried):
    assert sorted(entry.name for entry in tried[1].iterdir()) == ["victim"]


@pytest.mark.parametrize(
    ("forward", "reason", "said"),
    [
        ("os._exit(0)", "worker-died", "exited with code 0"),
        ("sys.exit(3)", "worker-died", "exited with code"),
        ("ctypes.string_at(0)", "worker-died", "signal 11"),
        ("os.abort()", "worker-died", "signal"),
        ("while True: pass", "worker-timeout", "did not answer in time"),
        ("bytearray(64 << 30)", "worker-memory", "limits.worker_bytes"),
        ("torch.empty(64 << 30)", "worker-memory", "limits.worker_bytes"),
        ("held = []\nwhile True: held.append(bytes(1 << 24))", "worker-memory", "limits.worker_bytes"),
        ("def deeper(): return deeper()\ndeeper()", "model-run", "RecursionError"),
        ("raise ValueError('\\x1b[31m\\n' + 'long ' * 1000)", "model-run", "long"),
        ("for n in range(3, 16):\n  try: os.write(n, b'\\xff' * 64)\n  except OSError: pass", "worker-reply", "header"),
        ("for n in range(16):\n  try: os.close(n)\n  except OSError: pass", "worker-died", "exited"),
    ],
)  # fmt: skip
def test_what_a_model_does_to_its_own_worker_is_said(forward, reason, said):
    with start(torch_state_dict, asking(forward), memory=2 << 30) as running:
        running.load(weights())
        with pytest.raises(Unassessable) as caught:
            running.predict(X, 4.0)
    assert caught.value.reason == reason
    assert said in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) <= 700


def test_what_a_model_prints_is_no_answer():
    noise = (
        "print('x' * 100_000)\nprint('x', file=sys.stderr)\nos.write(1, b'\\xff' * 64)\nsys.stdout.flush()"
    )
    with start(torch_state_dict, asking(noise)) as running:
        running.load(weights())
        np.testing.assert_array_equal(running.predict(X).values, [[0, 1], [0, 1]])


def test_threads_of_a_model_are_confined_too(tmp_path):
    marker = tmp_path / "marker"
    body = (
        f"thread = threading.Thread(target=lambda: open({str(marker)!r}, 'w'))\nthread.start(); thread.join()"
    )
    with start(torch_state_dict, asking(body)) as running:
        running.load(weights())
        running.predict(X)
    assert not marker.exists()


def test_workers_do_not_know_each_other():
    """A second worker answers while a first one is busy with nothing."""
    with (
        start(torch_state_dict, asking("while True: pass")) as busy,
        start(onnx, Request()) as honest,
    ):
        busy.load(weights())
        honest.load(onnx_models.linear(np.eye(4, 2)))
        with pytest.raises(Unassessable, match="did not answer"):
            busy.predict(X, 1.0)
        assert honest.predict(X).values.shape == (2, 2)


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickled_call_in_a_state_dict_is_never_made(tmp_path):
    marker = tmp_path / "marker"
    data = torch_models.written(lambda stream: torch.save({"w": torch.ones(1), "x": Touch(marker)}, stream))
    with start(torch_state_dict, asking("pass")) as running, pytest.raises(Unassessable) as caught:
        running.load(data)
    assert caught.value.reason == "model-load"
    assert not marker.exists()


class Opens(torch.nn.Module):
    """Maps a file through an operator of TorchScript."""

    def __init__(self, path):
        super().__init__()
        self.path: str = path

    def forward(self, x):
        return x + torch.from_file(self.path, True, 4)


def test_torchscript_cannot_map_a_file(tmp_path):
    marker = tmp_path / "marker"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        data = torch_models.written(
            lambda stream: torch.jit.save(torch.jit.script(Opens(str(marker))), stream)
        )
    with start(torchscript, Request(shape=(4,))) as running:
        running.load(data)
        with pytest.raises(Unassessable, match="not permitted|denied"):
            running.predict(X)
    assert not marker.exists()


def test_an_exported_program_s_pickle_cannot_touch_a_file(tmp_path):
    """torch.export.load unpickles its sample inputs, whatever they are."""
    marker = tmp_path / "marker"
    honest = torch_models.exported(torch.nn.Linear(4, 2), X)
    hostile = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(honest)) as source, zipfile.ZipFile(hostile, "w") as changed:
        for entry in source.infolist():
            inputs = entry.filename.endswith("sample_inputs/model.pt")
            changed.writestr(entry.filename, sample(marker) if inputs else source.read(entry))
    with (
        start(torch_export, Request(shape=(4,))) as running,
        pytest.raises(Unassessable, match="not permitted|denied"),
    ):
        running.load(hostile.getvalue())
    assert not marker.exists()


def sample(marker):
    return torch_models.written(lambda stream: torch.save(Touch(marker), stream, pickle_module=pickle))
