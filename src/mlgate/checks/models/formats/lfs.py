"""Git LFS pointers: a few lines that stand where a model should be."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "lfs"
KIND = "text"
ORDER = 5

# The specification allows no longer pointer.
_LONGEST = 1024


def sniff(blob: Blob) -> bool:
    """Look for the version line."""
    return blob.size < _LONGEST and blob.head.startswith(b"version https://")


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:  # noqa: ARG001 - protocol
    """Say that the content is elsewhere.

    Raises:
        Declined: It does not follow the grammar, docs/spec.md of git-lfs.
    """
    if not _grammar().fullmatch(blob.head):
        raise Declined
    yield blob.not_checked(
        "lfs-pointer",
        "this is a Git LFS pointer: the content was not fetched. Run `git lfs pull`, or set "
        "`lfs: true` in the checkout step",
    )


@cache
def _grammar() -> re.Pattern[bytes]:
    return re.compile(
        rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
        rb"(?:ext-\d-[\w-]+ [\w.-]+:[0-9a-f]+\n)*"
        rb"oid sha256:[0-9a-f]{64}\n"
        rb"size \d+\n?"
    )
