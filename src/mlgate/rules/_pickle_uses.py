"""What a use of a global in a pickle means: dangerous, ordinary, or unknown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from mlgate.core.facts import Fact
from mlgate.core.rules import Hit
from mlgate.core.severity import Severity
from mlgate.rules import _globals as meaning
from mlgate.rules import _pickle_calls
from mlgate.rules._pickle_tables import tables

# What the source of a graph module is made of.
_GRAPH_ROOTS = frozenset(("torch", "torchvision", "math", "operator", "_operator", "builtins", "typing"))
_GRAPH_CALLS = frozenset(
    ("len", "int", "float", "bool", "slice", "tuple", "list", "dict", "max", "min", "abs", "range", "type",
     "sum", "round", "complex")
)  # fmt: skip
_REMEMBERED = 100_000
Answer = TypeVar("Answer")
USES = ("pickle.import", "pickle.call", "pickle.instance")
_DOES = {
    "executes": "runs code or commands",
    "code": "rebuilds executable code",
    "resolves": "looks up objects by a name that the file chooses",
    "loads": "loads further data that can run code itself",
    "network": "opens the network",
    "file": "reads or writes files",
    "process": "changes the process or the machine",
}
_DOING = {"pickle.import": "imports", "pickle.call": "calls", "pickle.instance": "instantiates"}


def allowed(fact: Fact, policy: Any) -> bool:
    """Say whether the policy trusts the global."""
    return (
        fact.subject in policy.models.allow_globals
        or fact.detail.get("written") in policy.models.allow_globals
    )


def place(fact: Fact) -> tuple[str, str | None]:
    """File and member of a fact."""
    return fact.location.path, fact.location.member


def category(fact: Fact) -> str | None:
    """Gravest danger of the global that a use is about, by either of its names."""
    detail = fact.detail
    found = meaning.category(detail["module"], detail["name"])
    written = detail.get("written", fact.subject)
    if found is None and written != fact.subject and fact.subject not in tables().shapes:
        found = meaning.category(*meaning.split(written))
    return found


def _remembered(ask: Callable[[Fact], Answer]) -> Callable[[Fact], Answer]:
    """Ask of a fact once: eight rules look at each, and what a use means is the dearest thing about it."""
    # Facts hold lists and cannot be keys. Whoever is held here keeps its id.
    known: dict[int, tuple[Fact, Answer]] = {}

    def answer(fact: Fact) -> Answer:
        found = known.get(id(fact))
        if found is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[id(fact)] = fact, ask(fact)
        return found[1]

    return answer


@_remembered
def danger_of(fact: Fact) -> str | None:
    """Category of danger of a use, or None where the use is not dangerous in itself."""
    if fact.kind == "pickle.call" and _pickle_calls.idiom(fact.subject, fact.detail["args"]):
        return None
    if fact.kind == "pickle.instance" and fact.subject in tables().instances:
        return category(fact) if fact.detail["args"] != [] else None
    if fact.kind != "pickle.import" and _pickle_calls.makes_class(fact.detail["name"], fact.detail["args"]):
        return category(fact) or "code"
    if fact.kind == "pickle.instance" and fact.detail["name"].lstrip("_") in tables().iterators:
        return category(fact) or "executes"
    if fact.kind != "pickle.import" and _pickle_calls.evaluates(
        fact.detail["module"], fact.detail["name"], fact.detail["args"]
    ):
        return category(fact) or "executes"
    if fact.subject in tables().shapes:
        if fact.kind == "pickle.import":
            return None
        if _pickle_calls.callable_with(fact.detail["module"], fact.detail["name"], fact.detail["args"]):
            return None
        return category(fact) or "resolves"
    return category(fact)


def dangerous(
    facts: Sequence[Fact], policy: Any, categories: tuple[str, ...], *, imports: bool = True
) -> Iterator[tuple[Fact, str]]:
    """Dangerous uses of the categories; an import only where the same global is not used besides."""
    used = {(place(fact), fact.subject) for fact in facts if fact.kind != "pickle.import"}
    for fact in facts:
        if fact.kind == "pickle.import" and (not imports or (place(fact), fact.subject) in used):
            continue
        danger = danger_of(fact)
        if danger in categories and danger is not None and not allowed(fact, policy):
            yield fact, danger


def hit(fact: Fact, danger: str, severity: Severity | None = None) -> Hit:
    """Object to a dangerous use."""
    message = f"The pickle {_DOING[fact.kind]} {fact.subject}, which {_DOES[danger]}."
    return Hit(fact, message, severity=severity, evidence=evidence(fact))


def evidence(fact: Fact) -> str:
    """Show a use as Python would write it."""
    text = fact.detail.get("text") or f"import {fact.subject}"
    written = fact.detail.get("written")
    return text if written in (None, fact.subject) else f"{text}\n(written as {written})"


def unusual(source: Mapping[str, Any]) -> Iterator[str]:
    """Name what the source of a graph module does that torch.fx does not write."""
    yield from source["other"]
    if source.get("many"):
        yield "more names than are listed"
    roots = {name.partition(".")[0] for name in source["imports"]}
    for name in source["imports"]:
        if name == "builtins.getattr":
            # Always imported; whether it is called is seen below.
            continue
        if name.partition(".")[0] not in _GRAPH_ROOTS or _dangerous(name):
            yield f"import {name}"
    for name in source["calls"]:
        root, _, rest = name.partition(".")
        if not rest:
            ordinary = name in _GRAPH_CALLS
        elif root in roots:
            ordinary = root in _GRAPH_ROOTS and not _dangerous(name)
        else:
            ordinary = meaning.category("torch", rest) is None
        if not ordinary:
            yield f"{name}(...)"


def _dangerous(name: str) -> bool:
    parts = name.split(".")
    return any(
        meaning.category(".".join(parts[:at]), ".".join(parts[at:])) is not None
        for at in range(1, len(parts))
    )


@_remembered
def verdict(fact: Fact) -> Severity | None:
    """Severity of a call or instance of a global that no category names; None where it is ordinary."""
    detail = fact.detail
    module, name, args = detail["module"], detail["name"], detail["args"]
    if fact.kind == "pickle.instance":
        if args is None:
            # Picklers write the arguments out.
            return Severity.HIGH
        if meaning.ordinary(module, name) or _pickle_calls.callable_with(module, name, args):
            return None
        return Severity.MEDIUM
    if _pickle_calls.callable_with(module, name, args):
        return None
    # What is no builtin type is not rebuilt in this way.
    chosen = detail.get("via") == "_reconstructor"
    return Severity.MEDIUM if not chosen and _pickle_calls.mild(module, name, args) else Severity.HIGH
