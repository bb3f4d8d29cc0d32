"""Jinja templates as a flat list of nodes: parsed by Jinja's own parser, never compiled or rendered."""

import re
import warnings
from functools import cache
from typing import Any

from msgspec import Struct


class Unparsable(Exception):  # noqa: N818 - an answer, not an error
    """No Jinja environment could parse the text either."""


class TooDeep(Exception):  # noqa: N818 - an answer, not an error
    """It is nested deeper than Jinja's parser can follow."""


class Unknown(Struct, frozen=True):
    """A statement of an extension that is not known here.

    Attributes:
        line: 1-based.
        words: Its names and texts.
    """

    line: int
    words: tuple[str, ...]


class Parsed(Struct, frozen=True):
    """A template.

    Attributes:
        nodes: Every node of the tree in the order of the text, each after those below it.
        unknown: Statements that could not be parsed for what they mean.
    """

    nodes: tuple[Any, ...]
    unknown: tuple[Unknown, ...]


def parse(text: str) -> Parsed:
    """Parse a template with the settings that transformers uses.

    Statements of extensions, such as ``{% generation %}``, are passed over by their words.

    Raises:
        Unparsable: It is no template.
        TooDeep: It is nested too deep.
    """
    import jinja2  # noqa: PLC0415 - costs too much where there is no template

    environment = jinja2.Environment(  # noqa: S701 - nothing is rendered
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"]
    )
    unknown: list[Unknown] = []
    try:
        with warnings.catch_warnings():
            # Texts such as '\d' are honest.
            warnings.simplefilter("ignore")
            parser = jinja2.parser.Parser(environment, text)
            parser.extensions = _Anything(parser.extensions, unknown)
            tree = parser.parse()
    except RecursionError as error:
        raise TooDeep from error
    except (jinja2.TemplateSyntaxError, ValueError, OverflowError) as error:
        raise Unparsable from error
    nodes = []
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack.extend(node.iter_child_nodes())
    nodes.reverse()
    return Parsed(nodes=tuple(nodes), unknown=tuple(unknown))


class _Anything(dict[str, Any]):
    """Handlers of statements, with one for whatever has none.

    Args:
        known: The handlers there are.
        unknown: Where to note what another handler took.
    """

    def __init__(self, known: dict[str, Any], unknown: list[Unknown]) -> None:
        super().__init__(known)
        self._unknown = unknown

    def get(self, tag: str, default: Any = None) -> Any:
        """Return the handler of a statement."""
        return super().get(tag, default) or self._skip

    def _skip(self, parser: Any) -> list[Any]:
        line = next(parser.stream).lineno
        words = []
        while parser.stream.current.type not in ("block_end", "eof"):
            token = next(parser.stream)
            if isinstance(token.value, str):
                words.append(token.value)
        self._unknown.append(Unknown(line=line, words=tuple(words)))
        return []


def tags(text: str) -> str:
    """Return what stands between a text's delimiters, for a text that could not be parsed."""
    return "\n".join(match[1] for match in _delimited().finditer(text))


@cache
def _delimited() -> re.Pattern[str]:
    return re.compile(r"\{[{%](.{0,10000}?)[%}]\}", re.DOTALL)
