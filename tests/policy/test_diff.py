import copy

import msgspec
import pytest
import yaml

from mlgate.core.severity import Severity
from mlgate.policy import load
from mlgate.policy.baseline import Baseline, Entry
from mlgate.policy.diff import compare
from mlgate.policy.directions import Effect

REASON = "reason: looked at it and fine"


def policy(text="", *entries):
    loaded = load.load("p.yaml", lambda _path: f"version: 1\n{text}".encode())
    return msgspec.structs.replace(loaded, baseline=Baseline(entries, "b.json", "0") if entries else None)


def assessment(text):
    head = "assessment:\n- name: digits\n  model: {path: m.onnx}\n  data: {path: d.npz, label: y}\n  "
    return head + text + "\n"


def waiver(text):
    return f"waivers:\n- {{rule: MLG-PKL-002, {REASON}, {text}}}\n"


ROBUST = assessment("robustness: {epsilon: %s, min_accuracy: %s, queries: %s}")
LOOSER = [
    ("", "fail_on: critical\n", "fail_on", "high -> critical"),
    ("", "models: {fail_on: critical}\n", "models.fail_on", "high -> critical"),
    ("models: {fail_on: low}\n", "", "models.fail_on", "low -> high"),
    ("", "dependencies: {unpinned: warn}\n", "dependencies.unpinned", "undecided -> warn"),
    ("dependencies: {fail_on: {cvss: 7.0}}\n", "dependencies: {fail_on: {cvss: 9.0}}\n", "dependencies.fail_on.cvss", "7.0 -> 9.0"),
    ("dependencies: {fail_on: {cvss: 7.0}}\n", "", "dependencies.fail_on.cvss", "7.0 -> nothing"),
    ("", "models: {exclude: [tests/**]}\n", "models.exclude", "adds tests/**"),
    ("", "models: {include: [models/**]}\n", "models.include", "adds models/**; removes **"),
    ("models: {allow_formats: [onnx]}\n", "models: {allow_formats: [onnx, pickle]}\n", "models.allow_formats", "adds pickle"),
    ("models: {allow_formats: [onnx]}\n", "", "models.allow_formats", "onnx -> nothing"),
    ("", "models: {allow_globals: [os.system]}\n", "models.allow_globals", "adds os.system"),
    ("", "dependencies: {manifests: []}\n", "dependencies.manifests", "nothing -> an empty list"),
    ("dependencies: {manifests: [a, b]}\n", "dependencies: {manifests: [a]}\n", "dependencies.manifests", "removes b"),
    ("", "dependencies: {exclude: [a]}\n", "dependencies.exclude", "adds a"),
    ("dependencies: {auditors: [osv, pip-audit]}\n", "", "dependencies.auditors", "removes pip-audit"),
    ("dependencies: {advisories: {max_age_days: 7}}\n", "", "dependencies.advisories.max_age_days", "7 -> nothing"),
    (assessment("performance: {accuracy: {min: 0.9}}"), "", "assessment[digits]", "is asked no more"),
    (assessment("performance: {accuracy: {min: 0.9}}"), assessment("performance: {accuracy: {min: 0.8}}"), "assessment[digits].performance.accuracy.min", "0.9 -> 0.8"),
    (assessment("performance: {accuracy: {min: 0.9}}"), assessment(""), "assessment[digits].performance", "is asked no more"),
    (ROBUST % (0.1, 0.5, 100), ROBUST % (0.05, 0.5, 100), "assessment[digits].robustness.epsilon", "0.1 -> 0.05"),
    (ROBUST % (0.1, 0.5, 100), ROBUST % (0.1, 0.4, 100), "assessment[digits].robustness.min_accuracy", "0.5 -> 0.4"),
    (ROBUST % (0.1, 0.5, 100), ROBUST % (0.1, 0.5, 10), "assessment[digits].robustness.queries", "100 -> 10"),
    ("", waiver("expires: 2030-01-01"), "waivers[0]", "waives MLG-PKL-002 until 2030-01-01"),
    (waiver("expires: 2030-01-01"), waiver("expires: 2031-01-01"), "waivers[0].expires", "2030-01-01 -> 2031-01-01 (MLG-PKL-002)"),
    (waiver("expires: 2030-01-01, path: a"), waiver("expires: 2030-01-01"), "waivers[0]", "waives MLG-PKL-002 until 2030-01-01"),
    ("", "overrides:\n- {path: x/**, fail_on: critical}\n", "overrides[x/**].fail_on", "high -> critical"),
    ("overrides:\n- {path: x/**, models: {allow_formats: [onnx]}}\n", "", "overrides[x/**].models.allow_formats", "onnx -> nothing"),
]  # fmt: skip


