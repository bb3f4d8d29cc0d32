import pytest
from tests.checks.models.building import NOISE, format_of, look, reasons


@pytest.mark.parametrize(
    ("data", "format_"),
    [(b"ptrt" + NOISE, "tensorrt"), (b"ftrt" + NOISE, "tensorrt"), (b"RKNN\0\0\0\0" + NOISE, "rknn")],
)
@pytest.mark.parametrize("name", ["m.engine", "m.bin"])
def test_compiled_engines_are_not_checked(data, format_, name):
    seen = look(data, name)
    assert (format_of(seen), reasons(seen)) == (format_, {"unsupported-format"})


@pytest.mark.parametrize("name", ["m.engine", "m.plan", "m.trt", "m.rknn"])
def test_an_engine_that_nothing_recognises_is_not_checked(name):
    assert reasons(look(NOISE, name)) == {"unsupported-format"}
