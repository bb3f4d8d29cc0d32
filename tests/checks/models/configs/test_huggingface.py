import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, format_of, judged, look, reasons, zipped
from tests.checks.models.configs.honest_configs import CONFIGS
from tests.checks.models.configs.honest_templates import TEMPLATES
from tests.checks.models.credentials import HUGGING_FACE


def dumped(document):
    return document if isinstance(document, bytes) else json.dumps(document, indent=2).encode()


def found(document, name="config.json"):
    return [(each.rule, each.severity.value) for each in judged(look(dumped(document), name))]


@pytest.mark.parametrize("name", CONFIGS)
def test_what_the_libraries_write_is_no_alarm(name):
    seen = look(dumped(CONFIGS[name]), name)
    assert judged(seen) == ()
    assert not seen.not_checked


@pytest.mark.parametrize(
    "name", ["data.json", "bert/config.json", "generation_config.json", "notebook.ipynb"]
)
def test_what_has_nothing_loaded_is_not_listed(name):
    assert not look(dumped(CONFIGS[name]), "x.json").inventory


def test_a_pipeline_is_listed():
    assert (
        format_of(look(dumped(CONFIGS["sd-xl/model_index.json"]), "model_index.json")) == "huggingface-config"
    )


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ({"template": "{{ a.__class__ }}", "template_format": "jinja2"}, [("MLG-JIN-001", "critical")]),
        ({"template_format": "jinja2", "suffix": "{{ a.__class__ }}"}, [("MLG-JIN-001", "critical")]),
        (
            {"lc": 1, "kwargs": {"template_format": "jinja2", "template": "{{ a.__class__ }}"}},
            [("MLG-JIN-001", "critical")],
        ),
        ({"template": "{{ question }}", "template_format": "jinja2"}, []),
        ({"template": "{{ a.__class__ }}", "template_format": "f-string"}, []),
        ({"template": "{{ a.__class__ }}"}, []),
    ],
)
def test_prompts_of_langchain_that_are_templates_of_jinja(prompt, expected):
    assert found({"_type": "prompt", **prompt}, "prompt.json") == expected


def test_a_prompt_however_it_is_escaped():
    document = rb'{"templ\u0061te_f\u006frmat": "jinja\u0032", "template": "{{ a.__class__ }}"}'
    assert found(document, "prompt.json") == [("MLG-JIN-001", "critical")]


def test_many_prompts_are_bounded():
    prompts = [{"template": "{{ a }}"}] * 40
    seen = look(dumped({"template_format": "jinja2", "examples": prompts}), "prompt.json", facts=20)
    assert reasons(seen) == {"limit"}
    assert not look(dumped({"template_format": "x", "examples": prompts}), "p.json", facts=20).not_checked


