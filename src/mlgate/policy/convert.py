"""Turn a policy's plain values into its types, and say what is wrong where they do not fit."""

import enum
import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from mlgate.policy.document import PolicyError
from mlgate.policy.schema import Policy

_AT = re.compile(r"^(?P<problem>.*?)(?: - at `(?:key in )?\$\.?(?P<key>.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"unknown field `(.*)`|missing required field `(.*)`")


def convert(data: dict[str, Any], fail: Callable[[str, str], PolicyError]) -> Policy:
    """Return the policy that plain values make.

    Args:
        data: As the documents say, merged.
        fail: Makes the error for a key and what is wrong with it.

    Raises:
        PolicyError: What ``fail`` makes of the first thing that does not fit.
    """
    try:
        return msgspec.convert(data, Policy)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        problem, key = (found["problem"], found["key"] or "") if found else (str(error), "")
        field = _FIELD.search(problem)
        if field and field[1]:
            key = f"{key}.{field[1]}" if key else field[1]
            problem = f"unknown key{nearest(field[1], _keys(key))}"
        elif field:
            problem = f"the key `{field[2]}` is missing"
        elif problem.startswith("Invalid enum value"):
            problem += f"; one of {', '.join(_choices(key))}"
        elif "encoded date" in problem:
            problem = "not a date; write it as YYYY-MM-DD"
        elif problem.endswith("got `bool`"):
            problem += "; YAML reads yes, no, on and off as true and false: put words in quotes"
        elif problem.endswith("got `null`"):
            problem = "has no value; give it one, or remove the key"
        raise fail(key, problem) from error


def _keys(key: str) -> list[str]:
    """Known keys of the mapping that holds ``key``."""
    return list(_fields(key))


def _choices(key: str) -> list[str]:
    """Words that the schema accepts for ``key``."""
    words: list[str] = []
    for kind in _kinds(_fields(key).get(re.sub(r"\[\d+\]", "", key).rpartition(".")[2])):
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            words += [str(member.value) for member in kind]
        elif get_origin(kind) is Literal:
            words += [str(choice) for choice in get_args(kind)]
    return words


def _fields(key: str) -> dict[str, Any]:
    section: Any = Policy
    for part in re.sub(r"\[\d+\]", "", key).split(".")[:-1]:
        kinds = _kinds(_own_fields(section).get(part))
        section = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Struct)), None)
        if section is None:
            return {}
    return _own_fields(section)


def _own_fields(section: type[Struct]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(section)}


def _kinds(kind: Any) -> Iterable[Any]:
    """Return the type and all that it is made of."""
    pending = [kind]
    while pending:
        current = pending.pop()
        yield current
        if get_origin(current) is not Literal:
            pending += getattr(current, "__args__", ())


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of a message: the known word that was perhaps meant, or all of them."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known here: {', '.join(known)}" if known else ""
