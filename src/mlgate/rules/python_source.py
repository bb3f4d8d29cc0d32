"""Rules about Python source that a loader imports together with a model or a dataset."""

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._python_near import NAMING, PICKLED, Near, identity
from mlgate.rules._python_reach import Reach

_DOES = {
    "executes": "runs a command",
    "evaluates": "runs text as code",
    "loads": "loads data that can run code itself",
    "native": "loads native code",
    "network": "opens the network",
    "imports": "leads to whatever name is wanted",
    "writes": "writes to a file that is run at the next start",
    "changes": "writes, moves or removes files",
    "replaces": "replaces a function that all code calls",
    "redirects": "sets where every later request goes",
    "environment": "sets what every later process runs first",
    "bytecode": "has no source that could be read",
    "extension": "has no source that could be read",
}
_GRAVE = (
    "executes", "evaluates", "network", "imports", "native", "writes", "changes", "bytecode", "replaces",
    "redirects",
)  # fmt: skip
# Of no interest in a script that nothing imports.
_ORDINARY = ("changes", "environment", "imports", "replaces", "redirects")
# What such files do where they are a script to try a model with, or a package with a library of its own.
_EXPECTED = {
    "inference.py": ("network", "changes"),
    "model.py": ("network", "changes"),
    "__init__.py": ("native",),
}
# Files that are started and not imported, by the first word of their names.
_SCRIPTS = frozenset(
    (
        "train", "main", "run", "eval", "evaluate", "evaluation", "test", "tests", "setup", "prepare",
        "download", "preprocess", "demo", "app", "convert", "conversion", "export", "finetune", "predict",
        "benchmark", "bench", "build", "install", "launch", "start", "serve", "server", "deploy", "upload",
        "make", "create", "generate", "get", "fetch", "sample", "example", "script", "quantize", "merge",
        "pretrain", "gradio", "streamlit", "infer", "inference", "cli", "tasks", "noxfile", "fabfile",
        "conftest",
        "visualize", "plot", "sweep", "submit", "sync", "push", "publish", "release", "clean", "cleanup",
    )
)  # fmt: skip
_REMOVES = ("os.remove", "os.unlink", "os.removedirs", "shutil.rmtree", "pathlib.Path.unlink")
# What no class of a model connects to, and what leads to any object of the process.
_CONNECTING = (
    "socket.create_connection", "socket.socket.", "smtplib.", "ftplib.", "telnetlib.", "paramiko.",
    "asyncssh.", "pysftp.", "xmlrpc.", "imaplib.", "poplib.", "nntplib.", "socketserver.", "http.server.",
    "webbrowser.",
    "logging.config.listen", "asyncio.open_connection", "asyncio.start_server",
)  # fmt: skip
_GADGETS = frozenset(
    (
        "__subclasses__", "f_globals", "f_builtins", "func_globals", "gc.get_objects", "gc.get_referrers",
        "pkgutil.resolve_name", "unittest.mock._importer", "unittest.mock._dot_lookup", "os", "posix", "nt",
        "subprocess", "builtins", "pty",
    )
)  # fmt: skip
_WHEN = {
    "import": "Importing this file",
    "load": "Using this file's classes",
    "function": "The function {} (called by a file that is loaded)",
}
_ATLAS = ("AML.T0011.000", "AML.T0010.003")
_OWASP = ("ML06:2023", "LLM03:2025")


