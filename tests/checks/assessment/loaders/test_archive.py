"""Which archive of torch's a file is, told without reading it."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment.loaders import (
    _archive,
    onnx,
    onnx_torch,
    safetensors,
    torch_export,
    torch_module,
    torch_state_dict,
    torchscript,
)

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)
LOADERS = (onnx, onnx_torch, safetensors, torch_export, torch_module, torch_state_dict, torchscript)


def archive(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name in names:
            made.writestr(name, b"content")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["m/data.pkl", "m/version"], "weights"),
        (["m/data.pkl", "m/constants.pkl", "m/code/a.py"], "script"),
        (["m/archive_format", "m/models/model.json", "m/data/weights/data.pkl"], "export"),
        (["x.npy", "y.npy"], None),
        (["data.txt"], None),
        ([], None),
    ],
)
def test_the_directory_says_it(names, kind):
    assert _archive.kind(archive(*names)) == kind


@pytest.mark.parametrize("data", [b"", b"PK", b"m/data.pkl", b"PK\x05\x06m/data.pkl"])
def test_what_is_no_archive_is_none(data):
    assert _archive.kind(data) is None


@FUZZ
@given(
    st.binary(max_size=64),
    st.sampled_from(
        [b"", b"PK\x03\x04", b"\x08\x0a", b"\x80\x02\x8a\nl\xfc\x9cF", bytes([9] + [0] * 7) + b"{"]
    ),
)
def test_any_bytes_have_one_loader_at_most(tail, head):
    assert sum(loader.claims(head + tail) for loader in LOADERS) <= 1
