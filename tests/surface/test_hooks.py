"""The git hook, and the hooks for pre-commit, on real commits."""

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
EVIL = b"cos\nsystem\n(S'echo harmless'\ntR."
CLEAN = pickle.dumps({"weights": [1.0, 2.0]})
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
MLGATE = str(Path(sys.executable).with_name("mlgate"))


def git(folder, *arguments, check=True, **environment):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, "MLGATE": MLGATE, **environment},
        check=check,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    hook = tmp_path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(ROOT / "hooks/pre-commit", hook)
    hook.chmod(0o755)
    return tmp_path


def commits(folder) -> int:
    done = git(folder, "rev-list", "--count", "--all")
    return int(done.stdout)


def stage(folder, name, content):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    git(folder, "add", name)


def test_a_clean_model_is_committed(repository):
    stage(repository, "model.pkl", CLEAN)
    done = git(repository, "commit", "-m", "a model", check=False)
    assert done.returncode == 0, done.stderr
    assert commits(repository) == 1


def test_an_evil_model_is_not(repository):
    stage(repository, "a b/model.pkl", EVIL)
    done = git(repository, "commit", "-m", "a model", check=False)
    assert done.returncode != 0
    assert commits(repository) == 0
    assert "a b/model.pkl" in done.stderr
    assert "blocked by mlgate" in done.stderr


@pytest.mark.parametrize(
    ("staged", "later", "committed"),
    [(EVIL, CLEAN, 0), (CLEAN, EVIL, 1)],
    ids=["evil staged", "clean staged"],
)
def test_the_staged_blob_counts_and_not_the_working_tree(repository, staged, later, committed):
    stage(repository, "model.pkl", staged)
    (repository / "model.pkl").write_bytes(later)
    git(repository, "commit", "-m", "a model", check=False)
    assert commits(repository) == committed


def test_a_pointer_cannot_be_checked(repository):
    stage(repository, "model.pkl", POINTER)
    done = git(repository, "commit", "-m", "a pointer", check=False)
    assert commits(repository) == 0
    assert "could not check" in done.stderr


def test_a_commit_without_models_passes(repository):
    stage(repository, "README.md", b"# Nothing to see\n")
    git(repository, "commit", "-m", "prose")
    git(repository, "rm", "--quiet", "README.md")
    stage(repository, "NOTES.md", b"# Nothing to see\n")
    git(repository, "commit", "-m", "a rename")
    assert commits(repository) == 2


def test_a_vulnerable_pin_is_blocked(repository):
    stage(repository, "requirements.txt", b"torch==1.13.0\n")
    done = git(repository, "commit", "-m", "a pin", check=False)
    assert commits(repository) == 0
    assert "torch" in done.stderr


def test_without_mlgate_nothing_is_committed(repository):
    stage(repository, "model.pkl", CLEAN)
    done = git(repository, "commit", "-m", "a model", check=False, MLGATE="/nowhere/mlgate")
    assert commits(repository) == 0
    assert "not installed" in done.stderr


HOOKS = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}


def run_hook(identifier, folder):
    """Run a hook as pre-commit would on every staged file; None where no file is its own."""
    hook = HOOKS[identifier]
    staged = git(folder, "diff", "--cached", "--name-only", "-z").stdout.split("\0")
    names = [name for name in staged if name and re.search(hook["files"], name)]
    if not names:
        return None
    command = hook["entry"].split()
    assert command[0] == "mlgate"
    files = names if hook.get("pass_filenames", True) else []
    done = subprocess.run(
        [MLGATE, *command[1:], *files], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_hooks_are_python_and_serial(hook):
    assert hook["language"] == "python"
    assert hook["require_serial"] is True
    re.compile(hook["files"])


@pytest.mark.parametrize(
    ("content", "code"), [(CLEAN, 0), (EVIL, 1), (POINTER, 2)], ids=["clean", "evil", "pointer"]
)
def test_models_hook(repository, content, code):
    stage(repository, "weights/model.PKL", content)
    assert run_hook("mlgate-models", repository) == code


@pytest.mark.parametrize(
    "name", ["m.safetensors", "a/b.pt2", "x.tar", "pytorch_model.bin", "M.ONNX", "d.npz", "w.gguf"]
)
def test_models_hook_takes_the_usual_names(name):
    assert re.search(HOOKS["mlgate-models"]["files"], name)


@pytest.mark.parametrize("name", ["train.py", "README.md", "data.csv", "pickle/notes.txt", "pt"])
def test_models_hook_leaves_others_alone(name):
    assert not re.search(HOOKS["mlgate-models"]["files"], name)


@pytest.mark.parametrize(
    ("content", "code"), [(b"numpy==2.1.2\n", 0), (b"torch==1.13.0\n", 1), (b"numpy>=1\n", 2)]
)
def test_dependencies_hook(repository, content, code):
    stage(repository, "requirements.txt", content)
    assert run_hook("mlgate-dependencies", repository) == code


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "svc/requirements-dev.in",
        "requirements/gpu.txt",
        "dev_requirements.txt",
        "constraints.txt",
        "uv.lock",
        "pylock.gpu.toml",
        "a/pyproject.toml",
        "Pipfile.lock",
        "environment.yml",
        "model/python_env.yaml",
    ],
)
def test_dependencies_hook_takes_the_usual_names(name):
    assert re.search(HOOKS["mlgate-dependencies"]["files"], name)


@pytest.mark.parametrize("name", ["main.py", "my-uv.lock.md", "package.json"])
def test_dependencies_hook_leaves_others_alone(name):
    assert not re.search(HOOKS["mlgate-dependencies"]["files"], name)


@pytest.mark.parametrize(("content", "code"), [(b"version: 1\n", 0), (b"version: 1\nfail_onn: high\n", 2)])
def test_policy_hook(repository, content, code):
    stage(repository, ".mlgate.yaml", content)
    assert run_hook("mlgate-policy", repository) == code


def test_policy_hook_is_for_the_policy():
    assert re.search(HOOKS["mlgate-policy"]["files"], ".mlgate.yaml")
    assert not re.search(HOOKS["mlgate-policy"]["files"], "config.yaml")
