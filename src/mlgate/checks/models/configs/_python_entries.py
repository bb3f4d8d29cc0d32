"""Source that says itself which program imports it: servers' classes, configurations that are Python."""

import ast
from collections.abc import Iterator

# What Hugging Face's endpoints and NVIDIA's Triton look for.
_CLASSES = frozenset(("EndpointHandler", "TritonPythonModel"))
_LAZY = "detectron2.config"


def entries(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield what marks a file as one that a loader runs, with its line.

    Classes of inference servers; what detectron2's ``LazyConfig`` and MMEngine's ``Config``
    read, which they do by running the file.
    """
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name) if name in _CLASSES:
                yield name, node.lineno
            case ast.ImportFrom(module=str(module)) if module == _LAZY or module.startswith(f"{_LAZY}."):
                if any(each.name.startswith("Lazy") for each in node.names):
                    yield "LazyConfig", node.lineno
            case ast.Assign(targets=[ast.Name(id="_base_")]):
                yield "Config", node.lineno
            case ast.Assign(
                targets=[ast.Name(id="model")], value=ast.Call(func=ast.Name(id="dict"), keywords=keys)
            ) if any(key.arg == "type" for key in keys):
                yield "Config", node.lineno
