"""What a run is compared with: the base of a pull request or of a merge group, as a commit."""

# ruff: noqa: INP001, S603 - a script beside the others, and git with a list of arguments

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

# A repository's configuration can name programs; none of them runs here. No object stands for another.
_GIT = ("git", "--no-replace-objects", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
_SECONDS = 300
# Payloads of events have less than 100 KB.
_EVENT_BYTES = 25 << 20
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_DEEPER = "give actions/checkout `fetch-depth: 0`"
_NOTHING = (
    "nothing of the {what} is checked out, so there is nothing to judge: HEAD lies on its base. "
    "Run on `pull_request`, and let actions/checkout choose the commit"
)


class BaseError(Exception):
    """There should be a base, and it is unknown or cannot be compared with."""


class Change(NamedTuple):
    """A proposed change, as the event that started the workflow describes it.

    Attributes:
        ref: The branch that it wants to go into, or the commit that it was put on.
        what: For messages: ``pull request`` or ``merge group``.
        number: The pull request's number; None for a merge group.
    """

    ref: str
    what: str
    number: int | None = None


def payload(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the payload of the event that started the workflow; empty where there is none.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads
    """
    try:
        with Path(environment.get("GITHUB_EVENT_PATH", "")).open("rb") as file:
            event = json.loads(file.read(_EVENT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def change(environment: Mapping[str, str]) -> Change | None:
    """Return the change that the workflow runs for; None for a push, a schedule and the like.

    Raises:
        BaseError: It runs for a change, and the event does not say into what.
    """
    event = payload(environment)
    request, group = event.get("pull_request"), event.get("merge_group")
    if isinstance(request, dict) or environment.get("GITHUB_BASE_REF"):
        request = request if isinstance(request, dict) else {}
        base = request.get("base")
        ref = environment.get("GITHUB_BASE_REF") or (base.get("ref") if isinstance(base, dict) else None)
        number = request.get("number")
        what, number = "pull request", number if isinstance(number, int) else None
    elif isinstance(group, dict):
        ref, what, number = group.get("base_sha"), "merge group", None
    else:
        return None
    if not isinstance(ref, str) or not ref:
        raise BaseError(f"the event of this {what} does not name its base; name one as base-ref")
    return Change(ref, what, number)


def head(environment: Mapping[str, str]) -> str:
    """Return the commit that a pull request proposes, or "" where the event names none."""
    request = payload(environment).get("pull_request")
    proposed = request.get("head") if isinstance(request, dict) else None
    commit = proposed.get("sha") if isinstance(proposed, dict) else None
    return commit if isinstance(commit, str) and _COMMIT.fullmatch(commit) else ""


def resolve(root: Path, ref: str) -> str:
    """Return the commit that ``ref`` names, fetched from ``origin`` where it is not here.

    Raises:
        BaseError: It is no branch, tag or commit, or it cannot be fetched.
    """
    if ref.startswith("-") or _git(root, "check-ref-format", "--allow-onelevel", ref) is None:
        raise BaseError(f"base-ref {ref!r} is not the name of a branch, a tag or a commit")
    commit = _known(root, ref)
    if commit is None:
        # A depth would cut the history of a clone that has all of it.
        depth = ("--depth=1",) if _shallow(root) else ()
        fetched = _git(root, "fetch", "--quiet", "--no-tags", *depth, "--", "origin", ref)
        commit = None if fetched is None else _commit(root, "FETCH_HEAD")
    if commit is None:
        raise BaseError(f"base-ref {ref!r} is not in this checkout and cannot be fetched; {_DEEPER}")
    return commit


def compare(root: Path, commit: str, what: str | None) -> None:
    """Make sure that what is checked out can be compared with ``commit``.

    Args:
        root: The repository.
        commit: The base.
        what: What must be checked out beyond the base, for the message; None where nothing need be.

    Raises:
        BaseError: They have no common history here, or the checkout holds the base alone.
    """
    if _git(root, "merge-base", commit, "HEAD") is None:
        why = f"this clone is shallow; {_DEEPER}" if _shallow(root) else "they have no commit in common"
        raise BaseError(f"what is checked out cannot be compared with its base {commit[:12]}: {why}")
    if what is not None and _git(root, "merge-base", "--is-ancestor", "HEAD", commit) is not None:
        # pull_request_target checks the base out, and so does a `ref` of that kind.
        raise BaseError(_NOTHING.format(what=what))


def require_change(root: Path, environment: Mapping[str, str]) -> None:
    """Make sure that a workflow which runs beside a pull request has checked it out.

    On ``pull_request_target`` the commit of the workflow, and of a plain checkout, is the base's.

    Raises:
        BaseError: The checkout is that commit.
    """
    beside = environment.get("GITHUB_EVENT_NAME") == "pull_request_target"
    if beside and _commit(root, "HEAD") in (None, environment.get("GITHUB_SHA")):
        raise BaseError(_NOTHING.format(what="pull request"))


def _known(root: Path, ref: str) -> str | None:
    """Look a name up in full, so that no tag called ``origin/main`` stands for the branch."""
    short = ref.removeprefix("origin/")
    places = [f"{place}/{short}" for place in ("refs/remotes/origin", "refs/heads", "refs/tags")]
    if ref.startswith("refs/") or _COMMIT.fullmatch(ref):
        places.insert(0, ref)
    return next((found for place in places if (found := _commit(root, place))), None)


def _shallow(root: Path) -> bool:
    return _git(root, "rev-parse", "--is-shallow-repository") == b"true\n"


def _commit(root: Path, ref: str) -> str | None:
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return found.decode().strip() if found else None


def _git(root: Path, *arguments: str) -> bytes | None:
    """Return what git prints; None where it fails."""
    try:
        result = subprocess.run(
            [*_GIT, *arguments],
            cwd=root,
            # Nobody is there to type a password.
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (FileNotFoundError, ValueError, subprocess.TimeoutExpired):
        return None  # no git, a zero byte in an argument, or nobody who answers
    return result.stdout if result.returncode == 0 else None
