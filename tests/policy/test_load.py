import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.core.facts import Check
from mlgate.core.severity import Severity
from mlgate.policy.document import PolicyError
from mlgate.policy.load import check_rules, from_disk, load

WAIVER = "{rule: MLG-DEP-001, reason: the function is not called, expires: 2027-01-31}"


def read(text, **others):
    files = {".mlgate.yaml": text, **{f"{name}.yaml": body for name, body in others.items()}}
    return load(".mlgate.yaml", lambda path: files[path].encode() if path in files else None)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version: 1\nmodels:\n  exclud: [a]\n", 3, r"models\.exclud: unknown key; did you mean `exclude`"),
        ("version: 1\nqwertz: 3\n", 2, r"qwertz: unknown key; known here: .*waivers"),
        ("version: 1\nmodels:\n  include: [3]\n", 3, r"models\.include\[0\]: Expected `str`, got `int`"),
        ("version: 1\nmodels:\n  include:\n  - a\n  - '[b'\n", 5, r"models\.include\[1\]: bad glob"),
        ("version: 1\nmodels: {exclude: [/etc]}\n", 2, r"models\.exclude\[0\]: bad glob"),
        ("version: 1\nfail_on: hihg\n", 2, r"fail_on: .*'hihg'.*info, low, medium, high, critical"),
        ("version: 2\n", 1, r"version: .*one of 1"),
        ("fail_on: high\n", 1, r"the key `version` is missing"),
        ("", 1, "empty.*mlgate init"),
        ("- version: 1\n", 1, "mapping"),
        ("version: 1\nversion: 1\n", 2, "version: stands twice"),
        ("a: &x 1\nb: *x\n", 2, "alias"),
        ("version: !!python/object/apply:os.getcwd []\n", 1, "tag"),
        ("version: 1\n---\nversion: 1\n", 2, "second document"),
        ("version: 1\nx: " + "[" * 60 + "]" * 60, 2, "nested deeper"),
        ("version: 1\n  models: [\n", 2, "not valid YAML"),
        ("? [a]\n: 1\n", 1, "plain words"),
        (
            f"version: 1\nwaivers:\n- {WAIVER}\n- {{rule: MLG-DEP-001, expires: 2027-01-31}}\n",
            4,
            "`reason` is missing",
        ),
        (
            "version: 1\nwaivers:\n- {rule: MLG-DEP-001, reason: long enough a reason}\n",
            3,
            "`expires` is missing",
        ),
        (
            "version: 1\nwaivers:\n- {reason: long enough a reason, expires: 2027-01-31}\n",
            3,
            "`rule` or by `not_checked`",
        ),
        ("version: 1\nwaivers:\n- {rule: MLG-DEP-001, reason: short, expires: 2027-01-31}\n", 3, "reason"),
        (WAIVER.join(["version: 1\nwaivers: [", "]\n"]).replace("2027-01-31", "2027-13-31"), 2, "2027-13-31"),
        (WAIVER.join(["version: 1\nwaivers: [", "]\n"]).replace("2027-01-31", "soon"), 2, "YYYY-MM-DD"),
        ("version: 1\nlimits: {file_seconds: 0}\n", 2, r"limits\.file_seconds"),
        ("version: 1\nextends: nowhere.yaml\n", 2, "there is no file nowhere.yaml"),
        ("version: 1\nextends: https://example.org/p.yaml\n", 2, "not a path"),
        ("version: 1\nextends: .mlgate.yaml\n", 2, "already part"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(text, line, words):
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert str(caught.value).startswith(f".mlgate.yaml:{line}: ")
    assert re.search(words, caught.value.message)


def test_a_missing_policy_is_an_error():
    with pytest.raises(PolicyError, match="no such policy file"):
        load("gone.yaml", lambda _path: None)


def test_bytes_that_are_no_text_are_an_error():
    with pytest.raises(PolicyError, match=r"p\.yaml:2: is not UTF-8"):
        load("p.yaml", lambda _path: b"version: 1\n\xff\xfe")


def test_the_lines_of_keys_are_kept():
    policy = read("version: 1\nassessment:\n- name: d\n  model: {path: m}\n  data: {path: d, label: y}\n")
    assert policy.line("assessment[0].data.path") == 5
    assert policy.line("assessment[0].robustness.min_accuracy") == 3
    assert policy.line("waivers[0]") is None


def test_extends_fills_in_what_the_policy_leaves_open():
    base = f"version: 1\nfail_on: low\nmodels: {{include: [a], exclude: [b]}}\nwaivers: [{WAIVER}]\n"
    policy = read(
        f"version: 1\nextends: base.yaml\nmodels: {{include: [c]}}\nwaivers: [{WAIVER}]\n", base=base
    ).policy
    assert policy.fail_on is Severity.LOW
    assert policy.models.include == ("c",)
    assert policy.models.exclude == ("b",)
    assert len(policy.waivers) == 2


def test_the_digest_covers_what_is_extended():
    own = "version: 1\nextends: base.yaml\n"
    assert read(own, base="version: 1\n").sha256 != read(own, base="version: 1\nfail_on: low\n").sha256


def test_a_chain_of_policies_ends():
    chain = {f"p{index}": f"version: 1\nextends: p{index + 1}.yaml\n" for index in range(20)}
    with pytest.raises(PolicyError, match="more than 5"):
        read("version: 1\nextends: p0.yaml\n", **chain)


def test_a_waiver_for_an_unknown_rule_is_an_error():
    with pytest.raises(PolicyError, match="no rule MLG-DEP-001.*did you mean `MLG-DEP-002`"):
        check_rules(read(f"version: 1\nwaivers: [{WAIVER}]\n"), ["MLG-DEP-002", "MLG-PKL-002"])


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("dependencies: {fail_on: low}", Severity.LOW),
        ("dependencies: {fail_on: {severity: critical, cvss: 7.0}}", Severity.CRITICAL),
        ("dependencies: {fail_on: {cvss: 7.0}}", Severity.MEDIUM),
        ("models: {fail_on: low}", Severity.MEDIUM),
    ],
)
def test_a_check_may_have_a_threshold_of_its_own(text, threshold):
    assert read(f"version: 1\nfail_on: medium\n{text}\n").policy.threshold(Check.DEPENDENCIES) is threshold


