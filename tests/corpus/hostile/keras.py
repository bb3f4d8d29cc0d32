"""Keras: archives, HDF5 and JSON whose configuration makes the loader call something."""

import base64
import json
import marshal
from collections.abc import Iterator

from tests.checks.models.building import Entry, zipped
from tests.corpus.assemble import EVIL, EVIL_4
from tests.corpus.hostile._hdf5 import external_link, hdf5
from tests.corpus.sample import Sample

CODE = base64.b64encode(marshal.dumps(compile("pass", "a", "exec"))).decode()
INPUT = {
    "module": "keras.layers",
    "class_name": "InputLayer",
    "config": {"batch_shape": [None, 4], "name": "input"},
    "registered_name": None,
}


def layer(module: str | None, cls: str, config: dict, registered: str | None = None, **more: object) -> dict:
    return {"module": module, "class_name": cls, "config": config, "registered_name": registered, **more}


def function(module: str, name: str, registered: str = "function") -> dict:
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered}


def lambda_value(code: str = CODE) -> dict:
    return {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}


LAMBDA = layer("keras.layers", "Lambda", {"name": "l", "function": lambda_value()})
# A layer (or a part of one) that the loader builds, and what it does then.
LAYERS = {
    "Lambda, code": LAMBDA,
    "Lambda, tf.keras list": layer("keras.layers", "Lambda", {"name": "l", "function": [CODE, None, None], "function_type": "lambda", "module": "a"}),
    "Lambda, old module": layer("tensorflow.keras.layers", "Lambda", {"function": [CODE, None, None], "function_type": "lambda"}),
    "Lambda, no module": {"class_name": "Lambda", "config": {"function": [CODE, None, None], "function_type": "lambda"}},
    "Lambda, named function": layer("keras.layers", "Lambda", {"function": function("os", "system"), "arguments": {}}),
    "Lambda, builtin": layer("keras.layers", "Lambda", {"function": function("builtins", "exec")}),
    "Lambda, output_shape": layer("keras.layers", "Lambda", {"function": "relu", "output_shape": lambda_value()}),
    "Lambda, mask": layer("keras.layers", "Lambda", {"function": "relu", "mask": lambda_value()}),
    "Lambda, core module": layer("keras.src.layers.core.lambda_layer", "Lambda", {"function": lambda_value()}),
    "Lambda, registered": layer(None, "Lambda", {"function": lambda_value()}, "keras>Lambda"),
    "__lambda__ alone": lambda_value(),
    "__lambda__ as activation": layer("keras.layers", "Dense", {"units": 1, "activation": lambda_value()}),
    "__lambda__ as initializer": layer("keras.layers", "Dense", {"units": 1, "kernel_initializer": lambda_value()}),
    "__lambda__ as regularizer": layer("keras.layers", "Dense", {"units": 1, "kernel_regularizer": {"nested": [lambda_value()]}}),
    "module of os": layer("os", "system", {"command": "true"}),
    "module of subprocess": layer("subprocess", "Popen", {"args": ["true"]}),
    "module of builtins": layer("builtins", "exec", {}),
    "module of runpy": layer("runpy", "run_path", {}),
    "module of ours": layer("acme.layers", "Evil", {"a": 1}),
    "function of os": function("os", "system"),
    "function as activation": layer("keras.layers", "Dense", {"units": 1, "activation": function("subprocess", "getoutput")}),
    "function of builtins": layer("keras.layers", "Dense", {"units": 1, "activation": function("builtins", "eval", "eval")}),
    "unsafe switch": layer("keras.config", "enable_unsafe_deserialization", {}),
    "unsafe switch, old": layer("keras.src.saving.serialization_lib", "enable_unsafe_deserialization", {}),
    "unsafe switch, function": function("keras.config", "enable_unsafe_deserialization"),
    "unsafe switch, scope": layer("keras.src.saving.serialization_lib", "SafeModeScope", {"safe_mode": False}),
    "get_file": layer("keras.utils", "get_file", {"fname": "a", "origin": "http://127.0.0.1/a", "extract": True}),
    "get_file, function": function("keras.src.utils.file_utils", "get_file"),
    "load_model": function("keras.models", "load_model"),
    "load_model, src": layer("keras.src.saving.saving_api", "load_model", {"filepath": "a.h5"}),
    "func_load": function("keras.src.utils.python_utils", "func_load"),
    "model_from_json": function("keras.models", "model_from_json"),
    "save_img": function("keras.utils", "save_img"),
    "TorchModuleWrapper": layer("keras.layers", "TorchModuleWrapper", {"module": base64.b64encode(EVIL).decode(), "name": "t"}),
    "TorchModuleWrapper, src": layer("keras.src.utils.torch_utils", "TorchModuleWrapper", {"module": {"class_name": "__bytes__", "config": {"value": EVIL.decode("latin1")}}}),
    "TorchModuleWrapper, registered": layer(None, "TorchModuleWrapper", {"module": EVIL_4.hex()}, "keras>TorchModuleWrapper"),
    "TFSMLayer": layer("keras.layers", "TFSMLayer", {"filepath": "/tmp/evil", "call_endpoint": "serve"}),
    "TFSMLayer, src": layer("keras.src.export.tfsm_layer", "TFSMLayer", {"filepath": "\\\\host\\a"}),
    "JaxLayer": layer("keras.layers", "JaxLayer", {"call_fn": function("os", "system")}),
    "FlaxLayer": layer("keras.layers", "FlaxLayer", {"module": function("acme", "x")}),
    "StringLookup reads": layer("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
    "StringLookup fetches": layer("keras.layers", "StringLookup", {"vocabulary": "http://127.0.0.1/v.txt"}),
    "StringLookup traverses": layer("keras.layers", "StringLookup", {"vocabulary": "../../../etc/passwd"}),
    "IntegerLookup reads": layer("keras.layers", "IntegerLookup", {"vocabulary": "/etc/passwd"}),
    "TextVectorization reads": layer("keras.layers", "TextVectorization", {"vocabulary": "/etc/passwd"}),
    "TextVectorization, standardize": layer("keras.layers", "TextVectorization", {"standardize": lambda_value()}),
    "TextVectorization, split": layer("keras.layers", "TextVectorization", {"split": function("os", "system")}),
    "StringLookup, gs": layer("keras.layers", "StringLookup", {"vocabulary": "gs://bucket/a"}),
    "StringLookup, file URL": layer("keras.layers", "StringLookup", {"vocabulary": "file:///etc/passwd"}),
    "numpy load": function("numpy", "load"),
    "numpy fromfile": layer("keras.layers", "Dense", {"activation": function("numpy", "fromfile")}),
    "tensorflow io": function("tensorflow.io", "read_file"),
    "tensorflow load_op_library": layer("tensorflow", "load_op_library", {"library_filename": "/tmp/a.so"}),
    "tensorflow py_function": layer("keras.layers", "Dense", {"activation": function("tensorflow", "py_function")}),
    "pickle": function("pickle", "loads"),
    "importlib": layer("importlib", "import_module", {"name": "antigravity"}),
    "op layer": {"class_name": "TFOpLambda", "config": {"name": "tf.io.write_file", "function": "io.write_file"}},
    "op layer, read": {"class_name": "TFOpLambda", "config": {"name": "tf.io.read_file", "function": "io.read_file"}, "inbound_nodes": [["a", 0, 0, {"filename": "/etc/passwd"}]]},
    "op layer, py_function": {"class_name": "TFOpLambda", "config": {"name": "tf.py_function", "function": "py_function"}},
    "op layer, numpy_function": {"class_name": "TFOpLambda", "config": {"name": "tf.numpy_function", "function": "numpy_function"}},
    "TensorFlowOpLayer": {"class_name": "TensorFlowOpLayer", "config": {"node_def": '{"name": "a", "op": "WriteFile"}'}},
    "RNN cell": layer("keras.layers", "RNN", {"cell": layer("os", "system", {})}),
    "Bidirectional": layer("keras.layers", "Bidirectional", {"layer": LAMBDA}),
    "TimeDistributed": layer("keras.layers", "TimeDistributed", {"layer": {"class_name": "Lambda", "config": {"function": [CODE, None, None], "function_type": "lambda"}}}),
    "a model in a model": layer("keras", "Sequential", {"layers": [INPUT, layer("keras", "Functional", {"layers": [LAMBDA]})]}),
    "two hundred models deep": None,
    "tensor spec": {"class_name": "__typespec__", "spec_name": "os.system", "module": "os", "config": []},
    "typespec": {"class_name": "TypeSpec", "type_spec": "a", "serialized": [], "module": "os"},
}  # fmt: skip


def _deep() -> dict:
    inner = LAMBDA
    for _ in range(200):
        inner = layer("keras", "Sequential", {"layers": [inner]})
    return inner


LAYERS["two hundred models deep"] = _deep()
_LESS = {"module of ours": "medium", "unsafe switch, scope": "medium", "FlaxLayer": "medium", "tensor spec": "medium", "typespec": "medium", "StringLookup, gs": "medium"}  # fmt: skip
_LESS |= {"save_img": "medium"}


def model(extra: dict, **config: object) -> dict:
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "net", "layers": [INPUT, extra], **config},
        "registered_name": None,
        "build_config": {"input_shape": [None, 4]},
    }


