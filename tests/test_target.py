import hashlib
import os
import shutil
import subprocess

import pytest

from mlgate import target
from mlgate.target import TargetError


def git(folder, *arguments):
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
    }  # fmt: skip
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env=environment)


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "kept.bin").write_bytes(b"one")
    (tmp_path / "gone.bin").write_bytes(b"x")
    (tmp_path / ".gitignore").write_text("ignored/\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def names(seen):
    return [file.path for file in seen.files]


def content(file):
    with file.open() as stream:
        return stream.read()


def test_a_repository_is_what_a_commit_could_hold(checkout):
    (checkout / "ignored").mkdir()
    (checkout / "ignored" / "a.bin").write_bytes(b"x")
    (checkout / "new é.bin").write_bytes(b"x")
    (checkout / "gone.bin").unlink()
    seen = target.repository(checkout)
    assert names(seen) == [".gitignore", "kept.bin", "new é.bin"]
    assert seen.whole
    assert not seen.not_checked


def test_a_folder_inside_a_checkout_is_a_repository_of_its_own(checkout):
    (checkout / "sub").mkdir()
    (checkout / "sub" / "a.bin").write_bytes(b"x")
    assert names(target.repository(checkout / "sub")) == ["a.bin"]


def test_outside_git_every_file_counts(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.bin").write_bytes(b"x")
    assert names(target.repository(tmp_path)) == ["a/b/c.bin"]


def test_what_a_sparse_checkout_leaves_out_is_not_checked(checkout):
    git(checkout, "update-index", "--skip-worktree", "gone.bin")
    (checkout / "gone.bin").unlink()
    seen = target.repository(checkout)
    assert [(gap.reason, gap.location.path) for gap in seen.not_checked] == [("sparse-checkout", "gone.bin")]


def test_a_submodule_without_content_is_not_checked(checkout):
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, check=True, capture_output=True
    ).stdout.decode()
    (checkout / "vendored").mkdir()
    git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{head.strip()},vendored")
    (whole,), (staged,) = target.repository(checkout).not_checked, target.staged(checkout).not_checked
    assert whole.reason == staged.reason == "submodule"
    assert "git submodule update --init" in whole.message
    # It may well be checked out: the index is what cannot say what is in it.
    assert "mlgate scan vendored" in staged.message


def test_changed_files_are_those_since_the_merge_base(checkout):
    git(checkout, "checkout", "-qb", "feature")
    (checkout / "added.bin").write_bytes(b"x")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "second")
    git(checkout, "checkout", "-q", "main")
    (checkout / "elsewhere.bin").write_bytes(b"x")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "third")
    git(checkout, "checkout", "-q", "feature")
    (checkout / "kept.bin").write_bytes(b"two")
    (checkout / "untracked.bin").write_bytes(b"x")
    (checkout / "gone.bin").unlink()
    seen = target.changed(checkout, "main")
    assert names(seen) == ["added.bin", "kept.bin", "untracked.bin"]
    assert seen.deleted == {"gone.bin"}
    assert seen.unchanged() == [".gitignore"]
    assert not seen.whole


def test_no_file_of_the_repository_hides_that_a_submodule_moved(checkout):
    """``ignore = all`` in .gitmodules keeps `git diff` silent, and a pull request may write it."""
    inner = checkout / "vendored"
    inner.mkdir()
    git(inner, "init", "-q", "-b", "main")
    git(inner, "commit", "-qm", "first", "--allow-empty")
    settings = '[submodule "v"]\npath = vendored\nurl = ./v\nignore = all\n'
    (checkout / ".gitmodules").write_text(settings)
    git(checkout, "add", ".gitmodules", "vendored")
    git(checkout, "commit", "-qm", "second")
    (inner / "a.bin").write_bytes(b"x")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "second")
    assert names(target.changed(checkout, "HEAD")) == ["vendored/a.bin"]
    git(checkout, "add", "--force", "vendored")
    assert [gap.reason for gap in target.staged(checkout).not_checked] == ["submodule"]


def test_staged_files_are_read_from_the_index(checkout):
    (checkout / "kept.bin").write_bytes(b"staged")
    git(checkout, "add", "kept.bin")
    (checkout / "kept.bin").write_bytes(b"later")
    seen = target.staged(checkout)
    assert names(seen) == ["kept.bin"]
    assert content(seen.files[0]) == b"staged"
    assert content(seen.find("gone.bin")) == b"x"
    assert seen.find("untracked.bin") is None
    assert seen.unchanged() == [".gitignore", "gone.bin"]
    git(checkout, "rm", "-q", "gone.bin")
    assert target.staged(checkout).deleted == {"gone.bin"}


def test_a_large_staged_blob_is_read_too(checkout):
    (checkout / "large.bin").write_bytes(b"\0" * (17 << 20))
    git(checkout, "add", "large.bin")
    (file,) = target.staged(checkout).files
    assert file.size == len(content(file)) == 17 << 20


def test_a_staged_blob_need_not_be_unpacked_where_the_file_still_has_its_bytes(checkout):
    (checkout / "large.bin").write_bytes(b"\0" * (17 << 20))
    git(checkout, "add", "large.bin")
    (file,) = target.staged(checkout).files
    shutil.rmtree(checkout / ".git/objects")
    assert len(content(file)) == len(content(file)) == 17 << 20


