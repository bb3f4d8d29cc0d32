"""The hooks as pre-commit and prek run them: installed from a repository, on real commits.

Each of the two makes one environment, and so needs a package index; the tests share them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.surface.checkout import CLEAN, EVIL, commit, git

ROOT = Path(__file__).parents[2]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
HOOKS = ("mlgate-models", "mlgate-dependencies", "mlgate-policy")
# The environment of a hook may have so many bytes.
MOST = 250 << 20


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """What is here, as the repository that a configuration names."""
    folder = tmp_path_factory.mktemp("source")
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "mlgate")
    git(folder, "tag", "v1")
    return folder


class Manager:
    """pre-commit or prek, with a store of its own."""

    def __init__(self, name: str, store: Path) -> None:
        self.name, self.store = name, store
        programs = Path(sys.executable).parent
        self.program = programs / name
        self.environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(store),
            "PREK_HOME": str(store),
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }

    def run(self, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def size(self) -> int:
        """Bytes of the one environment."""
        (inside,) = self.store.glob("**/pyvenv.cfg")
        return sum(path.lstat().st_size for path in inside.parent.rglob("*") if path.is_file())


@pytest.fixture(scope="session", params=["pre-commit", "prek"])
def manager(request, source, tmp_path_factory):
    manager = Manager(request.param, tmp_path_factory.mktemp(request.param))
    folder = tmp_path_factory.mktemp("first")
    configure(folder, source)
    done = manager.run(folder, str(manager.program), "install", "--install-hooks")
    assert done.returncode == 0, done.stdout + done.stderr
    return manager


def configure(folder: Path, source: Path) -> None:
    hooks = "".join(f"      - id: {name}\n" for name in HOOKS)
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {source.as_uri()}\n    rev: v1\n    hooks:\n{hooks}"
    )
    commit(folder, "configuration")


@pytest.fixture
def repository(manager, source, tmp_path):
    configure(tmp_path, source)
    assert manager.run(tmp_path, str(manager.program), "install").returncode == 0
    return tmp_path


def stage(folder, name, content):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    git(folder, "add", name)


def commits(manager, folder):
    """Commit what is staged; return whether there is a new commit, and what was printed."""
    before = git(folder, "rev-parse", "HEAD")
    done = manager.run(folder, "git", "commit", "--message", "a change")
    committed = git(folder, "rev-parse", "HEAD") != before
    assert committed == (done.returncode == 0)
    return committed, done.stdout + done.stderr


def test_real_commits(manager, repository):
    stage(repository, "model.pkl", CLEAN)
    stage(repository, "requirements.txt", b"numpy==2.1.2\n")
    stage(repository, "picture.png", PICTURE)
    stage(repository, "data.bin.txt", PICTURE)
    committed, said = commits(manager, repository)
    assert committed, said

    stage(repository, "a b/evil.pkl", EVIL)
    committed, said = commits(manager, repository)
    assert not committed
    assert "a b/evil.pkl" in said
    assert "MLG-PKL-002" in said

    # What is staged counts, and not what lies in the working tree.
    (repository / "a b/evil.pkl").write_bytes(CLEAN)
    assert not commits(manager, repository)[0]
    stage(repository, "a b/evil.pkl", CLEAN)
    (repository / "a b/evil.pkl").write_bytes(EVIL)
    committed, said = commits(manager, repository)
    assert committed, said
    assert (repository / "a b/evil.pkl").read_bytes() == EVIL
    git(repository, "checkout", "--quiet", "a b/evil.pkl")

    git(repository, "mv", "model.pkl", "renamed.pkl")
    git(repository, "rm", "--quiet", "a b/evil.pkl")
    committed, said = commits(manager, repository)
    assert committed, said


@pytest.mark.parametrize("manager", ["pre-commit"], indirect=True)
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.pt", POINTER, "lfs-pointer"),
        ("no extension", EVIL, "MLG-PKL-002"),
        ("-option.pkl", EVIL, "MLG-PKL-002"),
        ("requirements.txt", b"torch==1.13.0\n", "torch"),
        ("requirements.txt", b"numpy\n", "unpinned"),
        (".mlgate.yaml", b"version: 1\nfail_onn: high\n", "fail_onn"),
    ],
)
def test_a_commit_is_blocked(manager, repository, name, content, words):
    stage(repository, f"./{name}", content)
    committed, said = commits(manager, repository)
    assert not committed
    assert words in said


def test_a_huge_file_costs_no_memory(manager, repository):
    # Staged it would have to be compressed first, which takes a minute: the hook's own part is this.
    with (repository / "huge.bin").open("wb") as file:
        file.truncate(3 << 30)
    (environment,) = manager.store.glob("**/pyvenv.cfg")
    limited = 'ulimit -v 600000; exec "$0" -I -m mlgate scan --quiet --force-exclude huge.bin'
    done = manager.run(repository, "bash", "-c", limited, str(environment.parent / "bin/python"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_environment_is_small(manager, repository):
    assert manager.size() < MOST


def test_try_repo(source, tmp_path, tmp_path_factory):
    manager = Manager("prek", tmp_path_factory.mktemp("try-repo"))
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    stage(tmp_path, "evil.pkl", EVIL)
    done = manager.run(
        tmp_path, str(manager.program), "try-repo", str(source), "mlgate-models", "--all-files"
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "MLG-PKL-002" in done.stdout
