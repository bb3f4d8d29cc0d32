"""Which Python source is worth parsing: a quick look for the words that effects need."""

import re
import sys
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs._effects import acts

# Of a line that is longer, the start is looked at.
_LINE = 1 << 18
# A syntax tree takes up to a thousand times as much memory as its source.
_MOST_NODES = 120_000
# Rare enough that the word alone decides.
_WORDS = (
    b"subprocess", b"popen", b"Popen", b"execl", b"execv", b"spawn", b"startfile", b"runpy", b"execfile",
    b"__import__", b"importlib", b"ctypes", b"cffi", b"load_library", b"load_op_library", b"load_dynamic",
    b"marshal", b"ickle", b"dill", b"joblib", b"shelve", b"socket", b"urlopen", b"urlretrieve", b"urllib",
    b"httpx", b"aiohttp", b"ftplib", b"smtplib", b"telnetlib", b"paramiko", b"__builtins__", b"builtins",
    b"CodeType", b"FunctionType", b"unsafe_load", b"pexpect", b"Interactive", b"cProfile", b"BasedBuilder",
    b"DatasetBuilder", b"http.client", b"wget", b"_posixsubprocess", b"create_subprocess", b"pip._internal",
    b"authorized_keys", b"bashrc", b"crontab", b"sitecustomize", b"usercustomize", b"autostart",
    b"__subclasses__", b"hub.load(", b"__globals__", b"f_builtins", b"f_globals", b"func_globals",
    b"__getattribute__(", b"get_objects", b"resolve_name", b"pydoc", b"webbrowser",
    b"compile_command", b"xmlrpc", b"open_connection", b"get_server_certificate", b"http.server",
    b"cpp_extension", b"exec_command", b"addsitedir", b"rmtree", b"SourceFileLoader", b"attrgetter",
    b"getattr_static", b"optional_import", b"mknod", b"mkfifo", b"gethostbyname", b"getaddrinfo",
    b"load_extension", b"FileIO", b"register_custom_ops_library", b"add_extension", b".ipython",
    b"symlink_to", b"hardlink_to", b"sqlite3", b"tarfile", b"ZipFile",
    b"LD_PRELOAD", b"LD_AUDIT", b"DYLD_INSERT_LIBRARIES", b"PYTHONSTARTUP", b"PYTHONPATH", b"BASH_ENV",
    b"HF_ENDPOINT", b"INDEX_URL", b"_PROXY", b"_proxy", b"BASE_URL", b"API_BASE", b"TRACKING_URI",
)  # fmt: skip
# What runs a file by its path.
_BY_PATH = (
    b"spec_from_file_location", b"SourceFileLoader", b"run_path", b"execfile", b"exec(open", b"exec(compile",
)  # fmt: skip
# Of these the parts are too common words to go by.
_COMMON = ("os.", "shutil.", "builtins.", "requests.")
# Common words, and what makes them telling.
_TELLING = {
    b"system": rb"(?<!platform)\.\s*\\?\s*system\b|import\b[^\n]*\bsystem\b|[\"']system[\"']",
    b"requests": rb"\brequests\b\s*\.|from\s+requests|import\s+requests",
    b"exec": rb"(?<![\w.])exec\b\s*(?:[(,)=\]};:\\#]|$)",
    b"eval": rb"(?<![\w.])eval\b\s*(?:[(,)=\]};:\\#]|$)",
    b"globals": rb"\bglobals\b\s*(?:\(\s*\)(?!\[.__file__)|[,)=\]\\#]|$)",
    b"vars": rb"(?<![\w.])vars\s*\(",
    b"__dict__": rb"(?:os|sys|\b[A-Za-z_])\s*\.\s*__dict__",
    b"getattr": rb"getattr\s*\(\s*(?:os|sys|[A-Za-z_]\b|__)\s*",
    b"modules": rb"(?:sys|\b[A-Za-z_])\s*\.\s*modules\b(?!\[__name__\])|import\s+modules",
    b"fork": rb"\bfork\s*\(",
    b"pty": rb"\bpty\b\s*\.|import\s+pty",
    b"import": rb"import\s+(?:os|sys)\s+as\b|from\s+os\s+import\s+\*|import\s+imp\b|from\s+imp\s"
    rb"|import\s+code\b|from\s+code\s|import\s+commands|import\s+sh\b|from\s+sh\s+import",
    b"timeit": rb"\btimeit\s*\(",
    b"__self__": rb"\b[a-z]+\.__self__\b",
    b"doctest": rb"import\s+doctest|from\s+doctest\s|doctest\s*\.\s*\w",
    b"pdb": rb"import\s+pdb\b|from\s+pdb\s",
    b"bdb": rb"import\s+bdb\b|from\s+bdb\s",
    b"trace": rb"import\s+trace\b|from\s+trace\s",
    b"yaml": rb"yaml\s*\.\s*(?:load|full_load|Loader)|from\s+yaml\s+import",
    # Files that are written, moved or removed.
    b"open": rb"\bopen\s*\([^\n]{0,200}[\"'](?:[wax][bt+]{0,2}|r[bt]?\+b?)[\"']",
    b".touch": rb"\.touch\s*\(",
    b".write_": rb"\.write_(?:text|bytes)\s*\(",
    b"unlink": rb"\bunlink\s*\(|import[^\n]*\bunlink",
    b"shutil": rb"shutil\s*\.\s*(?:move|copy)|from\s+shutil\s|import\s+shutil\s+as\b",
    # A module that is passed around.
    b"os": rb"[(\[{,:=*]\s*os\s*(?:[)\],}]|$)|return\s+os\b(?!\.)"
    rb"|os\s*\.\s*(?:remove\w*|rename|replace|symlink|link|rmdir|truncate|chmod|chown)\b|os\s*\.\s*open\s*\("
    rb"|match\s+os\b|from\s+os\s+import[^\n]*\b(?:remove\w*|rename|replace|symlink|link|rmdir|truncate|chmod|chown)",
    b"pip": rb"\bpip\s*\.\s*main",
    b"coding": rb"\A[^\n]*(?:\n[^\n]*)?coding[:=]\s*"
    rb"(?!utf-?8\b|ascii\b|us-ascii\b|latin-?1\b|iso-8859|cp125)",
}