@pytest.mark.parametrize("read", [True, False])
def test_a_file_that_changed_since_is_no_stand_in_for_its_blob(checkout, read):
    (checkout / "kept.bin").write_bytes(b"staged")
    git(checkout, "add", "kept.bin")
    (file,) = target.staged(checkout).files
    if read:
        assert content(file) == b"staged"
    (checkout / "kept.bin").write_bytes(b"others")
    assert content(file) == b"staged"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "missing"])
def test_what_is_no_file_any_more_is_no_stand_in(checkout, kind):
    place = checkout / "kept.bin"
    place.write_bytes(b"staged")
    git(checkout, "add", "kept.bin")
    place.unlink()
    (checkout / "same.bin").write_bytes(b"staged")
    {
        "link": lambda: place.symlink_to("same.bin"),
        "pipe": lambda: os.mkfifo(place),
        "folder": place.mkdir,
        "missing": lambda: None,
    }[kind]()
    (file,) = target.staged(checkout).files
    assert content(file) == b"staged"


def pointer(content):
    digest = hashlib.sha256(content).hexdigest()
    return (
        digest,
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n".encode(),
    )


@pytest.mark.parametrize("stored", [True, False])
def test_a_staged_pointer_stands_for_what_git_lfs_keeps(checkout, stored):
    digest, text = pointer(b"the weights")
    store = checkout / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4]
    store.mkdir(parents=True)
    if stored:
        (store / digest).write_bytes(b"the weights")
    (checkout / "model.bin").write_bytes(text)
    git(checkout, "add", "model.bin")
    (file,) = target.staged(checkout).files
    assert content(file) == (b"the weights" if stored else text)


def test_a_store_that_was_cut_short_is_not_the_content(checkout):
    digest, text = pointer(b"the weights")
    store = checkout / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4]
    store.mkdir(parents=True)
    (store / digest).write_bytes(b"the wei")
    (checkout / "model.bin").write_bytes(text)
    git(checkout, "add", "model.bin")
    (file,) = target.staged(checkout).files
    assert content(file) == text


def test_a_staged_link_is_a_link(checkout):
    (checkout / "link").symlink_to("/etc/hostname")
    git(checkout, "add", "link")
    (file,) = target.staged(checkout).files
    assert (file.kind, file.link) == ("link", "/etc/hostname")


@pytest.mark.parametrize("make", [target.staged, lambda root: target.changed(root, "main")])
def test_git_options_need_a_checkout(tmp_path, make):
    with pytest.raises(TargetError, match="needs a git checkout"):
        make(tmp_path)


@pytest.mark.parametrize("ref", ["nowhere", "--output=/tmp/x", ""])
def test_an_unknown_ref_is_an_error(checkout, ref):
    with pytest.raises(TargetError, match="--changed-since"):
        target.changed(checkout, ref)


def test_a_name_that_stands_for_two_commits_is_refused(checkout):
    """Git would take the tag, and so compare a change with itself."""
    git(checkout, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(checkout, "tag", "-a", "-m", "the same commit", "origin/main")
    (checkout / "new.bin").write_bytes(b"x")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "second")
    assert names(target.changed(checkout, "origin/main")) == ["new.bin"]
    git(checkout, "tag", "--force", "origin/main")
    for ref in ("origin/main", "origin/main~0"):
        with pytest.raises(TargetError, match=r"refs/remotes/origin/main and for refs/tags/origin/main"):
            target.changed(checkout, ref)
    assert names(target.changed(checkout, "refs/remotes/origin/main")) == ["new.bin"]


def test_links_are_never_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"x")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    seen = target.working_tree(root)
    assert [(file.path, file.kind) for file in seen.files] == [("file", "link"), ("folder", "link")]
    assert seen.find("folder/secret") is None
    with pytest.raises(OSError, match="symbolic link"):
        seen.files[0].open()


def test_a_file_that_became_a_link_is_not_opened(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    (file,) = target.working_tree(tmp_path).files
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic links"):
        file.open()


@pytest.mark.parametrize("path", ["../outside", "/etc/hostname", "a/../../b", "", ".", "a\0b", "sub"])
def test_nothing_outside_the_root_is_found(tmp_path, path):
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "outside").write_bytes(b"x")
    assert target.working_tree(tmp_path / "root").find(path) is None


def test_a_path_with_dots_that_stays_inside_is_found(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_bytes(b"x")
    assert target.working_tree(tmp_path).find("a/../b").path == "b"


def test_a_pipe_is_listed_and_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (file,) = target.working_tree(tmp_path).files
    assert file.kind == "other"


def test_named_paths_share_the_base_they_lie_below(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"x")
    assert names(target.named([tmp_path / "a"], tmp_path)) == ["a/x"]
    assert names(target.named([tmp_path / "a" / "x"], tmp_path / "elsewhere")) == ["x"]


def test_a_link_that_is_named_is_the_users_choice(tmp_path):
    (tmp_path / "blob").write_bytes(b"x")
    (tmp_path / "snapshot").symlink_to("blob")
    assert names(target.named([tmp_path / "snapshot"], tmp_path)) == ["blob"]


def test_a_missing_path_is_an_error(tmp_path):
    with pytest.raises(TargetError, match="no file or folder"):
        target.named([tmp_path / "gone"], tmp_path)
    with pytest.raises(TargetError, match="there is no folder"):
        target.repository(tmp_path / "gone")


def test_a_hooks_folder_of_the_repository_is_never_run(checkout):
    marker = checkout / "ran"
    hook = checkout / "monitor"
    hook.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    hook.chmod(0o755)
    git(checkout, "config", "core.fsmonitor", str(hook))
    target.repository(checkout)
    target.changed(checkout, "main")
    assert not marker.exists()
