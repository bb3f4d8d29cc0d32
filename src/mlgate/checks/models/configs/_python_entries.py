"""Source that says itself which program imports it: servers' classes, configurations that are Python."""

import ast
from collections.abc import Iterator, Mapping

# What Hugging Face's endpoints and NVIDIA's Triton look for.
_CLASSES = frozenset(("EndpointHandler", "TritonPythonModel"))
# What SageMaker and MLflow look for.
_FUNCTIONS = frozenset(("model_fn", "_load_pyfunc"))
# What classes are derived from that Cog, LitServe, MLServer and MLflow serve, `custom_pipeline` of
# diffusers has loaded, and `evaluate` and `datasets` make instances of.
_BASES = frozenset(
    ("cog.BasePredictor", "litserve.LitAPI", "mlserver.MLModel", "mlflow.pyfunc.PythonModel",
     "diffusers.DiffusionPipeline", "evaluate.Metric", "evaluate.Comparison", "evaluate.Measurement",
     "datasets.Metric")
)  # fmt: skip
# Classes that Cog and Truss know by their names and their methods.
_METHODS = {"Predictor": {"setup", "predict"}, "Model": {"load", "predict"}}
# How BentoML and Ray Serve are told of a class.
_DECORATORS = frozenset(("bentoml.service", "ray.serve.deployment", "paddlehub.module.module.moduleinfo"))
_LAZY = "detectron2.config"
# spaCy calls what is registered here where a configuration names it.
REGISTRIES = ("spacy.registry.", "thinc.registry.", "thinc.api.registry.", "spacy.util.registry.")


def entries(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """Yield what marks a file as one that a loader runs, with its line, and whether it is used too.

    Classes and functions of inference servers, which make instances and call them; what
    detectron2's ``LazyConfig`` and MMEngine's ``Config`` read, which they do by running the file.
    """
    names = _imported(tree)
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name) if name in _CLASSES:
                yield name, node.lineno, True
            case ast.ClassDef(name=name, body=body) if name in _METHODS and _METHODS[name] <= _methods(body):
                yield name, node.lineno, True
            case ast.FunctionDef(name=name) if name in _FUNCTIONS:
                yield name, node.lineno, True
            case ast.FunctionDef(name=name, decorator_list=decorators) if any(
                _full(each, names).startswith(REGISTRIES) for each in decorators
            ):
                yield name, node.lineno, True
            case ast.ClassDef(bases=bases, decorator_list=decorators):
                known = {_full(each, names) for each in bases} & _BASES
                known |= {_full(each, names) for each in decorators} & _DECORATORS
                yield from ((name, node.lineno, True) for name in sorted(known))
            case ast.ImportFrom(module="spacy.util") if any(
                each.name == "load_model_from_init_py" for each in node.names
            ):
                yield "load_model_from_init_py", node.lineno, False
            case ast.ImportFrom(module=str(module)) if module == _LAZY or module.startswith(f"{_LAZY}."):
                if any(each.name.startswith("Lazy") for each in node.names):
                    yield "LazyConfig", node.lineno, False
            case ast.Assign(targets=[ast.Name(id="cfg")], value=ast.Call(func=maker)) if (
                _full(maker, names) == "yacs.config.CfgNode"
            ):
                yield "CfgNode", node.lineno, False
            case ast.Assign(targets=[ast.Name(id="_base_")]):
                yield "Config", node.lineno, False
            case ast.Assign(
                targets=[ast.Name(id="model")], value=ast.Call(func=ast.Name(id="dict"), keywords=keys)
            ) if any(key.arg == "type" for key in keys):
                yield "Config", node.lineno, False


def _methods(body: list[ast.stmt]) -> set[str]:
    return {each.name for each in body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))}


def _imported(tree: ast.Module) -> Mapping[str, str]:
    """Return what the names that the module imports at its top level stand for."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {each.asname: each.name for each in node.names if each.asname}
        elif isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return found


def _full(node: ast.expr, names: Mapping[str, str]) -> str:
    """Return the full name of a base class or a decorator, called or not."""
    steps: list[str] = []
    node = node.func if isinstance(node, ast.Call) else node
    while isinstance(node, ast.Attribute):
        steps.append(node.attr)
        node = node.value
    root = node.id if isinstance(node, ast.Name) else "?"
    return ".".join((names.get(root, root), *reversed(steps)))
