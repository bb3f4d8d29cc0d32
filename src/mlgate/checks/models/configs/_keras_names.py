"""What is Keras' own, from the tables of ``data/keras.toml``."""

from functools import cache
from pathlib import Path

from msgspec import Struct

from mlgate.core import toml_table

# Parts of module names that say where in the package something is, and not what it is.
_LAYOUT = frozenset({"src", "api", "_v1", "_v2", "legacy"})
_HOME = Path(__file__).parent.parent / "data" / "keras.toml"


class Tables(Struct, frozen=True):
    """The tables, ready for look-up. They are explained where they stand."""

    families: frozenset[str]
    open: frozenset[str]
    modules: frozenset[str]
    classes: frozenset[str]
    functions: frozenset[str]


@cache
def tables() -> Tables:
    """Read the tables, once."""
    data = toml_table.read(_HOME)
    return Tables(**{name: frozenset(data[name]) for name in Tables.__struct_fields__})


def split(module: str) -> tuple[str, str] | None:
    """Split the name of one of Keras' modules into its package and the part of it, or return None."""
    families = tables().families
    parts = module.split(".")
    for size in range(min(len(parts), 4), 0, -1):
        family = ".".join(parts[:size])
        if family in families:
            inside = [part for part in parts[size:] if part not in _LAYOUT]
            # keras.src.backend.torch.optimizers is for one backend what keras.optimizers is for all.
            if inside[:1] == ["backend"] and len(inside) > 2:
                del inside[:2]
            return family, inside[0] if inside else ""
    return None


def own(module: str, name: str, *, function: bool) -> bool:
    """Say whether a class or function is one that Keras itself writes into configurations.

    Args:
        module: As the configuration names it; empty or ``builtins`` where Keras looks among its own.
        name: Of the class or function.
        function: True for a function.
    """
    look = tables()
    if name.startswith("__") and name.endswith("__"):
        return not module
    # Older versions wrote functions where newer ones have classes: `zeros`, `l2`.
    listed = name in look.functions or (not function and name in look.classes)
    if module in ("", "builtins"):
        return listed and (function or not module)
    place = split(module)
    if place is None:
        return False
    family, part = place
    if family in look.open and not function:
        return name[:1].isupper()
    if not part:
        return listed
    return listed and part in look.modules
