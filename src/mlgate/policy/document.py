"""A YAML document as plain values, with the line of every key.

Only the plain YAML of a policy is read: no tags, no aliases, no duplicate keys, one
document, bounded depth. What is refused is refused with its line.
"""

import math
import re
from typing import Any

from msgspec import Struct

_DEPTH = 20
# Line ends that editors do not show, and controls that reorder what they show.
_HIDDEN = re.compile("\\r(?!\\n)|[\\x85\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]")
_PLAIN = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?|[-+]?\.[0-9]+")
_SCIENTIFIC = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
_LARGEST = 10**15


class PolicyError(Exception):
    """The policy is at fault. The text names file, line and key, and what to do.

    Attributes:
        path: The policy file.
        line: 1-based line, or None where the whole file is meant.
        message: What is wrong, without the place.
    """

    def __init__(self, path: str, line: int | None, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path = path
        self.line = line
        self.message = message


class Document(Struct, frozen=True):
    """A parsed policy file.

    Attributes:
        data: The top-level mapping.
        lines: 1-based line by key path (``models.include[0]``).
    """

    data: dict[str, Any]
    lines: dict[str, int]


def parse(text: str, path: str) -> Document:
    """Parse a policy.

    Raises:
        PolicyError: The text is not the plain YAML mapping that a policy is.
    """
    import yaml  # noqa: PLC0415 - a scan without a policy does not need it

    try:
        _refuse_the_odd(yaml, text, path)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise PolicyError(path, 1, "the policy is empty; start one with `mlgate init`")
        if not isinstance(node, yaml.MappingNode):
            raise PolicyError(
                path, node.start_mark.line + 1, "a policy is a mapping of keys, such as `version: 1`"
            )
        lines: dict[str, int] = {}
        return Document(_mapping(yaml, node, "", lines, path), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PolicyError(
            path, mark.line + 1 if mark else None, f"not valid YAML: {error.problem}"
        ) from error
    except yaml.YAMLError as error:
        raise PolicyError(path, None, f"not valid YAML: {error}") from error


def _refuse_the_odd(yaml: Any, text: str, path: str) -> None:
    hidden = _HIDDEN.search(text)
    if hidden:
        line = text.count("\n", 0, hidden.start()) + 1
        raise PolicyError(
            path, line, f"holds the character U+{ord(hidden[0]):04X}, which hides or reorders text; remove it"
        )
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise PolicyError(path, line, f"alias *{event.anchor}: a policy is written out, without aliases")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise PolicyError(path, line, "a second document (---): a policy is one document")
        if getattr(event, "tag", None) not in (None, "!"):
            raise PolicyError(path, line, f"tag {event.tag}: a policy has plain values only")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEPTH:
                raise PolicyError(path, line, f"nested deeper than {_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _mapping(yaml: Any, node: Any, prefix: str, lines: dict[str, int], path: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        plain = isinstance(key_node, yaml.ScalarNode) and key_node.tag.endswith(":str")
        key = _scalar(yaml, key_node, path) if plain else None
        if not isinstance(key, str):
            raise PolicyError(path, line, "keys are plain words")
        place = f"{prefix}.{key}" if prefix else key
        if key in values:
            raise PolicyError(path, line, f"{place}: stands twice (first in line {lines[place]})")
        lines[place] = line
        values[key] = _value(yaml, value_node, place, lines, path)
    return values


def _value(yaml: Any, node: Any, place: str, lines: dict[str, int], path: str) -> Any:
    # The depth of the nodes was bounded by _refuse_the_odd.
    if isinstance(node, yaml.MappingNode):
        return _mapping(yaml, node, place, lines, path)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            lines[f"{place}[{index}]"] = item.start_mark.line + 1
            items.append(_value(yaml, item, f"{place}[{index}]", lines, path))
        return items
    return _scalar(yaml, node, path)


def _scalar(yaml: Any, node: Any, path: str) -> Any:
    line, shown = node.start_mark.line + 1, repr(node.value[:60])
    if node.style is None and _SCIENTIFIC.fullmatch(node.value):
        value: Any = float(node.value)  # YAML 1.1 wants a dot and a sign, and takes `1e-3` for text
    else:
        try:
            value = yaml.constructor.SafeConstructor().construct_object(node, deep=True)
        except (ValueError, OverflowError, yaml.YAMLError) as error:
            why = getattr(error, "problem", None) or error
            raise PolicyError(path, line, f"{shown} cannot be read: {why}") from error
        if type(value) in (int, float) and math.isfinite(value) and not _PLAIN.fullmatch(node.value):
            raise PolicyError(path, line, f"{shown} is read as {value}; write numbers in plain decimals")
    if type(value) in (int, float) and not -_LARGEST <= value <= _LARGEST:
        raise PolicyError(path, line, f"{shown} is not a number between -10^15 and 10^15")
    return value
