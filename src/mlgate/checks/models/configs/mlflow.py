"""MLmodel and BentoML's model.yaml: which module loads a model, and which files it takes."""

from collections.abc import Iterator

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "mlflow"
KIND = "text"
ORDER = 60

_NAMES = {"mlmodel": "mlflow", "model.yaml": "bentoml", "bento.yaml": "bentoml"}
# Joined to the model's folder by their loaders.
_PATHS = frozenset(
    (
        "data", "code", "model_path", "pickled_model", "python_model", "model_data", "path", "model_binary",
        "pickle_path", "model_class_path", "path_to_model", "config_file", "chat_session", "tokenizer_dir",
    )
)  # fmt: skip
_TRUSTED = "skops_trusted_types"


def sniff(blob: Blob) -> bool:
    """Go by the names that loaders look for."""
    return blob.name in _NAMES and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the loader, the paths, the code that is imported, and what skops is told to trust.

    Raises:
        Declined: It describes no model, or is no YAML, so that nothing loads it.
        LimitReached: It is too long or nested too deep.
    """
    text = read_text(blob, limits)
    bento = _NAMES[blob.name] == "bentoml"
    try:
        found = []
        for node in _yaml.nodes(text, clock):
            if node is not None and _telling(node):
                clock.spend("members", 1, limits.members)
                found.append(node)
    except ValueError:
        raise Declined from None
    facts = list(_bento(blob, found) if bento else _mlflow(blob, found))
    clock.spend("facts", len(facts), limits.facts)
    if not facts:
        raise Declined
    yield from facts


def _telling(node: _yaml.Node) -> bool:
    """Say whether a node may be worth a fact."""
    path = node.path
    if not node.value or not path:
        return False
    keys = ("loader_module", "model_code_path", _TRUSTED)
    return len(path) == 1 or path[-1] in _PATHS or any(key in path for key in keys)


def _mlflow(blob: Blob, found: list[_yaml.Node]) -> Iterator[Fact]:
    seen: set[tuple[str, str]] = set()
    for node in found:
        path, value = node.path, (node.value or "").strip()
        # An alias may bring it to its place from anywhere.
        if len(path) < 2 or value in ("null", "~"):
            continue
        key = str(path[-1])
        if (key, value) in seen:
            continue
        seen.add((key, value))
        shown = printable(value, 300)
        if key == "loader_module":
            yield blob.fact("mlflow.loader", shown, line=node.line, loader="MLflow")
        elif key == "model_code_path":
            # Of this one, only the base name is used.
            yield blob.fact("mlflow.code", shown.replace("\\", "/").rpartition("/")[2], line=node.line)
        elif key in _PATHS:
            yield blob.fact("mlflow.path", shown, line=node.line, key=key, escape=_escape(value))
            if key == "code" and _escape(value) is None:
                yield blob.fact("mlflow.code", shown, line=node.line)
        elif _TRUSTED in path:
            yield blob.fact("mlflow.trusted", shown, line=node.line)


def _escape(path: str) -> str | None:
    return "address" if "://" in path else escape(path)


def _bento(blob: Blob, found: list[_yaml.Node]) -> Iterator[Fact]:
    keys = {node.path[0] for node in found}
    if not {"name", "version"} <= keys and "service" not in keys:
        return
    for node in found:
        if node.path == ("module",) and "api_version" in keys:
            yield blob.fact(
                "mlflow.loader", printable(node.value or "", 300), line=node.line, loader="BentoML"
            )
        elif node.path == ("service",) and blob.name == "bento.yaml":
            # The service's source lies beside the description.
            yield blob.fact("mlflow.code", "src", line=node.line)
