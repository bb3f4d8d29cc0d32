"""What Python source does when it is imported, found by walking its syntax tree.

Whatever runs on import is followed: the module's statements, class bodies, decorators,
default values, and the file's own functions that these call.
"""

import ast
from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlgate.checks.models.configs._python_acts import PASSED, Acts
from mlgate.checks.models.configs._python_entries import REGISTRIES
from mlgate.checks.models.configs._python_names import HOSTS, Names, act_of
from mlgate.checks.models.configs._python_parts import (
    climbs,
    expressions,
    fate,
    is_property,
    keys,
    opens,
    own_name,
    returned,
    starts,
    temporary,
    usual,
)
from mlgate.checks.models.configs._python_tree import Effect, branches, parsed, parsed_text
from mlgate.checks.models.configs._python_words import heavy, telling
from mlgate.checks.models.reader import Clock

_NESTED = 3
# Values of a list that is looped over.
_MOST_VALUES = 100
# Methods that Python itself calls on what is handed to it: threads, importers, log handlers.
_HOOKS = frozenset(
    (
        "run",
        "find_spec",
        "find_module",
        "load_module",
        "exec_module",
        "create_module",
        "emit",
        "write",
        "_missing_",
    )
)  # fmt: skip
_OPENING = frozenset(
    (
        "builtins.open",
        "io.open",
        "io.FileIO",
        "codecs.open",
        "gzip.open",
        "bz2.open",
        "lzma.open",
        "tarfile.open",
        "zipfile.ZipFile",
    )
)
_WRITING = ("O_CREAT", "O_WRONLY", "O_RDWR", "O_APPEND", "O_TRUNC")
# Commands of a build, whose classes a `setup.py` derives its own from, and what of them is run.
_BUILD_COMMANDS = ("setuptools.command.", "setuptools.Command", "distutils.c", "wheel.bdist_wheel.")
_BUILD_STEPS = ("run", "initialize_options", "finalize_options", "build_extension", "build_extensions")
_BUILDERS = ("GeneratorBasedBuilder", "ArrowBasedBuilder", "BeamBasedBuilder", "DatasetBuilder")
# What loaders and runtimes call on classes and modules of a model.
_CALLED = frozenset(
    (
        "__init__", "__new__", "__setstate__", "__post_init__", "__call__", "__del__", "from_pretrained",
        "forward", "initialize", "handle", "preprocess", "inference", "postprocess", "_info", "setup",
        "_split_generators", "_generate_examples", "_generate_tables", "load_context",
        "predict", "load_model", "load", "model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn",
        "_load_pretrained_model", "_init_weights", "from_config", "__getattr__", "_sanitize_parameters",
        "_forward", "_compute", "_download_and_prepare",
        "_load_pyfunc",
    )
)  # fmt: skip
# Methods of runtimes that load a library of operators, whatever their owner is called.
_LIBRARIES = frozenset(("register_custom_ops_library", "add_extension", "load_op_library"))
# What these hold is run by every process that is started later.
_PRELOADS = frozenset(
    (
        "LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PYTHONSTARTUP", "PYTHONPATH", "PYTHONHOME",
        "BASH_ENV", "GCONV_PATH",
    )
)  # fmt: skip


class Source(Struct, frozen=True):
    """What was found in a file.

    Attributes:
        effects: In the order in which they were found, at most some hundreds.
        builders: Classes derived from those of ``datasets``, with their lines.
        unread: Line of the first piece that could do more than compute, and is too long or nested
            too deep to be judged.
    """

    effects: tuple[Effect, ...]
    builders: tuple[tuple[str, int], ...] = ()
    unread: int | None = None


def analyse(tree: ast.Module, clock: Clock, *, offers: bool = False) -> Source:
    """Find what a module does, in time linear in its size.

    Args:
        tree: Of the module.
        clock: Of the file.
        offers: True where a loader calls whatever function it is asked for.
    """
    analysis = _Analysis(clock)
    analysis.module(tree, offers=offers)
    return Source(tuple(analysis.effects), tuple(analysis.builders))


