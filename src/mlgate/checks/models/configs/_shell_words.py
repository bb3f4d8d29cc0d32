"""Commands of a shell that fetch and run, hide what they run, send secrets or connect a shell."""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

# Without one of these words there is no such command, which is told at the speed of memory. Short ones
# stand with what is around them in a command, for other words end as they do.
_FETCHING = ("curl", "wget", "aria2c", "lynx", "fetch -", "gsutil", "aws s3")
_NETCAT = ("nc ", "nc\t", "ncat", "netcat")
WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "download": (*_FETCHING, "iex", "IEX", "nvoke-", "NVOKE-", "certutil", "mshta", "bitsadmin"),
        "saved": _FETCHING,
        "hidden": (
            *_FETCHING, "base64", "base32", "xxd", "openssl", "uudecode", "rev |", "rev|", "rev\t|", "| tr",
            "|tr", "\ntr", "tr '", 'tr "', "tr [", "tr -", "printf", "echo -e", "echo  -e", "echo\t-e",
            "$(echo", "IFS", "owershell", "pwsh",
        ),
        "sends": ("curl", "wget", *_NETCAT, "scp", "rsync"),
        "connection": (
            "/dev/tcp", "/dev/udp", *_NETCAT, "socat", "openssl", "ocket", "fsockopen", "sh -i", "mkfifo",
        ),
        "changes": (
            "rm ", "rm\t", ":|", ": |", "authorized_keys", "ld.so.preload", "chmod", "LD_PRELOAD", "LD_AUDIT",
            "BASH_ENV", "PYTHONSTARTUP",
        ),
        "spelled": ("|",),
        "computed": ("|", "$"),
    }
)  # fmt: skip
# Between the letters of a command a shell passes over these.
_Q = r"[\"'\\]{0,2}"
_FETCHES = r"\b(?:curl|wget|aria2c|lynx|fetch(?=\s+-)|gsutil\s+c(?:p|at)|aws\s+s3\s+cp)\b"
# Who starts another program, with options and variables.
_STARTERS = (
    r"(?:(?:(?:/usr)?(?:/bin)?/)?(?:sudo|command|exec|nohup|env|busybox|xargs|time)\s+"
    r"(?:-\S+\s+|\w+=\S*\s+)*)*"
)
_SH = r"(?:(?:ba|z|da|k|a)?sh|pwsh|powershell)\b(?![\w.-]*\.)"
# These run what they are given where no script or text is named.
_STDIN = (
    r"(?:python[\d.]*|perl|ruby|node|php|Rscript|lua)\b(?!\.)(?:\s+-[uEsBI]\b)*"
    r"(?=\s*(?:-(?:\s|$)|[\"'`)\\;&|]|$|\n))"
)
_INTO = rf"(?<!\|)\|\s*{_STARTERS}(?:[\w/.]*/)?(?:{_SH}|{_STDIN})"
# To the end of the command, which YAML folds: over lines that begin with an option or an address.
_PART = r"(?:[^\n|;&]|&(?=[\w.%-]+=))"
_REST = (
    rf"{_PART}{{1,300}}+(?:\n[ \t]{{0,40}}(?:-{{1,2}}[A-Za-z]|[\"']?https?:){_PART}{{1,300}}+){{0,3}}"
    r"(?:\n[ \t]{0,40})?"
)
# What stands between the download and the shell.
_STAGES = rf"(?:\|(?!\|)(?!\s*{_STARTERS}(?:{_SH}|{_STDIN})){_PART}{{1,200}}+){{0,4}}"
_RUNS = (
    r"(?<![-\w])(?:(?:ba|z|da|k)?sh|source|eval|\.|python[\d.]*|perl|node|ruby)\s+(?:-\w+\s+)*[\"']?"
    r"(?:<\(|\$\(|`)\s*"
)
_DECODES = (
    r"\b(?:base(?:64|32)\s+(?:-d\w*|-D|--decode)|xxd\s+(?:-\w+\s+)*-r|openssl\s+[^\n|;&]{0,80}\s-d\b"
    r"|uudecode|rev(?=\s*\|)|tr\s+[\"']?[A-Za-z\[:-][^\n|]{1,60}(?=\|))"
)
_KEYS = (
    r"(?:\.ssh/|id_rsa|id_ed25519|\.aws/|\.netrc|\.git-credentials|/etc/(?:passwd|shadow)|huggingface/token"
    r"|\.kube/config|\.docker/config|\.pypirc|\.bash_history)"
)
# A character by its code.
_CODE = r"\\+(?:x[0-9a-fA-F]{2}|[0-7]{3})"
_PLACE = r"(?:/tmp/|/dev/shm/|/var/tmp/)"


