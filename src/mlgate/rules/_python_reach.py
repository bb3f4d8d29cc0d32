"""Which functions of source files are called, across files, from what a loader imports."""

import posixpath
from collections.abc import Sequence

from mlgate.core.facts import Fact
from mlgate.core.severity import Severity
from mlgate.rules._python_near import Near, path_of

# The callers that are none of a file's functions.
_LOADING = ("", "load")
_Node = tuple[str, str]


class Reach:
    """Follows calls from file to file.

    Args:
        facts: Those of the run.
        near: What lies beside the files.
    """

    def __init__(self, facts: Sequence[Fact], near: Near) -> None:
        self._calls: dict[_Node, set[_Node]] = {}
        self._found: dict[_Node, Severity] = {}
        starts: dict[_Node, Severity] = {}
        for fact in facts:
            if fact.kind != "python.calls":
                continue
            path = path_of(fact)
            for caller, callee in fact.detail["pairs"]:
                # What this file's own code does when it is loaded is known without.
                if caller in _LOADING and not callee.startswith("."):
                    continue
                for node in _nodes(path, callee):
                    self._calls.setdefault((path, caller), set()).add(node)
            if near.imported(fact):
                starts[path, ""] = Severity.HIGH
                starts[path, "load"] = Severity.HIGH if near.served(fact) else Severity.MEDIUM
        for severity in (Severity.HIGH, Severity.MEDIUM):
            self._follow([node for node, each in starts.items() if each is severity], severity)

    def _follow(self, waiting: list[_Node], severity: Severity) -> None:
        while waiting:
            for callee in self._calls.get(waiting.pop(), ()):
                if callee not in self._found:
                    self._found[callee] = severity
                    waiting.append(callee)

    def severity(self, fact: Fact) -> Severity | None:
        """Return how grave it is what a function does: None where nothing that is loaded calls it."""
        return self._found.get((path_of(fact), fact.detail["function"]))


def _nodes(path: str, callee: str) -> list[_Node]:
    """Return where a callee may stand: in this file, or in a module beside or above it."""
    module = callee.lstrip(".")
    up = len(callee) - len(module)
    if not up:
        return [(path, callee)]
    folder = posixpath.dirname(path)
    for _ in range(up - 1):
        folder = posixpath.dirname(folder)
    steps = module.split(".")
    places = []
    # `.utils.setup` is a function, and `.utils.Model.load` a method; either may be of a package.
    for at in range(max(len(steps) - 2, 1), len(steps)):
        home = posixpath.join(folder, *steps[:at])
        # What runs when a class is derived from another is no other method of that one.
        name = ".".join(steps[at:]) if steps[-1] == "__init_subclass__" else steps[at]
        places += [(f"{home}.py", name), (posixpath.join(home, "__init__.py"), name)]
    return places
