"""Includes, constraints, and what pins what."""

import pytest

from mlgate.checks.dependencies.discovery import Root
from mlgate.checks.dependencies.walk import Walker
from mlgate.core.limits import DEFAULT

CLEAN = "numpy==2.1.2\n"


def test_follows_nested_includes_relative_to_each_file(collect, pins, gaps):
    seen = collect(
        {
            "requirements.txt": "-r deps/a.txt\nnumpy==2.1.2\n",
            "deps/a.txt": "\n-r ../more/b.txt\npillow==10.4.0\n",
            "more/b.txt": "scipy==1.14.1\n",
        }
    )
    assert sorted(pins(seen)) == [
        ("numpy", "2.1.2", "requirements.txt", 2),
        ("pillow", "10.4.0", "deps/a.txt", 3),
        ("scipy", "1.14.1", "more/b.txt", 1),
    ]
    assert gaps(seen) == []


def test_a_cycle_ends(collect, pins, gaps):
    seen = collect(
        {
            "requirements.txt": "-r requirements-b.txt\nnumpy==2.1.2",
            "requirements-b.txt": "-r requirements.txt\nscipy==1.14.1",
        }
    )
    assert sorted(pins(seen)) == [
        ("numpy", "2.1.2", "requirements.txt", 2),
        ("scipy", "1.14.1", "requirements-b.txt", 2),
    ]
    assert gaps(seen) == []


def test_a_file_that_includes_itself_ends(collect, pins):
    assert len(pins(collect({"requirements.txt": "-r requirements.txt\nnumpy==2.1.2"}))) == 1


def test_a_file_found_and_included_is_reported_once(collect, pins):
    seen = collect({"requirements.txt": CLEAN, "requirements-dev.txt": "-r requirements.txt\n"})
    assert pins(seen) == [("numpy", "2.1.2", "requirements.txt", 1)]


def test_a_constraint_pins_a_plain_requirement(collect, pins, gaps):
    seen = collect(
        {"requirements.txt": "torch\n-c pins.txt\n", "pins.txt": "# all\ntorch==1.13.0\nscipy==1.14.1\n"}
    )
    assert pins(seen) == [("torch", "1.13.0", "pins.txt", 2), ("scipy", "1.14.1", "pins.txt", 3)]
    assert gaps(seen) == []
    assert {fact.location.line for fact in seen.facts if fact.kind == "dependency.vulnerable"} == {2}


@pytest.mark.parametrize(
    "constraint", ["numpy>=1", "numpy==2.*", "numpy==2.1.2 ; python_version < '3.9'", "pillow==10.4.0", ""]
)
def test_a_constraint_that_does_not_pin_leaves_it_unpinned(collect, gaps, constraint):
    seen = collect({"requirements.txt": "numpy\n-c pins.txt\n", "pins.txt": constraint})
    assert [gap for gap in gaps(seen) if gap[1] == "requirements.txt"] == [
        ("unpinned", "requirements.txt", 1)
    ]


def test_a_range_in_a_constraint_is_no_requirement(collect, gaps):
    assert gaps(collect({"requirements.txt": CLEAN, "constraints.txt": "scipy<2\n"})) == []


def test_a_file_that_is_required_here_and_constrains_there_is_judged_as_required(collect, gaps):
    seen = collect(
        {"requirements.txt": "scipy\n", "requirements-dev.txt": "-c requirements.txt\nnumpy==2.1.2\n"}
    )
    assert gaps(seen) == [("unpinned", "requirements.txt", 1)]


def test_what_a_constraint_file_includes_constrains_too(collect, gaps):
    seen = collect(
        {"requirements.txt": "numpy\n-c a.txt\n", "a.txt": "-r b.txt\n", "b.txt": "numpy==2.1.2\nscipy\n"}
    )
    assert gaps(seen) == []


