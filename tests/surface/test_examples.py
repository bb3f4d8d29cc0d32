"""The examples for other people's CI: what they name exists, and what they run does what it says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.surface import composite
from tests.surface.checkout import CLEAN, EVIL, commit, git

from mlgate import cli

ROOT = composite.ACTION
FOLDER = ROOT / "docs/examples"
EXAMPLES = sorted(path.name for path in FOLDER.glob("github-*.yml"))
WORKFLOWS = [f"docs/examples/{name}" for name in EXAMPLES]
WORKFLOWS += sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(".github/workflows/*.yml"))
PINS = {}


def document(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def steps(name):
    return [step for job in document(name)["jobs"].values() for step in job.get("steps", ())]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_grants_nothing_by_default(name):
    workflow = document(name)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "permissions" in job
        assert "uses" in job or job["timeout-minutes"] <= 60


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_checkout_keeps_no_credentials(name):
    for step in steps(name):
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", [*WORKFLOWS, "action.yml"])
def test_every_use_is_pinned_and_says_its_version(name):
    for use in re.findall(r"uses: (\S+)(.*)", (ROOT / name).read_text(encoding="utf-8")):
        action, comment = use
        if action.startswith("./") or action in (
            "OWNER/mlgate@COMMIT",
            "acme/gates/.github/workflows/mlgate.yml@COMMIT",
        ):
            continue
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
        # One action, one version, everywhere.
        assert PINS.setdefault(action.partition("@")[0], use) == use


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_names_only_inputs_and_outputs_that_exist(name):
    action = composite.load()
    ours = next(step for step in steps(f"docs/examples/{name}") if "/mlgate@" in step.get("uses", ""))
    assert set(ours.get("with", {})) <= set(action["inputs"])
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert set(re.findall(r"steps\.mlgate\.outputs\.([\w-]+)", text)) <= set(action["outputs"])
    checkout = steps(f"docs/examples/{name}")[0]
    assert checkout["with"]["lfs"] is True
    if "pull_request" in str(document(f"docs/examples/{name}")):
        assert checkout["with"]["fetch-depth"] == 0


def test_what_the_reusable_workflow_says_of_its_caller_is_a_workflow():
    lines = (FOLDER / "github-reusable.yml").read_text(encoding="utf-8").splitlines()
    shown = yaml.safe_load("\n".join(line[4:] for line in lines if line.startswith("#   ")))
    assert shown["permissions"] == {}
    assert shown["jobs"]["gate"]["uses"].endswith("@COMMIT")


def scripts(name):
    """The shell that GitLab or Jenkins would run: the preparation, and the gate."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    if name == "Jenkinsfile":
        return re.findall(r"sh '''(.*?)'''", text, re.DOTALL)
    job = yaml.safe_load(text)["mlgate"]
    return ["\n".join(job["before_script"]), "\n".join(job["script"])]


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "Jenkinsfile"])
def test_its_shell_is_clean(name):
    for script in scripts(name):
        done = subprocess.run(
            [str(Path(sys.executable).with_name("shellcheck")), "--shell=sh", "-"],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "Jenkinsfile"])
def test_it_installs_the_version_that_this_is(name):
    from mlgate import __version__

    assert f'"mlgate[assess]=={__version__}"' in scripts(name)[0]


@pytest.fixture
def project(repository, tmp_path):
    """A clone whose base holds an evil model, and whose change is clean."""
    git(repository, "switch", "--quiet", "main")
    (repository / "old.pkl").write_bytes(EVIL)
    commit(repository, "an old sin")
    git(repository, "switch", "--quiet", "--force-create", "change")
    (repository / "new.pkl").write_bytes(CLEAN)
    commit(repository, "a clean model")
    clone = tmp_path / "project"
    git(tmp_path, "clone", "--quiet", "--branch=change", str(repository), str(clone))
    return clone


def run(name, project, tmp_path, **variables):
    bin_folder = tmp_path / "mlgate/bin"
    bin_folder.mkdir(parents=True, exist_ok=True)
    program = bin_folder / "mlgate"
    program.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).with_name("mlgate")}" "$@" --offline\n')
    program.chmod(0o755)
    lfs = bin_folder / "git-lfs"
    lfs.write_text("#!/bin/sh\n")
    lfs.chmod(0o755)
    path = f"{bin_folder}:{Path(shutil.which('git')).parent}:/usr/bin:/bin"
    return subprocess.run(
        ["sh", "-e", "-c", scripts(name)[1]],
        cwd=project,
        env={"PATH": path, "WORKSPACE_TMP": str(tmp_path), "HOME": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def change(name, project):
    if name == "Jenkinsfile":
        return {"CHANGE_TARGET": "main"}
    return {"CI_MERGE_REQUEST_DIFF_BASE_SHA": git(project, "merge-base", "origin/main", "HEAD")}


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "Jenkinsfile"])
def test_a_branch_is_judged_whole_and_a_change_by_what_it_changes(name, project, tmp_path):
    whole = run(name, project, tmp_path)
    assert whole.returncode == 1, whole.stderr
    assert "old.pkl" in whole.stdout
    part = run(name, project, tmp_path, **change(name, project))
    assert part.returncode == 0, part.stdout + part.stderr
    assert any(project.rglob("mlgate.html"))


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "Jenkinsfile"])
def test_a_change_cannot_loosen_what_judges_it(name, project, tmp_path):
    (project / "evil.pkl").write_bytes(EVIL)
    (project / ".mlgate.yaml").write_text("version: 1\nmodels: {include: [nothing/**]}\n")
    commit(project, "loosen the policy and add a model")
    assert run(name, project, tmp_path, **change(name, project)).returncode == 1


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "Jenkinsfile"])
def test_its_reports_are_formats(name):
    for report in re.findall(r"--report (\w+)", scripts(name)[1]):
        cli._parser().parse_args(["check", "--report", report])
