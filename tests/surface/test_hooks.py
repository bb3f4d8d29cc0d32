"""The git hook, and the hooks for pre-commit, on real commits."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.surface.checkout import CLEAN, EVIL

from mlgate.checks.dependencies import manifests
from mlgate.checks.dependencies.manifest import trait
from mlgate.core.discovery import modules

ROOT = Path(__file__).parents[2]
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


def takes(hook, name):
    """Say whether pre-commit would offer a file of this name to a hook."""
    return bool(re.search(hook.get("files", ""), name) and not re.search(hook.get("exclude", "^$"), name))


def run_hook(identifier, folder):
    """Run a hook as pre-commit would on every staged file; None where no file is its own."""
    hook = HOOKS[identifier]
    staged = git(folder, "diff", "--cached", "--name-only", "-z").stdout.split("\0")
    names = [name for name in staged if name and takes(hook, name)]
    if not names:
        return None
    command = [*hook["entry"].split(), *hook.get("args", ())]
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
    re.compile(hook.get("files", ""))
    re.compile(hook.get("exclude", ""))


@pytest.mark.parametrize(
    ("content", "code"), [(CLEAN, 0), (EVIL, 1), (POINTER, 2)], ids=["clean", "evil", "pointer"]
)
def test_models_hook(repository, content, code):
    stage(repository, "weights/model.PKL", content)
    assert run_hook("mlgate-models", repository) == code


def test_the_policy_s_exclude_holds_for_the_models_hook(repository):
    stage(repository, ".mlgate.yaml", b"version: 1\nmodels: {exclude: [samples/**]}\n")
    stage(repository, "samples/model.pkl", EVIL)
    assert run_hook("mlgate-models", repository) == 0
    stage(repository, "model.pkl", EVIL)
    assert run_hook("mlgate-models", repository) == 1


def extensions():
    """Extensions of the table that says what they promise, and whether a loader may read such a file."""
    folder = ROOT / "src/mlgate/checks/models/data"
    lines = (folder / "extensions.csv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return {row["extension"]: bool(row["formats"] or row["closed"] or row["unread"]) for row in rows}


def test_models_hook_takes_every_extension_of_a_model():
    missed = [
        name for name, read in extensions().items() if read and not takes(HOOKS["mlgate-models"], f"m.{name}")
    ]
    assert missed == []


def test_models_hook_takes_every_name_that_the_page_of_formats_gives():
    page = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    names = {name.rpartition("/")[2] for name in re.findall(r"``?([\w./-]*\.\w+)``?", page)}
    assert {".caffemodel", ".distcp", "model.json", "graph.pbtxt"} <= names
    missed = [
        name
        for name in names
        if not takes(HOOKS["mlgate-models"], f"model{name}" if name[0] == "." else name)
    ]
    assert missed == []


def test_models_hook_leaves_out_only_what_no_loader_reads():
    left_out = re.findall(r"[a-z0-9]+", HOOKS["mlgate-models"]["exclude"].partition("\\.")[2])
    assert len(left_out) > 20
    known = extensions()
    for name, read in known.items():
        if read:
            assert name not in left_out


@pytest.mark.parametrize(
    "name",
    [
        "m.safetensors",
        "a/b.PT2",
        "checkpoint",
        "model.data-00000-of-00001",
        "weights.v2",
        "MLmodel",
        "config.json",
        "modeling_x.py",
        "a.ipynb",
        "tokenizer.model",
        "chat_template.jinja",
        "x.pkl.bak",
        "README",
        ".hidden",
    ],
)
def test_models_hook_takes_any_name(name):
    assert takes(HOOKS["mlgate-models"], name)


@pytest.mark.parametrize("name", ["README.md", "data.csv", "pickle/notes.rst", "a.PNG", "site/main.css"])
def test_models_hook_leaves_prose_and_pictures_alone(name):
    assert not takes(HOOKS["mlgate-models"], name)


@pytest.mark.parametrize(
    ("content", "code"), [(b"numpy==2.1.2\n", 0), (b"torch==1.13.0\n", 1), (b"numpy>=1\n", 2)]
)
def test_dependencies_hook(repository, content, code):
    stage(repository, "requirements.txt", content)
    assert run_hook("mlgate-dependencies", repository) == code


# Names that a reader claims, or that look as if one did.
MANIFESTS = """
requirements.txt svc/requirements-dev.in requirements/gpu.txt reqs/a/b.txt dev_requirements.txt dev-requirements.in
requirements.pip requirements_dev.txt x.requirements-gpu.txt Requirements.TXT constraints.txt base-constraints.txt
constraints-3.11.txt uv.lock train.py.lock pylock.toml pylock.gpu.toml a/pyproject.toml poetry.lock pdm.lock
Pipfile.lock pixi.lock conda-lock.yml conda-lock.yaml gpu.conda-lock.yml environment.yml environment-gpu.yaml
environment_dev.yml environment.gpu.yml my-environment.yml conda.yaml conda_env.yml conda-env-gpu.yaml env.yml env.yaml
model/python_env.yaml python_env.yml MLmodel setup.cfg a/setup.cfg Dockerfile Dockerfile.gpu docker/gpu.Dockerfile
Containerfile Containerfile.dev a.dockerfile notebooks/train.ipynb
main.py my-uv.lock.md package.json requirements.md docs/requirements.rst myrequirements.txt environment.json
myenvironment.yml environments.yml mlmodel.txt Dockerfile/notes.md file.txt setup.cfg.bak notes.txt pyproject.toml.orig
"""


@pytest.mark.parametrize("name", MANIFESTS.split())
def test_dependencies_hook_takes_what_a_reader_claims(name):
    readers = [each for each in modules(manifests.__name__) if not trait(each, "ENVIRONMENT")]
    # Scripts with requirements are found by content: at every commit that would be a look at all of them.
    claimed = any(each.claims(name) for each in readers if each.FORMAT != "script")
    assert takes(HOOKS["mlgate-dependencies"], name) == claimed


def test_dependencies_hook_takes_every_reader_s_own_names():
    for reader in modules(manifests.__name__):
        for pattern in trait(reader, "NAMES") or ():
            name = pattern.replace("[-_.]", "-").replace("[-_]", "-").replace("*", "x")
            assert takes(HOOKS["mlgate-dependencies"], f"a/{name}"), name


def test_dependencies_hook_takes_manifests_that_are_known_and_not_read():
    path = ROOT / "src/mlgate/checks/dependencies/data/unread_manifests.json"
    for entry in json.loads(path.read_text(encoding="utf-8")):
        for name in entry["names"]:
            assert takes(HOOKS["mlgate-dependencies"], name)


@pytest.mark.parametrize(("content", "code"), [(b"version: 1\n", 0), (b"version: 1\nfail_onn: high\n", 2)])
def test_policy_hook(repository, content, code):
    stage(repository, ".mlgate.yaml", content)
    assert run_hook("mlgate-policy", repository) == code


def test_policy_hook_is_for_the_policy():
    assert takes(HOOKS["mlgate-policy"], ".mlgate.yaml")
    assert takes(HOOKS["mlgate-policy"], ".mlgate-baseline.json")
    assert not takes(HOOKS["mlgate-policy"], "config.yaml")
