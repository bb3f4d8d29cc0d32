"""What the types of a policy cannot say."""

import re

import pytest

from mlgate.policy.document import PolicyError
from mlgate.policy.load import load
from mlgate.policy.sense import normal

WAIVER = "{rule: MLG-DEP-001, reason: the function is not called, expires: 2027-01-31}"
ASSESSMENT = """\
version: 1
assessment:
- name: digits
  model: {path: m.onnx}
  data:
    path: d.npz
    label: y
    range: [0, 1]
  robustness:
    epsilon: 0.1
    min_accuracy: 0.5
"""


def read(text, **others):
    files = {".mlgate.yaml": text, **{f"{name}.yaml": body for name, body in others.items()}}
    return load(".mlgate.yaml", lambda path: files[path].encode() if path in files else None)


def changed(old, new):
    assert old in ASSESSMENT
    return ASSESSMENT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (changed("[0, 1]", "[1, 0]"), 8, r"assessment\[0\]\.data\.range: "),
        (changed("[0, 1]", "[0, 0]"), 8, r"assessment\[0\]\.data\.range: "),
        (changed("[0, 1]", "[.nan, 1]"), 8, "'.nan'"),
        (changed("[0, 1]", "[0, .inf]"), 8, "'.inf'"),
        (changed("epsilon: 0.1", "epsilon: .nan"), 10, "'.nan'"),
        (changed("epsilon: 0.1", "epsilon: -.inf"), 10, "'-.inf'"),
        (changed("epsilon: 0.1", "epsilon: 1e400"), 10, "'1e400'"),
        (changed("epsilon: 0.1", "epsilon: 010"), 10, "read as 8;"),
        (changed("epsilon: 0.1", "epsilon: 0x10"), 10, "read as 16;"),
        (changed("epsilon: 0.1", "epsilon: 1:30"), 10, "read as 90;"),
        (changed("epsilon: 0.1", "epsilon: 1_0"), 10, "read as 10;"),
        (changed("epsilon: 0.1", "epsilon: yes"), 10, "true and false"),
        (changed("epsilon: 0.1", "epsilon:"), 10, "has no value"),
        (changed("min_accuracy: 0.5", "min_accuracy: .nan"), 11, "'.nan'"),
        (changed("min_accuracy: 0.5", f"seed: {'9' * 30}"), 11, "10\\^15"),
        (changed("label: y", "label: ''"), 7, "label"),
        (changed("label: y", "label: y\n    features: []"), 8, "features"),
        (changed("m.onnx", "../m.onnx"), 4, r"assessment\[0\]\.model\.path: .*leaves the repository"),
        (changed("d.npz", "/d.npz"), 6, r"assessment\[0\]\.data\.path: .*leaves the repository"),
        (changed("d.npz", "a/../../d.npz"), 6, "leaves the repository"),
        (changed("d.npz", r"a\d.npz"), 6, "forward slashes"),
        (changed("d.npz", "./"), 6, "repository itself"),
        (changed("name: digits", '"name": "digits\\n"'), 3, "line break"),
        (ASSESSMENT + ASSESSMENT.partition("assessment:\n")[2], 12, r"assessment\[1\]\.name: .*twice"),
        ("version: 1\ndependencies:\n  manifests:\n  - a.txt\n  - ../b.txt\n", 5, r"manifests\[1\]: "),
        ("version: 1\ndependencies:\n  advisories: {path: /x}\n", 3, r"advisories\.path: "),
        ("version: 1\ndependencies: {fail_on: {}}\n", 2, "neither severity nor cvss"),
        (
            "version: 1\nwaivers:\n- {reason: '          ', rule: MLG-DEP-001, expires: 2027-01-31}\n",
            3,
            "reason",
        ),
        (f"version: 1\nwaivers:\n- {WAIVER[:-1]}, package: ''}}\n", 3, "package"),
        (
            (
                "version: 1\nwaivers:\n- {not_checked: unpinned, advisory: CVE-1, reason: long enough a reason, "
                "expires: 2027-01-31}\n"
            ),
            3,
            "an advisory belongs to a finding",
        ),
        ("version: 1\n<<: {fail_on: low}\n", 2, "keys are plain words"),
        ("version: 1\n=: 1\n", 2, "keys are plain words"),
        ("version: 1\n# a remark\x85fail_on: low\n", 2, r"U\+0085"),
        ("version: 1\n# a remark\rfail_on: low\n", 2, r"U\+000D"),
        ("version: 1\n# a remark\u2028fail_on: low\n", 2, r"U\+2028"),
        ("version: 1\n# \u202eremark\n", 2, r"U\+202E"),
        ("version: 1\nextends: ../base.yaml\n", 2, "leaves the repository"),
        ('version: 1\nextends: "a\\0"\n', 2, "not a path"),
    ],
)
def test_what_makes_no_sense_is_named_with_file_line_and_key(text, line, words):
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert str(caught.value).startswith(f".mlgate.yaml:{line}: ")
    assert re.search(words, caught.value.message)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [("m.onnx", "m.onnx"), ("./a//m.onnx", "a/m.onnx"), ("a/./b/../m.onnx", "a/m.onnx"), ("..a", "..a")],
)
def test_a_path_has_one_spelling(written, meant):
    assert normal(written) == meant