def telling(data: bytes) -> bool:
    """Say whether source could do more than compute: a quick look, which errs by saying yes."""
    if any(word in data for word in _WORDS):
        return True
    patterns = _patterns()
    if any(word in data and pattern.search(data) for word, pattern in patterns.items()) or _names(data):
        return True
    if data.isascii():
        return False
    folded = list(_folded(data))
    return any(
        any(word in plain for word in _WORDS)
        or any(word in plain and pattern.search(plain) for word, pattern in patterns.items())
        for plain in folded
    ) or (bool(folded) and _names(b"\n".join((data, *folded))))


def _names(data: bytes) -> bool:
    """Say whether every part of the name of something that acts stands somewhere in source."""
    words = frozenset(_word().findall(data))
    return any(parts <= words for parts in _parts())


@cache
def _parts() -> frozenset[frozenset[bytes]]:
    """Return the parts of the names that act; those of common words have expressions of their own."""
    return frozenset(
        frozenset(part.encode() for part in name.removesuffix(".*").split("."))
        for name, act in acts().items()
        if act != "decodes" and not name.startswith(_COMMON)
    )


def _folded(data: bytes) -> Iterator[bytes]:
    """Yield the lines whose letters have other forms, which Python takes for the same names."""
    import unicodedata  # noqa: PLC0415 - most source is ASCII

    for line in data.splitlines():
        if not line.isascii():
            text = line.decode("utf-8", "replace")
            if not unicodedata.is_normalized("NFKC", text):
                yield unicodedata.normalize("NFKC", text[:_LINE]).encode("utf-8", "replace")


