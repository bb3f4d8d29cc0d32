"""The check as a whole: each way in which nothing, or not all, could be audited is said."""

import json

import pytest
from msgspec.structs import replace

from mlgate.checks import dependencies
from mlgate.core.discovery import module, names
from mlgate.core.facts import Check
from mlgate.policy.document import PolicyError

CLEAN = "numpy==2.1.2\npillow==10.4.0\n"


def test_audits_what_it_finds_with_lines(collect, pins, kinds):
    seen = collect({"requirements.txt": "# head\ntorch==1.13.0+cu117\n", "src/main.py": "print()"})
    assert pins(seen) == [("torch", "1.13.0+cu117", "requirements.txt", 2)]
    assert ("dependency.vulnerable", "torch==1.13.0+cu117") in kinds(seen)
    assert {(fact.location.path, fact.location.line) for fact in seen.facts} == {("requirements.txt", 2)}
    assert seen.not_checked == ()


def test_clean_pins_leave_nothing_to_say_but_their_names(collect):
    seen = collect({"requirements.txt": CLEAN, "dev-requirements.txt": "numpy==2.1.2\n"})
    assert [(fact.kind, fact.subject, str(fact.location)) for fact in seen.facts] == [
        ("dependency.required", "numpy", "dev-requirements.txt:1"),
        ("dependency.required", "numpy", "requirements.txt:1"),
        ("dependency.required", "pillow", "requirements.txt:2"),
    ]
    assert seen.not_checked == ()


def test_says_what_the_answer_rests_on(collect):
    manifests, advisories = collect({"requirements.txt": CLEAN}).sources
    assert manifests.name == "manifests"
    assert manifests.detail["read"] == ["requirements.txt"]
    assert advisories.name == "bundled advisories"
    assert "2024-10-10" in advisories.summary
    assert "days old" in advisories.summary
    assert "CC BY 4.0" in advisories.summary


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": "hello"},
        {"requirements.txt": ""},
        {"requirements.txt": "# nothing here\n\n"},
        {"requirements.txt": "--pre\n"},
        {"pyproject.toml": "[tool.ruff]\nline-length = 100\n"},
        {"uv.lock": "version = 1\n"},
        {"setup.py": "print('no dependencies')"},
    ],
)
def test_nothing_to_audit_is_not_checked(collect, gaps, files):
    assert gaps(collect(files)) == [("nothing-to-audit", ".", None)]


def test_nothing_to_audit_is_an_answer_where_the_policy_says_so(collect, gaps):
    seen = collect({"README.md": ""}, "dependencies: {manifests: []}")
    assert gaps(seen) == []
    assert "no dependencies" in seen.sources[0].summary


def test_nothing_to_audit_is_an_answer_among_changed_files(collect, gaps):
    assert gaps(collect({"README.md": "", "requirements.txt": "torch==1.13.0"}, changed={"README.md"})) == []


def test_nothing_to_audit_points_at_the_policy(collect, gaps):
    seen = collect({"README.md": ""}, "dependencies:\n  unpinned: warn")
    assert gaps(seen) == [("nothing-to-audit", ".mlgate.yaml", 2)]


def test_an_empty_file_that_is_named_is_not_checked(collect, gaps):
    seen = collect(
        {"requirements.txt": CLEAN, "dev.txt": ""}, "dependencies: {manifests: [requirements.txt, dev.txt]}"
    )
    assert gaps(seen) == [("nothing-to-audit", "dev.txt", None)]