def analyse_parts(parts: Iterable[tuple[str, int]], clock: Clock) -> Source:
    """Find what pieces of source do that are run one after the other, in one scope.

    Args:
        parts: Each with the line that it stands in.
        clock: Of the file.
    """
    analysis = _Analysis(clock)
    unread = analysis.parts(parts)
    return Source(tuple(analysis.effects), unread=unread)


class _Analysis(Acts):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.builders: list[tuple[str, int]] = []
        self._clock = clock
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._methods: dict[str, dict[str, ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self._bases: dict[str, list[str]] = {}
        self._shared: set[str] = set()
        self._done: set[int] = set()
        # Of each function the scope that it stands in: its names are looked up there, whoever calls it.
        self._scopes: dict[int, Names] = {}
        self._waiting: list[tuple[list[ast.stmt], Names]] = []
        self._by_name: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self._registered: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Names]] = []
        self._nested = 0
        self._inside = False

    def module(self, tree: ast.Module, *, offers: bool) -> None:
        names = Names()
        for each in ast.walk(tree):
            # Functions give these other values, before or after they are looked at.
            if isinstance(each, ast.Global):
                names.shares(each.names)
                self._shared.update(each.names)
        self._made.update(temporary(tree))
        self._run(tree.body, names)
        if "__getattr__" in self._functions:
            # Asked for whatever another module imports from this one.
            self._enter(self._functions["__getattr__"], names)
        self._follow()
        self._where = "load"
        for registered, scope in self._registered:
            self._enter(registered, scope, twice=True)
        for methods in self._methods.values():
            for name, method in methods.items():
                if name in _CALLED:
                    self._enter(method, names)
        for name, function in self._functions.items():
            if name in _CALLED or offers:
                self._enter(function, names)
        self._follow()

    def parts(self, parts: Iterable[tuple[str, int]]) -> int | None:
        names = Names()
        unread: int | None = None
        for text, line in parts:
            # As bytes, lines that no Python reads are left out, and not the part.
            data = text.encode("utf-8", "replace")
            deep, tree = heavy(data), None
            try:
                tree = None if deep else parsed(data)[0]
            except (RecursionError, MemoryError):
                deep = True
            if deep and unread is None and telling(data):
                unread = line
            if tree is not None:
                self._line = line
                self._run(tree.body, names)
                self._follow()
        return unread

    def _follow(self) -> None:
        while self._waiting:
            self._run(*self._waiting.pop())

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
        if twice:
            # These wait until what is around them has been looked at.
            for given in returned(function):
                self._enter(given, inner)
        self._waiting.append((function.body, inner))

    def _run(self, body: list[ast.stmt], names: Names) -> None:
        """Walk statements in order, and what is within them that runs with them."""
        stack: list[Iterator[ast.stmt]] = [iter(body)]
        while stack:
            self._clock.check()
            # What stands within another statement may never run.
            self._inside = len(stack) > 1
            statement = next(stack[-1], None)
            if statement is None:
                stack.pop()
                continue
            stack.extend(map(iter, self._statement(statement, names)))

    def _statement(self, node: ast.stmt, names: Names) -> Iterator[list[ast.stmt]]:
        """Look at one statement, and yield the blocks that run with it, last first."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names.imports(node)
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._functions[node.name] = node
            self._scopes[id(node)] = names
            if not self._inside:
                names.forgets(node.name)
            for decorator in node.decorator_list:
                self._decorates(decorator, names)
            if any((names.resolve(_bare(each)) or "").startswith(REGISTRIES) for each in node.decorator_list):
                self._registered.append((node, names))
            self._defaults(node, names)
            arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            for note in (*(each.annotation for each in arguments), node.returns):
                if note is not None:
                    self._expression(note, names)
            if any(names.resolve(each) == "atexit.register" for each in node.decorator_list):
                self._enter(node, names)
            return
        if isinstance(node, ast.ClassDef):
            yield from self._class(node, names)
            return
        if isinstance(node, ast.Return) and node.value is not None:
            resolved = names.resolve(node.value)
            if self._runs(resolved) and not isinstance(node.value, ast.Call):
                self._note(resolved or "", "executes", node)
        elif isinstance(node, ast.Delete):
            for each in node.targets:
                if isinstance(each, ast.Name):
                    names.restores(each.id)
        for part in expressions(node):
            self._expression(part, names)
        for item in getattr(node, "items", ()):
            if isinstance(item.optional_vars, ast.Name):
                self._bind(item.optional_vars, item.context_expr, names)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._bind(target, node.value, names)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            whole = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
            names.assigns(node.target.id, ast.copy_location(whole, node), again=not self._inside)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            names.unsure(node.target)
            for name in filter(None, (getattr(each, "id", None) for each in ast.walk(node.target))):
                names.fates[name] = fate(node.iter, names, self._made)
            self._each(node, names)
        if isinstance(node, ast.If):
            yield from branches(node)
            return
        for field in ("finalbody", "orelse", "body"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                yield block
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield part.body

    def _each(self, node: ast.For | ast.AsyncFor, names: Names) -> None:
        """Have the name of a loop over values that are written out stand for the gravest of them."""
        if not isinstance(node.target, ast.Name) or not isinstance(node.iter, (ast.List, ast.Tuple, ast.Set)):
            return
        values = node.iter.elts[:_MOST_VALUES]
        grave = [
            each
            for each in values
            if names.constant(each) in HOSTS
            or names.resolve(each) in HOSTS
            or self._runs(names.resolve(each))
        ]
        for value in grave[:1]:
            names.assigns(node.target.id, value, again=True)

    def _defaults(self, node: ast.FunctionDef | ast.AsyncFunctionDef, names: Names) -> None:
        """Look at default values: a command among them is there to be called by another name."""
        for each in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self._expression(each, names)
            resolved = names.resolve(each)
            if self._runs(resolved) and not isinstance(each, ast.Call):
                self._note(resolved or "", "executes", each)

    def _decorates(self, decorator: ast.expr, names: Names) -> None:
        """Look at a decorator, which is called, as is what a call in its place gives."""
        self._called(decorator, decorator, names)
        self._expression(decorator, names)

    def _class(self, node: ast.ClassDef, names: Names) -> Iterator[list[ast.stmt]]:
        if not self._inside:
            names.forgets(node.name)
        for each in node.decorator_list:
            self._decorates(each, names)
        for each in (*node.bases, *(keyword.value for keyword in node.keywords)):
            self._expression(each, names)
        for base in node.bases:
            resolved = names.resolve(base) or ""
            if resolved.startswith("datasets.") and resolved.endswith(_BUILDERS):
                self.builders.append((node.name, node.lineno))
            if resolved.startswith(_BUILD_COMMANDS):
                for step in node.body:
                    if isinstance(step, ast.FunctionDef) and step.name in _BUILD_STEPS:
                        self._enter(step, names)
        self._bases[node.name] = [
            each.id
            for each in (*node.bases, *(key.value for key in node.keywords))
            if isinstance(each, ast.Name)
        ]
        self._methods[node.name] = {
            each.name: each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        for name, method in self._methods[node.name].items():
            self._by_name.setdefault(name, []).append(method)
            self._scopes[id(method)] = names
        for statement in node.body:
            # A method that is a command: nobody need call it by name.
            if isinstance(statement, ast.Assign) and self._runs(names.resolve(statement.value)):
                self._note(names.resolve(statement.value) or "", "executes", statement)
            elif isinstance(statement, ast.Assign) and names.resolve(statement.value) in PASSED:
                self._note(names.resolve(statement.value) or "", "imports", statement)
            elif isinstance(statement, (ast.Assign, ast.Expr)) and isinstance(statement.value, ast.Call):
                # While a class is made its methods are plain functions.
                called = getattr(statement.value.func, "id", "")
                if called in self._methods[node.name]:
                    self._enter(self._methods[node.name][called], names)
        yield [each for each in node.body if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
        # Making a class calls these of its bases and of its metaclass.
        for parent in self._bases[node.name]:
            for hook in ("__init_subclass__", "__new__", "__init__", "__prepare__", "__call__"):
                made = hook == "__init_subclass__" or "type" in self._bases.get(parent, ())
                if made and hook in self._methods.get(parent, ()):
                    self._enter(self._methods[parent][hook], names)
        # Their decorators and default values run, and their bodies wait.
        for method in self._methods[node.name].values():
            for part in method.decorator_list:
                self._expression(part, names)
            self._defaults(method, names)

    def _bind(self, target: ast.expr, value: ast.expr, names: Names) -> None:
        resolved = names.resolve(value)
        if isinstance(target, ast.Name):
            if target.id in self._shared and self._runs(resolved):
                self._note(resolved or "", "executes", value)
            names.assigns(target.id, value)
            origin = self._origin(value, names)
            names.tainted[target.id] = origin
            self._owns(target.id, value, names)
        elif isinstance(target, (ast.Attribute, ast.Subscript)) and self._runs(resolved):
            self._note(resolved or "", "executes", value)
        elif isinstance(target, ast.Subscript) and names.resolve(target.value) == "os.environ":
            if names.constant(target.slice) in _PRELOADS:
                self._note("os.environ", "environment", value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Call):
            for each in target.elts:
                if isinstance(each, ast.Name):
                    names.fates[each.id] = fate(value, names, self._made)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=False):
                if isinstance(one, ast.Name):
                    names.assigns(one.id, other)

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
        own = own_name(function)
        if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in ("self", "cls"):
            # Of one class or another: each is entered once.
            for method in self._by_name.pop(function.attr, ()):
                self._enter(method, names)
        if own is not None:
            self._own_called(own, names, twice=node is function)
        elif isinstance(function, ast.Call) and isinstance(function.func, ast.Name):
            self._own_called((function.func.id, ""), names, twice=True)
        resolved = names.resolve(function)
        if isinstance(function, ast.Attribute) and function.attr in _LIBRARIES and arguments:
            self._note(function.attr, "native", node)
        if isinstance(function, ast.Attribute) and function.attr == "__subclasses__" and climbs(function):
            self._note("__subclasses__", "imports", node)
        for each in arguments:
            # Handed to what calls it in its turn: a thread, map, atexit.
            named = isinstance(each, (ast.Name, ast.Attribute, ast.Call, ast.Subscript))
            passed = names.resolve(each) if named else None
            harmless = resolved in ("builtins.getattr", "builtins.print", "builtins.type")
            if passed is not None and not isinstance(each, ast.Call) and self._runs(passed) and not harmless:
                self._note(passed, "executes", node)
            if isinstance(each, ast.Name) and each.id in self._functions:
                self._own_called((each.id, ""), names)
        if resolved is None:
            return
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
        elif act == "network" and any(self._tells(each, names) for each in arguments):
            self._note(resolved, act, node, "secrets")
        elif act is not None and act != "decodes":
            self._note(
                resolved,
                act,
                node,
                " ".join(filter(None, (self._origin(each, names) for each in arguments[:1]))),
            )
        elif resolved in _OPENING and isinstance(node, ast.Call):
            how = opens(node, names)
            if how is not None:
                self._note("open", how, node)
                self._opened(node, names)
        elif resolved == "os.open" and any(flag in ast.unparse(node) for flag in _WRITING):
            self._note(resolved, "changes", node)
        elif resolved in ("os.environ.update", "os.environ.setdefault", "os.putenv") and any(
            names.constant(each) in _PRELOADS for each in keys(arguments[:1])
        ):
            self._note("os.environ", "environment", node)

    def _own_called(self, own: tuple[str, str], names: Names, *, twice: bool = False) -> None:
        name, method = own
        if name in self._functions and not method:
            self._enter(self._functions[name], names, twice=twice)
        waiting, seen = [name], set[str]()
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            seen.add(each)
            waiting += self._bases.get(each, ())
            for called, body in self._methods.get(each, {}).items():
                special = called.startswith("__") and called.endswith("__")
                if special or called in _HOOKS or called == method or is_property(body):
                    self._enter(body, names)

    def _evaluated(self, subject: str, arguments: list[ast.expr], node: ast.expr, names: Names) -> None:
        if not arguments:
            return
        text = names.constant(arguments[0])
        code = arguments[0]
        if isinstance(code, ast.Call) and names.resolve(code.func) == "builtins.compile" and code.args:
            text = names.constant(code.args[0])
        if text is None:
            self._note(subject, "evaluates", node, self._origin(arguments[0], names))
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


def _bare(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator
