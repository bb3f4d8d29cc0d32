"""The JSON Schema that editors read, held against policies that the loader takes and refuses."""

import datetime as dt
import re
from pathlib import Path

import jsonschema
import pytest
from tests.policy.test_diff import LOOSER, WHOLE

from mlgate import profiles
from mlgate.core.severity import Severity
from mlgate.policy import editor
from mlgate.policy.document import parse
from mlgate.policy.schema import Policy

ROOT = Path(__file__).parents[2]
SCHEMA = editor.schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
PAGES = [*ROOT.glob("examples/*/.mlgate.yaml"), ROOT / "docs/policy.md", ROOT / "README.md"]


def as_json(value):
    """Return a policy's values as an editor sees them: a date is a text."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def policies():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = (
            re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
            if page.suffix == ".md"
            else [text]
        )
        yield from (block for block in blocks if re.match(r"(#.*\n)*version: 1\n", block))
    yield "version: 1\n" + WHOLE
    yield from (f"version: 1\n{text}" for old, new, *_ in LOOSER for text in (old, new))


@pytest.mark.parametrize("text", list(policies()))
def test_what_the_loader_takes_the_editor_takes(text):
    VALIDATOR.validate(as_json(parse(text, "p").data))


@pytest.mark.parametrize("name", profiles.names())
def test_a_profile_shows_no_error_in_an_editor(name):
    text = profiles.load(name).safe_substitute(
        found="", formats="", codeless="onnx", manifests="", name="a", model="b"
    )
    VALIDATOR.validate(as_json(parse(text, name).data))


@pytest.mark.parametrize(
    "text",
    [
        "fail_on: high",
        "version: 2",
        "version: 1\nfail_on: grave",
        "version: 1\nmodles: {}",
        "version: 1\nmodels: {include: a}",
        "version: 1\nmodels: {allow_globals: [os]}",
        "version: 1\nwaivers: [{rule: MLG-PKL-002, expires: 2030-01-01}]",
        "version: 1\nwaivers: [{rule: MLG-PKL-002, reason: short, expires: 2030-01-01}]",
        "version: 1\nwaivers: [{rule: PKL-002, reason: long enough, expires: 2030-01-01}]",
        "version: 1\noverrides: [{fail_on: low}]",
        "version: 1\ndependencies: {fail_on: {cvss: 11}}",
        "version: 1\nlimits: {facts: 0}",
        "version: 1\nassessment: [{name: a, model: {path: m}, data: {path: d, label: y, range: [0, 1, 2]}}]",
        "version: 1\nassessment: [{name: a, model: {path: m}, data: {path: d, label: y}, performance: {acuracy: {min: 1}}}]",
    ],
)
def test_what_is_wrong_is_underlined(text):
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(as_json(parse(text, "p").data))


def nodes(node):
    if isinstance(node, dict):
        yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(item)


def test_it_is_a_schema_of_draft_7_and_says_so():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    newer = {"prefixItems", "unevaluatedProperties", "dependentRequired", "minContains"}
    assert not [node for node in nodes(SCHEMA) if newer & node.keys()]


def test_every_key_of_a_section_with_a_docstring_is_described():
    for name in (
        "Policy",
        "Models",
        "Dependencies",
        "Threshold",
        "Advisories",
        "Override",
        "Waiver",
        "Robustness",
        "Limits",
    ):
        for key, value in SCHEMA["$defs"][name]["properties"].items():
            assert value["description"].endswith("."), f"{name}.{key}"
            assert "\n" not in value["description"]
            assert "Attributes" not in value["description"]


def test_what_is_referred_to_does_not_hide_the_words_of_its_key():
    assert not [kind for kind in SCHEMA["$defs"].values() if "description" in kind]
    assert SCHEMA["$defs"]["Models"]["properties"]["fail_on"]["description"].startswith("Severity at which")


def test_severities_stand_in_their_order():
    assert SCHEMA["$defs"]["Severity"]["enum"] == [severity.value for severity in Severity]


def test_defaults_are_those_of_the_types():
    keys = SCHEMA["$defs"]["Policy"]["properties"]
    assert keys["fail_on"]["default"] == Policy(version=1).fail_on.value
    assert SCHEMA["$defs"]["Dependencies"]["properties"]["unpinned"]["default"] == "undecided"
