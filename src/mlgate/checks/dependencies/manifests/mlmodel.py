"""MLmodel, the file that makes a folder a model of MLflow.

It names the files that describe the model's environment; what they require belongs to
the model, and is found by way of this file, whatever they are called.
"""

from mlgate.checks.dependencies.manifest import MANIFEST, Include, Reading, Unreadable
from mlgate.checks.dependencies.manifests import _yaml
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.core.limits import Limits

FORMAT = "MLflow model"
LOCK = False
NAMES = ("MLmodel",)
# A model that names no environment says nothing about dependencies.
MARK = rb"\benv\b"


def claims(path: str) -> bool:
    """``MLmodel``, wherever it lies."""
    return path.rpartition("/")[2] in NAMES


def read(data: bytes, limits: Limits) -> Reading:
    """Read which files describe the environment.

    MLflow writes the same requirements for virtual environments and for conda: the
    first is read, and the second only where the first is not there.

    Raises:
        Unreadable: It is not plain YAML with ``flavors``.
    """
    root = _yaml.load(data)
    if root.pairs is None:
        raise Unreadable("unparseable", "is not the mapping that MLflow writes", root.line)
    entries = Entries(limits)
    seen: set[str] = set()
    for flavors in root.all("flavors"):
        for _, flavor in flavors.pairs or ():
            for env in flavor.all("env"):
                choice = env if env.text else next(iter((*env.all("virtualenv"), *env.all("conda"))), None)
                if choice is None or choice.text is None:
                    message = "the environment is neither the name of a file nor a choice of two"
                    entries.problem("unparseable", message, env.line)
                elif choice.text not in seen:
                    seen.add(choice.text)
                    entries.include(Include(choice.text, choice.line, MANIFEST))
    return entries.reading()