def archive(config: str | bytes, **members: bytes) -> bytes:
    weights = hdf5({"layers": b"x"})
    data = config.encode() if isinstance(config, str) else config
    return zipped(
        Entry("metadata.json", b'{"keras_version": "3.9.0", "date_saved": "2026-01-01"}'),
        Entry("config.json", data),
        Entry("model.weights.h5", weights),
        *(Entry(name.replace("__", "/"), body) for name, body in members.items()),
    )


def samples() -> Iterator[Sample]:
    family = "keras"
    for name, each in LAYERS.items():
        expect = _LESS.get(name, "high")
        text = json.dumps(model(each))
        yield Sample(
            family,
            f"{name}, .keras",
            "keras.saving.load_model builds it",
            {"net.keras": archive(text)},
            expect,
        )
        yield Sample(
            family,
            f"{name}, h5",
            "load_model ignores safe_mode for HDF5",
            {
                "net.h5": hdf5(
                    {"model_config": text.encode(), "keras_version": b"2.15.0", "backend": b"tensorflow"}
                )
            },
            expect,
        )
    for name in (
        "Lambda, code",
        "module of os",
        "unsafe switch",
        "TorchModuleWrapper",
        "get_file",
        "function of os",
    ):
        text = json.dumps(model(LAYERS[name]))
        spellings = {
            "as zip": {"net.zip": archive(text)},
            "as bin": {"net.bin": archive(text)},
            "h5 as hdf5": {"net.hdf5": hdf5({"model_config": text.encode()})},
            "h5 as keras": {"net.keras": hdf5({"model_config": text.encode()})},
            "h5 without name": {"weights": hdf5({"model_config": text.encode()})},
            "h5 behind a user block": {"net.h5": hdf5({"model_config": text.encode()}, prefix=bytes(512))},
            "h5 behind a large user block": {
                "net.h5": hdf5({"model_config": text.encode()}, prefix=bytes(4096))
            },
            "alone": {"config.json": text.encode()},
            "alone, another name": {"model_architecture.json": text.encode()},
            "escaped": {
                "net.keras": archive(
                    "".join(
                        f"\\u{ord(c):04x}" if c.isalpha() and i % 3 == 0 and _in_string(text, i) else c
                        for i, c in enumerate(text)
                    )
                )
            },
            "indented": {"net.keras": archive(json.dumps(model(LAYERS[name]), indent=4))},
            "key twice, evil last": {
                "net.keras": archive('{"class_name": "Sequential", "config": {"layers": []}, ' + text[1:])
            },
            "deflated": {
                "net.keras": zipped(
                    Entry("metadata.json", b"{}"), Entry("config.json", text.encode(), method=8)
                )
            },
            "config twice": {
                "net.keras": zipped(
                    Entry("metadata.json", b"{}"),
                    Entry("config.json", text.encode()),
                    Entry("config.json", b'{"class_name": "Sequential", "config": {"layers": []}}'),
                )
            },
            "config by case": {
                "net.keras": zipped(
                    Entry("metadata.json", b"{}"),
                    Entry("config.json", b"{}"),
                    Entry("CONFIG.JSON", text.encode()),
                )
            },
            "in compile_config": {
                "net.keras": archive(json.dumps({**model(INPUT), "compile_config": {"loss": LAYERS[name]}}))
            },
            "in build_config": {
                "net.keras": archive(json.dumps({**model(INPUT), "build_config": LAYERS[name]}))
            },
            "in the training config": {
                "net.h5": hdf5(
                    {
                        "model_config": json.dumps(model(INPUT)).encode(),
                        "training_config": json.dumps({"loss": LAYERS[name]}).encode(),
                    }
                )
            },
            "as the root": {"net.keras": archive(json.dumps(LAYERS[name]))},
            "as input": {
                "net.keras": archive(
                    json.dumps(
                        layer("keras", "Functional", {"layers": [INPUT], "input_layers": LAYERS[name]})
                    )
                )
            },
            "UTF-16": {"net.keras": archive(text.encode("utf-16"))},
            "byte order mark": {"net.keras": archive(b"\xef\xbb\xbf" + text.encode())},
            "in an inner archive": {
                "net.keras": archive(json.dumps(model(INPUT)), assets__inner=archive(text))
            },
            "in a folder": {
                "saved/keras/config.json": text.encode(),
                "saved/keras/metadata.json": b'{"keras_version": "3.9.0"}',
            },
            "h5 in the archive": {
                "net.keras": archive(
                    json.dumps(model(INPUT)), assets__a=hdf5({"model_config": text.encode()})
                )
            },
            "h5 in a zip": {"net.zip": zipped(Entry("a/net.h5", hdf5({"model_config": text.encode()})))},
        }
        for how, files in spellings.items():
            expect = "not-checked" if how == "UTF-16" else "high"
            yield Sample(family, f"{name}, {how}", "keras.saving.load_model builds it", files, expect)
    yield from _hdf5(family)
    outside = {"traversal": "../../evil.py", "absolute": "/tmp/evil.py"}
    for name, path in outside.items():
        yield Sample(
            family,
            f"assets, {name}",
            "the archive is unpacked",
            {
                "net.keras": zipped(
                    Entry("metadata.json", b"{}"),
                    Entry("config.json", json.dumps(model(INPUT)).encode()),
                    Entry(path, b"pass"),
                )
            },
        )
    yield Sample(
        family,
        "pickle in the assets",
        "a layer loads its assets",
        {"net.keras": archive(json.dumps(model(INPUT)), assets__vocab=EVIL)},
    )
    yield Sample(
        family,
        "weights that are a pickle",
        "another loader",
        {
            "net.keras": zipped(
                Entry("metadata.json", b"{}"),
                Entry("config.json", json.dumps(model(INPUT)).encode()),
                Entry("model.weights.h5", EVIL),
            )
        },
    )
    yield Sample(
        family,
        "config cut",
        "the loader fails",
        {"net.keras": archive(json.dumps(model(INPUT))[:-20])},
        "not-checked",
    )
    yield Sample(
        family, "config deep", "no end of nesting", {"net.keras": archive('{"a":' * 100_000)}, "not-checked"
    )