@cache
def commands() -> Mapping[str, re.Pattern[str]]:
    """Return what to look for, by what it is.

    ``download``, ``saved``, ``hidden``, ``spelled``, ``sends``, ``connection``, ``changes`` and, of
    which nobody can say what it runs, ``computed``.
    """
    return MappingProxyType(
        {
            "download": re.compile(
                rf"{_FETCHES}{_REST}{_STAGES}{_INTO}"
                rf"|{_RUNS}{_FETCHES}[^\n]{{0,200}}"
                # Fetched, made a program, and started.
                rf"|{_FETCHES}{_REST}(?:&&|;)\s{{0,40}}[^\n]{{0,100}}?"
                r"\bchmod\s+(?:\S*\+x|0?[0-7]*[1357]\d\d)\s[^\n]{1,200}"
                # Of PowerShell and of Windows' own tools.
                r"|(?i:\b(?:iex|invoke-expression)\b[^\n]{0,200}?"
                r"\b(?:downloadstring|iwr|irm|invoke-webrequest|invoke-restmethod)\b[^\n]{0,200}"
                r"|\b(?:iwr|irm|invoke-webrequest|invoke-restmethod)\b[^\n;]{0,200}"
                r"\|\s*(?:iex|invoke-expression)\b"
                r"|\bcertutil\b[^\n]{0,100}-urlcache\b[^\n]{0,200}"
                r"|\bmshta(?:\.exe)?\s+[\"']?https?:[^\n]{0,200}"
                r"|\bbitsadmin\b[^\n]{0,100}/transfer\b[^\n]{0,200})"
            ),
            # Run by the name that it was given.
            "saved": re.compile(
                rf"{_FETCHES}{_PART}{{0,200}}?(?:/|\s-[oO]\s{{0,9}}|>\s{{0,9}})"
                r"(?P<file>[\w-][\w.-]{0,60}+)[\"']?"
                r"[^\n/|;&]{0,60}+(?:&&|;|\n)[^\n]{0,100}?(?<![\w-])"
                r"(?:(?:ba|z|da|k)?sh|python[\d.]*|perl|node|ruby|php|source|\.)\s+"
                r"(?:-\w\s+)*(?:[\w.~${}-]*/){0,8}(?P=file)(?![\w.])"
            ),
            "hidden": re.compile(
                rf"{_DECODES}{_PART}{{0,200}}(?:\|\s*(?:gunzip|zcat|xz\s+-d\w*|tee\s+\S+)\s*)?{_INTO}"
                rf"|{_RUNS}[^\n`]{{0,300}}?{_DECODES}[^\n]{{0,200}}"
                rf"|{_RUNS}\s*(?:printf|echo\s+-e)\s[^\n]{{0,40}}?{_CODE}[^\n]{{0,200}}"
                # Bytes by their codes, and blanks by a name.
                rf"|\b(?:printf|echo\s+-e)\s[^\n|]{{0,60}}?{_CODE}[^\n|]{{0,300}}{_INTO}"
                rf"|(?:^|[;&|(`])[ \t]*\w*\$\{{?IFS\b[^\n]{{0,200}}|\b(?:curl|wget)\$\{{?IFS\b[^\n]{{0,200}}"
                r"|\$\((?:printf|echo)\s[^)\n]{0,200}\)\s+[\"']?https?:[^\n]{0,200}"
                r"|(?i:\b(?:powershell|pwsh)(?:\.exe)?\b[^\n]{0,100}\s-e(?:c|nc|ncodedcommand)?\s+"
                r"[\"']?[a-z0-9+/=]{12,})",
                re.MULTILINE,
            ),
            # Names whose letters are kept apart.
            "spelled": re.compile(
                rf"(?!curl|wget)\b(?:c{_Q}u{_Q}r{_Q}l|w{_Q}g{_Q}e{_Q}t)\b{_PART}{{1,300}}+\|"
                rf"|{_FETCHES}{_PART}{{1,300}}+\|\s*(?!{_SH})(?:b{_Q}a{_Q})?s{_Q}h\b"
            ),
            # The environment, or a file with keys or passwords, as what is sent.
            "sends": re.compile(
                rf"(?<![\w/.-])(?:env|printenv)\s*\|[^\n;&]{{0,200}}?\b(?:curl|wget|nc|ncat)\b[^\n]{{0,200}}"
                r"|\b(?:curl|wget)\b[^\n|;&]{1,300}?(?:@|--(?:post|body)-file[= ])"
                rf"[^\s|;&]{{0,200}}{_KEYS}[^\n]{{0,200}}"
                r"|\b(?:curl|wget)\b[^\n|;&]{1,300}?(?:\$\(|`)\s*(?:env|printenv)\s*[)`][^\n]{0,200}"
                r"|\b(?:curl|wget)\b[^\n|;&]{1,300}?(?:\$\(|`)\s*cat\s+"
                rf"[^\n)`]{{0,200}}{_KEYS}[^\n]{{0,200}}"
                rf"|\bcat\s+[^\s|;&]{{0,200}}{_KEYS}[^\n;&]{{0,200}}?\|"
                r"[^\n;&]{0,200}?\b(?:curl|wget|nc|ncat)\b[^\n]{0,200}"
                rf"|\b(?:nc|ncat)\s[^\n|;]{{1,200}}<\s*[^\s|;&]{{0,200}}{_KEYS}[^\n]{{0,100}}"
                r"|\b(?:scp|rsync)\s[^\n|;&]{0,200}"
                r"(?:\.ssh/(?!config|known|id_\w+\.pub)|id_rsa(?!\.pub)|\.aws/)[^\s|;&]{0,100}\s+[\w.@-]+:"
                r"|\b(?:curl|wget)\b[^\n|;]{1,300}?\$\{?AWS_SECRET_ACCESS_KEY[^\n]{0,200}"
            ),
            "connection": re.compile(
                r"/dev/(?:tcp|udp)/[\w.$-]+/\w+[^\n]{0,100}"
                r"|\b(?:nc|ncat|netcat)\s[^\n|;]{0,200}-(?:e|c)\s+\S*sh\b"
                r"|\bmkfifo\b[^\n]{0,200}\b(?:nc|ncat)\b"
                rf"|\b(?:nc|ncat|netcat)\s+(?:-\w+\s+)*[\w.$-]+\s+\d+\s*{_INTO}"
                r"|\bsh\s+-i\b[^\n;]{0,60}\|\s*(?:nc|ncat|netcat)\b"
                r"|\bsocat\b[^\n]{0,200}\b(?:EXEC|SYSTEM):[^\n]{0,100}"
                rf"|\bopenssl\s+s_client\b[^\n|]{{0,200}}{_INTO}"
                r"|\bpython[\d.]*\s+(?:-\w+\s+)*-c\s(?=[^\n]{0,200}?\bsocket\b)"
                r"[^\n]{0,600}?(?:\bdup2\b|pty\s*\.\s*spawn|/bin/(?:ba)?sh)"
                r"|\b(?:perl|ruby|php)\s+(?:-\w+\s+)*-[er]\w*\s"
                r"(?=[^\n]{0,200}?(?:\bSocket\b|TCPSocket|fsockopen))[^\n]{0,600}?\bexec\b"
            ),
            # What no script of a model needs to remove, and who may log in or is root from then on.
            "changes": re.compile(
                r"(?<![\w-])rm\s+(?:-\w+\s+|--[\w-]+\s+)*-[a-zA-Z]*[rR]\w*\s+(?:--?[\w-]+\s+)*"
                r"[\"']?(?:/|~|\$HOME|\$\{HOME\})/?\*?[\"']?(?=\s*(?:[;&|)\"'\\]|--|$))"
                r"|:\(\)\s*\{\s*:\s*\|\s*:"
                r"|(?:>>?|\btee\s+(?:-a\s+)?)\s*[\"']?[\w~${}/.-]{0,60}"
                r"(?:\.ssh/authorized_keys|/etc/ld\.so\.preload)[^\n]{0,100}"
                r"|\bchmod\s+(?:[ugo]*\+\w*s\w*|[2467]\d{3})\s+/(?:usr/)?s?bin/\w+"
                rf"|\b(?:LD_PRELOAD|LD_AUDIT|BASH_ENV|PYTHONSTARTUP)=[\"']?{_PLACE}[^\n]{{0,100}}",
                re.MULTILINE,
            ),
            "computed": re.compile(
                rf"(?:^|[;&(`])[ \t]*\$\{{?[A-Za-z_]\w*\}}?(?:\$\{{?\w+\}}?)*\s{_PART}{{0,200}}{_INTO}"
                rf"|\$\w+\$\w+\s+[\"']?https?:[^\n]{{0,200}}"
                rf"|\b(?:ssh|dig|host|nslookup)\s{_PART}{{1,200}}+{_INTO}",
                re.MULTILINE,
            ),
        }
    )
