import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlgate import hook
from mlgate.hook import HookError, install

ROOT = Path(__file__).parents[1]
EVIL = b"cos\nsystem\n(S'echo harmless'\ntR."


def git(folder, *arguments, check=True, **environment):
    options = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *options, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        check=check,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def here(tmp_path):
    root = tmp_path / "a b'c"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    return root


def blocked(root, **environment):
    """Try to commit a bad model, and return what was said."""
    (root / "model.pkl").write_bytes(EVIL)
    git(root, "add", "model.pkl")
    done = git(root, "commit", "-m", "m", check=False, **environment)
    assert done.returncode != 0
    return done.stderr


def without_mlgate():
    """A PATH with git and no mlgate on it."""
    return {"PATH": "/usr/bin:/bin", "MLGATE": ""}


def test_the_hook_at_the_top_is_the_one_that_is_installed():
    assert (ROOT / "hooks/pre-commit").read_text() == hook.text_for(None)


def test_a_bad_model_is_not_committed_although_mlgate_is_not_on_the_path(here):
    place = install(here)
    assert place == here.resolve() / ".git/hooks/pre-commit"
    assert os.access(place, os.X_OK)
    assert "blocked by mlgate" in blocked(here, **without_mlgate())


def test_a_program_with_an_odd_name_is_data(tmp_path):
    text = hook.text_for(Path("/x/$(touch pwned)'\"; touch pwned\n/mlgate"))
    (tmp_path / "hook").write_text(text)
    subprocess.run(["sh", "hook"], cwd=tmp_path, check=False, capture_output=True, env=without_mlgate())
    assert not (tmp_path / "pwned").exists()


def test_installing_it_again_is_no_error(here):
    assert install(here) == install(here)
    (here / ".git/hooks/pre-commit").write_text(hook.text_for(Path("/old/mlgate")))
    install(here)
    assert "/old/mlgate" not in (here / ".git/hooks/pre-commit").read_text()


def test_another_hook_is_not_replaced_unasked(here):
    other = here / ".git/hooks/pre-commit"
    other.parent.mkdir(exist_ok=True)
    other.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(HookError, match="another hook"):
        install(here)
    assert other.read_text() == "#!/bin/sh\nexit 0\n"
    install(here, force=True)
    assert "mlgate" in other.read_text()


@pytest.mark.parametrize("target", ["x", "nowhere"])
def test_a_link_is_replaced_and_not_written_through(here, target):
    other = here / ".git/hooks/pre-commit"
    other.parent.mkdir(exist_ok=True)
    (here / "x").write_text("kept")
    other.symlink_to(here / target)
    with pytest.raises(HookError, match="another hook"):
        install(here)
    install(here, force=True)
    assert (here / "x").read_text() == "kept"
    assert not other.is_symlink()
    assert not (here / "nowhere").exists()


def test_the_folder_that_git_uses_is_respected(here):
    git(here, "config", "core.hooksPath", ".githooks")
    place = install(here)
    assert place == here.resolve() / ".githooks/pre-commit"
    assert "installed=\n" in place.read_text(), "what is committed names no place of this machine"
    assert "blocked by mlgate" in blocked(here, MLGATE=str(Path(sys.executable).with_name("mlgate")))


def test_a_folder_that_serves_other_repositories_is_left_alone(here, tmp_path):
    git(here, "config", "core.hooksPath", str(tmp_path / "everywhere"))
    with pytest.raises(HookError, match="would run in others too"):
        install(here)
    assert install(here, force=True) == tmp_path.resolve() / "everywhere/pre-commit"


def test_a_worktree_shares_its_hooks(here, tmp_path):
    git(here, "commit", "--quiet", "--allow-empty", "-m", "c")
    git(here, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    assert install(tmp_path / "tree") == here.resolve() / ".git/hooks/pre-commit"
    assert "blocked by mlgate" in blocked(tmp_path / "tree", **without_mlgate())


def test_a_folder_inside_the_checkout_will_do(here):
    (here / "sub").mkdir()
    assert install(here / "sub") == here.resolve() / ".git/hooks/pre-commit"


def test_without_a_checkout_there_is_no_hook(tmp_path):
    with pytest.raises(HookError, match="git init"):
        install(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(here):
    git(here, "config", "core.hooksPath", "file/hooks")
    (here / "file").write_text("x")
    with pytest.raises(HookError, match="Not a directory"):
        install(here)