def _severity(fact: Fact, near: Near) -> Severity | None:
    """Grade an effect by what it does, when, and whether a loader imports the file."""
    act, hidden = fact.detail["act"], fact.detail["source"] in ("decoded", "downloaded")
    if act == "extension":
        # Packages have native code as a matter of course.
        return Severity.MEDIUM if near.configured(fact) else None
    disguised = hidden and act in ("evaluates", "loads", "executes")
    imported = near.imported(fact)
    if fact.detail["where"] == "load":
        return _when_used(fact, near) if imported else None
    if imported:
        if disguised:
            return Severity.CRITICAL
        mild = fact.detail["source"] == "usual" or act in _EXPECTED.get(
            posixpath.basename(fact.location.member or fact.location.path), ()
        )
        return Severity.HIGH if act in _GRAVE and not mild else Severity.MEDIUM
    if near.model(fact) and act not in _ORDINARY:
        return Severity.HIGH if disguised or act == "bytecode" or _is_library(fact) else Severity.MEDIUM
    if near.below(fact) and _is_library(fact):
        package = posixpath.basename(fact.location.path) == "__init__.py"
        return Severity.HIGH if package or disguised else Severity.MEDIUM
    if act == "bytecode" and fact.detail["source"] == "unchecked":
        return Severity.MEDIUM
    if act == "executes" and fact.detail["source"] != "usual" and near.installs(fact):
        return Severity.MEDIUM
    return Severity.HIGH if disguised and act != "loads" else None


def _is_library(fact: Fact) -> bool:
    """Say whether a file runs a command as soon as it is imported, and is there to be imported by name."""
    name = posixpath.basename(fact.location.path)
    stem = name.removesuffix(".py")
    runs = fact.detail["act"] == "executes" and fact.detail["source"] != "usual"
    return (
        runs
        and fact.location.member is None
        and name != stem
        and stem.strip("_").partition("_")[0] not in _SCRIPTS
    )


def _when_used(fact: Fact, near: Near) -> Severity | None:
    """Grade what methods do that loaders call: honest ones fetch data, and clear up after themselves."""
    act, source = fact.detail["act"], fact.detail["source"]
    used = near.used(fact)
    if source in ("decoded", "downloaded") and act in ("evaluates", "loads", "executes"):
        return Severity.CRITICAL if near.dataset(fact) else Severity.HIGH
    if act == "evaluates" and source == "given":
        # What a server is asked is chosen by whoever asks; a configuration is the model's own.
        return Severity.HIGH if near.answers(fact) else Severity.MEDIUM if used else None
    if act == "executes":
        return Severity.HIGH if near.served(fact) and source != "usual" else Severity.MEDIUM
    if act == "writes":
        return Severity.HIGH if used else Severity.MEDIUM
    if act == "network" and source == "secrets":
        return Severity.HIGH if used or near.served(fact) else Severity.MEDIUM
    if used and (fact.subject.startswith(_CONNECTING) or fact.subject in _GADGETS):
        return Severity.HIGH
    if used and source == "posts":
        # A handler may ask other services; the class of a model asks nobody.
        return Severity.HIGH if near.mapped(fact) else Severity.MEDIUM
    if used and act in ("replaces", "redirects"):
        return Severity.HIGH
    if used and act == "evaluates" and source == "file":
        return Severity.HIGH
    if used and act in ("native", "environment"):
        return Severity.MEDIUM
    if used and fact.subject in _REMOVES and source != "made":
        return Severity.MEDIUM if source == "given" else Severity.HIGH
    # A dataset's script is there to fetch it.
    return Severity.INFO if used and act in ("network", "loads") and not near.dataset(fact) else None


def _graded(facts: Sequence[Fact], policy: Any) -> Iterator[tuple[Fact, Severity]]:
    """Yield the effects that matter, each once: what a function does may also be what an import does."""
    near = Near(facts)
    reach = Reach(facts, near)
    found: dict[tuple[str, int | None, str], tuple[Fact, Severity]] = {}
    for fact in facts:
        if fact.kind != "python.effect" or fact.subject in policy.models.allow_globals:
            continue
        called = fact.detail["where"] == "function"
        severity = reach.severity(fact) if called else _severity(fact, near)
        key = identity(fact), fact.location.line, fact.subject
        if severity is not None and (key not in found or found[key][1] < severity):
            found[key] = fact, severity
    yield from found.values()