AUTO = {"model_type": "x", "auto_map": {"AutoConfig": "configuration_x.XConfig"}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (AUTO, [("MLG-HFR-001", "medium")]),
        ({"auto_map": {"AutoTokenizer": ["tokenization_x.XTokenizer", None]}}, [("MLG-HFR-001", "medium")]),
        ({"deep": [{"er": AUTO}]}, [("MLG-HFR-001", "medium")]),
        ({"auto_map": {"AutoModel": "evil/repo--modeling_x.X"}}, [("MLG-HFR-001", "high")]),
        ({"auto_map": {"AutoTokenizer": [None, "evil/repo--tokenization_x.X"]}}, [("MLG-HFR-001", "high")]),
        ({"auto_map": {"AutoModel": "../../other/module.X"}}, [("MLG-HFR-001", "high")]),
        ({"custom_pipelines": {"task": {"impl": "my_pipeline.MyPipeline", "pt": ["AutoModel"]}}}, [("MLG-HFR-001", "medium")]),
        ({"custom_pipelines": {"task": {"impl": "evil/repo--p.P"}}}, [("MLG-HFR-001", "high")]),
        ({"model_type": "x", "trust_remote_code": True}, [("MLG-HFR-002", "high")]),
        ({"trust_remote_code": True, "model_type": "x"}, [("MLG-HFR-002", "high")]),
        ({"model_type": "lightglue", "keypoint_detector_config": {"trust_remote_code": True}}, [("MLG-HFR-002", "high")]),
        ({"model_type": "x", "trust_remote_code": "true"}, [("MLG-HFR-002", "high")]),
        ({"model_type": "x", "trust_remote_code": 1}, [("MLG-HFR-002", "high")]),
        ({"run": {"trust_remote_code": True}}, [("MLG-HFR-002", "medium")]),
        ({"model_type": "x", "trust_remote_code": False}, []),
        ({"model_type": "x", "_attn_implementation_internal": "evil/kernel"}, [("MLG-HFR-008", "critical")]),
        ({"model_type": "x", "_attn_implementation": "paged|evil/kernel@main:fn"}, [("MLG-HFR-008", "critical")]),
        ({"model_type": "x", "attn_implementation": {"text_config": "evil/kernel"}}, [("MLG-HFR-008", "critical")]),
        ({"vision_config": {"attn_implementation": "kernels-community/flash-attn2"}}, [("MLG-HFR-008", "medium")]),
        ({"conv_feature_layers": "__import__('os').system('true')"}, [("MLG-HFR-007", "high")]),
        ({"model": {"conv_feature_layers": "[(512, 10, 5)] + [x for x in y]"}}, [("MLG-HFR-007", "high")]),
        ({"model_type": "x", "num_layers": "__import__('os').system('true')"}, [("MLG-HFR-007", "high")]),
        ({"model_type": "x", "sub": {"hidden_size": "exec('pass')"}}, [("MLG-HFR-007", "high")]),
        ({"model_type": "x", "n_head": "lambda: 1"}, [("MLG-HFR-007", "high")]),
        ({"model_type": "x", "num_layers": "4 * n", "max_length": "auto", "n_ctx": "(1, 2)"}, []),
        ({"num_layers": "exec('pass')"}, []),
        ({"weight_map": {"a": "../../x.safetensors"}}, [("MLG-HFR-009", "high")]),
        ({"model_type": "rag", "passages_path": "../x"}, [("MLG-HFR-009", "high")]),
        ({"model_type": "rag", "index_path": "\\\\host\\share\\i.faiss"}, [("MLG-HFR-009", "high")]),
        ({"model_type": "rag", "index_path": "/data/i.faiss", "passages_path": "p"}, []),
        ({"weight_map": {"a": "/etc/x", "b": "model.safetensors"}}, [("MLG-HFR-009", "high")]),
        ({"chat_template": [{"name": "../../x", "template": "{{ messages }}"}]}, [("MLG-HFR-009", "high")]),
        ({"chat_template": {"../x": "{{ messages }}"}}, [("MLG-HFR-009", "high")]),
        ({"activation_function": "os.system"}, [("MLG-HFR-003", "critical")]),
        ({"sentence_transformers": {"activation_fn": "custom.Thing"}}, [("MLG-HFR-003", "medium")]),
        ({"auto_mapping": {"base_model_class": "X", "parent_library": "modeling_x"}, "peft_type": "LORA"}, [("MLG-HFR-003", "medium")]),
        ({"auto_mapping": {"base_model_class": "X", "parent_library": "evil/repo--modeling_x"}}, [("MLG-HFR-003", "high")]),
        ({"_class_name": "XPipeline", "custom_pipeline": "evil/repo"}, [("MLG-HFR-003", "high")]),
        ({"_class_name": "XPipeline", "custom_pipeline": "https://evil.example/p.py"}, [("MLG-HFR-003", "high")]),
        ({"_class_name": "XPipeline", "custom_pipeline": "lpw_stable_diffusion"}, [("MLG-HFR-003", "medium")]),
        ({"model_type": "x", "note": HUGGING_FACE}, [("MLG-SEC-001", "high")]),
        ({"model_type": "x", "auth": {"api": f"Bearer {HUGGING_FACE}"}}, [("MLG-SEC-001", "high")]),
        ({"note": HUGGING_FACE}, []),
    ],
)  # fmt: skip
def test_what_each_key_comes_to(document, expected):
    assert found(document) == expected
    assert found(document, "anything.txt") == expected
    compact = json.dumps(document, separators=(",", ":"))
    assert found(compact.encode("utf-16")) == expected


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        (["diffusers", "UNet2DConditionModel"], []),
        (["latent_consistency_models", "X"], []),
        (["optimum.onnxruntime.modeling_diffusion", "ORTUnet"], []),
        (["null", None], []),
        (["my_module", "MyUNet"], [("MLG-HFR-003", "medium")]),
        (["my_module", "MyUNet", {"repo": "x"}], [("MLG-HFR-003", "medium")]),
        (["os", "system"], [("MLG-HFR-003", "critical")]),
        (["subprocess", "Popen"], [("MLG-HFR-003", "critical")]),
        (["diffusers.utils.os", "system"], [("MLG-HFR-003", "critical")]),
        (["evil/repo--module", "X"], [("MLG-HFR-003", "high")]),
    ],
)
def test_the_components_of_a_pipeline(component, expected):
    document = {"_class_name": "APipeline", "unet": component}
    assert found(document, "model_index.json") == expected
    assert found({"unet": component}, "model_index.json") == expected
    assert found(document, "other.json") == expected


