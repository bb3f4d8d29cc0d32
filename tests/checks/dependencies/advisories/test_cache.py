import os

import pytest

from mlgate.checks.dependencies.advisories import cache


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME")
    return tmp_path / "home"


def test_is_private_and_stands_in_the_users_cache(tmp_path, home):
    found = cache.folder(tmp_path / "repository")
    assert found == home / ".cache" / "mlgate"
    assert found.stat().st_mode & 0o777 == 0o700


def test_xdg_cache_home_moves_it(tmp_path, home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert cache.folder(tmp_path / "repository") == tmp_path / "elsewhere" / "mlgate"


def test_a_relative_place_is_ignored(tmp_path, home, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "inside/the/repository")
    assert cache.folder(tmp_path / "repository") == home / ".cache" / "mlgate"


@pytest.mark.parametrize("root", [".", "service/models"])
def test_what_is_judged_does_not_bring_its_own_cache(tmp_path, monkeypatch, root):
    (tmp_path / ".git").mkdir()
    (tmp_path / root).mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    assert cache.folder(tmp_path / root) is None


def test_a_link_out_of_the_users_cache_into_the_repository_is_not_followed(tmp_path, home):
    (home / ".cache").mkdir(parents=True)
    (tmp_path / "repository" / "mlgate").mkdir(parents=True)
    (home / ".cache" / "mlgate").symlink_to(tmp_path / "repository" / "mlgate")
    assert cache.folder(tmp_path / "repository") is None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_to_is_not_trusted(tmp_path, home, mode):
    found = cache.folder(tmp_path / "repository")
    found.chmod(mode)
    assert cache.folder(tmp_path / "repository") is None


def test_a_file_in_its_place_is_none(tmp_path, home):
    home.mkdir()
    (home / ".cache").write_text("not a folder")
    assert cache.folder(tmp_path / "repository") is None


def test_a_file_of_others_is_not_read(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("{}")
    path.chmod(0o666)
    with pytest.raises(OSError, match="own"):
        cache.private(path)
    path.chmod(0o600)
    (tmp_path / "link.json").symlink_to(path)
    with pytest.raises(OSError):
        cache.private(tmp_path / "link.json")
    os.mkfifo(tmp_path / "pipe.json", 0o600)
    with pytest.raises(OSError, match="own"):
        cache.private(tmp_path / "pipe.json")


def test_a_draft_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyError), cache.draft(tmp_path, ".zip") as draft:
        draft.write_text("half")
        raise KeyError
    cache.write(tmp_path / "state.json", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


def test_pruning_keeps_what_was_used_last_and_removes_old_drafts(tmp_path):
    for age, name in enumerate(["a.zip", "b.zip", "c.zip", ".draft-x.zip", "other.json"]):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / ".draft-new.zip").write_text("being written")
    cache.prune(tmp_path, ".zip", 2)
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "b.zip", "other.json", ".draft-new.zip"}