def test_an_own_project_is_judged_by_its_pyproject(collect, pins, gaps):
    seen = collect(
        {
            "requirements.txt": "-e ./lib\nnumpy==2.1.2\n",
            "lib/pyproject.toml": '[project]\nname = "lib"\ndependencies = ["numpy>1", "scipy>1"]\n',
        }
    )
    assert ("numpy", "2.1.2", "requirements.txt", 2) in pins(seen)
    assert gaps(seen) == [("unpinned", "lib/pyproject.toml", 3)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("requirements.txt", "numpy==2.1.2\n"),
        ("pylock.toml", 'lock-version = "1.0"\n[[packages]]\nname = "numpy"\nversion = "2.1.2"\n'),
    ],
)
def test_a_declared_range_is_pinned_by_the_manifest_beside_it(collect, gaps, name, content):
    project = '[project]\nname = "a"\ndependencies = ["numpy>1"]\n'
    assert gaps(collect({"pyproject.toml": project, name: content})) == []


def test_a_member_of_a_workspace_is_resolved_by_its_lock(collect, gaps):
    lock = (
        'version = 1\n[[package]]\nname = "m"\nsource = { editable = "packages/m" }\n'
        '[[package]]\nname = "numpy"\nversion = "2.1.2"\nsource = { registry = "https://pypi.org/simple" }\n'
    )
    member = '[project]\nname = "m"\ndependencies = ["numpy>1"]\n'
    assert gaps(collect({"uv.lock": lock, "packages/m/pyproject.toml": member})) == []
    assert gaps(collect({"uv.lock": lock, "packages/n/pyproject.toml": member})) != []


def test_a_changed_include_brings_its_named_root_into_scope(collect, pins):
    files = {"requirements.txt": "-r deps/base.txt\n", "deps/base.txt": CLEAN, "other.txt": "scipy==1.14.1"}
    policy = "dependencies: {manifests: [requirements.txt, other.txt]}"
    assert [pin[0] for pin in pins(collect(files, policy, changed={"deps/base.txt"}))] == ["numpy"]


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        ({"requirements.txt": "-r deps/core.lst\n", "deps/core.lst": CLEAN}, "deps/core.lst"),
        ({"requirements.txt": "numpy\n-c constraints.txt\n", "constraints.txt": CLEAN}, "constraints.txt"),
        ({"a/requirements.txt": "-r b.lst\n", "a/b.lst": "-r c.lst", "a/c.lst": CLEAN}, "a/c.lst"),
    ],
)
def test_a_changed_include_brings_what_includes_it_into_scope(collect, pins, files, changed):
    """A pull request that edits a file of another name must not go unseen."""
    others = {"other/requirements.txt": "scipy\n", "README.md": "text"}
    seen = collect({**files, **others}, changed={changed})
    assert [pin[0] for pin in pins(seen)] == ["numpy"]
    assert not [gap for gap in seen.not_checked if gap.location.path.startswith("other")]
    assert not collect({**files, **others}, changed={"README.md"}).packages


@pytest.mark.parametrize("text", ["a @ https://x.example/a.whl", "a @ git+https://x.example/a@main"])
def test_the_address_of_a_requirement_is_told(collect, text):
    (gap,) = collect({"requirements.txt": f"numpy==2.1.2\n{text}\n"}).not_checked
    assert (gap.subject, gap.written) == ("a", text.removeprefix("a @ "))


def test_a_deleted_include_brings_what_includes_it_into_scope(collect, gaps):
    files = {"requirements.txt": "numpy\n-c pins.cfg\n"}
    assert gaps(collect(files, changed=set(), deleted={"pins.cfg"})) == [
        ("missing-include", "requirements.txt", 2),
        ("unpinned", "requirements.txt", 1),
    ]
    assert gaps(collect(files, changed=set(), deleted={"other.cfg"})) == []


def test_what_includes_a_changed_manifest_is_not_touched_by_it(collect, gaps):
    files = {"requirements.txt": CLEAN, "requirements-dev.txt": "-r requirements.txt\npytest\n"}
    assert gaps(collect(files, changed={"requirements.txt"})) == []


def test_too_many_included_requirements_are_not_checked(collect, gaps):
    files = {"requirements.txt": "".join(f"-r p{index}.txt\n" for index in range(20))}
    files |= {f"p{index}.txt": "numpy==2.1.2\n" * 20 for index in range(20)}
    assert gaps(collect(files, "limits: {requirements: 20}")) == [("limit", "requirements.txt", None)]


