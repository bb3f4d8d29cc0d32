import pytest
from tests.rules.cases import verdicts

from mlgate.policy.schema import Models, Policy


def reference(module, name, *, function=False, family=None, part=None, holder="keras", policy=None):
    return verdicts(
        "keras.reference",
        f"{module}.{name}",
        policy,
        module=module,
        name=name,
        function=function,
        family=family,
        part=part,
        holder=holder,
    )


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("keras.lambda", {"holder": "keras"}, [("MLG-KER-001", "critical")]),
        ("keras.lambda", {"holder": "hdf5"}, [("MLG-KER-001", "critical"), ("MLG-KER-005", "high")]),
        ("keras.lambda", {"holder": "savedmodel"}, [("MLG-TFS-003", "high")]),
        ("keras.pickle", {"holder": "keras", "layer": "x"}, [("MLG-KER-004", "critical")]),
        ("keras.pickle", {"holder": "hdf5", "layer": "x"}, [("MLG-KER-004", "critical"), ("MLG-KER-005", "high")]),
        ("hdf5.external", {"how": "link", "escape": None, "at": "/a", "target": "/b"}, [("MLG-KER-006", "medium")]),
        ("hdf5.external", {"how": "link", "escape": "parent", "at": "/a", "target": "/b"}, [("MLG-KER-006", "high")]),
        ("hdf5.external", {"how": "raw data", "escape": None, "at": "/a", "target": ""}, [("MLG-KER-006", "medium")]),
        ("hdf5.external", {"how": "virtual data set", "escape": None, "at": "/a", "target": "b"}, [("MLG-KER-006", "medium")]),
        ("hdf5.external", {"how": "virtual data set", "escape": "absolute", "at": "/a", "target": "b"}, [("MLG-KER-006", "high")]),
        ("hdf5.filter", {"number": 32001}, []),
        ("keras.path", {"key": "vocabulary", "layer": "", "escape": None}, []),
        ("keras.path", {"key": "vocabulary", "layer": "", "escape": "absolute"}, [("MLG-KER-007", "high")]),
        ("keras.path", {"key": "vocabulary", "layer": "", "escape": "remote"}, [("MLG-KER-007", "high")]),
        ("keras.path", {"key": "filepath", "layer": "TFSMLayer", "escape": "absolute"}, [("MLG-KER-007", "high")]),
        ("keras.path", {"key": "filepath", "layer": "TFSMLayer", "escape": None}, [("MLG-KER-007", "medium")]),
        ("keras.path", {"key": "handle", "layer": "KerasLayer", "escape": "remote"}, [("MLG-KER-007", "medium")]),
    ],
)  # fmt: skip
def test_what_each_fact_comes_to(kind, detail, expected):
    assert verdicts(kind, **detail) == expected


@pytest.mark.parametrize(
    ("operation", "judged"),
    [
        ("math.add", False),
        ("image.decode_jpeg", False),
        ("io.decode_png", False),
        ("Mul", False),
        ("io.read_file", True),
        ("compat.v1.write_file", True),
        ("raw_ops.WriteFile", True),
        ("EagerPyFunc", True),
        ("keras.utils.get_file", True),
        ("io.gfile.rmtree", True),
    ],
)
def test_operations_of_tensorflow(operation, judged):
    found = verdicts("keras.operation", operation, layer="TFOpLambda", holder="keras")
    assert found == ([("MLG-KER-002", "critical")] if judged else [])


@pytest.mark.parametrize(
    ("module", "name", "function", "severity"),
    [
        ("subprocess", "Popen", False, "critical"),
        ("subprocess", "Popen", True, "critical"),
        ("antigravity", "Any", False, "critical"),
        ("builtins", "eval", True, "critical"),
        ("builtins", "exec", False, "critical"),
        ("torch", "load", False, "critical"),
        ("numpy", "load", True, "critical"),
        ("acme.losses", "focal", True, "critical"),
        ("acme.layers", "Attention", False, "medium"),
        ("transformers.models.bert.modeling_tf_bert", "TFBertMainLayer", False, "medium"),
        ("tensorflow_addons.layers.wrappers", "WeightNormalization", False, "medium"),
        ("collections", "OrderedDict", False, "medium"),
        ("__main__", "Attention", False, "medium"),
        ("builtins", "focal_loss", True, "low"),
        ("builtins", "acme>focal_loss", True, "low"),
        ("", "Custom>Attention", False, "low"),
    ],
)
def test_what_is_not_keras_own(module, name, function, severity):
    assert reference(module, name, function=function) == [("MLG-KER-002", severity)]


@pytest.mark.parametrize(
    ("part", "name", "function", "expected"),
    [
        ("config", "enable_unsafe_deserialization", True, ("MLG-KER-003", "critical")),
        ("config", "something_new", True, ("MLG-KER-003", "critical")),
        ("config", "something_new", False, ("MLG-KER-003", "critical")),
        ("utils", "get_file", True, ("MLG-KER-003", "critical")),
        ("", "load_model", True, ("MLG-KER-003", "critical")),
        ("layers", "deserialize", True, ("MLG-KER-003", "critical")),
        ("ops", "relu9", True, ("MLG-KER-002", "medium")),
        ("layers", "Dense9D", False, ("MLG-KER-002", "low")),
        ("utils", "FeatureSpace", False, ("MLG-KER-002", "medium")),
        ("saving", "SafeModeScope", False, ("MLG-KER-003", "critical")),
    ],
)
def test_parts_of_keras(part, name, function, expected):
    assert reference(f"keras.{part}", name, function=function, family="keras", part=part) == [expected]


@pytest.mark.parametrize("name", ["deserialize", "get"])
def test_what_keras_finds_under_builtins(name):
    assert reference("builtins", name, function=True) == [("MLG-KER-003", "critical")]


def test_hdf5_has_no_safe_mode():
    expected = [("MLG-KER-002", "critical"), ("MLG-KER-005", "high")]
    assert reference("subprocess", "Popen", holder="hdf5") == expected
    assert reference("acme", "Dense", holder="hdf5") == [("MLG-KER-002", "medium")]
    switch = reference("keras.utils", "get_file", function=True, family="keras", part="utils", holder="hdf5")
    assert switch == [("MLG-KER-003", "critical"), ("MLG-KER-005", "high")]


def test_the_policy_trusts_what_it_names():
    trusting = Policy(version=1, models=Models(allow_globals=("acme.losses.focal", "keras.utils.get_file")))
    assert not reference("acme.losses", "focal", function=True, holder="hdf5", policy=trusting)
    switch = reference(
        "keras.utils", "get_file", function=True, family="keras", part="utils", policy=trusting
    )
    assert switch == [("MLG-KER-003", "critical")]
