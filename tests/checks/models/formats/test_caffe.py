import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import NOISE, format_of, judged, kinds, look, reasons
from tests.checks.models.formats.graphs import HONEST, saved_model
from tests.checks.models.formats.test_onnx import message, number

WEIGHTS = message(7, message(7, number(1, 3)), message(5, bytes(400)))


def layer(kind="Convolution", *parts):
    return message(
        100, message(1, "conv1"), message(2, kind), message(3, "data"), message(4, "conv1"), *parts
    )


def python(module="rpn.layer", name="Proposal"):
    return layer("Python", message(130, message(1, module), message(2, name), message(3, "'stride': 16")))


NET = message(1, "net") + layer("Convolution", WEIGHTS) + layer("ReLU")
OLD = message(1, "net") + message(
    2, message(2, "data"), message(4, "conv"), number(5, 4), message(6, bytes(40))
)
TEXT = """name: "net"
input: "data"
input_shape { dim: 1 dim: 3 }
layer {
  name: "conv1"  # the first
  type: "Convolution"
  convolution_param { num_output: 64 weight_filler { type: "xavier" } }
}
"""
PYTHON = """layer {
  name: 'proposal'
  python_param { module: 'rpn.layer' layer: 'Proposal' param_str: "'stride': 16" }
  type: 'Python'
}
"""


def hits(data, name="m.bin"):
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(data, name))]


@pytest.mark.parametrize(
    ("data", "name", "format_"),
    [
        (NET, "m.caffemodel", "caffe"),
        (OLD, "m.caffemodel", "caffe"),
        (TEXT.encode(), "deploy.prototxt", "caffe-text"),
        (b'layers { name: "c" type: CONVOLUTION }', "old.prototxt", "caffe-text"),
    ],
)
def test_ordinary_networks(data, name, format_):
    seen = look(data, name)
    assert (format_of(seen), seen.not_checked, judged(seen)) == (format_, (), ())


@pytest.mark.parametrize(
    "data",
    [
        NET + python(),
        python() + NET,
        message(77, "x") + number(999, 5) + python(),
        (TEXT + PYTHON).encode(),
        PYTHON.replace("{", "<").replace("}", ">").encode(),
        ("#" + "x" * 5000 + "\n" + PYTHON.replace("layer {", "layer : # why\n {", 1)).encode(),
    ],
)
def test_python_layers_import_their_module(data):
    for name in ("m.caffemodel", "m.prototxt", "m.bin"):
        assert ("MLG-NAT-001", "high", "rpn.layer.Proposal") in hits(data, name)


def test_a_layer_of_another_type_imports_nothing():
    assert hits(PYTHON.replace("'Python'", "'ReLU'").encode(), "m.prototxt") == []


@pytest.mark.parametrize(
    "data",
    [
        NOISE,
        b"layer { and other words of a stylesheet }\n" * 50,
        b"layers: [1, 2]\nlr: 0.1\n",
        b'net: "train.prototxt"\nbase_lr: 0.01\n',
        message(2, "pytorch"),
        message(100, message(1, "name")),
    ],
)
def test_other_content_is_no_network(data):
    assert "core.format" not in kinds(look(data))


def test_graphs_of_others_are_no_networks():
    assert format_of(look(saved_model(*HONEST), "saved_model.pb")) == "tensorflow"
    assert "core.polyglot" not in kinds(look(saved_model(*HONEST)))


@pytest.mark.parametrize(
    ("data", "reason"),
    [((NET + python() + layer())[:-3], "truncated"), ((PYTHON + TEXT)[:-9].encode(), "malformed")],
)
def test_a_cut_network_is_not_checked_and_keeps_what_was_seen(data, reason):
    assert reasons(look(data)) == {reason}
    assert "MLG-NAT-001" in {rule for rule, _, _ in hits(data)}


def test_one_module_in_many_layers_is_one_fact_and_old_networks_are_known_by_a_few():
    assert len(hits(NET + python() * 5)) == 1
    assert format_of(look(OLD + OLD[5:] * 300)) == "caffe"


def test_what_is_noted_is_bounded():
    assert reasons(look(b"".join(python(f"m{at}") for at in range(60)), facts=30)) == {"limit"}
    text = "".join(PYTHON.replace("rpn", f"m{at}") for at in range(60))
    assert reasons(look(text.encode(), facts=30)) == {"limit"}


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(
    st.sampled_from([NET + python(), OLD, (TEXT + PYTHON).encode()]),
    st.integers(0, 1 << 16),
    st.binary(max_size=9),
    st.integers(0, 30),
)
def test_whatever_the_bytes_are_the_readers_end(seed, at, new, length):
    at %= len(seed)
    seen = look(seed[:at] + new + seed[at + length :], "m.prototxt")
    assert "reader-failed" not in reasons(seen)
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)