def siblings(data: bytes, *, absolute: bool) -> Iterator[tuple[str, int]]:
    """Yield the modules of its own folder that source imports, each once, with the offsets.

    Args:
        data: The source.
        absolute: True where the folder is on the search path, so that plain imports count.
    """
    # A module of the folder may have the name of one of Python's, where it is asked for with a dot.
    known: set[str] = set()
    for found in _imports().finditer(data):
        names = (
            found["one"] or (found["plain"] if absolute else None) or found["many"] or found["listed"] or b""
        )
        for part in names.split(b","):
            name = (part.split() or [b""])[0].split(b".")[0].decode("utf-8", "replace")
            plain = found["plain"] is not None and name in sys.stdlib_module_names
            if name.isidentifier() and name not in known and not plain:
                known.add(name)
                yield name, found.start()


def imported(data: bytes) -> Iterator[str]:
    """Yield what source imports from other files of its package, as ``.utils.setup``."""
    for found in _from().finditer(data):
        module = found["module"].decode("utf-8", "replace")
        for part in (found["listed"] or found["many"] or b"").split(b","):
            name = (part.split() or [b""])[0].decode("utf-8", "replace")
            if name.isidentifier():
                yield f"{module}.{name}" if module.strip(".") else f"{module}{name}"


def files(data: bytes) -> Iterator[tuple[str, int]]:
    """Yield the paths of source that stand in source which runs files by their paths, with the offsets."""
    if any(word in data for word in _BY_PATH):
        known: set[str] = set()
        for found in _paths().finditer(data):
            path = found[1].decode("utf-8", "replace").removeprefix("./")
            if path not in known and path != "setup.py":
                known.add(path)
                yield path, found.start()


def old(data: bytes) -> bool:
    """Say whether source is of Python 2, or a template of source."""
    return _old().search(data) is not None


def heavy(data: bytes) -> bool:
    """Say whether the syntax tree has more nodes than there is memory for."""
    if any(number >= _MOST_NODES for number, _ in enumerate(_tokens().finditer(data))):
        return True
    # The parser puts the name of a module together once for each of its parts.
    return _long().search(data) is not None


@cache
def _word() -> re.Pattern[bytes]:
    return re.compile(rb"[A-Za-z_]\w*")


@cache
def _patterns() -> dict[bytes, re.Pattern[bytes]]:
    return {word: re.compile(pattern, re.MULTILINE) for word, pattern in _TELLING.items()}


@cache
def _imports() -> re.Pattern[bytes]:
    return re.compile(
        rb"^[ \t]*(?:from[ \t]+\.(?P<one>\w+)[\w.]*[ \t]+import"
        rb"|from[ \t]+\.[ \t]+import[ \t]*(?:\((?P<listed>[^()]*)|(?P<many>[\w, \t]+))"
        rb"|(?:from|import)[ \t]+(?P<plain>\w[\w., \t]*))",
        re.MULTILINE,
    )


@cache
def _paths() -> re.Pattern[bytes]:
    return re.compile(rb"[\"']((?:[\w.-]+/){0,8}[\w.-]{1,100}\.py)[\"']")


@cache
def _from() -> re.Pattern[bytes]:
    return re.compile(
        rb"^[ \t]*from[ \t]+(?P<module>\.{1,20}[\w.]{0,500})[ \t]+import[ \t]*"
        rb"(?:\((?P<listed>[^()]{0,5000})|(?P<many>[\w, \t]{1,5000}))",
        re.MULTILINE,
    )


@cache
def _old() -> re.Pattern[bytes]:
    return re.compile(
        rb"^\s*(?:print\s+[\"'%\w]|exec\s+[\"'\w]|except\s+\w+\s*,|\{%|raise\s+\w+\s*,)", re.MULTILINE
    )


@cache
def _long() -> re.Pattern[bytes]:
    return re.compile(rb"(?:import|from)[ \t]+\.{0,200}(?:\w+[ \t]*\.[ \t]*){500}")


@cache
def _tokens() -> re.Pattern[bytes]:
    return re.compile(rb"\w+|[(\[{@]")
