"""What calls in Python source do, and where they lead: into the file's own code, and into other files."""

import ast
import builtins
import sys

from mlgate.checks.models.configs._effects import act_of
from mlgate.checks.models.configs._python_acts import Acts
from mlgate.checks.models.configs._python_names import HOSTS, Names
from mlgate.checks.models.configs._python_parts import (
    climbs,
    fate,
    is_property,
    is_spelled,
    keys,
    opens,
    own_name,
    posts,
    returned,
    starts,
    usual,
)
from mlgate.checks.models.configs._python_tree import parsed_text
from mlgate.checks.models.reader import Clock, LimitReached

_SETTING = frozenset(("os.environ.update", "os.environ.setdefault", "os.putenv"))
# The method of a class that runs when another is derived from it.
ON_DERIVING = "__init_subclass__"
_NESTED = 3
# Calls from one function to another; what has more is written by a program.
_MOST_CALLS = 20_000
# No file lies so deep.
_LONGEST_PATH = 4096
# Methods that Python itself calls on what is handed to it: threads, importers, log handlers.
_IMPORTERS = frozenset(("find_spec", "find_module", "load_module", "exec_module", "create_module"))
_HOOKS = _IMPORTERS | frozenset(("run", "emit", "write", "_missing_"))
_OPENING = frozenset(
    (
        "builtins.open", "io.open", "io.FileIO", "codecs.open", "gzip.open", "bz2.open", "lzma.open",
        "tarfile.open", "zipfile.ZipFile",
    )
)  # fmt: skip
_WRITING = ("O_CREAT", "O_WRONLY", "O_RDWR", "O_APPEND", "O_TRUNC")
# Where programs fetch packages, models and answers from, and what they take for a certificate.
_REDIRECTS = frozenset(
    (
        "HF_ENDPOINT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY",
        "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "OPENAI_BASE_URL", "OPENAI_API_BASE",
        "ANTHROPIC_BASE_URL", "MLFLOW_TRACKING_URI", "WANDB_BASE_URL",
    )
)  # fmt: skip
_MIRRORS = ("https://hf-mirror.com", "https://huggingface.co", "http://localhost", "https://pypi.org/")
# Functions of Python's own that are replaced for no harm: gettext's, and what prints.
_REPLACED = frozenset(("builtins.print", "builtins._", "builtins.input"))
# Methods of runtimes that load a library of operators, whatever their owner is called.
_LIBRARIES = frozenset(("register_custom_ops_library", "add_extension", "load_op_library"))
# What these hold is run by every process that is started later.
_PRELOADS = frozenset(
    (
        "LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PYTHONSTARTUP", "PYTHONPATH", "PYTHONHOME",
        "BASH_ENV", "GCONV_PATH",
    )
)  # fmt: skip


