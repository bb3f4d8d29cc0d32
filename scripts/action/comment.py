"""Put the report under the pull request: one comment, renewed by every run.

Decides nothing: whatever goes wrong is a warning, and the exit code is 0.
"""

# ruff: noqa: INP001 - a script beside the others

import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import base
import workflow

# https://docs.github.com/en/rest/issues/comments: a body of at most so many characters.
_CHARACTERS = 65_536
_CUT = "\n\n_Cut here: too long for a comment. The job's summary has more, and the HTML report all of it._\n"
_NO_ANSWER = """## ⚠️ mlgate: no answer

The gate gave no report, which is never a pass. The log of the job says why.
"""
_SECONDS = 30
_ANSWER_BYTES = 32 << 20
_PAGE, _PAGES = 100, 30


class CommentError(Exception):
    """The comment cannot be written."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is for one address."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def main() -> int:
    """Write the comment, or say why there is none; return 0."""
    summary = Path(os.environ["MLGATE_REPORTS"], "summary.md")
    try:
        change = base.change(os.environ)
        publish(change.number if change else None, body(summary, marker(), base.head(os.environ)))
    except (base.BaseError, CommentError) as error:
        workflow.command("warning", f"No comment: {error}", title="mlgate")
    return 0


def marker() -> str:
    """Return the line that tells this gate's comment from those of other gates of the repository."""
    inputs = ("WORKING_DIRECTORY", "POLICY", "CHECKS")
    named = "\0".join(os.environ.get(f"MLGATE_{name}", "") for name in inputs)
    return f"<!-- mlgate {hashlib.sha256(named.encode('utf-8', 'replace')).hexdigest()[:16]} -->"


def body(summary: Path, mark: str, commit: str) -> str:
    """Return the comment: the mark, and the Markdown report, cut at a line where it would be too long.

    Args:
        summary: The report. Where there is none the comment says so: that of an earlier run would be a lie.
        mark: See :func:`marker`.
        commit: What was judged, or "".
    """
    try:
        report = summary.read_text(encoding="utf-8", errors="replace")
    except OSError:
        report = _NO_ANSWER
    foot = f"\n<sub>Commit {commit}</sub>\n" if commit else ""
    room = _CHARACTERS - len(mark) - len(foot) - 1
    if len(report) > room:
        report = report[: room - len(_CUT)].rpartition("\n")[0] + _CUT
    return f"{mark}\n{report}{foot}"


def publish(number: int | None, text: str) -> None:
    """Renew this gate's comment on a pull request, or write the first.

    Raises:
        CommentError: There is no pull request, or the service refuses or does not answer.
    """
    if number is None:
        raise CommentError("this run is for no pull request")
    repository = f"/repos/{os.environ.get('GITHUB_REPOSITORY', '')}/issues"
    mark = text.partition("\n")[0]
    own = next((each for each in _comments(repository, number) if _is_own(each, mark)), None)
    if own is None:
        _ask("POST", f"{repository}/{number}/comments", {"body": text})
    elif own.get("body") != text:
        _ask("PATCH", f"{repository}/comments/{int(own['id'])}", {"body": text})


def _is_own(comment: dict[str, Any], mark: str) -> bool:
    # Anybody can write the mark; only a program's comment is one that this program wrote.
    author = comment.get("user")
    written = isinstance(author, dict) and author.get("type") == "Bot"
    return written and str(comment.get("body", "")).startswith(mark) and isinstance(comment.get("id"), int)


def _comments(repository: str, number: int) -> Iterator[dict[str, Any]]:
    for page in range(1, _PAGES + 1):
        found = _ask("GET", f"{repository}/{number}/comments?per_page={_PAGE}&page={page}")
        if not isinstance(found, list):
            raise CommentError("the answer is no list of comments")
        yield from (each for each in found if isinstance(each, dict))
        if len(found) < _PAGE:
            return


def _ask(method: str, path: str, data: dict[str, str] | None = None) -> Any:
    address = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    if not address.startswith(("https://", "http://127.0.0.1:")):
        raise CommentError("the address of the API is not https")
    request = urllib.request.Request(  # noqa: S310 - checked above
        address + path,
        data=None if data is None else json.dumps(data).encode(),
        method=method,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ.get('MLGATE_TOKEN', '')}",
            "Content-Type": "application/json",
            "User-Agent": "mlgate",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=_SECONDS) as answer:
            return json.loads(answer.read(_ANSWER_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            hint = (
                ". The job needs `pull-requests: write`, which pull requests from forks never have"
                if error.code in (401, 403, 404)
                else ""
            )
            raise CommentError(f"GitHub answered {error.code} to {method}{hint}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CommentError(f"GitHub did not answer {method}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
