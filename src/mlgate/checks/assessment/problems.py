"""The one way in which a part of an assessment says that it cannot be judged."""

from collections.abc import Sequence

_MOST_SHOWN = 8


class Unassessable(Exception):  # noqa: N818 - an answer, not an error
    """Something needed for a figure is missing, wrong or too slow: "not checked".

    Args:
        reason: A stable slug, such as ``missing-array`` or ``worker-timeout``.
        message: What happened, in which file, column or array, and what to do next.
        key: The policy key at fault, relative to the assessment: ``data.label``.
    """

    def __init__(self, reason: str, message: str, key: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.key = key


def few(names: Sequence[str]) -> str:
    """List names for a message, not too many."""
    listed = ", ".join(repr(name[:80]) for name in names[:_MOST_SHOWN])
    more = len(names) - _MOST_SHOWN
    return f"{listed} and {more} more" if more > 0 else listed or "nothing"