def _effects(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact, severity in _graded(facts, policy):
        when = _WHEN[fact.detail["where"]].format(fact.detail.get("function"))
        what = {"decoded": ", on what it decodes", "downloaded": ", on what it downloads"}
        does = f"{_DOES[fact.detail['act']]}{what.get(fact.detail['source'], '')}"
        subject = "a computed name" if fact.subject == "?" else fact.subject
        yield Hit(fact, f"{when} calls {subject}, which {does}.", severity=severity)


def _datasets(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    near = Near(facts)
    grave = {
        identity(fact)
        for fact in facts
        if fact.kind == "python.effect"
        and fact.detail["where"] != "function"
        and fact.subject not in policy.models.allow_globals
        and (_severity(fact, near) or Severity.INFO) >= Severity.HIGH
    }
    for fact in facts:
        if fact.kind == "python.dataset-builder" and near.dataset(fact):
            acts = identity(fact) in grave
            more = ", and it does more than read" if acts else ""
            yield Hit(
                fact,
                f"Loading this dataset runs the class {fact.subject} of its script{more}.",
                severity=Severity.HIGH if acts else None,
            )


RULES = (
    Rule(
        id="MLG-HFR-004",
        name="model-code-acts-on-import",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("python.effect",),
        context=(
            "core.format",
            "huggingface.auto-map",
            "python.import",
            "python.calls",
            "torch-model-archive.handler",
            "mlflow.code",
            "python.dataset-builder",
            "python.entry",
            "config.modules",
            *NAMING,
            *PICKLED,
        ),
        summary="Python source that a model's loader imports runs commands, opens the network or hides code",
        what=(
            "Statements of the module, class bodies, decorators, default values and the functions that these "
            "call, through aliases and computed names; a module such as `os` that is passed around counts "
            "too, and so do files that are written or removed. High where a loader imports the file "
            "(`modeling_*.py`, `hubconf.py`, a handler, the `__init__.py` of a package with a model, a "
            "file that `auto_map` names, one that a pickle or a configuration beside it names, one that "
            "Python imports at every start or in the place of a package, and whatever these import), "
            "and where functions do so that loaders call (of classes that `auto_map` names, of a server, "
            "of a dataset's builder), or that such files call in others, or send more than a question, "
            "connect by other ways than a download, run the text of a file, replace functions of Python's "
            "own or set where every request goes; critical where it runs what it decodes or downloads; "
            "medium in a script that merely lies beside a model. That such a class downloads or unpickles "
            "is mentioned."
        ),
        why=(
            "`trust_remote_code=True`, `torch.hub.load` or a serving runtime imports the file, and "
            "everything at its top level runs on that machine, before any weight is read."
        ),
        fix=(
            "Read the file before anybody loads the model. Move such work into a function that is called by "
            "hand, behind `if __name__ == '__main__':`, or load weights with a class of an installed package "
            "and `trust_remote_code=False`."
        ),
        references=(
            "https://arxiv.org/abs/2409.09368",
            "https://huggingface.co/docs/transformers/custom_models",
        ),
        cwe=(94, 506, 829),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_effects,
        precision="medium",
    ),
    Rule(
        id="MLG-HFR-005",
        name="dataset-loading-script",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        varies=True,
        kinds=("python.dataset-builder",),
        context=("python.effect", "core.format"),
        summary="A dataset comes with a script that runs to load it",
        what=(
            "A class derived from a builder of `datasets`, in a file that has its folder's name or lies at "
            "the root. High where the script runs commands or code besides."
        ),
        why=(
            "`datasets.load_dataset` runs the script with the rights of whoever loads the data, and in old "
            "versions without asking."
        ),
        fix=(
            "Convert the data to files that hold data alone, and load those:\n\n```python\n"
            'load_dataset("parquet", data_files="train.parquet")\n```'
        ),
        references=(
            "https://arxiv.org/abs/2409.09368",
            "https://huggingface.co/docs/datasets/dataset_script",
        ),
        cwe=(94, 829),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_datasets,
    ),
)
