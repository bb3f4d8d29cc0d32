"""Archives and manifests of MLflow, NeMo, BentoML and skops."""

import io
import json
import tarfile
from collections.abc import Iterator

from tests.checks.models.building import Entry, zipped
from tests.corpus.assemble import EVIL, EVIL_4, EVIL_TEXT, EVIL_UNKNOWN
from tests.corpus.hostile.numpy_joblib import npy
from tests.corpus.sample import Sample

PAYLOADS = {"system": EVIL, "text": EVIL_TEXT, "exec": EVIL_4, "unknown": EVIL_UNKNOWN}


def tar(members: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def mlmodel(flavor: str) -> bytes:
    return f"artifact_path: model\nflavors:\n  python_function:\n{flavor}mlflow_version: 2.20.0\nmodel_uuid: {'a' * 32}\n".encode()


def samples() -> Iterator[Sample]:
    yield from _mlflow()
    yield from _nemo()
    yield from _bento()
    yield from _skops()


def _mlflow() -> Iterator[Sample]:
    family = "mlflow"
    for module in ("os", "subprocess", "acme.loader", "code", "runpy", "mlflow_evil"):
        yield Sample(
            family,
            f"loader_module {module}",
            "mlflow.pyfunc.load_model imports it",
            {"m/MLmodel": mlmodel(f"    loader_module: {module}\n    data: a\n")},
            "medium" if module in {"acme.loader", "mlflow_evil"} else "high",
        )
    paths = ("/etc/passwd", "../../../a.pkl", "..\\..\\a.pkl", "http://127.0.0.1/a.pkl", "file:///tmp/a.pkl")
    for path in paths:
        yield Sample(
            family,
            f"python_model {path}",
            "opens a path that the manifest names",
            {"m/MLmodel": mlmodel(f"    loader_module: mlflow.pyfunc.model\n    python_model: {path}\n")},
        )
        yield Sample(
            family,
            f"model_path {path}",
            "opens a path that the manifest names",
            {"m/MLmodel": mlmodel(f"    loader_module: mlflow.sklearn\n    model_path: {path}\n")},
        )
        sk = f"flavors:\n  sklearn:\n    pickled_model: {path}\n    sklearn_version: 1.5.0\nmodel_uuid: a\n".encode()
        yield Sample(
            family, f"pickled_model {path}", "unpickles a path that the manifest names", {"m/MLmodel": sk}
        )
        yield Sample(
            family,
            f"code {path}",
            "adds a folder to sys.path",
            {
                "m/MLmodel": mlmodel(
                    f"    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    code: {path}\n"
                )
            },
        )
    for kind, evil in PAYLOADS.items():
        for name in (
            "python_model.pkl",
            "model.pkl",
            "data/model.pth",
            "artifacts/a.bin",
            "pickle_module_info.txt",
        ):
            yield Sample(
                family,
                f"{name}, {kind}",
                "load_model unpickles it",
                {
                    "m/MLmodel": mlmodel(
                        "    loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl\n"
                    ),
                    f"m/{name}": evil,
                },
            )
    yield Sample(
        family,
        "code folder",
        "code_paths are imported",
        {
            "m/MLmodel": mlmodel("    loader_module: mlflow.pyfunc.model\n    code: code\n"),
            "m/code/evil.py": b"import os\nos.system('true')\n",
        },
    )
    yield Sample(
        family,
        "model as code",
        "the script runs on loading",
        {
            "m/MLmodel": mlmodel("    loader_module: mlflow.pyfunc.model\n    model_code_path: script.py\n"),
            "m/script.py": b"import os\nos.system('true')\n",
        },
    )
    # Where the environment is installed from is for the check of dependencies, which reads conda.yaml.
    for name, extra in {
        "loader in json": b'{"flavors": {"python_function": {"loader_module": "os"}}}',
        "quoted": b'flavors:\n  python_function: {"loader_module": "os"}\nmodel_uuid: a\n',
        "tag": b"flavors: !!python/object/apply:os.system ['true']\n",
    }.items():
        yield Sample(family, name, "load_model reads the manifest", {"m/MLmodel": extra})


def _nemo() -> Iterator[Sample]:
    family = "nemo"
    for index, target in enumerate(
        (
            "os.system",
            "subprocess.Popen",
            "builtins.exec",
            "nemo.utils.os.system",
            "acme.evil.Net",
            "pickle.loads",
            "runpy.run_path",
            "torch.hub.load",
        )
    ):
        yaml = f"sample_rate: 16000\npreprocessor:\n  _target_: {target}\n  features: 80\n".encode()
        expect = "medium" if target.startswith(("acme", "torch.hub")) else "high"
        for mode in ("w", "w:gz", "w:bz2", "w:xz"):
            if index == 0 or mode == "w":
                yield Sample(
                    family,
                    f"{target}, {mode}",
                    "restore_from instantiates it",
                    {"a.nemo": tar({"./model_config.yaml": yaml, "./model_weights.ckpt": b"x"}, mode)},
                    expect,
                )
        yield Sample(
            family,
            f"{target}, as tar",
            "restore_from instantiates it",
            {"a.tar": tar({"model_config.yaml": yaml})},
            expect,
        )
        yield Sample(
            family,
            f"{target}, folder",
            "restore_from instantiates it",
            {"a/model_config.yaml": yaml, "a/model_weights/common.pt": b"x"},
            expect,
        )
    for kind, evil in PAYLOADS.items():
        weights = zipped(Entry("archive/data.pkl", evil), Entry("archive/version", b"3"))
        for name in ("model_weights.ckpt", "tokenizer.model", "a_labels.pkl"):
            yield Sample(
                family,
                f"{name}, {kind}",
                "restore_from unpickles it",
                {
                    "a.nemo": tar(
                        {
                            "./model_config.yaml": b"a: 1\n",
                            f"./{name}": weights if name.endswith("ckpt") else evil,
                        }
                    )
                },
            )
    yield Sample(
        family,
        "traversal",
        "restore_from unpacks it",
        {"a.nemo": tar({"../../evil.py": b"pass", "./model_config.yaml": b"a: 1\n"})},
    )
    yield Sample(
        family,
        "code in a number",
        "restore_from constructs it",
        {"a.nemo": tar({"./model_config.yaml": b"a: !!python/object/apply:os.system ['true']\n"})},
    )


def _bento() -> Iterator[Sample]:
    family = "bentoml"
    for kind, evil in PAYLOADS.items():
        yield Sample(
            family,
            f"saved model, {kind}",
            "bentoml.sklearn.load_model unpickles it",
            {
                "m/model.yaml": b"name: a\nversion: b\nmodule: bentoml.sklearn\napi_version: v1\n",
                "m/saved_model.pkl": evil,
            },
        )
        yield Sample(
            family,
            f"custom objects, {kind}",
            "bentoml unpickles it",
            {"m/model.yaml": b"name: a\nversion: b\nmodule: bentoml.sklearn\n", "m/custom_objects.pkl": evil},
        )
        bento = tar(
            {
                "./bento.yaml": b"service: service:svc\nname: a\nversion: b\n",
                "./models/a/b/saved_model.pkl": evil,
            }
        )
        yield Sample(family, f"bento, {kind}", "bentoml import unpacks it", {"a.bento": bento})
        yield Sample(
            family,
            f"packed bento, {kind}",
            "bentoml import unpacks it",
            {
                "a.bento": tar(
                    {"./bento.yaml": b"service: service:svc\n", "./models/a/saved_model.pkl": evil}, "w:gz"
                )
            },
        )
    yield Sample(
        family,
        "module of os",
        "bentoml imports the module",
        {"m/model.yaml": b"name: a\nversion: b\nmodule: os\napi_version: v1\nlabels: {}\noptions: {}\n"},
    )
    yield Sample(
        family,
        "service with an effect",
        "the service is imported",
        {
            "a.bento": tar(
                {
                    "./bento.yaml": b"service: service:svc\nname: a\nversion: b\n",
                    "./src/service.py": b"import os\nos.system('true')\n",
                }
            )
        },
    )
    # A bentofile.yaml is for whoever builds the service, and nothing that loads one reads it.


def _skops() -> Iterator[Sample]:
    family = "skops"
    base = {"protocol": 2, "_skops_version": "0.11.0"}

    def archive(schema: dict, **members: bytes) -> bytes:
        return zipped(
            Entry("schema.json", json.dumps({**schema, **base}).encode()),
            *(Entry(name, data) for name, data in members.items()),
        )

    def node(module: str, cls: str, loader: str, **more: object) -> dict:
        return {"__class__": cls, "__module__": module, "__loader__": loader, "__id__": 1, **more}

    nodes = {
        "function": node("os", "system", "FunctionNode", content={"module_path": "os", "function": "system"}),
        "function of builtins": node("builtins", "eval", "FunctionNode", content={"module_path": "builtins", "function": "eval"}),
        "object of subprocess": node("subprocess", "Popen", "ObjectNode", content=node("builtins", "dict", "DictNode", content={}, key_types={})),
        "object reduced": node("os", "system", "ReduceNode", content={"reduce": {"args": ["true"]}}),
        "operator": node("operator", "methodcaller", "OperatorFuncNode", attrs=node("builtins", "tuple", "TupleNode", content=[])),
        "operator, disguised": node("os", "system", "OperatorFuncNode", attrs=node("builtins", "tuple", "TupleNode", content=[])),
        "operator, attrgetter": node("operator", "attrgetter", "OperatorFuncNode", attrs=node("builtins", "tuple", "TupleNode", content=[])),
        "method": node("builtins", "str", "MethodNode", content={"func": "__class__", "obj": node("os", "path", "ObjectNode")}),
        "method, disguised": node("sklearn.linear_model", "LogisticRegression", "MethodNode", content={"func": "system", "obj": node("os", "os", "TypeNode")}),
        "partial": node("functools", "partial", "PartialNode", content={"func": node("os", "system", "FunctionNode"), "args": {}, "kwargs": {}, "namespace": {}}),
        "type": node("subprocess", "Popen", "TypeNode"),
        "module of ours": node("acme", "Evil", "ObjectNode", content={}),
        "unknown loader": node("builtins", "list", "EvilNode", content=[]),
        "joblib fallback": node("joblib", "load", "JoblibNode", content="a.pkl"),
        "generic constructor": node("builtins", "exec", "ConstructorFromStateNode", content={}),
        "nested": node("builtins", "list", "ListNode", content=[node("builtins", "dict", "DictNode", content={"a": node("os", "system", "FunctionNode")}, key_types={})]),
        "json node": node("builtins", "str", "JsonNode", content="__import__('os')", is_json=True),
        "dtype": node("numpy", "dtype", "DTypeNode", content=node("numpy", "ndarray", "NdArrayNode", type="numpy", file="a.npy")),
    }  # fmt: skip
    weak = {
        "type": "medium",
        "module of ours": "medium",
        "unknown loader": "medium",
        "joblib fallback": "medium",
        "json node": "quiet",
        # skops makes the function, which nothing in the archive calls.
        "operator, attrgetter": "medium",
        "dtype": "quiet",
    }
    for name, each in nodes.items():
        expect = weak.get(name, "high")
        if expect != "quiet":
            yield Sample(family, name, "skops.io.load builds it", {"a.skops": archive(each)}, expect)
            yield Sample(
                family, f"{name}, as zip", "skops.io.load goes by content", {"a.zip": archive(each)}, expect
            )
    for kind, evil in PAYLOADS.items():
        array = node("numpy", "ndarray", "NdArrayNode", type="numpy", file="1.npy")
        yield Sample(
            family,
            f"array of objects, {kind}",
            "numpy unpickles it",
            {"a.skops": archive(array, **{"1.npy": npy("'|O'", evil)})},
        )
        yield Sample(
            family,
            f"pickle in the archive, {kind}",
            "joblib.load falls back",
            {"a.skops": archive(array, **{"1.npy": evil})},
        )
        yield Sample(family, f"pickle called skops, {kind}", "a fallback unpickles it", {"a.skops": evil})
    yield Sample(
        family,
        "schema cut",
        "the loader fails",
        {"a.skops": zipped(Entry("schema.json", b'{"__class__": "a", "__module__": "os", "__loader__"'))},
        "not-checked",
    )
    # Of a file that a node names, skops reads the member of the archive: none is outside.
