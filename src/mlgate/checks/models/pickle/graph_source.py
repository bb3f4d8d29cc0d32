"""The Python source that a pickled ``torch.fx`` graph module carries, and what it would do.

``reduce_graph_module`` executes the import block and the generated ``forward`` while the pickle
loads. Nothing is executed here: the source is parsed, and what it imports and calls is listed.
"""

import builtins
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlgate.checks.models.pickle.values import Dict, Payload, printable

if TYPE_CHECKING:
    import ast

SUBJECTS = frozenset(
    f"torch.fx.graph_module.{name}" for name in ("reduce_graph_module", "reduce_deploy_graph_module")
)
# Source that is parsed; generated code of large models has some hundred kilobytes.
LONGEST = 1 << 18
_SHOWN = 50
_SHOWN_CALLS = 500
# What torch.fx writes a forward function of; names that are called are judged apart.
_STATEMENTS = frozenset(
    ("Module", "FunctionDef", "arguments", "arg", "Assign", "AnnAssign", "Delete", "Return", "Expr", "Import",
     "ImportFrom", "alias", "Pass")
)  # fmt: skip
_EXPRESSIONS = frozenset(
    ("Name", "Load", "Store", "Del", "Attribute", "Call", "keyword", "Constant", "Tuple", "List", "Dict",
     "Subscript", "Slice", "BinOp", "UnaryOp", "Compare", "BoolOp", "Starred", "IfExp", "Add", "Sub", "Mult",
     "Div", "FloorDiv", "Mod", "Pow", "MatMult", "BitAnd", "BitOr", "BitXor", "LShift", "RShift", "USub",
     "UAdd", "Not", "Invert", "And", "Or", "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "Is", "IsNot", "In",
     "NotIn")
)  # fmt: skip
_BUILTINS = frozenset(
    ("len", "int", "float", "bool", "slice", "tuple", "list", "dict", "max", "min", "abs", "range", "type",
     "sum", "getattr", "Ellipsis", "round", "str", "complex")
)  # fmt: skip
# Written by torch.fx above the function.
_NONE_TYPE = "NoneType = type(None)"


def parts(args: tuple[Any, ...] | None) -> list[str | Payload] | None:
    """Return the import block and the code that a call executes, or None where they cannot be told.

    Args:
        args: Of the call; its dict must be whole.
    """
    if not args or len(args) != 2 or type(args[0]) is not Dict or len(args[0]) & 1:
        return None
    keys = args[0][::2]
    if not all(type(key) is str for key in keys):
        return None
    fields = dict(zip(keys, args[0][1::2], strict=True))
    code = fields.get("_code") or fields.get("code")
    found = [args[1], code]
    return found if all(type(part) in (str, Payload) for part in found) else None


def effects(source: str) -> dict[str, list[str]]:
    """List what source imports, what it calls by dotted name, and what it holds besides plain code.

    Returns:
        ``imports``, ``calls`` and ``other``; ``many`` is not empty where they were cut.
    """
    import ast  # noqa: PLC0415 - hardly any pickle holds source
    import warnings  # noqa: PLC0415 - as above

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {"imports": [], "calls": [], "other": ["source that cannot be parsed"]}
    imports: set[str] = set()
    other: set[str] = set()
    known: dict[str, str] = {}
    given = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        kind = type(node).__name__
        if isinstance(node, ast.Import):
            for each in node.names:
                imports.add(each.name)
                root = each.name.partition(".")[0]
                known[each.asname or root] = each.name if each.asname else root
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                found = "." * node.level + f"{node.module or ''}.{each.name}"
                imports.add(found)
                known[each.asname or each.name] = found
        elif isinstance(node, ast.Name):
            if node.id in vars(builtins) and node.id not in _BUILTINS | given:
                other.add(f"name {node.id}")
        elif kind not in _STATEMENTS and kind not in _EXPRESSIONS:
            other.add(kind)
        if isinstance(node, ast.Attribute) and node.attr.startswith("__"):
            other.add(f"attribute {node.attr}")
        if isinstance(node, ast.FunctionDef) and (node.decorator_list or node.name != "forward"):
            other.add(f"function {node.name}")
    other.update(_top_level(tree, source))
    calls = _calls(tree, known)
    return {
        "imports": sorted(map(printable, imports))[:_SHOWN],
        "calls": sorted(map(printable, calls))[:_SHOWN_CALLS],
        "other": sorted(map(printable, other))[:_SHOWN],
        "many": [""] if len(imports) > _SHOWN or len(calls) > _SHOWN_CALLS else [],
    }


def _calls(tree: "ast.Module", known: Mapping[str, str]) -> set[str]:
    """Return the dotted names that are called, and those that are looked up in what was imported."""
    import ast  # noqa: PLC0415 - as above

    roots = {name.partition(".")[0] for name in known.values()}
    calls: set[str] = set()
    # Members of a Sequential have numbers for names: getattr(self, "0")(x).
    members = {id(node) for node in ast.walk(tree) if _member(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if id(node) not in members and id(_root(node.func)) not in members:
                calls.add(_dotted(node.func, known))
        elif isinstance(node, ast.Attribute):
            # What is looked up may be handed on, and called there.
            name = _dotted(node, known)
            if name.partition(".")[0] in roots:
                calls.add(name)
    return calls


def _member(node: "ast.AST") -> bool:
    """Say whether a call takes a member of the module by its number, as torch.fx writes it."""
    import ast  # noqa: PLC0415 - as above

    match node:
        case ast.Call(
            func=ast.Name(id="getattr"),
            args=[owner, ast.Constant(value=str(number))],
            keywords=[],
        ):
            return number.isascii() and number.isdigit() and isinstance(_root(owner), ast.Name)
    return False


def _root(node: "ast.AST") -> "ast.AST":
    """Return what the attributes of an expression are looked up in, members by number included."""
    import ast  # noqa: PLC0415 - as above

    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def _top_level(tree: "ast.Module", source: str) -> Iterator[str]:
    """Name the statements that run at once and are no import."""
    lines = source.splitlines()
    for node in tree.body:
        kind = type(node).__name__
        plain = lines[node.lineno - 1].strip() == _NONE_TYPE if node.lineno <= len(lines) else False
        if kind not in {"FunctionDef", "Import", "ImportFrom"} and not plain:
            yield f"top-level {kind}"


def _dotted(node: "ast.expr", known: Mapping[str, str]) -> str:
    """Return the dotted name of an expression, as far as it is one; "?" where it is none."""
    import ast  # noqa: PLC0415 - as above

    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        # A method of a result: which one says enough.
        return ".".join(("?", *reversed(names)))
    return ".".join((known.get(node.id, node.id), *reversed(names)))