def test_a_policy_on_disk_is_read_beside_what_it_extends(tmp_path):
    (tmp_path / "base.yaml").write_text("version: 1\nfail_on: low\n")
    (tmp_path / "own.yaml").write_text("version: 1\nextends: base.yaml\n")
    assert from_disk(tmp_path / "own.yaml", "own.yaml").policy.fail_on is Severity.LOW


def test_a_folder_is_no_policy(tmp_path):
    with pytest.raises(PolicyError, match="cannot be read"):
        from_disk(tmp_path, "somewhere")


PIECES = st.sampled_from(
    ["version", ": ", "1", "\n", "  ", "- ", "[", "]", "{", "}", "&a", "*a", "!!", "|", ">", "'", '"', "#", "? ",
     "models", "include", "waivers", "extends", "fail_on", "high", "---", "\t", "é", "\x00", "2027-01-31", "<<"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_no_text_breaks_the_loader(text):
    with contextlib.suppress(PolicyError):
        read("version: 1\n" + text)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_loader(raw):
    with contextlib.suppress(PolicyError):
        load("p", lambda path: raw if path == "p" else None)


def test_a_policy_in_a_folder_extends_one_above_it(tmp_path):
    (tmp_path / "ci").mkdir()
    (tmp_path / "base.yaml").write_text("version: 1\nfail_on: low\n")
    (tmp_path / "ci" / "own.yaml").write_text("version: 1\nextends: ../base.yaml\n")
    assert from_disk(tmp_path / "ci" / "own.yaml", "ci/own.yaml").policy.fail_on is Severity.LOW
    (tmp_path / "ci" / "own.yaml").write_text("version: 1\nextends: ../../base.yaml\n")
    with pytest.raises(PolicyError, match="leaves the repository"):
        from_disk(tmp_path / "ci" / "own.yaml", "ci/own.yaml")


def test_what_a_policy_extends_is_no_link(tmp_path):
    (tmp_path / "other.yaml").write_text("version: 1\n")
    (tmp_path / "base.yaml").symlink_to("other.yaml")
    (tmp_path / "own.yaml").write_text("version: 1\nextends: base.yaml\n")
    with pytest.raises(PolicyError, match="symbolic link"):
        from_disk(tmp_path / "own.yaml", "own.yaml")


def test_an_inherited_waiver_has_no_line_in_this_file():
    waiver = b"waivers:\n  - {rule: MLG-PKL-001, reason: accepted for now, expires: 2030-01-01}\n"
    files = {"p.yaml": b"version: 1\nextends: base.yaml\n" + waiver, "base.yaml": b"version: 1\n" + waiver}
    loaded = load("p.yaml", files.get)
    assert [loaded.line(f"waivers[{index}].rule") for index in (0, 1)] == [4, None]
