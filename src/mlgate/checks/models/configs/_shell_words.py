"""Commands of a shell that fetch and run, hide what they run, or hand a shell to a connection."""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType


@cache
def commands() -> Mapping[str, re.Pattern[str]]:
    """Return what to look for, by what it is: ``download``, ``hidden``, ``sends`` and ``connection``."""
    shell = r"(?:sudo\s+(?:-\w+\s+)*)?(?:[\w/.]*/)?(?:(?:ba|z|da|k)?sh|python[\d.]*)\b(?!\.)"
    fetch = r"\b(?:curl|wget)\b"
    # To the end of the command, which YAML folds: over lines that begin with an option or an address.
    rest = (
        r"[^\n|;&]{1,300}+(?:\n[ \t]{0,40}(?:-{1,2}[A-Za-z]|[\"']?https?:)[^\n|;&]{1,300}+){0,3}"
        r"(?:\n[ \t]{0,40})?"
    )
    return MappingProxyType(
        {
            "download": re.compile(
                rf"{fetch}{rest}\|\s*{shell}"
                rf"|(?<![-\w])(?:(?:ba|z|da)?sh|source|eval|\.)\s+(?:-\w+\s+)*[\"']?(?:<\(|\$\(|`)\s*{fetch}[^\n]{{0,200}}"
                rf"|{fetch}[^\n|]{{1,200}}(?:&&|;)\s*(?:sudo\s+)?(?:ba|z|da)?sh\s+[\w./]"
                # Fetched, made a program, and started.
                rf"|{fetch}{rest}(?:&&|;)\s{{0,40}}[^\n]{{0,100}}?\bchmod\s+(?:\S*\+x|0?[0-7]*[1357]\d\d)\s[^\n]{{1,200}}"
            ),
            "hidden": re.compile(
                rf"\b(?:base64\s+(?:-d|-D|--decode)|xxd\s+-r)[^\n|;&]{{0,200}}\|\s*(?:gunzip\s*\|\s*)?{shell}"
            ),
            # The environment, or a file with keys or passwords, as what is sent.
            "sends": re.compile(
                rf"(?<![\w/.-])(?:env|printenv)\s*\|[^\n;&]{{0,200}}?{fetch}[^\n]{{0,200}}"
                rf"|{fetch}[^\n|;&]{{1,300}}?@[^\s|;&]{{0,200}}"
                r"(?:\.ssh/|id_rsa|id_ed25519|\.aws/|\.netrc|\.git-credentials|/etc/(?:passwd|shadow)|huggingface/token"
                r"|\.kube/config|\.docker/config|\.pypirc|\.bash_history)[^\n]{0,200}"
            ),
            "connection": re.compile(
                r"/dev/(?:tcp|udp)/[\w.$-]+/\w+[^\n]{0,100}"
                r"|\b(?:nc|ncat|netcat)\s[^\n|;]{0,200}-(?:e|c)\s+\S*sh\b"
                r"|\bmkfifo\b[^\n]{0,200}\b(?:nc|ncat)\b"
            ),
        }
    )
