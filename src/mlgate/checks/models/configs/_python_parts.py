"""Parts of Python's syntax tree: what of a statement runs with it, and what a call is given."""

import ast
from collections.abc import Container, Iterator

from mlgate.checks.models.configs._python_names import Names

_STARTUP = (
    ".bashrc", ".zshrc", ".profile", ".bash_profile", "authorized_keys", "crontab", "/etc/", "sitecustomize",
    ".ipython/profile", "usercustomize", "autostart", "systemd", "LaunchAgents", "Startup",
)  # fmt: skip
# Replicate's models fetch their weights with pget.
_USUAL = ("ffmpeg", "ffprobe", "nvidia-smi", "pget")
_LOOKED_AT = 500
_TEMPORARY = ("NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile", "mkdtemp", "mktemp")


def expressions(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions of a statement that are evaluated when it runs, without those in its blocks."""
    whole = isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(
        node.value, (ast.Name, ast.Attribute)
    )
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            # A second name for something is followed where it is used.
            if not (whole and child is getattr(node, "value", None) and _is_plain(node)):
                yield child
        elif isinstance(child, ast.withitem):
            yield child.context_expr
        elif isinstance(child, ast.ExceptHandler) and child.type is not None:
            yield child.type
        elif isinstance(child, ast.match_case):
            yield from (each for each in ast.walk(child.pattern) if isinstance(each, ast.expr))
            if child.guard is not None:
                yield child.guard


def _is_plain(node: ast.stmt) -> bool:
    """Say whether an assignment binds nothing but names."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return all(isinstance(each, ast.Name) for each in targets)


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether a method runs when it is merely looked up."""
    return any("property" in ast.unparse(each) for each in function.decorator_list)


def returned(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions within a function that it returns."""
    names = {
        each.value.id
        for each in function.body
        if isinstance(each, ast.Return) and isinstance(each.value, ast.Name)
    }
    for each in function.body:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each.name in names:
            yield each


def climbs(function: ast.Attribute) -> bool:
    """Say whether a class is reached by way of an object's ancestors, as nobody need."""
    owner = function.value.value if isinstance(function.value, ast.Subscript) else function.value
    if isinstance(owner, ast.Name):
        return owner.id in ("object", "type")
    return isinstance(owner, ast.Attribute) and owner.attr in ("__base__", "__bases__", "__mro__")


def own_name(function: ast.expr) -> tuple[str, str] | None:
    """Return the name, and the method, of a call that may be of the file's own code."""
    if isinstance(function, ast.Name):
        return function.id, ""
    if isinstance(function, ast.Attribute):
        base = function.value.func if isinstance(function.value, ast.Call) else function.value
        if isinstance(base, ast.Name):
            return base.id, function.attr
    return None


def opens(node: ast.Call, names: Names) -> str | None:
    """Say whether a file is opened to be written: an act, or None."""
    arguments = node.args
    path = names.constant(arguments[0]) if arguments else None
    if path is None and arguments and isinstance(arguments[0], ast.Call) and arguments[0].args:
        path = names.constant(arguments[0].args[-1])
    given = (
        arguments[1]
        if len(arguments) > 1
        else next((k.value for k in node.keywords if k.arg == "mode"), None)
    )
    mode = None if given is None else names.constant(given)
    if not isinstance(mode, str) or not any(letter in mode for letter in "wax+"):
        return None
    if isinstance(path, str) and _starts(path):
        return "writes"
    return "writes" if arguments and starts(arguments[0], names) else "changes"


def _starts(path: str) -> bool:
    # Models have this extension as well: only where packages lie do such files run.
    if path.endswith(".pth") and ("site-" in path or "-packages" in path):
        return True
    return any(part in path for part in _STARTUP)


def starts(root: ast.expr, names: Names) -> bool:
    """Say whether a path is put together with the name of a file that is run at the next start."""
    parts = site = False
    for number, node in enumerate(ast.walk(root)):
        if number > _LOOKED_AT:
            break
        if isinstance(node, ast.Name) and names.fate(node.id) == "starts":
            return True
        text = names.constant(node) if isinstance(node, (ast.Constant, ast.Name)) else None
        if isinstance(text, str):
            if _starts(text):
                return True
            parts = parts or text.endswith(".pth")
        named = getattr(node, "attr", None) or getattr(node, "id", None)
        site = site or (isinstance(named, str) and "site" in named)
    return parts and site


def fate(root: ast.expr, names: Names, made: Container[object]) -> str:
    """Say whose a path is.

    Args:
        root: The path.
        names: Of its scope.
        made: Paths that this file has opened to write them anew.

    Returns:
        ``made`` of a temporary file, or one that this code writes itself; ``given`` of an
        argument; or "".
    """
    found = ""
    for number, node in enumerate(ast.walk(root)):
        if number > _LOOKED_AT:
            break
        if isinstance(node, ast.Name):
            its = names.fate(node.id)
            if its == "made" or names.constant(node) in made:
                return "made"
            found = found or its
        elif isinstance(node, ast.Attribute):
            found = "made" if f".{node.attr}" in made else found
        elif isinstance(node, ast.Constant):
            found = "made" if node.value in made else found
        elif isinstance(node, ast.Call) and (names.resolve(node.func) or "").startswith("tempfile."):
            return "made"
    return found if found in ("made", "given") else ""


def temporary(tree: ast.Module) -> Iterator[str]:
    """Yield the attributes, each behind a dot, that are given temporary files and nothing else."""
    known: dict[str, bool] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or getattr(node.value, "value", ...) is None:
            continue
        called = node.value.func if isinstance(node.value, ast.Call) else None
        its = (getattr(called, "attr", None) or getattr(called, "id", None)) in _TEMPORARY
        for target in node.targets:
            if isinstance(target, ast.Attribute):
                known[target.attr] = its and known.get(target.attr, True)
    yield from (f".{name}" for name, its in known.items() if its)


def usual(node: ast.expr, names: Names) -> bool:
    """Say whether a command only reads sound or pictures, or asks for the machine's devices."""
    if isinstance(node, ast.Call):
        telling = any(each.arg in (None, "shell", "executable", "env") for each in node.keywords)
        return bool(node.args) and not telling and usual(node.args[0], names)
    if isinstance(node, ast.Name):
        return names.fate(node.id) == "usual"
    if isinstance(node, (ast.List, ast.Tuple)) and node.elts:
        return names.constant(node.elts[0]) in _USUAL
    return False


def posts(name: str, node: ast.Call) -> bool:
    """Say whether a call of the network sends more than a question."""
    last = name.rpartition(".")[2]
    if last in ("post", "put", "patch"):
        return True
    if any(key.arg in ("data", "json", "files", "body") for key in node.keywords):
        return True
    if last == "request" and node.args:
        return isinstance(node.args[0], ast.Constant) and node.args[0].value in ("POST", "PUT", "PATCH")
    for each in node.args[:1]:
        # A request that was put together before.
        if not isinstance(each, ast.Call):
            continue
        if isinstance(each.func, ast.Attribute):
            asks = each.func.attr == "Request"
        else:
            asks = isinstance(each.func, ast.Name) and each.func.id == "Request"
        if asks:
            return len(each.args) > 1 or any(key.arg == "data" for key in each.keywords)
    return last in ("urlopen", "Request") and len(node.args) > 1


def is_spelled(function: ast.expr, names: Names) -> bool:
    """Say whether what is called is looked up by a name that is put together from pieces."""
    for number, node in enumerate(ast.walk(function)):
        if number > _LOOKED_AT:
            break
        asked: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            asked = node.args[:2] if name in ("getattr", "__import__", "import_module") else []
        elif isinstance(node, ast.Subscript):
            asked = [node.slice]
        for each in asked:
            pieces = isinstance(each, (ast.BinOp, ast.JoinedStr, ast.Call, ast.Subscript))
            if pieces and isinstance(names.constant(each), str):
                return True
    return False


def keys(arguments: list[ast.expr]) -> list[ast.expr]:
    """Return the keys of a mapping that is written out, or what stands in its place."""
    return [
        key
        for each in arguments
        for key in (each.keys if isinstance(each, ast.Dict) else [each])
        if key is not None
    ]