def said(changes, effect):
    return [(change.key, change.words) for change in changes if change.effect is effect]


@pytest.mark.parametrize(
    ("old", "new", "key", "words"), LOOSER, ids=[f"{key} {words}" for _, _, key, words in LOOSER]
)
def test_what_a_change_loosens_is_named_and_the_way_back_tightens(old, new, key, words):
    assert (key, words) in said(compare(policy(old), policy(new)), Effect.LOOSENED)
    back = compare(policy(new), policy(old))
    # Another pattern looks at other files: what it leaves out is the same to and fro.
    if "include" not in key:
        assert said(back, Effect.TIGHTENED)
        assert not said(back, Effect.LOOSENED) or key == "waivers[0]"


def test_a_policy_does_not_differ_from_itself():
    for text in (entry for old, new, *_ in LOOSER for entry in (old, new)):
        assert compare(policy(text), policy(text)) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (waiver("expires: 2030-01-01"), waiver("expires: 2030-01-01").replace("looked", "stared")),
        ("models: {exclude: [a, b]}\n", "models: {exclude: [b, a]}\n"),
    ],
)
def test_what_changes_nothing_is_said_too(old, new):
    assert {change.effect for change in compare(policy(old), policy(new))} == {Effect.REWORDED}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "limits: {facts: 1}\n"),
        ("", "dependencies: {manifests: [a]}\n"),
        ("", "dependencies: {advisories: {path: mine.zip}}\n"),
        (assessment("seed: 1"), assessment("seed: 2")),
        (assessment("model: {path: a}").replace("  model: {path: m.onnx}\n", ""), assessment("")),
    ],
)
def test_a_change_without_a_direction_is_for_a_person(old, new):
    assert {change.effect for change in compare(policy(old), policy(new))} == {Effect.CHANGED}


TWO = waiver("expires: 2030-01-01") + f"- {{rule: MLG-PKL-002, {REASON}, until_fixed: true, expires: %s}}\n"
TWO = TWO.replace("MLG-PKL-002", "MLG-DEP-001")


@pytest.mark.parametrize(
    ("old", "new", "effect", "words"),
    [
        (TWO % "2029-01-01", TWO % "2031-01-01", Effect.LOOSENED, "2030-01-01 -> 2031-01-01 (MLG-DEP-001)"),
        (TWO % "2031-01-01", TWO % "2032-01-01", Effect.LOOSENED, "2031-01-01 -> 2032-01-01 (MLG-DEP-001)"),
        (TWO % "2031-01-01", TWO % "2029-01-01", Effect.TIGHTENED, "removes the waiver of MLG-DEP-001"),
    ],
)
def test_of_two_waivers_alike_the_second_is_compared_too(old, new, effect, words):
    assert words in [said_words for _, said_words in said(compare(policy(old), policy(new)), effect)]


def test_a_waiver_that_another_one_covers_changes_nothing():
    assert compare(policy(TWO % "2029-01-01"), policy(TWO % "2028-01-01")) == ()


def test_the_order_of_overrides_is_a_change():
    one, two = "- {path: a/**, fail_on: low}\n", "- {path: '**/b', fail_on: critical}\n"
    changes = compare(policy(f"overrides:\n{one}{two}"), policy(f"overrides:\n{two}{one}"))
    assert [change.effect for change in changes] == [Effect.CHANGED]


def test_what_holds_everywhere_is_not_repeated_for_an_override():
    override = "overrides:\n- {path: a, models: {allow_globals: [a.B]}}\n"
    assert said(compare(policy(), policy("fail_on: low\n" + override)), Effect.TIGHTENED) == [
        ("fail_on", "high -> low")
    ]


def test_a_baseline_is_compared_by_its_entries():
    one, two = (
        Entry(name, digit * 64, rule="MLG-PKL-002", severity=Severity.LOW)
        for name, digit in (("a", "1"), ("b", "2"))
    )
    (grown,) = compare(policy("", one), policy("", one, two))
    assert (grown.effect, grown.words) == (Effect.LOOSENED, "accepts MLG-PKL-002 in b")
    assert [change.effect for change in compare(policy("", one, two), policy("", two))] == [Effect.TIGHTENED]
    worse = msgspec.structs.replace(one, severity=Severity.HIGH)
    assert Effect.LOOSENED in {change.effect for change in compare(policy("", one), policy("", worse))}


def test_a_policy_that_is_gone_is_a_change():
    assert said(compare(policy(), load.DEFAULT), Effect.CHANGED) == [
        ("policy", "p.yaml is gone: mlgate's defaults hold")
    ]


