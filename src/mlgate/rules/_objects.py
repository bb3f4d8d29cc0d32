"""What objects of Python mean that a text has its loader make: YAML's tags, jsonpickle's keys."""

import sys

from mlgate.core.severity import Severity
from mlgate.rules import _callables, _globals
from mlgate.rules._pickle_tables import tables

# In a text nothing can be done with what these return.
_INERT = frozenset(
    (
        "builtins.getattr",
        "functools.partial",
        "operator.itemgetter",
        "operator.attrgetter",
        "operator.methodcaller",
    )
)
_GRAVE = ("executes", "code", "resolves", "loads")


def python(subject: str, how: str) -> tuple[Severity | None, str]:
    """Judge what a text has made, called, looked up or imported, as pickles are judged.

    Args:
        subject: ``module.name``; a module where ``how`` is ``module``.
        how: ``call``, ``new``, ``instance``, ``name`` or ``module``.

    Returns:
        The severity, None for none, and what to add to a message about it.
    """
    module, name = _globals.split(subject) if how != "module" else (subject, "")
    danger = _module_danger(subject) if how == "module" else _globals.category(module, name)
    if danger is not None:
        does = f", which {_callables.DOES[danger]}"
        if subject in _INERT:
            return Severity.MEDIUM, does
        if how in ("name", "module"):
            return Severity.HIGH if danger in _GRAVE else Severity.MEDIUM, does
        return Severity.CRITICAL if danger in _GRAVE else Severity.HIGH, does
    if _callables.documents(subject):
        return Severity.INFO, ""
    if how != "module" and (_globals.ordinary(module, name) or subject in tables().shapes):
        return Severity.LOW, ""
    stdlib = subject.partition(".")[0] in sys.stdlib_module_names
    if how == "name" or (how == "module" and (stdlib or _globals.known(subject))):
        return Severity.LOW, ""
    if how == "call" and not _globals.class_like(name):
        return Severity.HIGH, ", which is not known to be harmless"
    return Severity.MEDIUM, ", of which nothing is known"


def _module_danger(subject: str) -> str | None:
    # Importing a module of the standard library runs nothing; a few act on it.
    return "executes" if subject in ("antigravity", "this") or subject.endswith("__main__") else None
