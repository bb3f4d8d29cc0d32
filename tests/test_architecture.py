"""The floors of the house: imports run downwards, without circles, and none is hidden."""

import ast
from pathlib import Path

import pytest

import mlgate

ROOT = Path(mlgate.__file__).parent
FLOORS = [
    {"__main__"},
    {"cli"},
    {"commands"},
    {"adoption", "console", "hook", "starter"},
    {"gate"},
    {"clearance", "contents", "governance"},
    {"checks.models", "checks.dependencies", "checks.assessment", "rules"},
    {"checks", "reports"},
    {"rulebook", "history"},
    {"target"},
    {"listing"},
    {"policy", "git", "prose", "profiles"},
    {"core"},
    {""},
]


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports_of(path, *, nested):
    """Modules of mlgate that a file imports, at its top level or inside its functions."""
    tree = ast.parse(path.read_text())
    top = set(map(id, tree.body))
    # What only the type checker imports counts like any other import of the module.
    top |= {id(inner) for node in tree.body if isinstance(node, ast.If) for inner in node.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        if (id(node) in top) == nested:
            continue
        for name in names:
            if name == "mlgate" or name.startswith("mlgate."):
                inner = name.removeprefix("mlgate").removeprefix(".")
                while inner and inner not in MODULES:
                    inner = inner.rpartition(".")[0]
                yield inner


def floor_of(module):
    matches = [
        (len(room), number)
        for number, rooms in enumerate(FLOORS)
        for room in rooms
        if module == room or (room and module.startswith(room + "."))
    ]
    assert matches, f"{module} is on no floor"
    return max(matches)[1]


def room_of(module):
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "checks" and len(parts) > 1 else parts[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module):
    for imported in {*imports_of(MODULES[module], nested=False), *imports_of(MODULES[module], nested=True)}:
        if room_of(imported) == room_of(module):
            continue
        assert floor_of(imported) >= floor_of(module), f"{module} imports {imported}, which is above it"
        if floor_of(imported) == floor_of(module):
            assert {room_of(module), room_of(imported)} <= {"policy", "git", "prose"}, (
                f"{module} imports {imported}, its neighbour"
            )


def test_checks_and_rules_do_not_know_each_other():
    for module, path in MODULES.items():
        room = room_of(module)
        if room == "rules" or room.startswith("checks."):
            others = {room_of(name) for name in imports_of(path, nested=False)}
            strangers = {other for other in others if other == "rules" or other.startswith("checks.")} - {
                room
            }
            assert not strangers, f"{module} knows {strangers}"


def test_there_is_no_circle():
    graph = {module: set(imports_of(path, nested=False)) - {module} for module, path in MODULES.items()}
    # A package's own modules import its __init__ only where it imports none of them.
    pending = dict(graph)
    while pending:
        free = [module for module, needed in pending.items() if not needed & pending.keys()]
        assert free, f"a circle among {sorted(pending)}"
        for module in free:
            del pending[module]


@pytest.mark.parametrize("module", MODULES)
def test_no_import_of_mlgate_is_hidden_in_a_function(module):
    assert not list(imports_of(MODULES[module], nested=True))


@pytest.mark.parametrize("module", MODULES)
def test_only_the_command_line_prints_or_exits(module):
    if module in {"cli", "console", "__main__"}:
        return
    tree = ast.parse(MODULES[module].read_text())
    # A module that is also a program, for a worker process, ends as one.
    tree.body = [node for node in tree.body if "__main__" not in ast.unparse(node)[:40]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "exit", "quit"}, f"{module}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            assert node.attr != "exit", f"{module}:{node.lineno}"