def test_an_empty_file_beside_others_is_ordinary(collect, gaps):
    assert gaps(collect({"requirements.txt": CLEAN, "requirements-dev.txt": ""})) == []


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        ("numpy==2.1.2\n-r missing.txt\n", "missing-include", 2),
        ("numpy==2.1.2\n-c missing.txt\n", "missing-include", 2),
        ("numpy==2.1.2\n-r ../../outside.txt\n", "missing-include", 2),
        ("numpy==2.1.2\n-r /etc/passwd\n", "missing-include", 2),
        ("numpy==2.1.2\n-r https://x.org/r.txt\n", "missing-include", 2),
        ("numpy==2.1.2\n\npillow\n", "unpinned", 3),
        ("numpy==2.1.2\npillow==10.*\n", "unpinned", 2),
        ("numpy==2.1.2\ngit+https://x.org/a#egg=a\n", "vcs-requirement", 2),
        ("numpy==2.1.2\na @ https://x.org/a.whl\n", "url-requirement", 2),
        ("numpy==2.1.2\n./a.whl\n", "local-requirement", 2),
        ("numpy==2.1.2\n-e ./libs/a\n", "local-requirement", 2),
        ("numpy==2.1.2\n-e ../outside\n", "local-requirement", 2),
        ("numpy==2.1.2\nthis is not a requirement\n", "unparseable", 2),
        ("numpy==2.1.2\nnot-covered-by-anyone==1.0\n", "not-covered", 2),
        ("numpy==2.1.2\npillow===no.version.at.all\n", "invalid-version", 2),
        (b"\xff\xfa", "unparseable", None),
    ],
)
def test_what_cannot_be_audited_is_not_checked(collect, gaps, content, reason, line):
    assert gaps(collect({"requirements.txt": content})) == [(reason, "requirements.txt", line)]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("uv.lock", "version = 99\n", "future-lock-version"),
        ("uv.lock", "version = 1\n[[package]\n", "unparseable"),
        ("pylock.toml", 'lock-version = "7.0"\npackages = []\n', "future-lock-version"),
        ("pylock.toml", "lock-version", "unparseable"),
        ("pyproject.toml", '[project]\ndependencies = ["torch>=2"]\n', "unpinned"),
        ("pyproject.toml", '[project]\ndynamic = ["dependencies"]\n', "dynamic-dependencies"),
        ("poetry.lock", "", "truncated"),
        ("pdm.lock", "", "unparseable"),
        ("Pipfile.lock", "{}", "unparseable"),
        ("environment.yml", "dependencies: [numpy]", "unpinned"),
        ("env/environment-gpu.yaml", "dependencies: [", "unparseable"),
        ("m/python_env.yaml", "- numpy", "unparseable"),
        ("m/MLmodel", "flavors: {python_function: {env: conda.yaml}}", "missing-include"),
        ("run.py", "# /// script\n# dependencies = []\n", "unparseable"),
        ("conda-lock.yml", "", "unparseable"),
        ("conda-lock.yml", "version: 2\npackage: []\n", "future-lock-version"),
        ("pixi.lock", "version: 7\npackages: []\n", "future-lock-version"),
        ("pixi.lock", "version: 6\npackages: [", "unparseable"),
        ("setup.py", "setup(install_requires=['torch'])", "unsupported-manifest"),
        ("setup.cfg", "[options]\ninstall_requires = torch\n", "unpinned"),
    ],
)
def test_manifests_that_cannot_be_read_are_not_checked(collect, gaps, name, content, reason):
    assert [(gap[0], gap[1]) for gap in gaps(collect({name: content}))] == [(reason, name)]
    both = collect({name: content, "other/requirements.txt": CLEAN})
    assert [(gap[0], gap[1]) for gap in gaps(both)] == [(reason, name)]


def test_a_named_manifest_that_is_missing_is_not_checked(collect, gaps):
    assert gaps(collect({"a.txt": ""}, "dependencies: {manifests: [requirements.txt]}")) == [
        ("missing-manifest", "requirements.txt", None)
    ]


def test_a_named_manifest_of_an_unknown_kind_is_not_checked(collect, gaps):
    seen = collect({"deps.xml": ""}, "dependencies: {manifests: [deps.xml]}")
    assert gaps(seen) == [("unsupported-manifest", "deps.xml", None)]


def test_a_named_manifest_of_any_text_name_is_read(collect, pins):
    seen = collect({"deps.txt": "torch==2.1.0"}, "dependencies: {manifests: [./deps.txt]}")
    assert pins(seen) == [("torch", "2.1.0", "deps.txt", 1)]


def test_a_manifest_that_is_too_large_is_not_checked(collect, gaps):
    seen = collect({"requirements.txt": CLEAN}, "limits: {manifest_bytes: 5}")
    assert gaps(seen) == [("limit", "requirements.txt", None)]


def test_too_many_manifests_are_not_checked(collect, gaps):
    seen = collect({"a/requirements.txt": CLEAN, "b/requirements.txt": CLEAN}, "limits: {manifests: 1}")
    assert gaps(seen) == [("limit", "b/requirements.txt", None)]


def test_an_unreadable_manifest_is_not_checked(scope_of, gaps):
    scope = scope_of({"requirements.txt": CLEAN})

    def refuse():
        raise PermissionError(13, "Permission denied")

    broken = replace(scope.target.files[0], open=refuse)
    target = replace(scope.target, find=lambda path: broken if path == "requirements.txt" else None)
    assert gaps(dependencies.collect(replace(scope, target=target))) == [
        ("unreadable", "requirements.txt", None)
    ]


def test_a_link_is_followed_by_name_inside_the_target_only(collect, pins, gaps, tmp_path):
    (tmp_path / "requirements.txt").symlink_to("real/pins.txt")
    (tmp_path / "requirements-dev.txt").symlink_to("/etc/hostname")
    seen = collect({"real/pins.txt": CLEAN})
    assert [pin[0] for pin in pins(seen)] == ["numpy", "pillow"]
    assert [gap[1] for gap in gaps(seen)] == ["requirements-dev.txt"]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_an_unreadable_database_is_not_checked(collect, gaps, tmp_path, content):
    path = tmp_path / "advisories.zip"
    path.write_bytes(content)
    seen = collect({"requirements.txt": "torch==1.13.0"}, advisories=path)
    assert [gap[0] for gap in gaps(seen)] == ["advisories-unreadable"]


