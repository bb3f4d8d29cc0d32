"""What dill's helpers return that look up a class: the class itself, under a name of their own.

Source: ``_reverse_typemap``, ``_create_namedtuple`` and ``_import_module`` in ``dill/_dill.py``.
"""

import builtins
import types
from typing import Any

from mlgate.checks.models.pickle.values import Global

_LOAD_TYPE = ("dill._dill._load_type", "dill.dill._load_type")
_NAMED_TUPLE = ("dill._dill._create_namedtuple", "dill.dill._create_namedtuple")
SUBJECTS = frozenset((*_LOAD_TYPE, *_NAMED_TUPLE))
# dill's names for types that neither ``types`` nor ``builtins`` knows by that name.
_TYPES = {
    "PartialType": ("functools", "partial"),
    "ItemGetterType": ("operator", "itemgetter"),
    "AttrGetterType": ("operator", "attrgetter"),
    "FileType": ("io", "FileIO"),
    "BufferedRandomType": ("io", "BufferedRandom"),
    "BufferedReaderType": ("io", "BufferedReader"),
    "BufferedWriterType": ("io", "BufferedWriter"),
    "TextWrapperType": ("io", "TextIOWrapper"),
    "ExitType": ("_sitebuiltins", "Quitter"),
    "SuperType": ("builtins", "super"),
    "DictType": ("builtins", "dict"),
    "ListType": ("builtins", "list"),
    "TupleType": ("builtins", "tuple"),
    "SetType": ("builtins", "set"),
    "TypeType": ("builtins", "type"),
    "ObjectType": ("builtins", "object"),
    "ClassType": ("builtins", "type"),
    "BooleanType": ("builtins", "bool"),
    "IntType": ("builtins", "int"),
    "FloatType": ("builtins", "float"),
    "ComplexType": ("builtins", "complex"),
    "StringType": ("builtins", "str"),
    "BytesType": ("builtins", "bytes"),
    "SliceType": ("builtins", "slice"),
}


def named(callee: Global, args: tuple[Any, ...] | None) -> tuple[str, str] | None:
    """Return module and name of what a call of dill's looks up, or None where that cannot be told."""
    if callee.subject in _LOAD_TYPE:
        return _type(args[0]) if args is not None and len(args) == 1 and type(args[0]) is str else None
    if callee.subject in _NAMED_TUPLE and args is not None and len(args) in (3, 4):
        name, module = args[0], args[2]
        if type(name) is str and type(module) is str and name and module:
            # The name may be a path, too.
            module, _, name = f"{module}.{name}".rpartition(".")
            return module, name
    return None


def _type(name: str) -> tuple[str, str] | None:
    if name in _TYPES:
        return _TYPES[name]
    if name in types.__all__:
        return "types", name
    return ("builtins", name) if isinstance(getattr(builtins, name, None), type) else None