def _in_string(text: str, index: int) -> bool:
    return text[:index].count('"') % 2 == 1


def _hdf5(family: str) -> Iterator[Sample]:
    config = json.dumps(model(INPUT)).encode()
    for path in ("/etc/passwd", "../../other.h5", "\\\\host\\a.h5", "other.h5", "/proc/self/environ"):
        expect = "medium" if path == "other.h5" else "high"
        yield Sample(
            family,
            f"external link {path}",
            "HDF5 opens another file",
            {"net.h5": hdf5({"model_config": config}, external_link("w", path, "/a"))},
            expect,
        )
        yield Sample(
            family,
            f"external data {path}",
            "HDF5 reads another file's bytes",
            {"net.h5": hdf5({"model_config": config}, external=path)},
            expect,
        )
        yield Sample(
            family,
            f"external data {path}, in the archive",
            "HDF5 reads another file's bytes",
            {
                "net.keras": zipped(
                    Entry("metadata.json", b"{}"),
                    Entry("config.json", config),
                    Entry("model.weights.h5", hdf5({"a": b"b"}, external=path)),
                )
            },
            expect,
        )
    for name, value in {
        "pickle": EVIL,
        "text pickle": b"cos\nsystem\n(S'true'\ntR.",
        "base64": base64.b64encode(EVIL),
        "protocol 4": EVIL_4,
    }.items():
        yield Sample(
            family,
            f"pickled attribute, {name}",
            "a loader unpickles an attribute",
            {"net.h5": hdf5({"model_config": config, "extra": value})},
        )
    good = hdf5({"model_config": config})
    for name, data in {
        "cut": good[: len(good) // 2],
        "only the signature": good[:8],
        "root outside": good[:64] + b"\xff" * 8 + good[72:],
        "noise after the superblock": good[:96] + bytes(range(256)) * 3,
    }.items():
        yield Sample(
            family, f"HDF5, {name}", "the library reads outside or fails", {"net.h5": data}, "not-checked"
        )
