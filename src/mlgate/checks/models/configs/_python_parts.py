"""Parts of Python's syntax tree: what of a statement runs with it, and what a call is given."""

import ast
from collections.abc import Iterator

from mlgate.checks.models.configs._python_names import Names

_STARTUP = (
    ".bashrc", ".zshrc", ".profile", ".bash_profile", "authorized_keys", "crontab", "/etc/", "sitecustomize",
    "usercustomize", ".pth", "autostart", "systemd", "LaunchAgents", "Startup",
)  # fmt: skip


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
    starts = isinstance(path, str) and any(part in path for part in _STARTUP)
    return "writes" if starts else "changes"


def keys(arguments: list[ast.expr]) -> list[ast.expr]:
    """Return the keys of a mapping that is written out, or what stands in its place."""
    return [
        key
        for each in arguments
        for key in (each.keys if isinstance(each, ast.Dict) else [each])
        if key is not None
    ]
