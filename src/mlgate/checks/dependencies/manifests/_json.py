"""JSON with the lines on which its keys stand, which the standard reader does not tell."""

import json
import re
from typing import Any

from mlgate.checks.dependencies.manifest import Unreadable

_PIECE = r'"(?:[^"\\]|\\.)*"|[{}\[\],:\n]'


def load(data: bytes, instead: str) -> tuple[Any, str]:
    """Return the document and its text.

    Args:
        data: The file.
        instead: What a user can do where it is not JSON.

    Raises:
        Unreadable: It is not JSON.
    """
    try:
        text = data.decode("utf-8-sig")
        return json.loads(text), text
    except RecursionError as error:
        raise Unreadable("unparseable", f"is nested too deeply; {instead}") from error
    except json.JSONDecodeError as error:
        raise Unreadable("unparseable", f"is not valid JSON: {error.msg}; {instead}", error.lineno) from error
    except ValueError as error:  # bytes that are no UTF-8, numbers of a thousand digits
        raise Unreadable("unparseable", f"is not valid JSON in UTF-8; {instead}") from error


def key_lines(text: str, depth: int) -> dict[tuple[str, ...], int]:
    """Return the 1-based line of every key of nested objects, by its path of keys.

    Args:
        text: Valid JSON.
        depth: Keys of longer paths are left out, and so is what stands in a list.
    """
    lines: dict[tuple[str, ...], int] = {}
    path: list[str | None] = []  # the key under which each open container's current value stands
    number = 1
    wants_key = False
    for piece in re.finditer(_PIECE, text):
        word = piece[0]
        if word == "\n":
            number += 1
        elif word in "{[":
            path.append(None)
            wants_key = word == "{"
        elif word in "}]":
            path = path[:-1] or path
            wants_key = False
        elif word == ",":
            # After a comma a key follows exactly where one came before.
            wants_key = bool(path) and path[-1] is not None
        elif wants_key and word != ":":
            wants_key = False
            if len(path) <= depth + 1:
                path[-1] = str(json.loads(word, strict=False))
                if len(path) <= depth and None not in path:
                    lines[tuple(key for key in path if key is not None)] = number
            else:
                path[-1] = ""
    return lines
