"""Instances that take keyword arguments, as picklers below protocol 4 write them.

These have no opcode for it. In its place ``functools.partial(cls.__new__, cls, *args, **keywords)`` is
pickled, and called with nothing (Lib/pickle.py, ``save_reduce``). A partial is pickled by its function,
and all else is its state: ``(function, arguments, keywords, attributes)``.
"""

from typing import Any

from mlgate.checks.models.pickle.values import Dict, Global, Made

_PARTIAL = "functools.partial"
_GETATTR = "builtins.getattr"
_NEW = "__new__"


class Held:
    """The state of a partial, as it was given.

    Attributes:
        state: Function, arguments, keywords and attributes.
    """

    __slots__ = ("state",)

    def __init__(self, state: tuple[Any, ...]) -> None:
        self.state = state


def held(state: tuple[Any, ...]) -> Held | None:
    """Return the state, where it may be that of such a partial."""
    return Held(state) if len(state) == 4 and _class_of(state[0]) is not None else None


def made(callee: Any, args: tuple[Any, ...] | None) -> tuple[Global, tuple[Any, ...]] | None:
    """Return the class and the arguments of the instance that a call makes, where it is such a call.

    Args:
        callee: What is called.
        args: With what.
    """
    if args != () or type(callee) is not Made or type(callee.state) is not Held:
        return None
    maker = callee.maker
    if type(maker) is not Global or maker.subject != _PARTIAL or callee.how != "call":
        return None
    function, given, keywords, attributes = callee.state.state
    cls = _class_of(function)
    if cls is None or callee.args is None or len(callee.args) != 1 or callee.args[0] is not function:
        return None
    if type(given) is not tuple or not given or given[0] is not cls or attributes is not None:
        return None
    if keywords is not None and type(keywords) is not Dict:
        return None
    return cls, (*given[1:], *((keywords,) if keywords else ()))


def _class_of(function: Any) -> Global | None:
    """Return the class of which a value is the method ``__new__``."""
    if type(function) is not Made or type(function.maker) is not Global or function.how != "call":
        return None
    args = function.args
    if function.maker.subject != _GETATTR or function.built or args is None or len(args) != 2:
        return None
    return args[0] if type(args[0]) is Global and args[1] == _NEW else None
