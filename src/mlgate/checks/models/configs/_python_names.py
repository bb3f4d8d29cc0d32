"""What names in Python source stand for, as far as that can be told without running it."""

import ast
import builtins
from collections.abc import Iterable, MutableMapping

from mlgate.checks.models.configs._effects import acts

# Names that code looks other names up with, or that act.
BUILTINS = frozenset(
    (
        "exec", "eval", "execfile", "compile", "__import__", "getattr", "setattr", "globals", "locals",
        "vars", "open", "map", "filter", "chr", "bytes", "bytearray", "type", "print", "breakpoint",
    )
)  # fmt: skip
# What is looked up in these by a computed name may be anything.
HOSTS = frozenset(
    ("os", "posix", "nt", "subprocess", "builtins", "importlib", "sys.modules", "pty", "ctypes")
)
# What a name keeps standing for.
_HELD = ("executes", "evaluates")
_DEEPEST = 40
_LONGEST = 100_000


class Names:
    """Aliases and constants of one scope.

    Args:
        outer: Those of the scope around it.
    """

    def __init__(self, outer: "Names | None" = None) -> None:
        self._outer = outer
        self._aliases: MutableMapping[str, str | None] = {}
        self._constants: MutableMapping[str, str | bytes | None] = {}
        self.tainted: MutableMapping[str, str] = {}
        self.fates: MutableMapping[str, str] = {}

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note what an import statement binds."""
        for alias in node.names:
            if isinstance(node, ast.Import):
                root = alias.name.partition(".")[0]
                self._binds(alias.asname or root, alias.name if alias.asname else root)
            elif node.level:
                # Of another file of the package.
                inner = f"{node.module}.{alias.name}" if node.module else alias.name
                self._binds(alias.asname or alias.name, "." * node.level + inner)
            else:
                module = node.module or ""
                self._binds(alias.asname or alias.name, _attribute(module, alias.name))
                if alias.name == "*" and module in HOSTS:
                    names = (name.rpartition(".") for name in acts())
                    self._aliases.update(
                        (name, f"{home}.{name}") for home, _, name in names if home == module
                    )
                    self._aliases.update((name, f"{module}.{name}") for name in _STARRED)

    def assigns(self, name: str, value: ast.expr, *, again: bool = False) -> None:
        """Note what an assignment binds a name to.

        Args:
            name: That is bound.
            value: To what.
            again: True where it is another value for sure, and not one of two.
        """
        self._binds(name, self.resolve(value))
        text = self.constant(value)
        first = again or name not in self._constants or self._constants[name] == text
        self._constants[name] = text if first else None

    def unsure(self, target: ast.AST) -> None:
        """Note that the names in a target have texts that nobody can tell."""
        for node in ast.walk(target):
            name = getattr(node, "id", None) or getattr(node, "arg", None)
            if isinstance(name, str):
                self._constants[name] = None

    def shares(self, names: Iterable[str]) -> None:
        """Note that functions assign to these names of this scope."""
        self._constants.update(dict.fromkeys(names))

    def forgets(self, name: str) -> None:
        """Note that a name stands for something of the file's own."""
        self._binds(name, None)
        self._constants[name] = None

    def restores(self, name: str) -> None:
        """Note that a name stands for what it stands for outside."""
        if self._aliases.get(name) is None:
            self._aliases.pop(name, None)

    def _binds(self, name: str, value: str | None) -> None:
        # What can run commands stays with a name: the other value may come from code that never runs.
        if _runs(self._aliases.get(name)) and not _runs(value):
            return
        self._aliases[name] = value

    def taint(self, name: str) -> str:
        """Return what is said of the origin of a name's value."""
        found = self.tainted.get(name)
        return found if found is not None else self._outer.taint(name) if self._outer else ""

    def fate(self, name: str) -> str:
        """Return what a path or command in a name is: ``made``, ``given``, ``usual``, ``starts`` or ""."""
        found = self.fates.get(name)
        return found if found is not None else self._outer.fate(name) if self._outer else ""

    def _alias(self, name: str) -> str | None:
        scope: Names | None = self
        while scope is not None:
            if name in scope._aliases:  # noqa: SLF001 - of the same class
                return scope._aliases[name]  # noqa: SLF001
            scope = scope._outer  # noqa: SLF001
        if name == "__builtins__":
            return "builtins"
        return f"builtins.{name}" if name in BUILTINS else None

    def _constant_of(self, name: str) -> str | bytes | None:
        scope: Names | None = self
        while scope is not None:
            if name in scope._constants:  # noqa: SLF001 - of the same class
                return scope._constants[name]  # noqa: SLF001
            scope = scope._outer  # noqa: SLF001
        return None

    def resolve(self, node: ast.expr, depth: int = 0) -> str | None:
        """Return the dotted name that an expression stands for, or None.

        A part that is computed is ``?``.
        """
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.Name):
            return self._alias(node.id)
        if isinstance(node, ast.Attribute):
            base = self.resolve(node.value, depth + 1)
            if node.attr == "__self__" and isinstance(node.value, ast.Name):
                # Of a function of Python's own, that is where all of them are.
                own = base is None and hasattr(builtins, node.value.id)
                return "builtins" if own or (base or "").startswith("builtins.") else base
            return None if base is None else _attribute(base, node.attr)
        if isinstance(node, ast.Call):
            return self._result(node, depth + 1)
        if isinstance(node, ast.Subscript):
            return self._item(node, depth + 1)
        if isinstance(node, ast.NamedExpr):
            return self.resolve(node.value, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return _PATH if self.resolve(node.left, depth + 1) == _PATH else None
        if isinstance(node, ast.IfExp):
            return self.resolve(node.body, depth + 1) or self.resolve(node.orelse, depth + 1)
        if isinstance(node, ast.BoolOp):
            return next(filter(None, (self.resolve(each, depth + 1) for each in node.values[:4])), None)
        return None

    def _result(self, node: ast.Call, depth: int) -> str | None:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "__getattribute__" and node.args:
            # On the module itself, or on a class and given the module.
            owner = node.func.value if len(node.args) == 1 else node.args[0]
            base, name = self.resolve(owner, depth), self.constant(node.args[-1], depth)
            return None if base is None else _attribute(base, name if isinstance(name, str) else "?")
        called = self.resolve(node.func, depth)
        last = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if last == "optional_import" and node.args:
            # MONAI's, which gives the module and whether it was there.
            name = self.constant(node.args[0], depth)
            return name if isinstance(name, str) else "?"
        if called is None:
            return None
        if called in ("builtins.__import__", "importlib.import_module", "importlib.__import__"):
            name = self.constant(node.args[0], depth) if node.args else None
            if isinstance(name, str):
                return name.partition(".")[0] if called.endswith("__import__") else name
            return "?"
        if called in _LOCATE and node.args:
            name = self.constant(node.args[0], depth)
            return name.replace(":", ".") if isinstance(name, str) else None
        if called in _FETCH and node.args:
            name = self.constant(node.args[0], depth)
            return name if isinstance(name, str) else "sys.modules.?"
        if called == "builtins.getattr" and len(node.args) > 1:
            base, name = self.resolve(node.args[0], depth), self.constant(node.args[1], depth)
            return None if base is None else _attribute(base, name if isinstance(name, str) else "?")
        if called == "builtins.vars" and node.args:
            base = self.resolve(node.args[0], depth)
            return None if base is None else f"{base}.__dict__"
        if called in ("builtins.globals", "builtins.locals", "builtins.vars"):
            return "globals"
        if called in _MADE:
            return _MADE[called]
        if called in _PATHS:
            return _PATH
        if called in ("functools.partial", "builtins.map", "builtins.filter") and node.args:
            return self.resolve(node.args[0], depth) if called == "functools.partial" else None
        return None

    def _item(self, node: ast.Subscript, depth: int) -> str | None:
        base = self.resolve(node.value, depth)
        if base is None:
            return None
        key = self.constant(node.slice, depth)
        name = key if isinstance(key, str) else "?"
        if base in HOSTS and isinstance(node.slice, ast.Constant) and node.slice.value == 0:
            return base
        if base == "sys.modules":
            return "sys.modules.?" if name == "?" else name
        if base == "globals":
            return None if name == "?" else self._alias(name)
        if base == "builtins":
            return _attribute(base, name)
        return _attribute(base.removesuffix(".__dict__"), name) if base.endswith(".__dict__") else None

    def constant(self, node: ast.expr, depth: int = 0) -> str | bytes | None:
        """Return the text or bytes that an expression always is, or None."""
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, (str, bytes)) else None
        if isinstance(node, ast.Name):
            return self._constant_of(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _joined([self.constant(node.left, depth + 1), self.constant(node.right, depth + 1)])
        if isinstance(node, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.FormattedValue) else each for each in node.values]
            return _joined([self.constant(each, depth + 1) for each in parts])
        if isinstance(node, ast.Subscript):
            text = self.constant(node.value, depth + 1)
            return text[::-1] if text is not None and ast.unparse(node.slice) == "::-1" else None
        if isinstance(node, ast.Call):
            return self._computed(node, depth + 1)
        return None

    def _computed(self, node: ast.Call, depth: int) -> str | bytes | None:
        function = node.func
        if isinstance(function, ast.Name) and function.id == "chr" and len(node.args) == 1:
            code = node.args[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, int) and 0 <= code.value < 0x110000:
                return chr(code.value)
        if not isinstance(function, ast.Attribute):
            return None
        text = self.constant(function.value, depth)
        if function.attr == "join" and isinstance(text, str) and len(node.args) == 1:
            items = node.args[0]
            if isinstance(items, (ast.List, ast.Tuple)) and len(items.elts) <= 1000:
                return _joined([self.constant(each, depth) for each in items.elts], text)
        if isinstance(text, bytes) and function.attr == "decode":
            return text.decode("utf-8", "replace")
        if isinstance(text, str) and not node.args and function.attr in ("lower", "upper", "strip"):
            return str(getattr(text, function.attr)())
        if isinstance(text, str) and function.attr == "replace" and len(node.args) == 2:
            old, new = (self.constant(each, depth) for each in node.args)
            if isinstance(old, str) and isinstance(new, str) and old and len(new) <= len(old):
                return text.replace(old, new)
        return None