def test_the_paths_of_a_policy_have_one_spelling():
    policy = read(
        "version: 1\ndependencies: {manifests: [./a.txt, a.txt, b//c.txt], advisories: {path: ./x/}}\n"
        "assessment:\n- name: d\n  model: {path: ./models//m.onnx}\n  data: {path: x/../d.npz, label: y}\n"
    ).policy
    assert policy.dependencies.manifests == ("a.txt", "b/c.txt")
    assert policy.dependencies.advisories.path == "x"
    assert (policy.assessment[0].model.path, policy.assessment[0].data.path) == ("models/m.onnx", "d.npz")


@pytest.mark.parametrize(
    ("written", "meant"), [("1e-3", 0.001), ("5E2", 500.0), ("0.25", 0.25), (".5", 0.5), ("2", 2.0)]
)
def test_a_plain_number_is_itself(written, meant):
    policy = read(changed("epsilon: 0.1", f"epsilon: {written}")).policy
    assert policy.assessment[0].robustness.epsilon == meant


def test_windows_line_ends_are_line_ends():
    assert read("version: 1\r\nfail_on: low\r\n").policy.fail_on.value == "low"


@pytest.mark.parametrize(
    ("base", "line"),
    [
        ("version: 1\nmodels: {exclude: ['[']}\n", 2),
        ("version: 1\nmodels:\n  exclud: []\n", 3),
        (f"version: 1\nwaivers:\n- {WAIVER}\n- {WAIVER[:-1]}, path: /x}}\n", 4),
    ],
)
def test_a_mistake_in_what_is_extended_is_named_there(base, line):
    with pytest.raises(PolicyError) as caught:
        read(f"version: 1\nextends: base.yaml\nwaivers:\n- {WAIVER}\n", base=base)
    assert str(caught.value).startswith(f"base.yaml:{line}: ")


BARE = """\
version: 1
assessment:
  - name: m
    model: {path: m.onnx}
    data: {path: d.npz, label: y}
"""


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("performance: {acuracy: {min: 0.9}}", r":6: .*performance\.acuracy: unknown key.*`accuracy`"),
        ("performance: {}", r":6: .*performance: asks for nothing"),
        ("performance: {accuracy: {}}", r":6: .*performance\.accuracy: needs a min or a max"),
        ("performance: {accuracy: {min: 0.1, max: 0.2}}", r"needs a min or a max, one of the two"),
        (
            "robustness: {epsilon: 0.1, min_accuracy: 0.5, attacks: [magic]}",
            r":6: .*attacks\[0\].*'magic'.*square",
        ),
        ("drift: {reference: {path: d.npz}}", "bound psi or ks"),
        ("drift: {reference: {path: d.npz}, psi: {min: 1}}", r"drift\.psi.*"),
        ("subgroups: {by: sex, latency_ms: {max: 5}}", "ask for it in `performance`"),
        ("subgroups: {by: sex}", "asks for nothing"),
        ("fairness: {group: sex}", "asks for nothing"),
        ("corruptions: {contrast: {severity: 2}}", "needs a max_drop or a min"),
        ("corruptions: {contrast: {severity: 6, min: 0.5}}", "severity"),
        ("baseline: {model: {path: ../m.onnx}}", r"baseline\.model\.path.*leaves the repository"),
    ],
)
def test_what_an_assessment_cannot_mean_is_said_with_its_line(section, words):
    with pytest.raises(PolicyError, match=words):
        read(BARE + f"    {section}\n")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("[{name: a}, {name: a, integer: true}]", r"columns\[1\]\.name: 'a' stands twice"),
        ("[{name: a, range: [2, 1]}]", r"columns\[0\]\.range: .* smallest value"),
        ("[{name: a, monotone: up}]", "monotone"),
    ],
)
def test_what_is_said_of_columns_makes_sense(columns, words):
    data = BARE.replace("label: y", f"label: y, columns: {columns}")
    with pytest.raises(PolicyError, match=words):
        read(data + "    performance: {accuracy: {min: 0.9}}\n")
