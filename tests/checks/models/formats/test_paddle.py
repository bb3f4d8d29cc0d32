import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import NOISE, format_of, judged, kinds, look, reasons
from tests.checks.models.formats.test_onnx import message, number


def operator(kind, **attributes):
    attrs = (
        message(4, message(1, key), number(2, 2), message(5, value)) for key, value in attributes.items()
    )
    return message(4, message(1, message(1, "X"), message(2, "x")), message(3, kind), *attrs)


def program(*operators):
    variable = message(3, message(1, "x"), message(2, number(1, 7)))
    return message(1, number(1, 0), number(2, 0), variable, *operators) + message(4, number(1, 0))


FEED = operator("feed", col="0")


def hits(data, name="inference.pdmodel"):
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(data, name))]


def test_ordinary_programs():
    seen = look(
        program(FEED, operator("conv2d"), operator("load_combine", file_path="model/params")), "m.pdmodel"
    )
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("paddle", (), ())
    assert format_of(look(program(FEED), "__model__")) == "paddle"


@pytest.mark.parametrize("kind", ["py_func", "py_layer"])
def test_operators_that_call_python(kind):
    assert hits(program(FEED, operator(kind))) == [("MLG-NAT-001", "medium", kind)]
    assert hits(message(99, "x") + program() + program(operator(kind)), "m.bin")[0][2] == kind


@pytest.mark.parametrize("kind", ["save_combine", "load_combine", "save", "load"])
def test_files_outside_the_folder(kind):
    assert hits(program(operator(kind, name="x", file_path="../../etc/x"))) == [
        ("MLG-NAT-002", "high", "../../etc/x")
    ]
    assert hits(program(operator("conv2d", file_path="/x"))) == []


@pytest.mark.parametrize(
    "data", [NOISE, message(1, number(1, 0)), message(1, operator("feed")), program(operator("?"))]
)
def test_other_content_is_no_program(data):
    assert reasons(look(data, "m.pdmodel")) == {"unreadable-format"}
    assert "core.format" not in kinds(look(data))


def test_a_cut_program_is_not_checked_and_keeps_what_was_seen():
    data = program(operator("py_func"), *[FEED] * 20)
    assert reasons(look(data[:-30])) == {"truncated"}
    assert [rule for rule, _, _ in hits(data[:-30])] == ["MLG-NAT-001"]


def test_what_is_noted_is_bounded():
    assert reasons(look(program(*(operator("load", file_path=f"/{at}") for at in range(60))), facts=30)) == {
        "limit"
    }


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, 1 << 16), st.binary(max_size=9), st.integers(0, 30))
def test_whatever_the_bytes_are_the_reader_ends(at, new, length):
    seed = program(FEED, operator("py_func"), operator("save", file_path="/x"))
    at %= len(seed)
    seen = look(seed[:at] + new + seed[at + length :], "m.pdmodel")
    assert "reader-failed" not in reasons(seen)
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)
