"""Folders of a runner, and a repository with a base and a change."""

import pytest
from tests.surface.checkout import CLEAN, commit, git


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "work space"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(CLEAN)
    return folder


@pytest.fixture
def temporary(tmp_path):
    folder = tmp_path / "runner temp"
    folder.mkdir()
    return folder


@pytest.fixture
def repository(workspace):
    git(workspace, "init", "--quiet", "--initial-branch=main")
    (workspace / ".mlgate.yaml").write_text("version: 1\nextends: policies/base.yaml\n")
    (workspace / "policies").mkdir()
    (workspace / "policies/base.yaml").write_text("version: 1\nmodels: {fail_on: high}\n")
    commit(workspace, "base")
    git(workspace, "switch", "--quiet", "--create", "change")
    return workspace
