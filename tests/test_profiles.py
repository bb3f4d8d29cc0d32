import re

import pytest

from mlgate import profiles, starter
from mlgate.core.facts import FileRecord, Package
from mlgate.core.report import PolicyRef, Report, Tool, Verdict
from mlgate.core.severity import Severity
from mlgate.policy import load
from mlgate.policy.diff import compare
from mlgate.policy.directions import Effect

HOSTILE = ["a\nfail_on: info", "$model.txt", "'\"", "${found}", "é: [", "-r x", "#"]


def report(models=(), packages=()):
    return Report(
        tool=Tool("mlgate", "1", "3", "linux"),
        root="/",
        scope="s",
        checks=(),
        policy=PolicyRef(),
        fail_on={},
        verdict=Verdict.PASS,
        inventory=tuple(FileRecord(path, form, 1, None, "checked") for path, form in models),
        packages=tuple(Package("numpy", "2.1.2", path) for path in packages),
    )


def policy(text):
    return load.load("p.yaml", lambda _path: text.encode())


def uncommented(text):
    """Return a profile with its commented sections in force, which is what they are there for."""
    sections = re.findall(r"^# ((?:assessment|waivers):\n(?:#   .*\n)+)", text, re.MULTILINE)
    return text + "".join(re.sub(r"^# ", "", section, flags=re.MULTILINE) for section in sections)


@pytest.mark.parametrize("name", profiles.names())
@pytest.mark.parametrize("models", [(), [("a.onnx", "onnx")], [("a.onnx", "onnx"), ("b.pkl", "pickle")]])
@pytest.mark.parametrize("packages", [(), HOSTILE])
def test_a_profile_is_a_valid_policy_for_any_repository(name, models, packages):
    text = starter.render(report(models, packages), name)
    loaded = policy(uncommented(text)).policy
    assert len(loaded.waivers) == 1
    if packages:
        assert set(loaded.dependencies.manifests) == set(packages)


@pytest.mark.parametrize("path", [*HOSTILE, "a\n- b.onnx"])
@pytest.mark.parametrize("name", profiles.names())
def test_a_hostile_model_stays_out_of_the_comments(name, path):
    text = starter.render(report([(path, "onnx")]), name)
    assert policy(text).policy.assessment == ()
    assert policy(text).policy.fail_on is policy(starter.render(report(), name)).policy.fail_on


def test_each_profile_is_stricter_than_the_one_before():
    plain = [
        policy(starter.render(report(packages=["r.txt"]), name)) for name in ("minimal", "standard", "strict")
    ]
    for looser, stricter in zip(plain, plain[1:], strict=False):
        effects = {change.effect for change in compare(looser, stricter)}
        assert Effect.TIGHTENED in effects
        assert not {Effect.LOOSENED, Effect.CHANGED} & effects


def test_strict_wants_two_auditors_exact_versions_and_formats_without_code():
    strict = policy(uncommented(starter.render(report(), "strict"))).policy
    assert len(strict.dependencies.auditors) == 2
    assert strict.dependencies.unpinned == "fail"
    assert "pickle" not in strict.models.allow_formats
    assert strict.fail_on is Severity.MEDIUM
    assert strict.assessment[0].robustness.masked == "fail"


def test_every_profile_says_what_it_is_for():
    for name in profiles.names():
        assert re.match(rf"# mlgate's policy, {name}: .+\.\n", profiles.load(name).template)


def test_there_is_no_other():
    with pytest.raises(KeyError):
        profiles.load("../profiles/strict")
