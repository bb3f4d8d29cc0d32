import base64
import codecs
import io
import json
import marshal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, judged, kinds, look, reasons, zipped

from mlgate.checks.models.configs import keras_config
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Location
from mlgate.core.limits import Limits
from mlgate.policy.schema import Models

CODE = codecs.encode(marshal.dumps((lambda x: x + 1).__code__), "base64").decode()


def layer(name, module="keras.layers", registered=None, /, **config):
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def function(name, module="builtins"):
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def legacy(name, /, **config):
    return {"class_name": name, "config": config}


def sequential(*layers):
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "dtype": policy, "layers": [layer("InputLayer", name="in"), *layers]},
        "registered_name": None,
        "compile_config": {"loss": "mse", "metrics": ["accuracy"]},
    }


def old(*layers):
    return {
        "class_name": "Sequential",
        "config": [*layers],
        "keras_version": "2.2.4",
        "backend": "tensorflow",
    }


def dumped(document, name="model.json", **options):
    return look(json.dumps(document, **options).encode(), name)


def found(document, models=None, **options):
    return {(each.rule, each.severity.value) for each in judged(dumped(document, **options), models)}


DENSE = layer(
    "Dense",
    units=3,
    activation="relu",
    dtype={"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}},
    kernel_initializer=layer("GlorotUniform", "keras.initializers", seed=None),
    kernel_regularizer=layer("L2", "keras.regularizers", l2=0.1),
    kernel_constraint=layer("MaxNorm", "keras.constraints"),
)
HONEST = {
    "sequential": sequential(DENSE, layer("Dropout", rate=0.5)),
    "functional": {
        **sequential(),
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": "Functional",
    },
    "operations": sequential(
        layer("Add", "keras.src.ops.numpy", "Add"), layer("Relu", "keras.src.ops.nn", "Relu")
    ),
    "tensors": sequential({**layer("Concatenate"), "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [1], "keras_history": ["a", 0, 0]}}]}]}),
    "recurrent": sequential(
        layer("Bidirectional", layer=layer("LSTM", units=3), backward_layer=layer("GRU", units=3)),
        layer("TimeDistributed", layer=DENSE),
        layer("RNN", cell=layer("StackedRNNCells", cells=[layer("LSTMCell"), layer("GRUCell")])),
        layer("MultiHeadAttention", num_heads=2),
    ),
    "an optimizer for one backend": {
        **sequential(),
        "compile_config": {"optimizer": layer("AdamW", "keras.src.backend.torch.optimizers.torch_adamw", "AdamW", learning_rate=layer("CosineDecay", "keras.optimizers.schedules"))},
    },
    "a function of Keras' own": sequential(layer("Lambda", function=function("gelu"), arguments={})),
    "words": sequential(layer("StringLookup", vocabulary=["a", "/b", "os.system"]), layer("TextVectorization", vocabulary=None)),
    "words in a file beside": sequential(layer("StringLookup", vocabulary="words.txt")),
    "quantized": sequential(layer("Dense", dtype=layer("QuantizedDTypePolicy", "keras.dtype_policies", mode="int8"))),
    "a type": {**sequential(), "spec": {"class_name": "__typespec__", "spec_name": "TensorSpec", "module": "tensorflow.python.framework.tensor_spec", "config": [[1], "float32", "x"], "registered_name": None}},
    "keras 1": old(legacy("Convolution2D", nb_filter=3), legacy("MaxoutDense"), legacy("Activation", activation="relu")),
    "keras 2": old(
        legacy("Conv2D", kernel_initializer=legacy("VarianceScaling", scale=1.0), kernel_regularizer=legacy("L1L2", l1=0.0)),
        legacy("TimeDistributed", layer=legacy("Dense", units=1)),
        legacy("TFOpLambda", function="math.multiply"),
        legacy("TFOpLambda", function="print"),
        legacy("TensorFlowOpLayer", node_def='{"name": "x", "op": "Mul"}'),
    ),
    "keras hub": sequential(layer("GemmaBackbone", "keras_hub.src.models.gemma.gemma_backbone", "keras_hub>GemmaBackbone")),
    "for TensorFlow.js": {"format": "layers-model", "modelTopology": {"keras_version": "2.7", "model_config": old(legacy("Dense", units=1))}, "weightsManifest": [{"paths": ["a.bin"]}]},
    "a shared layer": sequential({**DENSE, "shared_object_id": 1, "build_config": {"input_shape": [None, 4]}}),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_honest_models_are_no_alarm(name):
    seen = dumped(HONEST[name])
    assert not judged(seen)
    assert not seen.not_checked
    assert [record.format for record in seen.inventory] == ["keras-config"]


OWN = {
    "a class": (sequential(layer("MyDense", "acme.layers", "MyDense")), "medium"),
    "a registered class": (sequential(layer("MyDense", "acme.layers", "Custom>MyDense")), "medium"),
    "a class of a notebook": (sequential(layer("MyDense", "__main__", "MyDense")), "medium"),
    "a class without a module": (sequential({**layer("MyDense", None, "MyDense")}), "low"),
    "a class of an older version": (old(legacy("Custom>MyDense")), "low"),
    "a function": (sequential(layer("Lambda", function=function("scale"))), "low"),
    "a registered function": (sequential(layer("Dense", activation=function("acme>act"))), "low"),
    "a class of a later version": (sequential(layer("Dense9D")), "low"),
    "a function of a later version": (sequential(layer("Lambda", function=function("relu9", "keras.ops"))), "medium"),
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_what_is_the_teams_own_is_no_alarm(name):
    document, severity = OWN[name]
    assert found(document) == {("MLG-KER-002", severity)}


def test_the_policy_trusts_a_class():
    document = sequential(layer("MyDense", "acme.layers", "MyDense"))
    assert not found(document, Models(allow_globals=("acme.layers.MyDense",)))


LAMBDA = {
    "keras 3": sequential(layer("Lambda", function={"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}})),
    "value": sequential(layer("Dense", activation={"class_name": "__lambda__", "config": {"value": [CODE, None, None]}})),
    "shape": sequential(layer("Lambda", function=function("relu"), output_shape={"class_name": "__lambda__", "config": {"code": CODE}})),
    "keras 2": old(legacy("Lambda", function=[CODE, None, None], function_type="lambda", module="m")),
    "type first": old(legacy("Lambda", function_type="lambda", function=[CODE, None, None])),
    "text": old(legacy("Lambda", function=CODE, function_type="lambda")),
    "shape of keras 2": old(legacy("Lambda", function="relu", function_type="function", output_shape=[CODE, None, None], output_shape_type="lambda")),
    "mask": old(legacy("Lambda", mask=[CODE, None, None], mask_type="lambda")),
    "without a type": old(legacy("Lambda", function=[CODE, None, None])),
    "a class of another name": old(legacy("Custom>Scale", function=[CODE, None, None], function_type="lambda")),
    "in a wrapper": sequential(layer("TimeDistributed", layer=layer("Lambda", function={"class_name": "__lambda__", "config": {"value": [CODE]}}))),
    "config before class": old({"config": {"function": [CODE]}, "class_name": "Lambda"}),
}  # fmt: skip


@pytest.mark.parametrize("name", LAMBDA)
def test_code_is_found(name):
    assert ("MLG-KER-001", "critical") in found(LAMBDA[name])


def test_a_list_of_numbers_is_no_code():
    assert not found(old(legacy("Lambda", function="relu", function_type="function", output_shape=[3, 4])))


FOREIGN = [
    layer("Popen", "subprocess", args="true"),
    layer("MyLayer", "antigravity"),
    layer("Lambda", function=function("system", "os")),
    layer("Lambda", function=function("run", "acme.tools")),
    layer("Lambda", function=function("eval")),
    layer("Lambda", function=function("load", "torch")),
    layer("Dense", activation=function("Popen", "subprocess")),
    layer("TimeDistributed", layer={"a": [[{"b": layer("Popen", "subprocess")}]]}),
    {
        "class_name": "__typespec__",
        "spec_name": "Popen",
        "module": "subprocess",
        "config": [],
        "registered_name": None,
    },
    legacy("TFOpLambda", function="io.write_file"),
    legacy("TFOpLambda", function="keras.utils.get_file"),
    legacy("TFOpLambda", function="data.TFRecordDataset"),
    legacy("TFOpLambda", function="distribute.Server"),
    legacy("TFOpLambda", function="print") | {"inbound_nodes": [["a", 0, 0, {"output_stream": "file:///x"}]]},
    legacy("TFOpLambda", function="random.fixed_unigram_candidate_sampler", a={"vocab_file": "/etc/passwd"}),
    legacy("TensorFlowOpLayer", node_def='{"name": "x", "op": "WriteFile"}'),
]


@pytest.mark.parametrize("at", range(len(FOREIGN)))
def test_what_a_loader_would_import_and_call(at):
    assert ("MLG-KER-002", "critical") in found(sequential(FOREIGN[at]))


def test_the_root_is_an_object_too():
    assert found(layer("Popen", "subprocess", args="x")) == {("MLG-KER-002", "critical")}
    assert found(function("system", "os")) == {("MLG-KER-002", "critical")}


SWITCHES = [
    function("enable_unsafe_deserialization", "keras.config"),
    function("config.enable_unsafe_deserialization", "keras"),
    function("get_file", "keras.utils"),
    function("get_file", "keras.src.utils.file_utils"),
    function("get_file", "tf_keras.src.utils.data_utils"),
    function("get_file", "tensorflow.keras.utils"),
    function("get_file", "tensorflow.python.keras.utils"),
    function("load_model", "keras.models"),
    function("load_model", "keras.src.saving.saving_api"),
    function("func_load", "keras.src.utils.python_utils"),
    function("deserialize", "keras.layers"),
    function("deserialize", "builtins"),
    layer("enable_unsafe_deserialization", "keras.config"),
    layer("get_file", "keras.utils"),
]


@pytest.mark.parametrize("at", range(len(SWITCHES)))
def test_functions_of_keras_that_no_model_needs(at):
    assert found(sequential(layer("Lambda", function=SWITCHES[at]))) == {("MLG-KER-003", "critical")}


def test_a_pickle_in_a_layer_is_read():
    payload = base64.b64encode(b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.").decode()
    rules = found(sequential(layer("TorchModuleWrapper", module=payload)))
    assert {("MLG-KER-004", "critical"), ("MLG-PKL-002", "critical")} <= rules
    assert "malformed" in reasons(dumped(sequential(layer("TorchModuleWrapper", module="a"))))
    assert ("MLG-KER-004", "critical") in found(sequential(layer("TorchModuleWrapper", module={"x": 1})))


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        (layer("StringLookup", vocabulary="/etc/passwd"), "high"),
        (layer("IntegerLookup", vocabulary="../../secret"), "high"),
        (layer("TextVectorization", vocabulary="https://example.org/x"), "high"),
        (layer("StringLookup", vocabulary="gs://bucket/x"), "high"),
        (layer("BytePairTokenizer", "keras_hub.tokenizers", merges="/etc/passwd"), "high"),
        (layer("TFSMLayer", filepath="/models/x"), "high"),
        (layer("TFSMLayer", filepath="saved"), "medium"),
    ],
)
def test_files_outside_the_model(given, severity):
    assert ("MLG-KER-007", severity) in found(sequential(given))


def test_a_layer_of_tensorflow_hub_is_no_alarm():
    document = old(legacy("KerasLayer", handle="https://tfhub.dev/google/x/1"))
    assert ("MLG-KER-007", "medium") in found(document)
    assert "high" not in {severity for _, severity in found(document)}


EVIL = layer("Lambda", function=function("system", "os"))


def escaped(text):
    return "".join(f"\\u{ord(each):04x}" for each in text)


EVASIONS = {
    "keys escaped": json.dumps(sequential(EVIL)).replace('"class_name"', f'"{escaped("class_name")}"').encode(),
    "values escaped": json.dumps(sequential(EVIL)).replace('"function"', f'"{escaped("function")}"').encode(),
    "evil first": json.dumps(sequential(EVIL)).replace('"module": "os"', '"module": "os", "module": "builtins"').encode(),
    "evil last": json.dumps(sequential(EVIL)).replace('"module": "os"', '"module": "builtins", "module": "os"').encode(),
    "layers twice": json.dumps(sequential()).replace('"layers": [', f'"layers": [{json.dumps(EVIL)}], "layers": [').encode(),
    "config twice": json.dumps(sequential()).replace('"config": {"name": "s"', f'"config": {{"layers": [{json.dumps(EVIL)}]}}, "config": {{"name": "s"').encode(),
    "config on both sides": json.dumps({"config": EVIL["config"], "class_name": "Lambda", "module": "keras.layers", "x": 1}).replace('"x": 1', '"config": {"name": "y"}').encode(),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + json.dumps(sequential(EVIL)).encode(),
    "UTF-16": json.dumps(sequential(EVIL)).encode("utf-16"),
    "UTF-16 without a mark": json.dumps(sequential(EVIL)).encode("utf-16-le"),
    "UTF-16, the other way": json.dumps(sequential(EVIL)).encode("utf-16-be"),
    "UTF-32": json.dumps(sequential(EVIL)).encode("utf-32-le"),
    "space before": b" \n\t" * 5000 + json.dumps(sequential(EVIL)).encode(),
    "sorted": json.dumps(sequential(EVIL), sort_keys=True).encode(),
    "in a list": json.dumps([[sequential(EVIL)]]).encode(),
    "a name with the module's end": json.dumps(sequential(layer("Lambda", function=function("path.os.system", "os")))).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", EVASIONS)
@pytest.mark.parametrize("file", ["config.json", "notes.bin", "x"])
def test_no_way_around(name, file):
    assert ("MLG-KER-002", "critical") in {
        (each.rule, each.severity.value) for each in judged(look(EVASIONS[name], file))
    }


@pytest.mark.parametrize("name", EVASIONS)
def test_no_way_around_in_an_archive(name):
    data = zipped(Entry("config.json", EVASIONS[name]), Entry("metadata.json", b'{"keras_version": "3.9.0"}'))
    seen = look(data, "model.keras")
    assert ("MLG-KER-002", "critical") in {(each.rule, each.severity.value) for each in judged(seen)}


def test_an_honest_archive_is_checked():
    data = zipped(
        Entry("metadata.json", b'{"keras_version": "3.9.0", "date_saved": "2025-01-01@10:00:00"}'),
        Entry("config.json", json.dumps(HONEST["recurrent"]).encode(), method=8),
        Entry("assets/string_lookup/vocabulary.txt", b"a\nb\n"),
    )
    seen = look(data, "model.keras")
    assert (judged(seen), seen.not_checked) == ((), ())


def test_lines():
    seen = dumped(sequential(DENSE, EVIL), indent=1)
    (fact,) = (each for each in seen.facts if each.kind == "keras.reference")
    lines = json.dumps(sequential(DENSE, EVIL), indent=1).splitlines()
    assert "class_name" in lines[fact.location.line - 1]


def test_the_same_thing_often_is_one_fact():
    seen = dumped(sequential(*[layer("MyDense", "acme", n=at) for at in range(300)]))
    (fact,) = (each for each in seen.facts if each.kind == "keras.reference")
    assert fact.count == 300


def test_facts_are_bounded():
    data = json.dumps(sequential(EVIL, *[layer(f"My{at}", "acme") for at in range(300)])).encode()
    seen = look(data, "m.json", facts=100)
    assert reasons(seen) == {"limit"}
    assert ("MLG-KER-002", "critical") in {(each.rule, each.severity.value) for each in judged(seen)}


def test_a_document_without_end_is_not_checked():
    text = '{"class_name": "Dense", "module": "keras.layers", "config": ' + "[" * 2000 + "]" * 2000 + "}"
    assert reasons(look(text.encode(), "m.json")) == {"limit"}


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[1, 2]",
        b'{"class_name": "TextNode", "text": "x"}',
        b'{"class_name": 5, "config": {}}',
        b'{"a": "class_name of a config"}',
        json.dumps({"module": "os", "function": "system", "config": {"a": "b"}}).encode(),
        json.dumps(sequential(EVIL)).encode()[:-1],
        json.dumps(sequential(EVIL)).encode() + b"}",
        b"class_name: x\n",
    ],
)
def test_other_documents_are_not_listed(data):
    seen = look(data, "x.json")
    assert (seen.facts, seen.not_checked, seen.inventory) == ((), (), ())


def test_a_cut_configuration_in_a_model_is_not_checked():
    text = json.dumps(sequential(EVIL)).encode()
    data = zipped(Entry("config.json", text[:-10]), Entry("metadata.json", b"{}"))
    assert reasons(look(data, "m.keras")) == {"malformed"}


@pytest.mark.parametrize("text", [b'{"a":' * 5000, b"{,}", b'{"a": 1'])
def test_an_archive_whose_configuration_cannot_be_read_is_not_checked(text):
    data = zipped(Entry("config.json", text), Entry("metadata.json", b"{}"))
    assert reasons(look(data, "m.keras")) <= {"malformed", "limit"}
    assert look(data, "m.keras").not_checked


@pytest.mark.parametrize("size", [97, 98, 99])
def test_bytes_that_begin_as_a_wide_text_and_are_none(size):
    assert "reader-failed" not in reasons(look(bytes(size - 1) + b"\1", "x.bin"))
    assert "reader-failed" not in reasons(look(b"{\0\0\0" + bytes(size - 4), "config.json"))


def test_long_lists_of_words_are_no_gap():
    words = json.dumps({f"word {at}": at for at in range(5000)}).encode()
    blob = Blob(
        location=Location("v.json"),
        stream=io.BytesIO(words),
        size=len(words),
        head=words[:4096],
        name="v.json",
    )
    with pytest.raises(Declined):
        list(keras_config.read(blob, Limits(text_bytes=10_000), Clock(10)))
    long = json.dumps({**sequential(EVIL), "z": "x" * 20_000}).encode()
    assert reasons(look(long, "model.json", text_bytes=10_000)) == {"limit"}


SEEDS = [json.dumps(each).encode() for each in (*HONEST.values(), *LAMBDA.values(), sequential(*FOREIGN))]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(SEEDS), st.data())
def test_mutations_never_break_the_reader(seed, data):
    changed = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(changed) - 1))
        cut = data.draw(st.integers(0, 30))
        changed[at : at + cut] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"{", b'"', b"[", b"null", b'"config": '])
        )
    assert "reader-failed" not in reasons(look(bytes(changed), "config.json"))


def test_kinds_are_those_of_the_rules():
    assert kinds(dumped(sequential(FOREIGN[9], *LAMBDA["keras 3"]["config"]["layers"]))) == {
        "keras.operation",
        "keras.lambda",
    }
