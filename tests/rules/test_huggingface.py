import pytest
from msgspec.structs import replace
from tests.rules.cases import verdicts

from mlgate.policy.schema import Models, Policy


@pytest.mark.parametrize(
    ("remote", "odd", "severity"), [(False, False, "medium"), (True, False, "high"), (False, True, "high")]
)
def test_code_that_stands_in_for_the_library(remote, odd, severity):
    detail = {"key": "auto_map", "remote": remote, "odd": odd, "repository": ""}
    assert verdicts("huggingface.auto-map", "m.C", **detail) == [("MLG-HFR-001", severity)]


@pytest.mark.parametrize(("model", "severity"), [(True, "high"), (False, "medium")])
def test_trust_that_is_stored(model, severity):
    assert verdicts("huggingface.trust", model=model) == [("MLG-HFR-002", severity)]


@pytest.mark.parametrize(
    ("subject", "remote", "module", "severity"),
    [
        ("diffusers.UNet2DModel", False, False, None),
        ("stable_diffusion.Checker", False, False, None),
        ("torch.nn.Identity", False, False, None),
        ("acme.Net", False, False, "medium"),
        ("pipeline.Mine", False, True, "medium"),
        ("x/y--acme.Net", True, False, "high"),
        ("subprocess.Popen", False, False, "critical"),
        ("torch.utils.cpp_extension.load", False, False, "critical"),
    ],
)
def test_classes_of_a_pipeline(subject, remote, module, severity):
    detail = {"key": "unet", "remote": remote, "module": module}
    expected = [] if severity is None else [("MLG-HFR-003", severity)]
    assert verdicts("huggingface.class", subject, **detail) == expected
    allowed = Policy(version=1, models=replace(Models(), allow_globals=(subject,)))
    assert verdicts("huggingface.class", subject, policy=allowed, **detail) == []


def test_the_other_rules():
    assert verdicts("huggingface.evaluated", "x()", key="k") == [("MLG-HFR-007", "high")]
    assert verdicts("huggingface.kernel", "a/b", key="k") == [("MLG-HFR-008", "critical")]
    assert verdicts("huggingface.kernel", "kernels-community/b", key="k") == [("MLG-HFR-008", "medium")]
    assert verdicts("huggingface.path", "../x", key="k", how="parent") == [("MLG-HFR-009", "high")]
