"""Rules about configurations that name what is to be called: Hydra, Lightning, NeMo."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules import _callables

_SEVERITIES = {
    "executes": Severity.CRITICAL,
    "code": Severity.CRITICAL,
    "resolves": Severity.HIGH,
    "loads": Severity.MEDIUM,
    "calls": Severity.MEDIUM,
    "network": Severity.MEDIUM,
    "file": Severity.MEDIUM,
    "process": Severity.MEDIUM,
}
_ACTS = {
    "executes": Severity.CRITICAL,
    "evaluates": Severity.HIGH,
    "imports": Severity.HIGH,
    "writes": Severity.HIGH,
}
# What moves or removes files of the machine, which no configuration needs.
_FILES = (
    "shutil.",
    "os.remove",
    "os.unlink",
    "os.rename",
    "os.replace",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
)
_MODULES = frozenset(
    ("os", "posix", "nt", "subprocess", "builtins", "importlib", "sys", "pty", "ctypes", "runpy", "pickle")
)
# Never the target of a configuration that means well.
_UNPICKLERS = (
    "pickle.", "_pickle.", "cPickle.", "pickle5.", "dill.", "cloudpickle.", "marshal.", "shelve.",
    "compress_pickle.", "hickle.",
)  # fmt: skip
# They unpickle a file that the configuration chooses.
_LOADERS = ("joblib.load", "pandas.read_pickle", "pandas.io.pickle.read_pickle", "torch.jit.load")
# The same, where it is told to.
_ARRAYS = ("numpy.load", "numpy.lib.npyio.load", "numpy.lib._npyio_impl.load")
# The key of what was too much to be told.
_ANY = "*"
_FALSE = ("", "false", "no", "off", "0", "null", "~")
# They write a file that the configuration names.
_WRITERS = (
    "numpy.save", "numpy.ndarray.tofile", "torch.save", "joblib.dump", "pathlib.Path.touch",
    "pathlib.Path.write_", "scipy.io.savemat", "scipy.sparse.save_npz",
)  # fmt: skip
# A configuration that means well fetches models by name, and opens no connections of its own.
_CONNECTING = frozenset(
    ("urllib", "urllib3", "http", "requests", "httpx", "aiohttp", "socket", "ftplib", "smtplib", "telnetlib",
     "xmlrpc", "imaplib", "poplib", "nntplib", "paramiko", "socketserver", "asyncio", "multiprocessing",
     "ssl", "urllib2", "wget")
)  # fmt: skip
# What the name of a class or function does that a configuration of whatever kind may not have called.
_CALLED_BY_NAME = ("executes", "evaluates", "imports", "native")
_OWASP = ("ML06:2023", "LLM03:2025")


def _nemo(fact: Fact) -> bool:
    detail = fact.detail
    name = fact.location.member or fact.location.path
    inside = detail["container"] in ("", "tar") and name.rpartition("/")[2] == "model_config.yaml"
    return bool(detail["nemo"] or inside)


def _dangerous(fact: Fact, policy: Any) -> Iterator[Hit]:
    # A module alone is what hydra.utils.get_object hands on to whatever takes a name out of it.
    module = "." not in fact.subject
    danger = ("resolves" if fact.subject in _MODULES else None) if module else _callables.danger(fact.subject)
    if fact.subject in _ARRAYS and _asks(fact, "allow_pickle", "2"):
        danger = "loads"
    if danger is None or fact.subject in policy.models.allow_globals:
        return
    severity = _SEVERITIES[danger]
    if fact.subject.startswith(_FILES):
        severity = max(severity, Severity.HIGH)
    if fact.subject in _LOADERS or (danger == "network" and fact.subject.partition(".")[0] in _CONNECTING):
        severity = max(severity, Severity.HIGH)
    if fact.subject in _ARRAYS or (fact.subject.startswith(_WRITERS) and _outside(fact)):
        severity = max(severity, Severity.HIGH)
    if fact.subject.startswith(_UNPICKLERS):
        severity = Severity.CRITICAL
    yield Hit(
        fact,
        f"The configuration has {fact.subject} called, which {_callables.DOES[danger]}.",
        severity=severity,
        evidence=f"{fact.detail['key']}: {fact.subject}",
    )


def _asks(fact: Fact, *keys: str) -> bool:
    """Say whether an argument is given, by its name or its place, and not said to be false."""
    return any(name in (*keys, _ANY) and value.lower() not in _FALSE for name, value in fact.detail["given"])


def _outside(fact: Fact) -> bool:
    """Say whether an argument is a path that is not the project's own."""
    return any(value.startswith(("/", "~", "..")) for _, value in fact.detail["given"])