class Calls(Acts):
    """Follows the calls in expressions.

    Attributes:
        calls: Pairs of a caller and a callee, which are functions and classes of this file by their
            names. The caller is "" where the import calls, and "load" where a loader does; the callee
            begins with a dot, as in ``.utils.setup``, where it stands in another file.

    Args:
        clock: Of the file.
        absolute: True where the file's folder is on the search path.
    """

    def __init__(self, clock: Clock, *, absolute: bool = False) -> None:
        super().__init__()
        self._absolute = absolute
        # Functions that take the place of a library's.
        self.replacing: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Names]] = []
        # Files of the package that this one imports all names from.
        self._stars: set[str] = set()
        self.calls: set[tuple[str, str]] = set()
        self._clock = clock
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._methods: dict[str, dict[str, ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self._bases: dict[str, list[str]] = {}
        self._shared: set[str] = set()
        self._done: set[int] = set()
        # Classes whose special methods, and this one, have been entered, and those of their bases.
        self._walked: dict[str, set[str]] = {}
        # Of each function the scope that it stands in: its names are looked up there, whoever calls it.
        self._scopes: dict[int, Names] = {}
        self._waiting: list[tuple[list[ast.stmt], Names]] = []
        self._by_name: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self._nested = 0
        self._inside = False

    def _run(self, body: list[ast.stmt], names: Names) -> None:
        """Walk statements in order, and what is within them that runs with them."""
        raise NotImplementedError

    def _reaches(self, callee: str) -> None:
        if len(callee) > _LONGEST_PATH:
            return
        caller = self._owner if self._owner is not None else "" if self._where == "import" else "load"
        self.calls.add((caller, callee))
        if len(self.calls) > _MOST_CALLS:
            raise LimitReached("facts")

    def _enter(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, names: Names, *, twice: bool = False
    ) -> None:
        """Have a function's body looked at, once.

        Args:
            function: That is called.
            names: Of the scope around it, where it has not been come by yet.
            twice: True where what it returns is called too, as of ``@decorator(1)``.
        """
        if id(function) in self._done:
            return
        self._done.add(id(function))
        inner = Names(self._scopes.get(id(function), names))
        inner.unsure(function.args)
        for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
            inner.forgets(each.arg)
            inner.fates[each.arg] = "" if each.arg in ("self", "cls") else "given"
        for more in filter(None, (function.args.vararg, function.args.kwarg)):
            inner.fates[more.arg] = "given"
        if twice:
            # These wait until what is around them has been looked at.
            for given in returned(function):
                self._enter(given, inner)
        self._waiting.append((function.body, inner))

    def _bind(self, target: ast.expr, value: ast.expr, names: Names) -> None:
        resolved = names.resolve(value)
        if isinstance(target, ast.Name):
            if target.id in self._shared and self._runs(resolved):
                self._note(resolved or "", "executes", value)
            names.assigns(target.id, value)
            self._renames(target.id, value, resolved)
            origin = self._origin(value, names)
            names.tainted[target.id] = origin
            self._owns(target.id, value, names)
        elif isinstance(target, (ast.Attribute, ast.Subscript)) and self._runs(resolved):
            self._note(resolved or "", "executes", value)
        elif isinstance(target, ast.Attribute):
            self._replaces(target, value, names)
        elif isinstance(target, ast.Subscript) and names.resolve(target.value) == "os.environ":
            self._sets(target.slice, value, names)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Call):
            for each in target.elts:
                if isinstance(each, ast.Name):
                    names.fates[each.id] = fate(value, names, self._made)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=False):
                if isinstance(one, ast.Name):
                    names.assigns(one.id, other)

    def _replaces(self, target: ast.Attribute, value: ast.expr, names: Names) -> None:
        """Note a function of Python's own that is replaced; what replaces one of a library may be called."""
        resolved = names.resolve(target) or ""
        if resolved.startswith("builtins.") and resolved not in _REPLACED:
            self._note(resolved, "replaces", target)
        own = self._functions.get(value.id) if isinstance(value, ast.Name) else None
        if own is not None and resolved and not resolved.startswith(".") and self._owner is None:
            self.replacing.append((own, names))

    def _sets(self, key: ast.expr, value: ast.expr, names: Names) -> None:
        """Note what of the environment is set that decides what runs, or where things come from."""
        name, text = names.constant(key), names.constant(value)
        if name in _PRELOADS:
            self._note("os.environ", "environment", value)
        elif name in _REDIRECTS and isinstance(text, str) and "://" in text and not text.startswith(_MIRRORS):
            self._note(f"os.environ[{name!r}]", "redirects", value)

    def _renames(self, name: str, value: ast.expr, resolved: str | None) -> None:
        """Note that who calls a name calls what it is another name for."""
        if isinstance(value, ast.Name) and (value.id in self._functions or value.id in self._methods):
            self.calls.add((name, value.id))
        elif resolved is not None and resolved.startswith(".") and len(resolved) <= _LONGEST_PATH:
            self.calls.add((name, resolved))

    def _owns(self, name: str, value: ast.expr, names: Names) -> None:
        """Note whose the path is, or what the command is, that a name is given."""
        if isinstance(value, ast.Constant) and value.value is None:
            return
        listed = not isinstance(value, ast.Call) and usual(value, names)
        whose = "usual" if listed else fate(value, names, self._made)
        whose = "starts" if not listed and starts(value, names) else whose
        # Of two values, either may be the one.
        known = names.fates.get(name, whose)
        if "starts" in (known, whose):
            names.fates[name] = "starts"
        else:
            names.fates[name] = whose if not self._inside or known == whose else ""

    def _expression(self, root: ast.expr, names: Names) -> None:
        """Look at every call in an expression. A lambda is taken to be called: it is for that."""
        stack: list[ast.AST] = [root]
        # What is only a step on the way to something else.
        steps: set[int] = set()
        while stack:
            node = stack.pop()
            if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
                self._value(node, names, steps)
            if isinstance(node, ast.Lambda):
                names.unsure(node.args)
            elif isinstance(node, ast.comprehension):
                names.unsure(node.target)
            elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                self._own_called((node.value.id, "[]"), names)
            if isinstance(node, ast.NamedExpr):
                self._bind(node.target, node.value, names)
            if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
                self._kept(node, names)
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Lambda):
                    stack.append(node.func.body)
                self._called(node.func, node, names)
            # In the order in which they are evaluated: what one binds, the next may call.
            parts = sorted(
                ast.iter_child_nodes(node), key=lambda each: not isinstance(each, ast.comprehension)
            )
            stack.extend(reversed(parts))

    def _called(self, function: ast.expr, node: ast.expr, names: Names) -> None:
        """Note what calling an expression does."""
        arguments = (
            [*node.args, *(each.value for each in node.keywords)] if isinstance(node, ast.Call) else []
        )
        self._follows(function, node, names)
        resolved = names.resolve(function)
        if isinstance(function, ast.Attribute) and function.attr in _LIBRARIES and arguments:
            self._note(function.attr, "native", node)
        if isinstance(function, ast.Attribute) and function.attr == "__subclasses__" and climbs(function):
            self._note("__subclasses__", "imports", node)
        self._passed(resolved, arguments, node, names)
        if resolved is None:
            if isinstance(function, ast.Name) and self._stars:
                self._from_elsewhere(function.id)
            return
        self._elsewhere(resolved)
        base = resolved.rpartition(".")[0]
        if resolved == "?" or (resolved.endswith(".?") and base in HOSTS):
            self._note(resolved, "imports", node)
            return
        act = act_of(resolved, self._table)
        if act == "evaluates":
            self._evaluated(resolved, arguments, node, names)
        elif resolved in ("yaml.load", "yaml.load_all") and "Safe" in ast.unparse(node):
            return
        elif act == "changes" and isinstance(function, ast.expr):
            self._changed(resolved, function, arguments, node, names)
        elif act == "executes" and usual(node, names):
            self._note(resolved, act, node, "usual")
        elif act in ("network", "sends") and any(self._tells(each, names) for each in arguments):
            self._note(resolved, "network", node, "secrets")
        elif act in ("network", "sends") and isinstance(node, ast.Call) and posts(resolved, node):
            self._note(resolved, "network", node, "posts")
        elif act is not None and act not in ("decodes", "sends"):
            # C takes bytes, whoever calls it.
            of_c = resolved.startswith("ctypes.CDLL.")
            origin = self._origin(arguments[0], names) if arguments and not of_c else ""
            # Nobody puts the name of a function together who means it to be read.
            hidden = act == "executes" and is_spelled(function, names)
            self._note(resolved, act, node, origin or ("decoded" if hidden else ""))
        elif isinstance(node, ast.Call):
            self._uses_files(resolved, node, names)

    def _elsewhere(self, resolved: str | None, name: str = "") -> None:
        """Note a call of what stands in another file, or of a method of it."""
        if resolved is None:
            return
        more = f".{name}" if name else ""
        if resolved.startswith("."):
            self._reaches(f"{resolved}{more}")
        elif self._absolute and resolved.partition(".")[0] not in sys.stdlib_module_names:
            self._reaches(f".{resolved}{more}")

    def _from_elsewhere(self, name: str) -> None:
        """Note a call of what one of the files may define whose names are all imported."""
        if name not in self._functions and name not in self._methods and not hasattr(builtins, name):
            for module in self._stars:
                self._reaches(f"{module}.{name}")

    def _follows(self, function: ast.expr, node: ast.expr, names: Names) -> None:
        """Enter the file's own code that a call leads to."""
        own = own_name(function)
        if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in ("self", "cls"):
            # Of one class or another: each is entered once.
            for method in self._by_name.pop(function.attr, ()) if self._owner is None else ():
                self._enter(method, names)
        if own is not None:
            self._own_called(own, names, twice=node is function)
        elif isinstance(function, ast.Call) and isinstance(function.func, ast.Name):
            self._own_called((function.func.id, ""), names, twice=True)

    def _passed(self, resolved: str | None, arguments: list[ast.expr], node: ast.expr, names: Names) -> None:
        """Note what is handed to something that calls it in its turn: a thread, map, atexit."""
        for each in arguments:
            named = isinstance(each, (ast.Name, ast.Attribute, ast.Call, ast.Subscript))
            passed = names.resolve(each) if named else None
            harmless = resolved in ("builtins.getattr", "builtins.print", "builtins.type")
            if passed is not None and not isinstance(each, ast.Call) and self._runs(passed) and not harmless:
                self._note(passed, "executes", node)
            self._elsewhere(passed)
            if not isinstance(each, ast.Name):
                continue
            if each.id in self._functions:
                self._own_called((each.id, ""), names)
            # A class may stand in the list of importers as an instance may.
            for name, method in self._methods.get(each.id, {}).items():
                if name in _IMPORTERS and self._owner is None:
                    self._enter(method, names)

    def _uses_files(self, resolved: str, node: ast.Call, names: Names) -> None:
        """Note files that are opened to be written, and what of the environment is set."""
        if resolved in _OPENING:
            how = opens(node, names)
            if how is not None:
                self._note("open", how, node)
                self._opened(node, names)
        elif resolved == "os.open" and any(flag in ast.unparse(node) for flag in _WRITING):
            self._note(resolved, "changes", node)
        elif resolved in _SETTING and any(names.constant(each) in _PRELOADS for each in keys(node.args[:1])):
            self._note("os.environ", "environment", node)

    def _own_called(self, own: tuple[str, str], names: Names, *, twice: bool = False) -> None:
        name, method = own
        if name in self._functions or name in self._methods:
            self._reaches(name)
        if self._owner is not None:
            return
        if name in self._functions and not method:
            self._enter(self._functions[name], names, twice=twice)
        waiting = [name]
        while waiting:
            each = waiting.pop()
            if method in self._walked.setdefault(each, set()):
                continue
            self._walked[each].add(method)
            waiting += self._bases.get(each, ())
            for called, body in self._methods.get(each, {}).items():
                special = called.startswith("__") and called.endswith("__")
                if special or called in _HOOKS or called == method or is_property(body):
                    self._enter(body, names)

    def _evaluated(self, subject: str, arguments: list[ast.expr], node: ast.expr, names: Names) -> None:
        if not arguments:
            return
        if isinstance(getattr(arguments[0], "value", None), (int, float)) and not subject.startswith(
            "builtins."
        ):
            return  # a number, which sympy makes one of its own of
        text = names.constant(arguments[0])
        code = arguments[0]
        if isinstance(code, ast.Call) and names.resolve(code.func) == "builtins.compile" and code.args:
            text = names.constant(code.args[0])
        if text is None:
            origin = self._origin(arguments[0], names)
            self._note(subject, "evaluates", node, origin or fate(arguments[0], names, self._made))
            return
        if self._nested >= _NESTED or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            # What is wrapped so often, or called by a roundabout name, is meant to be hidden.
            self._note(subject, "evaluates", node)
        tree = parsed_text(text) if self._nested < _NESTED else None
        if tree is not None:
            line, self._line, self._nested = self._line, self._line or node.lineno, self._nested + 1
            # What it binds is bound here.
            self._run(tree.body, names)
            self._line, self._nested = line, self._nested - 1