def test_a_pipeline_that_is_a_file_of_the_repository():
    assert found({"_class_name": ["pipeline", "MyPipeline"]}, "model_index.json") == [
        ("MLG-HFR-003", "medium")
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sentence_transformers.models.Transformer", []),
        ("sentence_transformers.base.modules.dense.Dense", []),
        ("custom_st.Transformer", [("MLG-HFR-003", "medium")]),
        ("jina/repo--custom_st.Transformer", [("MLG-HFR-003", "high")]),
        ("os.system", [("MLG-HFR-003", "critical")]),
        ("builtins.exec", [("MLG-HFR-003", "critical")]),
    ],
)
def test_the_modules_of_a_sentence_transformer(kind, expected):
    document = [{"idx": 0, "name": "0", "path": "", "type": kind}]
    assert found(document, "modules.json") == expected
    assert found([{"type": kind, "path": "", "idx": 0}], "renamed.json") == expected


def test_a_module_outside_the_folder():
    document = [{"idx": 0, "name": "0", "path": "../x", "type": "sentence_transformers.models.Pooling"}]
    assert found(document, "modules.json") == [("MLG-HFR-009", "high")]


EVIL = "{{ messages.__class__ }}"


@pytest.mark.parametrize(
    "document",
    [
        {"chat_template": EVIL},
        {"tokenizer_class": "X", "chat_template": [{"name": "default", "template": "{{ a }}"}, {"name": "b", "template": EVIL}]},
        {"chat_template": {"default": EVIL}},
        {"nested": {"chat_template": EVIL}},
        [{"chat_template": EVIL}],
        b'{"chat_template": "{{ a }}", "chat_template": "' + EVIL.encode() + b'"}',
        b'{"chat_template": "' + EVIL.encode() + b'", "chat_template": "{{ a }}"}',
        b'{"ch\\u0061t_template": "\\u007b{ messages.\\u005f_class__ }}"}',
        b'\xef\xbb\xbf{"chat_template": "' + EVIL.encode() + b'"}',
        b'{"chat_template": "' + EVIL.encode() + b'", "broken": ',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["tokenizer_config.json", "chat_template.json", "x.bin"])
def test_a_template_in_a_configuration_is_judged(document, name):
    assert found(document, name) == [("MLG-JIN-001", "critical")]


def test_a_template_is_named_by_its_place():
    document = {"chat_template": [{"name": "a", "template": "{{ a }}\n" + EVIL}]}
    (finding,) = judged(look(dumped(document), "tokenizer_config.json"))
    assert str(finding.location) == "tokenizer_config.json!/chat_template/0/template/chat_template.jinja:2"


def test_lines_are_those_of_the_document():
    document = b'{\n "model_type": "x",\n "auto_map": {\n  "A": "m.C"\n },\n "trust_remote_code": true\n}'
    lines = {(each.rule, each.location.line) for each in judged(look(document, "config.json"))}
    assert lines == {("MLG-HFR-001", 4), ("MLG-HFR-002", 6)}


def test_a_configuration_inside_an_archive_is_read():
    data = zipped(Entry("m/config.json", dumped(AUTO), method=8))
    assert "MLG-HFR-001" in {each.rule for each in judged(look(data, "m.zip"))}


def test_what_is_said_often_is_told_once():
    document = {"auto_map": {str(n): "m.C" for n in range(100)}, "model_type": "x"}
    assert found(document) == [("MLG-HFR-001", "medium")]


def test_a_large_index_is_read_and_clean():
    document = {
        "weight_map": {f"layer.{n}.weight": f"model-{n % 50:05}-of-00050.safetensors" for n in range(50_000)}
    }
    assert found(document, "model.safetensors.index.json") == []


def test_a_vocabulary_is_not_taken_for_a_configuration():
    vocabulary = {
        word: n
        for n, word in enumerate(["idx", "architectures", "model_type", "activation_function", "type"])
    }
    document = json.dumps(
        {"version": "1.0", "model": {"type": "BPE", "vocab": vocabulary, "note": HUGGING_FACE[:20]}}
    )
    seen = look(document.encode(), "tokenizer.json", text_bytes=100)
    assert not seen.not_checked
    assert not seen.facts


def test_a_configuration_beyond_the_limit_is_not_checked():
    text = b'{"pad": "' + b"x" * 2_000_000 + b'", "auto_map": {"A": "m.C"}}'
    assert reasons(look(text, "config.json", text_bytes=100)) == {"limit"}


@pytest.mark.parametrize("text", [b"{", b"[1, 2", b'{"auto_map": ', b"{'auto_map': 1}", b"not json auto_map"])
def test_what_is_no_json_is_left_alone(text):
    seen = look(text, "config.json")
    assert not seen.facts
    assert not seen.not_checked


def test_deep_nesting_is_a_limit():
    assert reasons(look(b'{"auto_map":' + b"[" * 5000 + b"]" * 5000 + b"}", "config.json")) == {"limit"}


KEYS = ["auto_map", "trust_remote_code", "chat_template", "_class_name", "weight_map", "type", "path", "idx", "impl", "custom_pipelines", "attn_implementation", "a", "model_type", "template", "name", "parent_library", "auto_mapping"]  # fmt: skip
VALUES = st.sampled_from(["os.system", "a.B", "x/y--a.B", "../x", "{{ a.__class__ }}", "Pipeline", "", "\x07", "é\ud800"]) | st.none() | st.booleans() | st.integers(-1, 3) | st.floats()  # fmt: skip
DOCUMENTS = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5), max_leaves=20)  # fmt: skip
SETTINGS = settings(deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck))  # fmt: skip


