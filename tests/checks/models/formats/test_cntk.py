import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import NOISE, format_of, judged, kinds, look, reasons
from tests.checks.models.formats.test_onnx import message, number


def text(value):
    return number(1, 1) + number(2, 6) + message(8, value)


def dictionary(**values):
    return number(1, 1) + b"".join(
        message(2, message(1, key.rstrip("_")), message(2, value)) for key, value in values.items()
    )


def nested(inner):
    return number(1, 1) + number(2, 10) + message(12, inner)


def vector(*values):
    return number(1, 1) + number(2, 9) + message(11, *(message(1, value) for value in values))


def model(*functions):
    return dictionary(
        version=number(1, 1),
        type=text("CompositeFunction"),
        uid=text("u"),
        primitive_functions=vector(*(nested(each) for each in functions)),
    )


PLAIN = dictionary(type=text("PrimitiveFunction"), op=number(4, 3), module=text("words"))


def user(module="my.layers", name="MySigmoid"):
    state = dictionary(
        class_=text(name), module=text(module), op_name=text("sigmoid"), state=nested(dictionary())
    )
    return dictionary(type=text("UserDefinedFunction"), user_defined_state=nested(state))


NATIVE = dictionary(
    type=text("UserDefinedFunction"),
    user_defined_state=nested(
        dictionary(module=text("evil"), deserialize_method=text("Create"), op=text("x"))
    ),
)


def hits(data):
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(data))]


def test_ordinary_models():
    seen = look(model(PLAIN), "m.dnn")
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("cntk", (), ())


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (user(), ("high", "my.layers.MySigmoid")),
        (user("os; import x #"), ("critical", "os; import x #.MySigmoid")),
        (user("os", "system\nx"), ("critical", "os.system\\nx")),
        (NATIVE, ("high", "evil")),
    ],
)
def test_functions_that_load_code(function, expected):
    assert hits(model(PLAIN, function)) == [("MLG-NAT-001", *expected)]
    assert hits(message(99, "x") + model(function)) == [("MLG-NAT-001", *expected)]


def test_a_value_may_stand_before_its_key():
    entry = message(2, message(2, text("os")), message(1, "module"))
    state = number(1, 1) + entry + message(2, message(2, text("system")), message(1, "class"))
    assert hits(model(dictionary(user_defined_state=nested(state)))) == [("MLG-NAT-001", "high", "os.system")]


@pytest.mark.parametrize(
    "data", [NOISE, dictionary(a=text("b")), dictionary(type=text("words")), number(1, 1) * 9]
)
def test_other_content_is_no_model(data):
    assert "core.format" not in kinds(look(data))
    assert reasons(look(data, "m.dnn")) == {"unreadable-format"}


def test_a_cut_model_is_not_checked_and_keeps_what_was_seen():
    data = model(user(), *[PLAIN] * 20)
    assert reasons(look(data[:-5])) == {"truncated"}
    assert hits(data[:-5]) == [("MLG-NAT-001", "high", "my.layers.MySigmoid")]


def test_what_is_noted_is_bounded():
    assert reasons(look(model(*(user(f"m{at}") for at in range(60))), facts=30)) == {"limit"}
    deep = dictionary(type=text("CompositeFunction"))
    for _ in range(120):
        deep = dictionary(x=nested(deep))
    assert reasons(look(deep)) == {"limit"}


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, 1 << 16), st.binary(max_size=9), st.integers(0, 30))
def test_whatever_the_bytes_are_the_reader_ends(at, new, length):
    seed = model(PLAIN, user(), NATIVE)
    at %= len(seed)
    seen = look(seed[:at] + new + seed[at + length :], "m.dnn")
    assert "reader-failed" not in reasons(seen)
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)
