"""The words that the policy's sections are made of."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

Glob: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        description="Glob over paths from the repository's root: *, ?, [..] and **.",
    ),
]
Path: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=4096, description="Path from the repository's root, with forward slashes."),
]
Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4096)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Sha256: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping of the policy: unknown keys are errors."""
