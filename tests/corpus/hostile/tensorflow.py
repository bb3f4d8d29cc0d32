"""TensorFlow: operations that reach out of the graph, in every place where a graph can stand."""

import base64
import json
import marshal
from collections.abc import Iterator

from tests.checks.models.building import Entry, zipped
from tests.corpus.hostile._proto import field, fields
from tests.corpus.sample import Sample

# What opens a file that the graph names, by how sure it is that no honest model does.
WRITES = (
    "ReadFile",
    "WriteFile",
    "Save",
    "SaveSlices",
    "MergeV2Checkpoints",
    "ImmutableConst",
    "DatasetToTFRecord",
    "MatchingFiles",
)
READS = ("WholeFileReader", "WholeFileReaderV2", "TextLineReader", "TextLineReaderV2", "FixedLengthRecordReaderV2", "TFRecordReaderV2", "LMDBReader", "TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2", "SqlDataset", "LoadDataset", "SaveDataset", "SaveDatasetV2", "SnapshotDatasetV2", "CSVDataset", "MatchingFilesDataset", "DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV4")  # fmt: skip
PYTHON = ("PyFunc", "EagerPyFunc", "PyFuncStateless")
NETWORK = ("Rpc", "TryRpc", "RpcCall", "RpcClient", "RpcServer")
DEBUG = (
    "DebugIdentity",
    "DebugIdentityV2",
    "DebugIdentityV3",
    "DebugNanCount",
    "DebugNumericSummary",
    "DebugNumericSummaryV2",
)


def attr(name: str, value: bytes) -> bytes:
    return field(5, fields((1, name), (2, value)))


def node(op: str, name: str = "n", inputs: tuple[str, ...] = (), attrs: bytes = b"") -> bytes:
    return fields((1, name), (2, op), *((3, each) for each in inputs)) + attrs


def constant(name: str, value: str) -> bytes:
    tensor = fields((1, 7), (2, b""), (8, value))
    return node("Const", name, (), attr("value", field(8, tensor)) + attr("dtype", field(6, 7)))