def _expression(fact: Fact, policy: Any) -> Iterator[Hit]:
    if fact.subject in policy.models.allow_globals:
        return
    severity = _ACTS.get(fact.detail["act"], Severity.MEDIUM)
    if fact.detail["source"] in ("decoded", "downloaded"):
        severity = Severity.CRITICAL
    subject = "a computed name" if fact.subject == "?" else fact.subject
    yield Hit(fact, f"An expression of the configuration calls {subject}.", severity=severity)


def _class_name(fact: Fact, policy: Any) -> Iterator[Hit]:
    danger = _callables.danger(fact.subject)
    # Kedro's own `pickle.PickleDataset` is none of these.
    unpickles = fact.subject.startswith(_UNPICKLERS) and fact.subject.endswith(
        (".load", ".loads", ".Unpickler")
    )
    if fact.subject.startswith("logging.handlers."):
        yield Hit(
            fact,
            f"The configuration has what is logged sent away, by {fact.subject}.",
            severity=Severity.MEDIUM,
            evidence=f"{fact.detail['key']}: {fact.subject}",
        )
        return
    acts = fact.detail["act"] in _CALLED_BY_NAME
    grave = danger in ("executes", "code") or acts or unpickles or fact.subject.startswith(_FILES)
    if grave and fact.subject not in policy.models.allow_globals:
        yield Hit(
            fact,
            f"The configuration has {fact.subject} imported, which {_callables.DOES[danger or 'executes']}.",
            severity=Severity.HIGH,
            evidence=f"{fact.detail['key']}: {fact.subject}",
        )


def _hydra(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "config.expression":
            yield from _expression(fact, policy)
        elif fact.kind == "config.class-name":
            yield from _class_name(fact, policy)
        elif not _nemo(fact):
            yield from _dangerous(fact, policy)


def _nemo_targets(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if not _nemo(fact):
            continue
        hits = list(_dangerous(fact, policy))
        yield from hits
        if (
            not hits
            and not _callables.known(fact.subject)
            and fact.subject not in policy.models.allow_globals
        ):
            yield Hit(
                fact,
                f"The NeMo model has {fact.subject} imported and called, of which nothing is known.",
                severity=Severity.MEDIUM,
                evidence=f"{fact.detail['key']}: {fact.subject}",
            )


RULES = (
    Rule(
        id="MLG-HFR-006",
        name="config-target-runs-code",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("config.target", "config.expression", "config.class-name"),
        summary="A configuration names a function that runs code as what is to be instantiated",
        what=(
            "The value of `_target_` (Hydra), `class_path` (Lightning) or `target` (latent diffusion), in "
            "YAML or JSON, through anchors and `${...}` of the same file, is a function that runs code, "
            "loads pickles or reaches for files and the network. Classes of a project's own are no news. "
            "A function of Python's own under a key that other frameworks import from (`()`, `type`, "
            "`class`, `import_path`, `@loggers`, gin's `@name`) is high. "
            "Judged likewise: the expressions of MONAI bundles (`$...`) and the layers of a YOLO description."
        ),
        why=(
            "The loader imports what is named and calls it with the values beside it: "
            "`_target_: os.system` is a command."
        ),
        fix=(
            "Name the class of the model or the dataset, and do such work in code that is reviewed. Where "
            "the team trusts the function, name it in the policy:\n\n"
            "```yaml\nmodels:\n  allow_globals: [acme.data.fetch]\n```"
        ),
        references=(
            "CVE-2025-23304",
            "CVE-2025-33253",
            "https://hydra.cc/docs/advanced/instantiate_objects/overview/",
        ),
        cwe=(94, 470),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_hydra,
        precision="high",
    ),
    Rule(
        id="MLG-NMO-001",
        name="nemo-target-outside-nemo",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("config.target",),
        summary="A NeMo model's configuration names a function or class that NeMo does not bring",
        what=(
            "`_target_` or `target` in a `model_config.yaml`, within a `.nemo` archive or beside it. What "
            "runs code is critical; what belongs to no known package is medium."
        ),
        why=(
            "NeMo imports and calls what is named when the model is restored, before any weight is read; "
            "old versions ask nothing."
        ),
        fix=(
            "Look at what the name does before anybody restores the model. Update NeMo to 2.3.2 or newer, "
            "which refuses targets outside its own packages, and ask the author for a configuration "
            "without it."
        ),
        references=("CVE-2025-23304", "CVE-2025-23249", "CVE-2025-23250"),
        cwe=(94, 470),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_nemo_targets,
        precision="high",
    ),
)