def test_a_database_with_a_broken_record_is_not_checked_but_used(collect, gaps, kinds, osv, database):
    path = database(osv("A-1", "torch"), b"{broken")
    seen = collect({"requirements.txt": "torch==1.0"}, advisories=path)
    assert [gap[0] for gap in gaps(seen)] == ["advisories-unreadable"]
    assert kinds(seen) == [("dependency.vulnerable", "torch==1.0")]


def test_a_database_older_than_the_policy_allows_is_not_checked(collect, gaps):
    seen = collect({"requirements.txt": CLEAN}, "dependencies:\n  advisories:\n    max_age_days: 1\n")
    assert gaps(seen) == [("advisories-too-old", ".mlgate.yaml", 4)]


def test_the_command_lines_database_goes_before_the_policys(collect, kinds, osv, database):
    path = database(osv("A-1", "torch"))
    policy = "dependencies: {advisories: {path: missing.zip}}"
    assert kinds(collect({"requirements.txt": "torch==1.0"}, policy, advisories=path))


@pytest.mark.parametrize("where", ["db.zip", "db/1.json"])
def test_the_policys_database_is_read_from_the_repository(collect, kinds, osv, database, where):
    record = osv("A-1", "torch")
    content = json.dumps(record) if where == "db/1.json" else database(record).read_bytes()
    path = where.partition("/")[0]
    files = {"requirements.txt": "torch==1.0", where: content}
    seen = collect(files, f"dependencies: {{advisories: {{path: {path}}}}}")
    assert kinds(seen) == [("dependency.vulnerable", "torch==1.0")]
    assert seen.sources[1].name == path


def test_a_policys_database_that_is_missing_is_not_checked(collect, gaps):
    seen = collect({"requirements.txt": CLEAN}, "dependencies: {advisories: {path: missing.zip}}")
    assert [gap[0] for gap in gaps(seen)] == ["advisories-unreadable"]


@pytest.mark.parametrize("where", ["../outside", "/etc"])
def test_a_policys_database_outside_the_repository_is_refused(collect, where):
    with pytest.raises(PolicyError, match="leaves the repository"):
        collect({"requirements.txt": CLEAN}, f"dependencies: {{advisories: {{path: {where}}}}}")


def test_an_unknown_auditor_is_not_checked(collect, gaps):
    seen = collect({"requirements.txt": CLEAN}, "dependencies:\n  auditors: [osv, magic]\n")
    assert gaps(seen) == [("unknown-auditor", ".mlgate.yaml", 3)]


def test_a_malicious_release_is_a_fact_whatever_the_database_says(collect, kinds):
    seen = collect({"requirements.txt": "ultralytics==8.3.41\nultralytics==8.3.47 ; python_version > '3'\n"})
    assert [fact for fact in kinds(seen) if fact[0] == "dependency.malicious"] == [
        ("dependency.malicious", "ultralytics==8.3.41")
    ]


def test_a_malicious_release_that_an_advisory_names_too_is_one_fact(collect, osv, database):
    record = osv("MAL-2024-1", "ultralytics", versions=["8.3.41"], events=[])
    seen = collect({"requirements.txt": "ultralytics==8.3.41\n"}, advisories=database(record))
    (fact,) = [fact for fact in seen.facts if fact.kind == "dependency.malicious"]
    assert fact.detail["advisory"] == "MAL-2024-1"
    assert fact.detail["what"]


def test_facts_of_one_manifest_are_bounded_and_the_rest_is_said(collect, gaps):
    seen = collect({"requirements.txt": "tensorflow==1.0.0\n"}, "limits: {facts: 3}")
    assert [fact.kind for fact in seen.facts].count("dependency.vulnerable") == 3
    assert [gap[0] for gap in gaps(seen)] == ["limit"]


def test_everything_not_checked_is_of_this_check(collect):
    seen = collect({"requirements.txt": "a\n-r b\n"})
    assert {gap.check for gap in seen.not_checked} == {Check.DEPENDENCIES}
    assert all(gap.message for gap in seen.not_checked)


@pytest.mark.parametrize("name", names("mlgate.checks.dependencies.auditors"))
def test_an_auditor_is_named_like_its_module_so_that_no_other_is_imported(name):
    assert name.replace("_", "-") == module("mlgate.checks.dependencies.auditors", name).NAME


def test_a_requirement_for_a_malicious_name_is_a_fact_and_not_checked(collect, gaps):
    seen = collect({"requirements.txt": "torchtriton\nultralytics\n"})
    malicious = [fact for fact in seen.facts if fact.kind == "dependency.malicious"]
    assert [(fact.subject, fact.location.line) for fact in malicious] == [("torchtriton", 1)]
    assert [gap[0] for gap in gaps(seen)] == ["unpinned", "unpinned"]