@SETTINGS
@given(DOCUMENTS, st.integers(0, 300), st.booleans())
def test_any_document_ends(document, cut, whole):
    data = json.dumps(document).encode()
    seen = look(data if whole else data[:cut], "model_index.json")
    assert "reader-failed" not in reasons(seen)
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes_end(data):
    assert "reader-failed" not in reasons(look(b'{"auto_map"' + data, "config.json"))


def test_honest_templates_in_configurations():
    document = {
        "chat_template": [{"name": str(n), "template": text} for n, text in enumerate(TEMPLATES.values())]
    }
    assert found(document, "tokenizer_config.json") == []


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("modules.json", [{"name": "0", "path": "", "type": "os.system"}]),
        ("router_config.json", {"types": {"a": "os.system"}, "structure": {}}),
        ("config.json", {"types": {"a": "os.system"}, "structure": {}, "parameters": {}}),
    ],
)
def test_modules_that_are_known_by_their_place(name, document):
    assert found(document, name) == [("MLG-HFR-003", "critical")]


def test_routes_of_other_documents_are_left_alone():
    assert not found({"types": {"a": "sentence_transformers.models.Dense"}, "structure": {}}, "config.json")
    assert not found({"types": {"a": "os.system"}}, "config.json")
    assert not found({"x": {"types": {"a": "acme.d.ts"}}, "structure": 1}, "package.json")


def test_more_parts_than_a_pipeline_has_are_not_checked():
    parts = {f"part{number}": ["diffusers", "UNet2DModel"] for number in range(1001)}
    document = {"_class_name": "DiffusionPipeline", **parts, "last": ["os", "system"]}
    assert reasons(look(json.dumps(document).encode(), "model_index.json")) == {"limit"}


@pytest.mark.parametrize("key", ["init_expr", "model_type"])
def test_a_value_that_imports_is_no_value(key):
    text = json.dumps({"model_type": "x", "hidden_size": 1, key: "__import__('os').system('true') or 0.1"})
    assert "high" in {each.severity.value for each in judged(look(text.encode(), "config.json"))}
    text = json.dumps({"model_type": "x", key: "__import__('os').system('echo $HOME ${x}')"})
    assert "high" in {each.severity.value for each in judged(look(text.encode(), "config.json"))}
    text = json.dumps({"model_type": "x", key: "__import__ is a word"})
    assert not judged(look(text.encode(), "config.json"))
