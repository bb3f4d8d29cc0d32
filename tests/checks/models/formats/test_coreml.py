import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import NOISE, Entry, format_of, judged, kinds, look, reasons, zipped
from tests.checks.models.formats.test_onnx import message, number

HEAD = number(1, 4) + message(2, message(1, message(1, "x")), message(10, message(1, "y")))


def model(*parts):
    return HEAD + b"".join(parts)


def layer(*parts):
    return message(1, message(1, "l"), message(2, "x"), message(3, "y"), *parts)


def program(name, place="attribute"):
    value = message(2, message(5, message(1, name), number(2, 64)))
    entry = {
        "attribute": message(5, message(1, "val"), value),
        "input": message(2, message(1, "x"), message(2, message(1, value))),
    }[place]
    block = message(3, message(1, "const"), entry)
    function = message(
        2, message(1, "main"), message(2, message(3, message(1, "CoreML5"), message(2, block)))
    )
    return model(message(502, number(1, 1), function))


CUSTOM = message(500, message(10, "EvilLayer"), message(40, "words"))
HONEST = [
    model(message(500, layer(message(140, b"")))),
    model(message(403, layer(), message(100, message(1, "cat")))),
    model(message(402, message(1, bytes(50)))),
    model(message(202, message(1, model(message(601, b""))), message(1, model(message(500, layer()))))),
    program("@model_path/weights/weight.bin"),
    model(message(556, message(1, message(1, message(1, "part.mlmodelc"))))),
]
PLACES = {
    "network": model(message(500, layer(CUSTOM))),
    "classifier": model(message(403, layer(CUSTOM))),
    "regressor": model(message(303, layer(CUSTOM))),
    "branch": model(message(500, layer(message(605, message(2, layer(CUSTOM)))))),
    "loop": model(message(500, layer(message(615, message(4, layer(CUSTOM)))))),
    "pipeline": model(message(202, message(1, model(message(500, layer(CUSTOM)))))),
    "pipeline of a classifier": model(
        message(200, message(1, message(1, model(message(500, layer(CUSTOM))))))
    ),
    "type first": message(500, layer(CUSTOM)) + HEAD,
    "behind what no model has": message(999, "x") + message(1, "y") + model(message(500, layer(CUSTOM))),
    "custom model": model(message(555, message(10, "EvilLayer"))),
}


@pytest.mark.parametrize("data", HONEST)
def test_ordinary_models(data):
    seen = look(data, "m.mlmodel")
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("coreml", (), ())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["m.mlmodel", "m.bin"])
def test_classes_of_the_program_are_named(place, name):
    found = judged(look(PLACES[place], name))
    assert [(each.rule, each.severity.value, each.subject) for each in found] == [
        ("MLG-NAT-001", "low", "EvilLayer")
    ]


@pytest.mark.parametrize("place", ["attribute", "input"])
@pytest.mark.parametrize(
    "path", ["@model_path/../../etc/passwd", "/etc/passwd", "../w.bin", "@model_path//x"]
)
def test_weights_outside_the_model(place, path):
    assert [each.rule for each in judged(look(program(path, place)))] == ["MLG-NAT-002"]


@pytest.mark.parametrize("field", [1, 2])
def test_linked_models_outside_the_folder(field):
    data = model(message(556, message(1, message(field, message(1, "../../x.mlmodelc")))))
    assert [each.rule for each in judged(look(data))] == ["MLG-NAT-002"]


def test_properties_are_members():
    config = '{"_target_": "os.system", "a": 1}'
    data = HONEST[0] + message(2, message(100, message(100, message(1, "meta"), message(2, config))))
    assert kinds(look(data)) >= {fact.kind for fact in look(config.encode(), "c.json").facts}


@pytest.mark.parametrize(
    "data", [NOISE, HEAD, number(1, 4) + b"\x12", number(1, 4) * 20, message(500, layer())]
)
def test_other_content_is_no_model(data):
    assert "core.format" not in kinds(look(data))
    assert reasons(look(data, "m.mlmodel")) == {"unreadable-format"}


def test_a_cut_model_is_not_checked_and_keeps_what_was_seen():
    data = model(message(500, layer(CUSTOM), *[layer() for _ in range(50)]))
    for keep in (len(data) // 2, len(data) - 1):
        seen = look(data[:keep])
        assert reasons(seen) == {"truncated"}
        assert [each.rule for each in judged(seen)] == ["MLG-NAT-001"]


def test_pipelines_in_pipelines_end():
    data = model(message(500, layer(CUSTOM)))
    for _ in range(120):
        data = model(message(202, message(1, data)))
    assert reasons(look(data)) == {"limit"}


def test_what_is_noted_is_bounded():
    data = model(message(500, *[layer(message(500, message(10, f"C{at}"))) for at in range(60)]))
    assert reasons(look(data, facts=30)) == {"limit"}


MANIFEST = (
    '{"fileFormatVersion": "1.0.0", "itemInfoEntries": {"A": {"author": "com.apple.CoreML", "name": "model.mlmodel",'
    ' "path": "PATH"}}, "rootModelIdentifier": "A"}'
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("com.apple.CoreML/model.mlmodel", []),
        ("../../x.mlmodel", ["MLG-NAT-002"]),
        ("\\u002fetc/x", ["MLG-NAT-002"]),
    ],
)
def test_the_manifest_of_a_package(path, found):
    data = MANIFEST.replace("PATH", path).encode()
    for name in ("Manifest.json", "other.txt"):
        assert [each.rule for each in judged(look(data, name))] == found
    archive = zipped(Entry("m.mlpackage/Manifest.json", data))
    assert [each.rule for each in judged(look(archive, "m.zip"))] == found


@pytest.mark.parametrize(
    "text", ['{"itemInfoEntries": 5}', '{"itemInfoEntries": {"a": {"path": "../x"}}', "{}"]
)
def test_other_documents_are_left_alone(text):
    assert not kinds(look(text.encode(), "Manifest.json"))


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(
    st.sampled_from([*PLACES.values(), program("../x"), MANIFEST.encode()]),
    st.integers(0, 1 << 16),
    st.binary(max_size=9),
    st.integers(0, 30),
)
def test_whatever_the_bytes_are_the_readers_end(seed, at, new, length):
    at %= len(seed)
    seen = look(seed[:at] + new + seed[at + length :], "m.mlmodel")
    assert "reader-failed" not in reasons(seen)
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)
