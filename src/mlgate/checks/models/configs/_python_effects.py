"""What Python source does when it is imported, found by walking its syntax tree.

Whatever runs on import is followed: the module's statements, class bodies, decorators,
default values, and the file's own functions that these call.
"""

import ast
from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlgate.checks.models.configs._python_acts import PASSED
from mlgate.checks.models.configs._python_calls import ON_DERIVING, Calls
from mlgate.checks.models.configs._python_entries import REGISTRIES
from mlgate.checks.models.configs._python_names import HOSTS, Names
from mlgate.checks.models.configs._python_parts import (
    expressions,
    fate,
    is_property,
    temporary,
)
from mlgate.checks.models.configs._python_tree import Effect, branches, parsed
from mlgate.checks.models.configs._python_words import heavy, telling
from mlgate.checks.models.reader import Clock

# Values of a list that is looped over.
_MOST_VALUES = 100
# No file lies so deep.
_LONGEST_MODULE = 4096
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
        "_load_pyfunc", "get_vocab", "tokenize", "_tokenize", "_convert_token_to_id", "_convert_id_to_token",
        "convert_tokens_to_string", "from_dict", "from_json_file", "to_dict", "get_config_dict",
        "_from_config", "prepare_inputs_for_generation",
    )
)  # fmt: skip


class Source(Struct, frozen=True):
    """What was found in a file.

    Attributes:
        effects: In the order in which they were found, at most some hundreds.
        builders: Classes derived from those of ``datasets``, with their lines.
        unread: Line of the first piece that could do more than compute, and is too long or nested
            too deep to be judged.
        calls: See :class:`Calls`.
    """

    effects: tuple[Effect, ...]
    builders: tuple[tuple[str, int], ...] = ()
    unread: int | None = None
    calls: tuple[tuple[str, str], ...] = ()


def analyse(tree: ast.Module, clock: Clock, *, offers: bool = False, absolute: bool = False) -> Source:
    """Find what a module does, in time linear in its size.

    Args:
        tree: Of the module.
        clock: Of the file.
        offers: True where a loader calls whatever function it is asked for.
        absolute: True where the file's folder is on the search path, so that plain imports count.
    """
    analysis = _Analysis(clock, absolute=absolute)
    analysis.module(tree, offers=offers)
    return Source(tuple(analysis.effects), tuple(analysis.builders), calls=tuple(sorted(analysis.calls)))


def analyse_parts(parts: Iterable[tuple[str, int]], clock: Clock) -> Source:
    """Find what pieces of source do that are run one after the other, in one scope.

    Args:
        parts: Each with the line that it stands in.
        clock: Of the file.
    """
    analysis = _Analysis(clock)
    unread = analysis.parts(parts)
    return Source(tuple(analysis.effects), unread=unread)


class _Analysis(Calls):
    def __init__(self, clock: Clock, *, absolute: bool = False) -> None:
        super().__init__(clock, absolute=absolute)
        self.builders: list[tuple[str, int]] = []
        self._registered: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Names]] = []

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
        for function, scope in self.replacing:
            self._enter(function, scope)
        for methods in self._methods.values():
            for name, method in methods.items():
                if name in _CALLED or is_property(method):
                    self._enter(method, names)
        for name, function in self._functions.items():
            if name in _CALLED or offers:
                self._enter(function, names)
        self._follow()
        self._offered(names)

    def _offered(self, names: Names) -> None:
        """Look at each function and class by itself: another file may call it."""
        self._where = "function"
        looked_at: set[int] = set()
        found = True
        while found:
            found = False
            functions = {name: [function] for name, function in self._functions.items()}
            classes = {name: list(methods.values()) for name, methods in self._methods.items()}
            derived = {
                f"{name}.{ON_DERIVING}": [methods[ON_DERIVING]]
                for name, methods in self._methods.items()
                if ON_DERIVING in methods
            }
            for name, bodies in (*derived.items(), *functions.items(), *classes.items()):
                self._owner = name
                for body in bodies:
                    if id(body) not in looked_at:
                        # Functions within functions come to light only now.
                        found = True
                        looked_at.add(id(body))
                        self._done.discard(id(body))
                        self._enter(body, names)
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
            if isinstance(node, ast.ImportFrom) and node.level:
                self._imports_inner(node)
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

    def _imports_inner(self, node: ast.ImportFrom) -> None:
        """Note what comes from another file of the package: who calls it here calls it there."""
        module = "." * node.level + (node.module or "")
        for each in node.names:
            if each.name == "*":
                self._stars.add(module)
            elif len(module) < _LONGEST_MODULE:
                there = f"{module}.{each.name}" if node.module else f"{module}{each.name}"
                self.calls.add((each.asname or each.name, there))

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
            self._elsewhere(names.resolve(base), ON_DERIVING)
        for keyword in node.keywords:
            if keyword.arg == "metaclass":
                self._elsewhere(names.resolve(keyword.value))
        self._bases[node.name] = [
            each.id
            for each in (*node.bases, *(key.value for key in node.keywords))
            if isinstance(each, ast.Name)
        ]
        self._methods[node.name] = {
            each.name: each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        self._walked.pop(node.name, None)
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


def _bare(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator
