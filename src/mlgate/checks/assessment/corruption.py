"""What a corruption is: something that goes wrong with the input of a model in use.

A corruption is a module of :mod:`mlgate.checks.assessment.corruptions` with the members of
:class:`Corruption`. Its name is the policy key that asks for it.
"""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from msgspec import UNSET, Struct

from mlgate.checks.assessment.features import columns
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlgate.checks.assessment.data import Dataset
    from mlgate.policy import assessment as schema

SEVERITIES = (1, 2, 3, 4, 5)
_MOST_CHANNELS = 4


class Material(Struct, frozen=True):
    """What is corrupted, as a corruption needs it.

    Attributes:
        kind: ``image``, ``tabular`` or ``text``.
        x: For images [n, height, width, channels], float64 between 0 and 1; for tables
            [n, d], float64 in the columns' own units; for texts [n, d] of texts.
        low: [d] Smallest values of a table's columns: the policy's range, or the data's.
        high: [d] Largest values.
        categorical: [d] True where a table's column holds codes of categories.
    """

    kind: str
    x: "NDArray[Any]"
    low: "NDArray[np.float64]"
    high: "NDArray[np.float64]"
    categorical: "NDArray[np.bool_]"


class Corruption(Protocol):
    """What a module of ``corruptions`` provides.

    Attributes:
        KINDS: What it can be done to: ``image``, ``tabular``, ``text``.
        MEANING: What the five severities are, in words: for the report.
    """

    KINDS: tuple[str, ...]
    MEANING: str

    def corrupt(self, material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
        """Return corrupted samples, of the shape and in the units of ``material.x``.

        Args:
            material: It must not be changed.
            severity: 1 to 5.
            rng: Of every random choice.

        Raises:
            Unassessable: There is nothing in the data that it could be done to.
        """
        ...


class Form(Struct, frozen=True):
    """How the data is laid out, and the way there and back.

    Attributes:
        kind: ``image``, ``tabular`` or ``text``.
        shape: Of one sample as it is stored.
        image: Height, width and channels; empty where it is none.
        first: True where the channels come first.
        limits: Of an image's values.
        assumed: True where the policy names no range, so that the data's own holds.
    """

    kind: str
    shape: tuple[int, ...]
    image: tuple[int, ...] = ()
    first: bool = False
    limits: tuple[float, float] = (0.0, 1.0)
    assumed: bool = False

    def opened(self, x: "NDArray[Any]") -> "NDArray[Any]":
        """Return stored samples as a corruption wants them."""
        if self.kind != "image":
            return x.reshape(len(x), -1) if self.kind == "text" else x.reshape(len(x), -1).astype(np.float64)
        height, width, channels = self.image
        low, high = self.limits
        scaled = (x.astype(np.float64) - low) / (high - low)
        if self.first:
            return scaled.reshape(len(x), channels, height, width).transpose(0, 2, 3, 1)
        return scaled.reshape(len(x), height, width, channels)

    def closed(self, x: "NDArray[Any]", dtype: "np.dtype[Any]") -> "NDArray[Any]":
        """Return corrupted samples as they are stored; an image's values keep to their limits."""
        if self.kind == "image":
            low, high = self.limits
            x = x.transpose(0, 3, 1, 2) if self.first else x
            x = np.clip(x * (high - low) + low, low, high)
        return x.reshape(len(x), *self.shape).astype(dtype)


def form(dataset: "Dataset", settings: "schema.Data") -> Form:
    """Find out what the data is: texts, images or tables.

    Raises:
        Unassessable: `data.image` does not fit it.
    """
    x = dataset.x
    shape = x.shape[1:]
    if x.dtype.kind == "O":
        return Form("text", shape)
    if settings.image is UNSET and len(shape) < 2:
        return Form("tabular", shape)
    size, first = _layout(shape, settings, dataset.name)
    assumed = settings.range is UNSET
    limits = (
        settings.range if isinstance(settings.range, tuple) else (float(np.nanmin(x)), float(np.nanmax(x)))
    )
    if not limits[0] < limits[1]:
        raise Unassessable("wrong-range", f"{dataset.name}: every value is {limits[0]:g}", "data.range")
    return Form("image", shape, size, first, limits, assumed)


def ground(dataset: "Dataset", settings: "schema.Data", laid: Form) -> Material:
    """Return what is known of the data whichever samples are corrupted: without any.

    Raises:
        Unassessable: The policy speaks of a column that is not there.
    """
    opened = laid.opened(dataset.x[:1])[:0]
    none = np.zeros(opened.shape[1])
    if laid.kind != "tabular":
        return Material(laid.kind, opened, none, none + 1, none > 0)
    known: Mapping[int, schema.Column] = columns(settings, dataset.names, laid.shape, dataset.name)
    flat = dataset.x.reshape(len(dataset.x), -1)
    # A column without any value is neither here nor there.
    with np.errstate(all="ignore"):
        low, high = (
            end(flat, axis=0, where=~np.isnan(flat), initial=start).astype(np.float64)
            for end, start in ((np.min, np.inf), (np.max, -np.inf))
        )
    low, high = np.where(low > high, 0.0, low), np.where(low > high, 0.0, high)
    if isinstance(settings.range, tuple):
        low, high = none + settings.range[0], none + settings.range[1]
    categorical = none > 0
    for place, column in known.items():
        categorical[place] = column.categorical
        if isinstance(column.range, tuple):
            low[place], high[place] = column.range
    return Material(laid.kind, opened, low, high, categorical)


def _layout(shape: tuple[int, ...], settings: "schema.Data", name: str) -> tuple[tuple[int, ...], bool]:
    """Return height, width and channels, and whether the channels come first."""
    sizes = shape
    if isinstance(settings.image, tuple) and len(shape) == 1:
        sizes = settings.image
        if np.prod(sizes, dtype=object) != shape[0]:
            raise Unassessable(
                "wrong-shape",
                f"data.image says {list(sizes)}, and {name} holds samples of {shape[0]} values",
                "data.image",
            )
    if len(sizes) == 2:
        return (*sizes, 1), False
    if len(sizes) == 3 and sizes[2] <= _MOST_CHANNELS:
        return sizes, False
    if len(sizes) == 3 and sizes[0] <= _MOST_CHANNELS:
        return (sizes[1], sizes[2], sizes[0]), True
    raise Unassessable(
        "wrong-shape",
        f"{name} holds samples of shape {list(sizes)}, which is no image: height and width, with up to "
        f"{_MOST_CHANNELS} channels before or behind",
        "data.image",
    )
