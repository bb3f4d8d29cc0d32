"""What an imported global means in a data file, from the tables of ``data/pickle.toml``.

An exact allowlist says what may be called, and with what arguments; the categories of
danger never grant safety, they only say how grave a thing is that is not allowed.
"""

import sys

from mlgate.rules._pickle_tables import tables

# Names under which packages are imported.
_ALIASES = frozenset(
    ("np", "pd", "sp", "tf", "nn", "plt", "xp", "jnp", "cp", "mp", "dist", "hub", "jit", "utils")
)


def category(module: str, name: str) -> str | None:
    """Return the gravest category of danger of ``module.name``, or None."""
    look = tables()
    subject = f"{module}.{name}"
    found = look.exact.get(subject)
    if found is not None or subject in look.allowed:
        return found
    parent = subject
    while "." in parent:
        parent = parent.rpartition(".")[0]
        found = look.whole.get(parent) or look.exact.get(parent)
        if found is not None:
            return found
    if module.endswith(".__main__"):
        # Importing it runs the program of its package.
        return "executes"
    last = name.rpartition(".")[2]
    return look.telling.get(last) or _dunder(last) or _verb(module, last)


def _verb(module: str, name: str) -> str | None:
    """Category of a function of a known package by the first word of its name."""
    if class_like(name) or not known(module):
        return None
    look = tables()
    first = name.lstrip("_").partition("_")[0]
    return "loads" if first in look.loading else "process" if first in look.acting else None


def _dunder(name: str) -> str | None:
    return "resolves" if name.startswith("__") and name.endswith("__") else None


def known(module: str) -> bool:
    """Say whether a module belongs to a package that honest models are made of."""
    return module.partition(".")[0] in tables().known


def ordinary(module: str, name: str) -> bool:
    """Say whether importing ``module.name``, or making an instance of it, is no news at all."""
    look = tables()
    subject = f"{module}.{name}"
    if subject in look.allowed or subject in look.shapes or subject in look.plain or known(module):
        return True
    root = module.partition(".")[0]
    return root in look.stdlib or (module in ("builtins", "__builtin__") and exception(name))


def nested_name(module: str, name: str) -> bool:
    """Say whether a dotted name looks like something inside a class, and not inside a module."""
    parts = name.split(".")
    if any(category(module, ".".join(parts[: end + 1])) for end in range(len(parts))):
        return False
    if all(class_like(part) for part in parts):
        return True
    outer = parts[0]
    modules = sys.stdlib_module_names | tables().known | _ALIASES
    return known(module) and "." in module and len(parts) == 2 and outer not in modules


def class_like(name: str) -> bool:
    """Say whether a name is written as classes are."""
    last = name.rpartition(".")[2].lstrip("_")
    return last[:1].isupper() and not (last.isupper() and len(last) > 1)


def exception(name: str) -> bool:
    """Say whether a name is written as exceptions are."""
    return name.endswith(("Error", "Exception", "Warning", "Interrupt", "Exit", "Iteration"))


def harmless(subject: str) -> bool:
    """Say whether ``module.name`` is in no category of danger, or may be called with certain arguments."""
    return category(*split(subject)) is None or subject in tables().shapes


def split(subject: str) -> tuple[str, str]:
    """Return module and name of a subject."""
    module, _, name = subject.rpartition(".")
    return module, name
