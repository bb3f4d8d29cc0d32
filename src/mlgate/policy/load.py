"""Read a policy file."""

from collections.abc import Mapping

from msgspec import Struct

from mlgate.policy.schema import Policy


class PolicyFile(Struct, frozen=True):
    """A policy, and where its keys stand in its file.

    Attributes:
        policy: The values.
        path: Of the file, relative to the target's root; None for the defaults.
        sha256: Digest of the file and of all that it extends.
        lines: 1-based line by key path: ``assessment[0].robustness.min_accuracy``.
    """

    policy: Policy
    path: str | None = None
    sha256: str | None = None
    lines: Mapping[str, int] = {}

    def line(self, key: str) -> int | None:
        """Line of a key, or of the nearest key above it that the file holds."""
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return None


DEFAULT = PolicyFile(policy=Policy(version=1))
