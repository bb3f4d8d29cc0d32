"""What the action compares with on each event, and whose policy it goes by."""

import json
import shutil

import pytest
from tests.surface import composite
from tests.surface.checkout import CLEAN, EVIL, commit, git

MODELS = {"checks": "models"}
# Git allows no blank in a branch's name; a pull request may ask for anything.
HOSTILE = "a\"b;touch${IFS}marker;$(touch${IFS}marker);'c`id`"


def pull_request(**environment):
    return {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_BASE_REF": "main", **environment}


@pytest.fixture
def old_sin(repository):
    """The base holds an evil model; the change does not touch it."""
    git(repository, "switch", "--quiet", "main")
    (repository / "old.pkl").write_bytes(EVIL)
    commit(repository, "an old sin")
    git(repository, "switch", "--quiet", "--force-create", "change")
    (repository / "new.pkl").write_bytes(CLEAN + b"")
    (repository / "notes.md").write_text("a change\n")
    commit(repository, "a clean change")
    return repository


@pytest.fixture
def origin(old_sin, tmp_path):
    bare = tmp_path / "origin.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(old_sin), str(bare))
    return bare


def test_a_pull_request_is_judged_by_what_it_changes(old_sin, temporary):
    assert composite.run(old_sin, temporary, MODELS, pull_request()).exit_code == 0
    (old_sin / "more.pkl").write_bytes(EVIL)
    commit(old_sin, "a new sin")
    result = composite.run(old_sin, temporary, MODELS, pull_request())
    assert result.exit_code == 1
    assert "more.pkl" in result.summary
    assert "old.pkl" not in result.summary


def test_a_folder_of_a_repository_has_a_policy_and_changes_of_its_own(old_sin, temporary):
    git(old_sin, "switch", "--quiet", "main")
    (old_sin / "a/models").mkdir(parents=True)
    (old_sin / "a/models/old.pkl").write_bytes(EVIL)
    (old_sin / "a/.mlgate.yaml").write_text("version: 1\nmodels: {fail_on: high}\n")
    commit(old_sin, "a folder")
    git(old_sin, "switch", "--quiet", "--force-create", "change")
    (old_sin / "a/models/new.pkl").write_bytes(CLEAN)
    (old_sin / "elsewhere.pkl").write_bytes(EVIL)
    commit(old_sin, "a change in both")
    inputs = {**MODELS, "working-directory": "a"}
    result = composite.run(old_sin, temporary, inputs, pull_request())
    assert result.exit_code == 0, result.log
    (old_sin / "a/.mlgate.yaml").write_text("version: 1\nmodels: {include: [nothing/**]}\n")
    (old_sin / "a/models/new.pkl").write_bytes(EVIL)
    commit(old_sin, "loosened")
    result = composite.run(old_sin, temporary, inputs, pull_request())
    assert result.exit_code == 1, result.log
    assert any("file=a/models/new.pkl," in line for line in result.annotations("error"))
    assert any("file=a/.mlgate.yaml," in line for line in result.annotations("warning"))


def test_the_payload_names_the_base_where_the_environment_does_not(old_sin, temporary):
    event = {"pull_request": {"number": 1, "base": {"ref": "main"}}}
    environment = {"GITHUB_EVENT_NAME": "pull_request_review"}
    assert composite.run(old_sin, temporary, MODELS, environment, event=event).exit_code == 0


def test_scope_all_looks_at_everything(old_sin, temporary):
    result = composite.run(old_sin, temporary, {**MODELS, "scope": "all"}, pull_request())
    assert result.exit_code == 1, result.log
    assert "old.pkl" in result.summary


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch", "release"])
def test_without_a_change_everything_is_looked_at(old_sin, temporary, event):
    result = composite.run(old_sin, temporary, MODELS, {"GITHUB_EVENT_NAME": event})
    assert result.exit_code == 1, result.log
    assert "old.pkl" in result.summary


def test_a_merge_group_is_judged_by_what_it_changes(old_sin, temporary):
    event = {"merge_group": {"base_sha": git(old_sin, "rev-parse", "main"), "base_ref": "refs/heads/main"}}
    environment = {"GITHUB_EVENT_NAME": "merge_group"}
    assert composite.run(old_sin, temporary, MODELS, environment, event=event).exit_code == 0
    (old_sin / "more.pkl").write_bytes(EVIL)
    commit(old_sin, "a new sin")
    assert composite.run(old_sin, temporary, MODELS, environment, event=event).exit_code == 1


def test_a_checkout_of_the_base_is_no_checkout_of_the_change(old_sin, temporary):
    # What actions/checkout does on pull_request_target.
    git(old_sin, "switch", "--quiet", "--detach", "main")
    git(old_sin, "rm", "--quiet", "old.pkl")
    commit(old_sin, "main goes on")
    git(old_sin, "branch", "--force", "main")
    environment = pull_request(GITHUB_EVENT_NAME="pull_request_target")
    result = composite.run(old_sin, temporary, MODELS, environment)
    assert result.exit_code == 2, result.log
    assert "nothing of the pull request is checked out" in result.log


def test_everything_by_the_change_s_own_policy_needs_no_history(origin, tmp_path, temporary):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=change", origin.as_uri(), str(clone))
    inputs = {**MODELS, "scope": "all", "policy-from-base": "false"}
    assert composite.run(clone, temporary, inputs, pull_request()).exit_code == 1
    head = git(clone, "rev-parse", "HEAD")
    environment = pull_request(GITHUB_EVENT_NAME="pull_request_target", GITHUB_SHA=head)
    result = composite.run(clone, temporary, inputs, environment)
    assert result.exit_code == 2
    assert "nothing of the pull request is checked out" in result.log


def test_a_clone_without_the_base_fetches_it(origin, tmp_path, temporary):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--single-branch", "--branch=change", origin.as_uri(), str(clone))
    assert "main" not in git(clone, "branch", "--all")
    result = composite.run(clone, temporary, MODELS, pull_request())
    assert result.exit_code == 0, result.log
    assert git(clone, "rev-parse", "--is-shallow-repository") == "false"


@pytest.mark.parametrize("reachable", [True, False])
def test_a_shallow_clone_is_undecided_and_says_what_to_do(origin, tmp_path, temporary, reachable):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=change", origin.as_uri(), str(clone))
    if not reachable:
        shutil.rmtree(origin)
    result = composite.run(clone, temporary, MODELS, pull_request())
    assert result.exit_code == 2
    assert "fetch-depth: 0" in result.annotations("error")[0]
    assert "fetch-depth: 0" in result.summary


def test_a_shallow_clone_is_enough_for_a_push(origin, tmp_path, temporary):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=change", origin.as_uri(), str(clone))
    assert composite.run(clone, temporary, MODELS).exit_code == 1


def test_histories_without_a_common_commit_are_undecided(old_sin, temporary):
    git(old_sin, "switch", "--quiet", "--orphan", "other")
    commit(old_sin, "from nowhere")
    result = composite.run(old_sin, temporary, MODELS, pull_request())
    assert result.exit_code == 2
    assert "no commit in common" in result.log


def test_a_tag_does_not_stand_for_the_base(origin, tmp_path, temporary):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--branch=change", origin.as_uri(), str(clone))
    (clone / "more.pkl").write_bytes(EVIL)
    commit(clone, "a new sin")
    for name in ("origin/main", "main", "refs/remotes/origin/main"):
        git(clone, "tag", name, "HEAD")
    result = composite.run(clone, temporary, MODELS, pull_request())
    assert result.exit_code == 1, result.log


def test_a_branch_s_name_is_only_text(old_sin, temporary):
    git(old_sin, "branch", "--move", "main", HOSTILE)
    git(old_sin, "branch", "--move", "change", f"x{HOSTILE}")
    environment = pull_request(GITHUB_BASE_REF=HOSTILE, GITHUB_HEAD_REF=f"x{HOSTILE}")
    result = composite.run(old_sin, temporary, MODELS, environment)
    assert result.exit_code == 0, result.log
    assert not list(old_sin.rglob("marker"))


@pytest.mark.parametrize("ref", ["a b", "a\nb", "..", "", "-x", "main@{1}", "main^", "::error::x", "\x00"])
def test_what_is_no_branch_s_name_is_refused(old_sin, temporary, ref):
    event = {"pull_request": {"number": 1, "base": {"ref": ref}}}
    result = composite.run(old_sin, temporary, MODELS, {"GITHUB_EVENT_NAME": "pull_request"}, event=event)
    assert result.exit_code == 2, result.log
    assert len(result.annotations("error")) == 1


@pytest.mark.parametrize(
    "payload",
    ["", "[]", "null", "{", "[" * 100_000, '{"pull_request": 1, "merge_group": []}'],
    ids=["empty", "list", "null", "cut", "deep", "other types"],
)
def test_a_payload_that_says_nothing_means_no_change(old_sin, temporary, payload):
    (temporary / "payload").write_text(payload)
    environment = {"GITHUB_EVENT_PATH": str(temporary / "payload")}
    assert composite.run(old_sin, temporary, MODELS, environment).exit_code == 1


@pytest.mark.parametrize("event", [{"pull_request": {}}, {"pull_request": {"base": 1}}, {"merge_group": {}}])
def test_a_change_without_a_base_is_undecided(old_sin, temporary, event):
    result = composite.run(old_sin, temporary, MODELS, event=event)
    assert result.exit_code == 2
    assert "does not name its base" in result.log


def test_the_first_push_of_a_branch_has_no_base(old_sin, temporary):
    # github.event.before of a branch that is new.
    assert composite.run(old_sin, temporary, {**MODELS, "base-ref": "0" * 40}).exit_code == 1


def test_a_short_commit_is_a_base(old_sin, temporary):
    short = git(old_sin, "rev-parse", "--short=10", "main")
    assert composite.run(old_sin, temporary, {**MODELS, "base-ref": short}).exit_code == 0


def test_a_policy_that_is_not_there_is_undecided(old_sin, temporary):
    result = composite.run(old_sin, temporary, {**MODELS, "policy": "nothing.yaml"})
    assert result.exit_code == 2, result.log
    assert "nothing.yaml" in result.log


@pytest.mark.parametrize(
    ("event", "owner", "uploads"),
    [
        ("push", None, True),
        ("pull_request", "acme/models", True),
        ("pull_request", "mallory/models", False),
        ("pull_request", None, False),
    ],
    ids=["push", "own branch", "fork", "deleted fork"],
)
def test_findings_are_uploaded_where_the_token_may(old_sin, temporary, event, owner, uploads):
    head = {"repo": owner and {"full_name": owner}}
    payload = (
        {} if event == "push" else {"pull_request": {"number": 1, "base": {"ref": "main"}, "head": head}}
    )
    (old_sin / "more.pkl").write_bytes(EVIL)
    commit(old_sin, "a new sin")
    result = composite.run(old_sin, temporary, MODELS, {"GITHUB_EVENT_NAME": event}, event=payload)
    assert ("Upload the findings to code scanning" in result.used) == uploads
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("event", "inputs", "wheels", "advisories"),
    [
        ("push", {}, True, True),
        ("schedule", {}, True, True),
        ("pull_request", {}, True, False),
        ("pull_request_target", {}, True, False),
        ("push", {"offline": "true"}, True, False),
        ("push", {"cache": "false"}, False, False),
    ],
)
def test_no_pull_request_brings_its_advisories_along(workspace, temporary, event, inputs, wheels, advisories):
    result = composite.run(workspace, temporary, {**MODELS, **inputs}, {"GITHUB_EVENT_NAME": event})
    assert ("Restore wheels" in result.used) == wheels
    assert ("Restore advisories" in result.used) == advisories


def test_the_event_s_text_never_reaches_a_script():
    text = json.dumps([step.get("run", "") for step in composite.load()["runs"]["steps"]])
    assert "${{" not in text
    assert "github.event" not in text
