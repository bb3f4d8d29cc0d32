"""What single expressions do: files that are written, modules and commands that are passed around."""

import ast
import re
from collections import Counter
from functools import cache

from mlgate.checks.models.configs._effects import act_of, acts
from mlgate.checks.models.configs._python_names import HOSTS, Names
from mlgate.checks.models.configs._python_parts import fate, starts
from mlgate.checks.models.configs._python_tree import Effect

_MOST = 200
_DECODERS = frozenset(("fromhex", "b64decode", "decompress"))
# Modules that can run anything, and what they hold: nobody need pass those around.
PASSED = frozenset(
    each for host in HOSTS - {"sys.modules", "importlib", "ctypes"} for each in (host, f"{host}.__dict__")
)
_ASKING = frozenset(
    (
        "getattr", "hasattr", "setattr", "delattr", "dir", "vars", "print", "reload", "repr", "isinstance",
        "__getattribute__",
    )
)  # fmt: skip
# Attributes by which a function or a frame leads to all that there is.
_GADGETS = frozenset(("__globals__", "f_globals", "f_builtins", "func_globals", "__builtins__"))
# Of the whole environment these give a part that is asked for by its name.
_ASKED = frozenset(("get", "setdefault", "pop", "__contains__", "__getitem__"))
# Texts that are spelled by their codes.
_SPELLED = ("builtins.bytes", "builtins.bytearray", "builtins.chr")


