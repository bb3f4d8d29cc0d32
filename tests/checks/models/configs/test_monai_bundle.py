import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import format_of, judged, look, reasons

HONEST = {
    "imports": ["$import glob", "$import os", "$import ignite"],
    "bundle_root": ".",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "datalist": "$list(sorted(glob.glob(@dataset_dir + '/imagesTs/*.nii.gz')))",
    "network_def": {"_target_": "UNet", "channels": [16, 32]},
    "network": "$@network_def.to(@device)",
    "out": "$os.path.join(@bundle_root, 'eval')",
    "run": ["$monai.utils.set_determinism(123)", "$@evaluator.run()"],
}


def verdicts(document, name="inference.json"):
    text = document if isinstance(document, str) else json.dumps(document)
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(text.encode(), name))]


def test_an_ordinary_bundle():
    assert verdicts(HONEST) == []
    plain = "imports:\n- $import os\nrun: $monai.run(@x)\ntext: costs $5, $HOME and ${a}\n"
    assert verdicts(plain, "a.yaml") == []


@pytest.mark.parametrize(
    ("expression", "severity", "subject"),
    [
        ("$__import__('os').system('true')", "critical", "os.system"),
        ("$os.system('true')", "critical", "os.system"),
        ("$[os.system(x) for x in ['true']]", "critical", "os.system"),
        ("$@x.to(os.popen('true'))", "critical", "os.popen"),
        ("$getattr(os, 'sys' + 'tem')('true')", "critical", "os.system"),
        ("$(lambda: __import__('subprocess').run('true'))()", "critical", "subprocess.run"),
        ("$exec(__import__('base64').b64decode('eA=='))", "critical", "builtins.exec"),
        ("$eval(@x)", "high", "builtins.eval"),
        ("$__import__(@x).y()", "high", "a computed name"),
        ("$__import__('pickle').load(@x)", "medium", "pickle.load"),
        ("$__import__('requests').get('https://x')", "medium", "requests.get"),
    ],
)
def test_what_an_expression_does_decides(expression, severity, subject):
    for document in ({**HONEST, "x": expression}, {"x": [{"y": expression}], "imports": ["$import os"]}):
        found = verdicts(document)
        assert ("MLG-HFR-006", severity, "?" if subject == "a computed name" else subject) in found


@pytest.mark.parametrize(
    "text",
    [
        "x: $__import__('os').system('true')\n",
        "x: >-\n  $__import__('os').system('true')\n",
        "- $__import__('os').system('true')\n",
        "x: \"\\x24__import__('os').system('true')\"\n",
        "{\"x\": \"\\u0024__import__('os').sys\\u0074em('true')\"}",
        "a: &a $__import__('os').system('true')\n",
        "x: ${eval:\"__import__('os').system('true')\"}\n",
        "x: ${eval:__import__('os').system('true')}\n",
        "x: 'a/${pyeval: __import__(\"os\").system(1)}'\n",
    ],
)
def test_they_are_found_however_they_are_written(text):
    assert verdicts(text, "c.yaml") == [("MLG-HFR-006", "critical", "os.system")]
    assert format_of(look(text.encode(), "c.yaml")) == "monai-bundle"


def test_it_stands_at_its_line():
    (fact,) = look(b"a: 1\nx: $__import__('os').system('true')\n", "c.yaml").facts
    assert fact.location.line == 2


@pytest.mark.parametrize(
    "text",
    ["run: $ os.system\n", "n: ${eval:'${a} * 2'} # subprocess\n", "n: ${env:subprocess}\n", "x: '$'\n", "x: $os.system(\n", "script: '$(cat x) | sh; python -c \"import subprocess\"'\n",
     "- run: $SHELL -c 'os.system'\n", '{"$schema": "x", "a": "$subprocess"}'],
)  # fmt: skip
def test_other_dollars(text):
    seen = look(text.encode(), "c.yaml")
    assert (seen.facts, seen.not_checked) == ((), ())


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seed = bytearray(json.dumps({**HONEST, "x": "$__import__('os').system('true')"}).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 9))] = data.draw(
            st.sampled_from([b"[", b"{", b'"$', b"lambda:", b"\\", b"\xff", b"@", b"("])
        )
    assert "reader-failed" not in reasons(look(bytes(seed), "a.json"))


@pytest.mark.parametrize(
    "expression",
    [
        "$@y.__class__.__init__.__globals__['os']",
        "$@y::z.__init__.__globals__",
        "$monai.utils.optional_import('os')[0].system('true')",
        "$optional_import('subprocess')[0].run('true')",
        "$getattr(optional_import('o' + 's')[0], 'sys' + 'tem')('true')",
    ],
)
def test_ways_out_of_a_reference(expression):
    found = {each.severity.value for each in judged(look(json.dumps({"x": expression}).encode(), "a.json"))}
    assert found & {"high", "critical"}


def test_an_import_in_a_resolver_is_no_arithmetic():
    assert verdicts('a: ${eval:\'__import__("os").mkdir("x")\'}\n', "c.yaml") == [
        ("MLG-HFR-006", "high", "builtins.__import__")
    ]


@pytest.mark.parametrize(
    "value",
    [
        "${eval:1} ${eval:__import__('os').system('true')}",
        "a ${eval:\"__import__('os').system('true')\"} b",
        "${eval:'__import__(\\'os\\').system(1)'}",
        "${eval:f(${eval:1}).x(__import__('os').system('true'))}",
        "${eval:{1: __import__('os').system('true')}}",
    ],
)
def test_every_resolver_of_a_value(value):
    assert ("MLG-HFR-006", "critical", "os.system") in verdicts({**HONEST, "x": value})


def test_an_import_by_a_way_that_is_not_followed_is_told_beside_other_effects():
    document = {**HONEST, "a": "$__import__('requests').get('https://x')", "b": "$[*map(__import__, @x)]"}
    assert ("MLG-HFR-006", "high") in {each[:2] for each in verdicts(document)}


@pytest.mark.parametrize(
    "expression", ["$" + "-" * 20_000 + "os.system(1)", "$os.system(1)" + " + 1" * 90_000]
)
def test_what_is_too_long_to_be_judged_is_not_checked(expression):
    assert "limit" in reasons(look(json.dumps({**HONEST, "x": expression}).encode(), "inference.json"))
