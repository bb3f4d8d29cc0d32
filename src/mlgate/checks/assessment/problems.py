"""The one way in which a part of an assessment says that it cannot be judged."""


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