def graph(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    out = b"".join(field(1, each) for each in (node("Placeholder", "x"), *nodes))
    if functions:
        out += field(2, b"".join(field(1, each) for each in functions))
    return out + field(4, fields((1, 1987)))


def function(name: str, *nodes: bytes) -> bytes:
    return field(1, fields((1, name))) + b"".join(field(3, each) for each in nodes)


def meta(graph_def: bytes, *more: bytes) -> bytes:
    return field(1, fields((4, "serve"), (5, "2.16.1"))) + field(2, graph_def) + b"".join(more)


def saved(*metas: bytes) -> bytes:
    return fields((1, 1), *((2, each) for each in metas))


def text_graph(op: str, target: str) -> bytes:
    return f"""node {{
  name: "p"
  op: "Const"
  attr {{ key: "value" value {{ tensor {{ dtype: DT_STRING string_val: "{target}" }} }} }}
}}
node {{ name: "n" op: "{op}" input: "p" }}
versions {{ producer: 1987 }}
""".encode()


def samples() -> Iterator[Sample]:
    family = "tensorflow"
    for ops, target in (
        (WRITES, "/etc/passwd"),
        (READS, "/etc/passwd"),
        (PYTHON, "pyfunc_0"),
        (NETWORK, "grpc://127.0.0.1:1"),
        (DEBUG, "file:///tmp/a"),
    ):
        for index, op in enumerate(ops):
            attrs = (
                attr("debug_urls", field(1, field(2, target)))
                if op.startswith("Debug")
                else attr("token", field(2, target))
            )
            nodes = (constant("p", target), node(op, "n", ("p",), attrs))
            if op == "ImmutableConst":
                nodes = (node(op, "n", (), attr("memory_region_name", field(2, target))),)
            places = {
                "graph": {"saved_model.pb": saved(meta(graph(*nodes)))},
                "function": {"saved_model.pb": saved(meta(graph(functions=(function("f", *nodes),))))},
                "second meta graph": {"saved_model.pb": saved(meta(graph()), meta(graph(*nodes)))},
                "frozen": {"frozen.pb": graph(*nodes)},
                "frozen, function": {"frozen.pb": graph(functions=(function("f", *nodes),))},
                "meta": {"model.ckpt.meta": meta(graph(*nodes))},
                "text": {"graph.pbtxt": text_graph(op, target)},
                "text, saved": {
                    "saved_model.pbtxt": b"saved_model_schema_version: 1\nmeta_graphs { graph_def {\n"
                    + text_graph(op, target)
                    + b"} }\n"
                },
                "another name": {"weights.bin": saved(meta(graph(*nodes)))},
                "archive": {"model.zip": zipped(Entry("m/saved_model.pb", saved(meta(graph(*nodes)))))},
            }
            names = (
                list(places)
                if op in {"ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "DebugIdentityV2"}
                else [list(places)[index % 6], list(places)[(index + 3) % 8]]
            )
            for name in names:
                # A checkpoint's graph is that of the training: it reads data, and has hooks in Python.
                # The text form here gives no debug_urls.
                if name == "meta" and (ops is READS or op in {"ReadFile", "MatchingFiles"}):
                    continue
                if ops is DEBUG and name.startswith("text"):
                    continue
                expect = "medium" if ops is READS or (name == "meta" and ops is PYTHON) else "high"
                yield Sample(family, f"{op}, {name}", f"the session runs {op}", places[name], expect)
    yield from _paths(family)
    yield from _metadata(family)


def _paths(family: str) -> Iterator[Sample]:
    for path in ("../../../etc/passwd", "/etc/passwd", "..\\..\\a", "C:\\a", "a/../../../b"):
        asset = field(6, fields((1, fields((1, "x:0"))), (2, path)))
        yield Sample(
            family,
            f"asset {path}",
            "the loader opens assets/ joined with this",
            {"saved_model.pb": saved(meta(graph(), asset))},
        )
    for op in ("SaveV2",):
        for path in ("/etc/cron.d/a", "../../a"):
            yield Sample(
                family,
                f"{op} {path}",
                "a fixed path in the graph",
                {"saved_model.pb": saved(meta(graph(constant("p", path), node(op, "n", ("p",)))))},
            )
    for target in ("file:///etc/cron.d/a", "file://../a"):
        printed = node("PrintV2", "n", ("p",), attr("output_stream", field(2, target)))
        yield Sample(
            family,
            f"PrintV2 {target}",
            "prints into a file",
            {"saved_model.pb": saved(meta(graph(constant("p", "text"), printed)))},
        )
    good = saved(meta(graph(constant("p", "a"), node("WriteFile", "n", ("p",)))))
    for cut in (5, len(good) // 2, len(good) - 1):
        yield Sample(
            family, f"cut at {cut}", "the loader fails", {"saved_model.pb": good[:cut]}, "not-checked"
        )


def _metadata(family: str) -> Iterator[Sample]:
    code = base64.b64encode(marshal.dumps(compile("pass", "a", "exec"))).decode()
    configs = {
        "Lambda": {
            "class_name": "Lambda",
            "config": {
                "function": {"class_name": "__tuple__", "items": [code, None, None]},
                "function_type": "lambda",
            },
        },
        "Lambda, list": {
            "class_name": "Lambda",
            "config": {"function": [code, None, None], "function_type": "lambda"},
        },
        "module of os": {
            "class_name": "function",
            "module": "os",
            "config": "system",
            "registered_name": "function",
        },
        "py_function": {"class_name": "TFOpLambda", "config": {"function": "py_function"}},
    }
    for name, config in configs.items():
        text = json.dumps(
            {
                "name": "l",
                "class_name": config["class_name"],
                "config": config["config"],
                **{k: v for k, v in config.items() if k not in {"class_name", "config"}},
            }
        )
        saved_object = fields((1, 1), (2, 1), (3, "root.layer-0"), (4, "_tf_keras_layer"), (5, text))
        yield Sample(
            family,
            f"keras metadata, {name}",
            "keras revives the layer",
            {"m/saved_model.pb": saved(meta(graph())), "m/keras_metadata.pb": field(1, saved_object)},
        )
        user = field(4, fields((1, "_tf_keras_layer"), (3, text)))
        objects = field(7, field(1, user))
        yield Sample(
            family,
            f"object graph, {name}",
            "keras revives the layer",
            {"saved_model.pb": saved(meta(graph(), objects))},
        )
        tfjs = json.dumps(
            {
                "format": "layers-model",
                "modelTopology": {
                    "model_config": {"class_name": "Sequential", "config": {"layers": [config]}}
                },
                "weightsManifest": [],
            }
        )
        yield Sample(
            family, f"tfjs, {name}", "keras builds it from TensorFlow.js", {"model.json": tfjs.encode()}
        )