def test_a_change_stands_at_its_line():
    changes = compare(policy(), policy("models:\n  exclude:\n  - a\n" + waiver("expires: 2030-01-01")))
    assert [(change.key, change.line) for change in changes] == [("models.exclude", 3), ("waivers[0]", 6)]
    (gone,) = compare(policy("models: {allow_formats: [onnx]}\n"), policy("fail_on: high\n"))
    assert gone.line == 1


def test_what_is_long_is_cut():
    (change,) = compare(
        policy(), policy(f"models: {{exclude: [{', '.join(f'a{n:0200}' for n in range(9))}]}}\n")
    )
    assert change.words.endswith("and 4 more")


WHOLE = """
fail_on: high
models: {include: [a], exclude: [b], allow_formats: [onnx], allow_globals: [a.B], fail_on: low}
dependencies:
  manifests: [a]
  exclude: [b]
  auditors: [osv]
  advisories: {path: a.zip, max_age_days: 7}
  fail_on: {severity: low, cvss: 3.0}
  unpinned: fail
overrides:
- {path: a, fail_on: low, models: {allow_formats: [onnx], allow_globals: [a.B], fail_on: low}, dependencies: {fail_on: medium, unpinned: fail}}
waivers:
- {rule: MLG-DEP-001, path: a, subject: b, package: c, advisory: d, until_fixed: true, reason: looked at it and fine, expires: 2030-01-01}
- {not_checked: limit, reason: looked at it and fine, expires: 2030-01-01}
baseline: b.json
limits: {facts: 7, ratio: 7}
assessment:
- name: digits
  model: {path: m.onnx, sha256: "ZERO"}
  data: {path: d.npz, label: y, features: x, range: [0, 1], limit: 5, sha256: "ONE"}
  task: classification
  confidence: 0.9
  seed: 3
  performance: {accuracy: {min: 0.9}, log_loss: {max: 0.9}}
  subgroups: {by: sex, min_samples: 9, accuracy: {min: 0.8}}
  corruptions: {gaussian_noise: {severity: 3, max_drop: 0.05, min: 0.8}}
  fairness: {group: sex, positive: "y", demographic_parity_difference: {max: 0.1}}
  baseline: {model: {path: old.onnx, sha256: "ONE"}, max_drop: 0.01}
  labels: {max_share: 0.01}
  drift: {reference: {path: train.npz}, psi: {max: 0.2}, ks: {max: 0.2}}
  poisoning: {reference: {path: train.npz}}
  robustness: {norm: linf, epsilon: 0.1, min_accuracy: 0.5, attacks: [square], confidence: 0.9, queries: 10, budget_seconds: 5, seed: 1}
""".replace("ZERO", "0" * 64).replace("ONE", "1" * 64)  # fmt: skip
OTHER = {
    "onnx": "npz",
    "osv": "safety",
    "low": "critical",
    "medium": "critical",
    "high": "critical",
    "fail": "warn",
    "linf": "l2",
    "MLG-DEP-001": "MLG-PKL-002",
    "limit": "empty",
}


def leaves(value, place=()):
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*place, key)
            yield from leaves(item, (*place, key))


TREE = yaml.load(WHOLE, yaml.BaseLoader)


def changed(value):
    """Return another value of the same kind."""
    if isinstance(value, dict | list):
        return None
    if value in OTHER:
        return OTHER[value]
    if value in ("true", "false"):
        return "false" if value == "true" else "true"
    if value.startswith("2030"):
        return "2031-01-01"
    if len(value) == 64:
        return "f" * 64
    return f"0.7{value[2:]}" if value.startswith("0.") else "2" if value.isdigit() else f"{value}z"


@pytest.mark.parametrize("remove", [True, False], ids=["removed", "changed"])
@pytest.mark.parametrize("place", list(leaves(TREE)), ids=str)
def test_nothing_that_differs_is_passed_over(place, remove):
    """Take away or change each key in turn: if it is still a policy, the difference is said."""
    tree = copy.deepcopy(TREE)
    section = tree
    for key in place[:-1]:
        section = section[key]
    new = changed(section[place[-1]])
    if remove:
        del section[place[-1]]
    elif new is None:
        return
    else:
        section[place[-1]] = new
    try:
        other = policy(plain(tree))
    except load.PolicyError:
        return
    if other.policy == policy(WHOLE).policy:
        return  # a key left out, and its default is what it said
    assert compare(policy(WHOLE), other), place
    assert compare(other, policy(WHOLE)), place


def plain(tree):
    """Write a tree of texts so that numbers are numbers again."""

    def restore(value):
        if isinstance(value, dict):
            return {key: restore(item) for key, item in value.items()}
        if isinstance(value, list):
            return [restore(item) for item in value]
        return value if len(value) == 64 or value.startswith("MLG") else yaml.safe_load(value)

    return yaml.safe_dump(restore(tree))
