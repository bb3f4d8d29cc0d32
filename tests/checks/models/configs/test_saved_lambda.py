import json

import pytest
from tests.checks.models.building import judged, kinds, look
from tests.checks.models.formats.graphs import HONEST, saved_model, text_saved_model
from tests.checks.models.formats.test_onnx import message, number

from mlgate.core.severity import Severity


def layer(key="function", kind="lambda", **tuple_):
    code = {"class_name": "__tuple__", "items": ["4wEAAAA", None, None], **tuple_}
    return json.dumps(
        {"class_name": "Lambda", "config": {"name": "l", key: code, f"{key}_type": kind}}, indent=1
    )


def objects(config):
    return message(7, message(1, message(4, message(1, "_tf_keras_layer"), message(3, config))))


def text_objects(config):
    escaped = config.replace('"', '\\"').replace("\n", "\\n")
    return f'object_graph_def {{ nodes {{ user_object {{ identifier: "_tf_keras_layer" metadata: "{escaped}" }} }} }}\n}}\n'


HOLDERS = {
    "saved model": lambda config: saved_model(*HONEST, more=[objects(config)]),
    "metadata": lambda config: message(1, number(2, 1), message(4, "_tf_keras_layer"), message(5, config)),
    "text": lambda config: (
        text_saved_model(*HONEST).rstrip().removesuffix("}").encode() + text_objects(config).encode()
    ),
    "file": lambda config: config.encode(),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("key", ["function", "output_shape", "mask"])
def test_code_of_a_lambda_layer_is_found_in_a_saved_model(holder, key):
    seen = look(HOLDERS[holder](layer(key)), "m.bin")
    found = [(each.rule, each.subject) for each in judged(seen) if each.severity >= Severity.HIGH]
    assert found == [("MLG-KER-001" if holder == "file" else "MLG-TFS-003", f"config.{key}")]
    (fact,) = (fact for fact in seen.facts if fact.kind == "keras.lambda")
    assert fact.location.line == 8


def test_keys_may_come_in_any_order():
    text = (
        '{"config": {"function_type": "lambda", "function": {"\\u0069tems": ["4w"], "class_name": "other"}},'
        ' "class_name": "Lambda"}'
    )
    assert "keras.lambda" in kinds(look(HOLDERS["metadata"](text)))


@pytest.mark.parametrize(
    "text",
    [
        layer(kind="function"),
        layer(items=[None]),
        layer("other"),
        layer()[:-1],
        '{"a": "__tuple__"}',
    ],
)
def test_a_lambda_that_holds_no_code_is_none(text):
    assert "keras.lambda" not in kinds(look(HOLDERS["saved model"](text)))
