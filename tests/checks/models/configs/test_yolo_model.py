import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import judged, look, reasons

HONEST = """\
# YOLOv5 by Ultralytics
nc: 80  # number of classes
depth_multiple: 0.33
activation: nn.LeakyReLU(0.1)
anchors:
  - [10,13, 16,30, 33,23]  # P3/8
backbone:
  # [from, number, module, args]
  [[-1, 1, Conv, [64, 6, 2, 2]],
   [-1, 3, C3, [128]],
   [-1, 1, nn.Upsample, [None, 2, 'nearest']],
  ]
head:
  - [[-1, 6], 1, Concat, [1]]
  - [-1, 1, nn.Identity, []]
  - [[17, 20, 23], 1, Detect, [nc, anchors]]
  - [-1, 1, TorchVision, [768, convnext_tiny, DEFAULT, True, 2]]
  - [-1, 1, "nn.Sequential(nn.Conv2d(8, 8, 1), nn.SiLU())", []]
"""


def verdicts(text, name="model.yaml"):
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(text.encode(), name))]


def test_an_ordinary_description():
    assert verdicts(HONEST) == []
    assert verdicts("backbone: {type: ResNet, note: 'import os; os.getcwd()'}\n") == []


@pytest.mark.parametrize(
    "code", ["__import__('os').system('true')", "os.system('true')", "getattr(os, 'sys' + 'tem')('true')"]
)
@pytest.mark.parametrize(
    "text",
    [
        "backbone:\n  - [-1, 1, {code}, [64]]\nhead: []\n",
        "backbone: []\nhead:\n  - [-1, 1, Conv, [64, {code}]]\n",
        "nc: 1\nactivation: {code}\nbackbone: []\n",
        "head:\n- - -1\n  - 1\n  - {code}\n  - []\n",
        '{{"backbone": [[-1, 1, {code}, []]]}}',
        '"\\x62ackbone": [[-1, 1, {code}, []]]',
    ],
)
def test_what_is_evaluated_decides(text, code):
    assert ("MLG-HFR-006", "critical", "os.system") in verdicts(text.format(code=json.dumps(code)))


def test_a_folded_text_is_evaluated_too():
    text = "head:\n- - -1\n  - 1\n  - >-\n    os.system('true')\n  - []\n"
    assert ("MLG-HFR-006", "critical", "os.system") in verdicts(text)


def test_texts_that_are_not_evaluated_are_left_alone():
    assert verdicts("backbone: []\nnote: __import__('os').system('true')\n") == []
    assert verdicts("x:\n  backbone:\n    - [-1, 1, \"__import__('os').system('true')\", []]\n") == []


def test_a_long_description_is_undecided():
    seen = look(HONEST.encode() + b"# os.system\n" * 9, "model.yaml", text_bytes=100)
    assert reasons(seen) == {"limit"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_survived(text):
    assert "reader-failed" not in reasons(
        look(f"backbone:\n- [-1, 1, os.system, {text}".encode(), "model.yaml")
    )
