"""Configurations of Triton's models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import judged, look

HONEST = """name: "m"
backend: "python"  # "../x"
max_batch_size: 8
input [{ name: "x" data_type: TYPE_FP32 dims: [ 4 ] }]
instance_group [{ kind: KIND_CPU }]
parameters: { key: "folder" value: { string_value: "/data" } }
"""
OWN = 'parameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "$$TRITON_MODEL_DIRECTORY/{}" }} }}'


def verdicts(more, name="config.pbtxt"):
    return [(each.rule, each.severity.value) for each in judged(look((HONEST + more).encode(), name))]


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ('default_model_filename: "../../etc/passwd"', "high"),
        ('default_model_filename: "/srv/model.onnx"', "high"),
        ('cc_model_filenames: { key: "7.5" value: "../x.plan" }', "high"),
        ('runtime: "../libevil.so"', "high"),
        ('backend: "../../tmp/evil"', "high"),
        ('model_operations { op_library_filename: "libops.so" }', "medium"),
        ('model_operations { op_library_filename: "a.so" op_library_filename: "/tmp/b.so" }', "high"),
        ('parameters: { key: "EXECUTION_ENV_PATH" value: { string_value: "../env.tar.gz" } }', "high"),
        ('parameters { key: "EXECUTION_ENV_PATH" value { string_value: "/opt/env.tar.gz" } }', "medium"),
        (OWN.format("env.tar.gz"), "info"),
        (OWN.format("../env.tar.gz"), "high"),
        ('default_model_filename: "model.onnx"', None),
        ("", None),
    ],
)
def test_what_lies_elsewhere(more, severity):
    found = verdicts(more)
    assert (max(found, key=lambda each: each[1] == "high") if found else None) == (
        ("MLG-TRI-001", severity) if severity else None
    )


def test_other_texts_are_left_alone():
    assert verdicts('default_model_filename: "../x"', "other.pbtxt") == []
    assert verdicts('default_model_filename: "../x" }') == []


@given(st.text(alphabet='defaultmo_parsky: "{}[]#./\n', max_size=200))
def test_any_text(text):
    look(text.encode(), "config.pbtxt")
