"""What a data format reads: features, labels and what names groups, unchecked.

A format is a module of :mod:`mlgate.checks.assessment.datasets` with the members of
:class:`Format`.
"""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LONGEST_LABEL = 200
_LETTER_BYTES = 4


class Columns(Struct, frozen=True):
    """What to read.

    Attributes:
        label: Array or column of the label.
        features: Arrays or columns of the features; None for the format's default.
        groups: Arrays or columns that name groups.
        text: True where the features are texts.
        missing: True where a feature may lack a value, which is NaN.
    """

    label: str
    features: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    text: bool = False
    missing: bool = False

    @property
    def others(self) -> frozenset[str]:
        """The names of what is no feature unless the policy says so."""
        return frozenset((self.label, *self.groups))


class Table(Struct, frozen=True):
    """What a format read.

    Attributes:
        x: Features [n, ...]: numbers or texts.
        y: Labels as they stand, numbers or text.
        groups: [n] What names each sample's group, as it stands, by name.
        names: Of the features of one sample, where the file names them.
    """

    x: "NDArray[Any]"
    y: "NDArray[Any]"
    groups: "Mapping[str, NDArray[Any]]" = {}
    names: tuple[str, ...] = ()


def label_texts(texts: "Sequence[str]", most: int, name: str) -> "NDArray[np.str_]":
    """Return labels that are texts as an array, in which each takes as much as the longest one.

    Args:
        texts: The labels.
        most: Bytes that the array may take in memory.
        name: The file's path.

    Raises:
        Unassessable: One is too long to be a label, or all together.
    """
    longest = max(texts, key=len, default="")
    if len(longest) > LONGEST_LABEL:
        raise Unassessable(
            "wrong-label",
            f"{name}: a label is a text of {len(longest)} characters ({longest[:40]!r} ...); name the column "
            "of the labels",
            "data.label",
        )
    if len(texts) * len(longest) * _LETTER_BYTES > most:
        raise Unassessable(
            "limit", f"{name}: the labels take more memory than limits.data_bytes allows", "data.label"
        )
    return np.array(texts, dtype=np.str_)


class Format(Protocol):
    """What a module of ``datasets`` provides.

    Attributes:
        SUFFIXES: Of its files' names, lower case.
    """

    SUFFIXES: tuple[str, ...]

    def read(self, data: bytes, columns: Columns, most: int, name: str) -> Table:
        """Read features, labels and groups.

        Args:
            data: The whole file.
            columns: What to read.
            most: Bytes that one array may take in memory.
            name: The file's path, for messages.

        Raises:
            Unassessable: It is not readable, or holds no such columns.
        """
        ...
