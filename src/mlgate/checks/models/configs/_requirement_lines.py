"""Lines of pip's and conda's that say where packages come from."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import line_of


def sources(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield form (``index`` or ``url``), address and line of each source that is not the usual index."""
    for match in _sources().finditer(text):
        form = "index" if match["option"] else "url"
        where = re.sub(r"//[^/@\s]*@", "//", match["index"] or match["url"])
        yield form, printable(where, 200), line_of(text, match.start())


def channels(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield the same for conda's channels that are addresses."""
    for match in _channels().finditer(text):
        for address in _address().finditer(match[0]):
            yield "index", printable(address[0], 200), line_of(text, match.start() + address.start())


def goes_on(requirement: str) -> bool:
    """Say whether a requirement goes on as a command of a shell: a marker may follow on a semicolon.

    MLflow puts those of ``python_env.yaml`` into a command line (CVE-2025-15379).
    """
    return _shell().search(requirement) is not None


@cache
def _shell() -> re.Pattern[str]:
    return re.compile(
        r"[&|`\n]|\$\(|;(?!\s*\(*\s*(?:python_|sys_|platform_|os_name|implementation_|extra\b|[\"'])|\s*$)"
    )


@cache
def _sources() -> re.Pattern[str]:
    # An option that names an index, or a requirement that is an address; perhaps an item of a list.
    return re.compile(
        r"^[ \t]*(?:-[ \t]+)?[\"']?"
        r"(?:(?P<option>--(?:extra-)?index-url|--find-links|--trusted-host|-i|-f)[ \t=]+(?P<index>[^\s\"']+)"
        r"|(?:-e[ \t]+|--editable[ \t=]+|[\w.-]+(?:\[[^\]\n]*\])?[ \t]*@[ \t]*)?"
        r"(?P<url>(?:git\+|hg\+|svn\+|bzr\+)?[a-z+]+://[^\s\"']+))",
        re.MULTILINE,
    )


@cache
def _channels() -> re.Pattern[str]:
    return re.compile(
        r"^channels:[ \t]*(?:\[[^\]]{0,2000}\]|(?:\r?\n[ \t]*-[^\n]{0,300}){1,50})", re.MULTILINE
    )


@cache
def _address() -> re.Pattern[str]:
    return re.compile(r"[a-z+]+://[^\s\"',\]]+")
