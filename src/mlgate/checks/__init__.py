"""The three checks: each collects facts within a scope, and knows nothing of the others.

A check is a package here with ``collect(scope: Scope) -> Observations``.
"""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from mlgate.core.facts import Check, Location, NotChecked, Observations
from mlgate.policy.load import PolicyFile
from mlgate.target import Target


def _silent(_message: str) -> None:
    return None


class Scope(Struct, frozen=True, kw_only=True):
    """What one run of a check may look at and spend.

    Attributes:
        target: The files in scope.
        policy: The policy and where its keys stand.
        advisories: A directory or zip of OSV records, from the command line.
        offline: True forbids every network connection.
        assessments: Names of the assessments to run; empty means all.
        cleared: SHA-256 by path of model files that the model check passed. The
            assessment loads these bytes and no others.
        jobs: Worker processes for the model check; 0 does without, in this process.
        progress: Told, now and then, what is being done; never part of a result.
    """

    target: Target
    policy: PolicyFile
    advisories: Path | None = None
    offline: bool = False
    assessments: tuple[str, ...] = ()
    cleared: Mapping[str, str] = {}
    jobs: int = 0
    progress: Callable[[str], None] = _silent


def collect(check: Check, scope: Scope) -> Observations:
    """Run one check. A defect in it leaves the others their say."""
    try:
        observations: Observations = importlib.import_module(f"mlgate.checks.{check.value}").collect(scope)
    except Exception as error:  # noqa: BLE001 - the wall around a check: its failure is "not checked"
        message = f"the {check.value} check failed: {type(error).__name__}: {error}; please report this"
        return Observations(not_checked=(NotChecked(check, "check-failed", Location("."), message),))
    return observations
