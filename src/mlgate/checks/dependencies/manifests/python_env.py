"""python_env.yaml, MLflow's description of the environment of a model or a project.

See https://mlflow.org/docs/latest/ml/model/dependencies/ for what it holds.
"""

from mlgate.checks.dependencies.manifest import Reading, Unreadable, shown
from mlgate.checks.dependencies.manifests import _yaml
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.core.limits import Limits

FORMAT = "python_env.yaml"
LOCK = False
NAMES = ("python_env.yaml", "python_env.yml")

_KEYS = {"python": None, "build_dependencies": "build", "dependencies": ""}


def claims(path: str) -> bool:
    """``python_env.yaml``, wherever it lies."""
    return path.rpartition("/")[2] in NAMES


def read(data: bytes, limits: Limits) -> Reading:
    """Read both lists: lines of a requirements file, most often ``-r requirements.txt``.

    Raises:
        Unreadable: It is not plain YAML of this shape.
    """
    root = _yaml.load(data)
    if root.pairs is None:
        raise Unreadable("unparseable", "is not a mapping with `python` and `dependencies`", root.line)
    entries = Entries(limits)
    for key, value in root.pairs:
        condition = _KEYS.get(key.text or "")
        if condition is None:
            if key.text not in _KEYS:
                message = f"the key {shown(key.text or '', 40)} is none that MLflow writes, and was not read"
                entries.problem("unparseable", message, key.line)
            continue
        if value.items is None and value.text not in ("", "null", "~"):
            entries.problem("unparseable", f"`{key.text}` is not a list", value.line)
        for item in value.items or ():
            if item.text is None:
                entries.problem("unparseable", "is not a line of a requirements file", item.line)
            else:
                entries.line(item.text, item.line, condition or None)
    return entries.reading()