class Acts:
    """Notes effects, each of them once.

    Attributes:
        effects: In the order in which they were found.
    """

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self._table = acts()
        self._known: set[tuple[str, str, int, str]] = set()
        self._counts: Counter[str] = Counter()
        # Paths that this source has opened to write them anew.
        self._made: set[str] = set()
        self._where = "import"
        # The function or class that is looked at by itself; then calls are noted, and not followed.
        self._owner: str | None = None
        self._line: int | None = None

    def _runs(self, resolved: str | None) -> bool:
        return resolved is not None and act_of(resolved, self._table) in ("executes", "evaluates")

    def _value(
        self, node: ast.Name | ast.Attribute | ast.Call | ast.Subscript, names: Names, steps: set[int]
    ) -> None:
        """Note what leads to anything: a module of commands that is passed around, a way into a frame."""
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            if isinstance(node, ast.Subscript) or not (names.resolve(node.value) or "").endswith(".__dict__"):
                steps.add(id(node.value))
            if isinstance(node, ast.Attribute) and node.attr in _GADGETS:
                self._note(node.attr, "imports", node)
        elif isinstance(node, ast.Call):
            steps.add(id(node.func))
            asks = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if node.args and asks in _ASKING:
                steps.add(id(node.args[0]))
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)) or id(node) in steps:
            return
        resolved = names.resolve(node)
        computed = isinstance(node, ast.Call) and resolved is not None and resolved.endswith(".?")
        if resolved in PASSED or (computed and (resolved or "")[:-2] in HOSTS):
            self._note(resolved or "", "imports", node)

    def _kept(self, node: ast.List | ast.Tuple | ast.Set | ast.Dict, names: Names) -> None:
        """Note commands that are put into a collection, from where anything may call them."""
        for each in node.values if isinstance(node, ast.Dict) else node.elts:
            if isinstance(each, (ast.Name, ast.Attribute)) and self._runs(names.resolve(each)):
                self._note(names.resolve(each) or "", "executes", each)

    def _changed(
        self, resolved: str, function: ast.expr, arguments: list[ast.expr], node: ast.expr, names: Names
    ) -> None:
        """Note a file that is written, moved or removed, and whose it is."""
        owner = function.value if isinstance(function, ast.Attribute) else None
        method = resolved.startswith("pathlib.Path.")
        path = owner if method else arguments[0] if arguments else None
        if path is None:
            self._note(resolved, "changes", node)
        elif method and ".write_" in resolved and starts(path, names):
            self._note(resolved, "writes", node)
        else:
            self._note(resolved, "changes", node, fate(path, names, self._made))

    def _opened(self, node: ast.Call, names: Names) -> None:
        """Remember a file that is written anew: its old content is lost, whatever is done to it later."""
        path = node.args[0] if node.args else None
        mode = names.constant(node.args[1]) if len(node.args) > 1 else None
        if path is None or not isinstance(mode, str) or "w" not in mode:
            return
        text = names.constant(path)
        if isinstance(text, str):
            self._made.add(text)
        elif isinstance(path, ast.Name) and names.fate(path.id) != "starts":
            names.fates[path.id] = "made"

    def _origin(self, root: ast.expr, names: Names) -> str:
        """Say where the value of an expression comes from, as far as that matters."""
        found = ""
        for number, node in enumerate(ast.walk(root)):
            if number > 500:
                break
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                # Nobody writes data out in bytes who means them to be read.
                found = "decoded"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if _credentials().search(node.value) is not None:
                    found = "credentials"
            elif isinstance(node, ast.Name):
                taint = names.taint(node.id)
                found = taint if taint == "credentials" else found or taint
            elif isinstance(node, ast.Call):
                resolved = names.resolve(node.func)
                act = act_of(resolved, self._table) if resolved else None
                if act == "network":
                    return "downloaded"
                method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                if resolved in _SPELLED and node.args:
                    # Nobody spells a text by its codes who means it to be read.
                    found = "decoded"
                if act == "decodes" or method in _DECODERS or (resolved or "").startswith("marshal.load"):
                    found = "decoded"
                elif resolved == "builtins.open" or method in ("read_text", "read_bytes"):
                    found = found or "file"
        return found

    def _tells(self, root: ast.expr, names: Names) -> bool:
        """Say whether an expression takes the whole environment, or a file with keys or passwords."""
        asked: set[int] = set()
        for number, node in enumerate(ast.walk(root)):
            if number > 500:
                break
            # One variable is asked for by its name.
            if isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr in _ASKED):
                asked.add(id(node.value))
            elif isinstance(node, ast.Compare):
                asked.update(map(id, node.comparators))
            if isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in asked:
                if names.resolve(node) == "os.environ":
                    return True
                if isinstance(node, ast.Name) and names.taint(node.id) == "credentials":
                    return True
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and _credentials().search(text) is not None:
                return True
        return False

    def _note(self, subject: str, act: str, node: ast.AST, source: str = "") -> None:
        if self._owner is not None and not _grave(act, source):
            return
        line = self._line or int(getattr(node, "lineno", 1))
        owner = self._owner or ""
        key, kind = (subject, self._where + owner, line, source), f"{act} {source} {self._where} {owner}"
        # Of each act so many: none hides behind another.
        if key not in self._known and self._counts[kind] < _MOST:
            self._known.add(key)
            self._counts[kind] += 1
            self.effects.append(Effect(subject, act, self._where, source, line, owner))


@cache
def _credentials() -> re.Pattern[str]:
    """Return what the paths of files look like that hold keys, tokens or passwords."""
    return re.compile(
        r"(?:^|[/\\~])\.(?:ssh|aws|kube|docker|gnupg|azure)/|(?:^|/)id_(?:rsa|dsa|ecdsa|ed25519)\Z"
        r"|(?:^|/)\.(?:netrc|git-credentials|pypirc|pgpass|bash_history|zsh_history|env)\Z"
        r"|^/etc/(?:passwd|shadow)\Z|^/proc/(?:self|\d+)/environ\Z|huggingface/(?:token|stored_tokens)\Z"
        r"|gcloud/(?:credentials|application_default)"
    )


def _grave(act: str, source: str) -> bool:
    """Say whether it matters that a function does so which somebody may call."""
    hidden = source in ("decoded", "downloaded") and act in ("evaluates", "loads")
    return hidden or act == "writes" or (act == "executes" and source != "usual")
