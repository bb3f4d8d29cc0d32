import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import NOISE, format_of, judged, kinds, look, reasons
from tests.checks.models.formats.test_onnx import message, number

INDEX = b"\0\0\x10\x08\x01\x1a\x02\x08\x01" + bytes(60) + bytes.fromhex("57fb808b247547db")
LAYER = '{"class_name": "Dense", "config": {"units": 3}}'


def metadata(*configs):
    return b"".join(
        message(
            1,
            number(2, at),
            message(3, "root.layer"),
            message(4, "_tf_keras_layer"),
            message(5, config),
            message(6, number(1, 1)),
        )
        for at, config in enumerate(configs)
    )


def test_each_layers_configuration_is_a_member():
    assert format_of(look(metadata(LAYER), "keras_metadata.pb")) == "tensorflow-metadata"
    assert not look(metadata(LAYER, LAYER), "keras_metadata.pb").not_checked
    assert reasons(look(metadata(*[LAYER] * 30), "keras_metadata.pb", members=20)) == {"limit"}


def test_a_configuration_is_read_by_whoever_reads_json():
    config = '{"a": "' + "A" * 10 + '", "_target_": "os.system"}'
    alone = {fact.kind for fact in look(config.encode(), "config.json").facts}
    assert kinds(look(metadata(" " * 5000 + config), "m.bin")) >= alone


def test_cut_metadata_is_not_checked():
    data = metadata(LAYER, LAYER)
    assert reasons(look(data[:-3], "keras_metadata.pb")) == {"truncated"}
    assert reasons(look(data[:20], "keras_metadata.pb")) == {"unreadable-format"}


@pytest.mark.parametrize(
    "data", [NOISE, b"\n\x03abc", message(1, message(5, "words")), message(1, number(5, 1))]
)
def test_other_content_is_no_metadata(data):
    assert format_of(look(data, "keras_metadata.pb")) == "opaque"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"".join(number(at, 1 << 60) for at in range(1, 6)) + message(6, number(1, 1)), "fingerprint.pb"),
        (b"".join(number(at, 5) for at in range(1, 6)) + message(7, "uuid"), "fingerprint.pb"),
        (b"\x08\x03", "tfhub_module.pb"),
    ],
)
def test_small_files_beside_a_saved_model_are_no_gap(data, name):
    seen = look(data, name)
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("tensorflow-metadata", (), ())


@pytest.mark.parametrize(
    "data", [number(1, 1) + message(6, "x"), number(1, 1) * 3, b"\x08\x03" * 200, b"\x08\x04"]
)
def test_what_is_not_quite_one_of_them_is_a_gap(data):
    assert reasons(look(data, "fingerprint.pb")) == {"unreadable-format"}


def test_the_index_of_a_checkpoint():
    seen = look(INDEX, "variables.index")
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("tensorflow-checkpoint", (), ())
    assert format_of(look(INDEX[:-1], "variables.index")) == "opaque"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("model.ckpt-1000", []),
        ("train/model.ckpt", []),
        ("/home/me/model.ckpt", ["info"]),
        ("../../x", ["info"]),
        ("C:\\\\models\\\\x", ["info"]),
    ],
)
def test_the_latest_checkpoint(path, found):
    text = f'# state\nmodel_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "/x"\n'
    for name in ("checkpoint", "other.txt"):
        seen = judged(look(text.encode(), name))
        assert [each.severity.value for each in seen if each.rule == "MLG-TFS-005"] == found


@pytest.mark.parametrize(
    "text", ["words\n", 'model_checkpoint_path: "/x" {', "x: model_checkpoint_path\n", ""]
)
def test_what_tensorflow_would_not_read_is_no_state(text):
    assert "tensorflow.checkpoint" not in kinds(look(text.encode(), "checkpoint"))


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(st.sampled_from([metadata(LAYER, LAYER), INDEX]), st.integers(0, 1 << 16), st.binary(max_size=9))
def test_whatever_the_bytes_are_the_readers_end(seed, at, new):
    at %= len(seed)
    for data in (seed[:at] + new + seed[at + 1 :], seed[:at] + new):
        assert "reader-failed" not in reasons(look(data, "keras_metadata.pb"))