@pytest.mark.parametrize(
    ("files", "together"),
    [
        ({"requirements.txt": "scipy==1.14.1\nscipy==1.14.0\n"}, True),
        ({"requirements.txt": "scipy==1.14.1\n-c c.txt", "c.txt": "scipy==1.14.0"}, True),
        ({"requirements.txt": "scipy==1.14.1", "requirements-dev.txt": "scipy==1.14.0"}, False),
    ],
)
def test_contradictory_pins_are_a_fact(collect, files, together):
    facts = [fact for fact in collect(files).facts if fact.kind == "dependency.contradiction"]
    assert [(fact.subject, fact.detail["together"]) for fact in facts] == [("scipy", together)]


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "scipy==1.14.1\nscipy==1.14.1\n"},
        {"requirements.txt": "scipy==1.14\nscipy==1.14.0\n"},
        {"requirements.txt": "torch==2.1.0+cpu", "requirements-gpu.txt": "torch==2.1.0+cu121"},
        {"requirements.txt": "scipy==1 ; python_version<'3'\nscipy==2 ; python_version>'3'\n"},
        {"a/requirements.txt": "scipy==1.14.1", "b/requirements.txt": "scipy==1.14.0"},
    ],
)
def test_pins_that_can_stand_side_by_side_are_none(collect, files):
    assert not [fact for fact in collect(files).facts if fact.kind == "dependency.contradiction"]


@pytest.mark.parametrize(("hashes", "hashed"), [(" --hash=sha256:aa", True), ("", False)])
def test_a_second_index_says_whether_hashes_protect(collect, hashes, hashed):
    seen = collect({"requirements.txt": f"--extra-index-url https://x.org/s\nnumpy==2.1.2{hashes}\n"})
    (fact,) = [fact for fact in seen.facts if fact.kind == "dependency.extra-index"]
    assert (fact.subject, fact.location.line, fact.detail["hashed"]) == ("https://x.org/s", 1, hashed)


def test_unpinned_requirements_are_facts_too(collect, kinds):
    seen = collect({"requirements.txt": "a\ngit+https://u:secret@x.org/b#egg=b\nhttps://x.org/c.whl\n"})
    assert kinds(seen) == [
        ("dependency.unpinned", "a"),
        ("dependency.unpinned", "b"),
        ("dependency.unpinned", "https://x.org/c.whl"),
    ]
    assert "secret" not in str(seen)


class Crashing:
    """A reader with a defect that some file brings out."""

    FORMAT = "crashing"
    LOCK = False

    def claims(self, path):
        return True

    def read(self, data, limits):
        raise IndexError(7)


def test_a_defect_in_a_reader_costs_its_file_alone(scope_of):
    scope = scope_of({"requirements.txt": "numpy==2.1.2"})
    walker = Walker(scope.target, DEFAULT)
    assert walker.tree(Root("requirements.txt", Crashing())).placed == ()
    assert [gap.reason for gap in walker.not_checked] == ["unparseable"]
    assert "IndexError" in walker.not_checked[0].message


@pytest.mark.parametrize("scheme", ["file:", "http:", "https:/"])
def test_a_folder_named_as_a_scheme_does_not_stand_for_the_url(collect, gaps, scheme):
    place = f"{scheme}/abs/more.txt"
    seen = collect({"requirements.txt": f"{CLEAN}-r {place}", place.replace("//", "/"): CLEAN})
    assert gaps(seen) == [("missing-include", "requirements.txt", 2)]


@pytest.mark.parametrize("include", ["-r link/../more.txt", "-r ./sub/up/../../more.txt"])
def test_a_way_back_out_of_a_link_is_not_guessed(collect, gaps, tmp_path, include):
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("sub/deep")
    (tmp_path / "sub" / "up").symlink_to("deep")
    files = {"requirements.txt": f"{CLEAN}{include}", "more.txt": CLEAN, "sub/more.txt": "torch==1.0"}
    seen = collect(files)
    assert gaps(seen) == [("missing-include", "requirements.txt", 2)]