_PASSED_ON = frozenset(
    ("os", "subprocess", "builtins", "importlib", "sys", "pty", "runpy", "marshal", "ctypes")
)
# What gives the object of a dotted name.
_LOCATE = frozenset(
    ("pydoc.locate", "pkgutil.resolve_name", "hydra.utils.get_method", "hydra.utils.get_object")
)
_FETCH = frozenset(f"sys.modules.{name}" for name in ("get", "pop", "setdefault", "__getitem__"))
# Classes of which an instance goes by the class' name: nothing happens yet when one is made.
_MADE = {
    **{
        name: name
        for name in (
            "pathlib.Path", "requests.Session", "requests.session", "httpx.Client", "urllib3.PoolManager",
            "aiohttp.ClientSession", "sqlite3.connect", "IPython.get_ipython", "invoke.Context",
            "socket.socket", "http.client.HTTPConnection", "http.client.HTTPSConnection", "boto3.client",
            "huggingface_hub.HfApi",
        )
    },
    **dict.fromkeys(
        ("ctypes.CDLL", "ctypes.PyDLL", "ctypes.WinDLL", "ctypes.cdll.LoadLibrary"), "ctypes.CDLL"
    ),
    "IPython.core.getipython.get_ipython": "IPython.get_ipython",
}  # fmt: skip
_PATH = "pathlib.Path"
# What gives another path.
_PATHS = frozenset(
    f"{_PATH}.{name}"
    for name in ("home", "cwd", "joinpath", "expanduser", "resolve", "absolute", "with_name", "with_suffix")
)
_STARRED = (
    "system", "popen", "Popen", "run", "call", "check_output", "check_call", "getoutput", "exec", "eval",
    "execv",
)  # fmt: skip


def _attribute(base: str, name: str) -> str:
    if base == "?":
        return "?"
    if base == _PATH and name == "parent":
        return base
    if name in ("__call__", "__func__", "__self__"):
        return base
    # Modules that other modules have imported: logging.os, random._os, torch.sys.modules.
    passed = name.lstrip("_")
    return passed if passed in _PASSED_ON and base not in ("concurrent", "asyncio") else f"{base}.{name}"


def _joined(parts: list[str | bytes | None], between: str = "") -> str | bytes | None:
    texts = [each for each in parts if isinstance(each, str)]
    if len(texts) == len(parts) and sum(map(len, texts)) + len(between) * len(parts) < _LONGEST:
        return between.join(texts)
    raw = [each for each in parts if isinstance(each, bytes)]
    return b"".join(raw) if raw and len(raw) == len(parts) and sum(map(len, raw)) < _LONGEST else None


def _runs(name: str | None) -> bool:
    return name is not None and (name in HOSTS or acts().get(name) in _HELD)
