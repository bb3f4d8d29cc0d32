"""Report formats: each public module here renders :class:`mlgate.core.report.Report`.

A format is one module with ``FORMAT``, ``SUFFIX`` and ``render``; a new one needs no
edit elsewhere. A report says what the report model holds: none computes a verdict.
"""

import importlib
from collections.abc import Mapping
from typing import Protocol, cast

from mlgate.core.discovery import names
from mlgate.core.report import Report
from mlgate.reports._style import Style

__all__ = ["Format", "Style", "formats", "load"]


class Format(Protocol):
    """What a module of this package provides.

    Attributes:
        FORMAT: The format's name on the command line; the module's own name.
        SUFFIX: Usual suffix of its files, with the dot.
    """

    FORMAT: str
    SUFFIX: str

    def render(self, report: Report, style: Style) -> str:
        """Return the whole report as text that ends in one line break and encodes to UTF-8."""
        ...


def formats() -> Mapping[str, str]:
    """Return the module of each format by the format's name, sorted; none is imported."""
    return {name: f"{__name__}.{name}" for name in names(__name__)}


def load(name: str) -> Format:
    """Import one format.

    Raises:
        KeyError: If there is no such format.
    """
    return cast("Format", importlib.import_module(formats()[name]))