def test_a_link_that_leads_out_of_another_link_is_not_guessed(collect, gaps, tmp_path):
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("sub/deep")
    (tmp_path / "requirements.txt").symlink_to("link/../more.txt")
    seen = collect({"more.txt": CLEAN, "sub/more.txt": "torch==1.0"})
    assert [reason for reason, _, _ in gaps(seen)] == ["missing-manifest"]


def test_a_way_out_of_a_folder_is_followed(collect, gaps):
    seen = collect({"requirements.txt": f"{CLEAN}-r ./sub/../more.txt", "sub/a": "", "more.txt": CLEAN})
    assert gaps(seen) == []


@pytest.mark.parametrize("policy", ["", "dependencies: {manifests: [constraints.txt]}"])
def test_constraints_that_pin_nothing_are_nothing_to_audit(collect, gaps, policy):
    seen = collect({"constraints.txt": "torch>=1\n"}, policy)
    assert [reason for reason, _, _ in gaps(seen)] == ["nothing-to-audit"]


LOCK = """\
version = 1

[[package]]
name = "demo"
source = { editable = "." }

[[package]]
name = "part"
source = { virtual = "packages/part" }

[[package]]
name = "numpy"
version = "2.1.2"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "tool"
version = "1.0"
source = { git = "https://x.org/tool#0" }
"""


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ('"numpy>=1", "part"', []),
        ('"numpy==2.1.2"', []),
        ('"evil"', [("unpinned", "pyproject.toml", 3)]),
        ('"evil==1.0"', [("not-covered", "pyproject.toml", 3)]),
        ('"numpy @ https://x.org/numpy.whl"', [("url-requirement", "pyproject.toml", 3)]),
        ('"tool @ git+https://x.org/tool"', []),
    ],
)
def test_a_project_is_held_against_the_lock_beside_it(collect, gaps, declared, expected):
    project = f"[project]\nname = 'demo'\ndependencies = [{declared}]\n"
    seen = collect({"pyproject.toml": project, "uv.lock": LOCK})
    assert [gap for gap in gaps(seen) if gap[1] == "pyproject.toml"] == expected


def test_a_member_of_a_workspace_is_held_against_its_lock(collect, gaps):
    project = "[project]\nname = 'part'\ndependencies = ['numpy', 'demo', 'evil']\n"
    seen = collect({"packages/part/pyproject.toml": project, "uv.lock": LOCK})
    assert ("unpinned", "packages/part/pyproject.toml", 3) in gaps(seen)
    assert len([gap for gap in gaps(seen) if gap[0] == "unpinned"]) == 1
    message = next(gap.message for gap in seen.not_checked if gap.reason == "unpinned")
    assert "lock file" in message


def test_a_changed_project_is_held_against_an_unchanged_lock(collect, gaps):
    project = "[project]\nname = 'demo'\ndependencies = ['numpy', 'evil']\n"
    seen = collect({"pyproject.toml": project, "uv.lock": LOCK}, changed={"pyproject.toml"})
    assert gaps(seen) == [("unpinned", "pyproject.toml", 3)]


def test_what_only_a_build_could_tell_is_told_by_a_lock(collect, gaps):
    project = "[project]\nname = 'demo'\ndynamic = ['dependencies']\n"
    assert gaps(collect({"pyproject.toml": project})) == [("dynamic-dependencies", "pyproject.toml", None)]
    lock = LOCK.partition('[[package]]\nname = "tool')[0]
    assert gaps(collect({"pyproject.toml": project, "uv.lock": lock})) == []


@pytest.mark.parametrize(
    "source", ["{ path = 'lib', editable = true }", "[{ path = 'lib' }, { index = 'x' }]"]
)
def test_a_folder_that_stands_for_a_package_is_followed(collect, gaps, pins, source):
    project = f"[project]\ndependencies = ['own==1.0']\n[tool.uv.sources]\nOwn = {source}\n"
    files = {"pyproject.toml": project, "lib/pyproject.toml": "[project]\ndependencies = ['numpy==2.1.2']\n"}
    assert ("numpy", "2.1.2", "lib/pyproject.toml", 2) in pins(collect(files))
