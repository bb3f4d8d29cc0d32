"""Rules about pickles: what is imported, what is called, and how, decides.

A pickle is a program. Its one honest use is to rebuild data, and the functions that
honest writers call for that are few; everything else is told apart by what it could do.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Fact
from mlgate.core.rules import Hit
from mlgate.core.severity import Severity
from mlgate.rules import _globals as meaning
from mlgate.rules._pickle_rule import CONVERT, rule
from mlgate.rules._pickle_tables import tables
from mlgate.rules._pickle_uses import (
    USES,
    allowed,
    category,
    danger_of,
    dangerous,
    evidence,
    hit,
    place,
    unusual,
    verdict,
)

_TRUST = (
    "Convert the model to a format that holds data alone (safetensors, ONNX, skops). Where the class is your "
    "own and its package is installed from a source that you trust, name it in the policy:\n\n"
    "```yaml\nmodels:\n  allow_globals: [acme.layers.Attention]\n```"
)


_GRAPHS = ("torch.fx.graph_module.reduce_graph_module", "torch.fx.graph_module.reduce_deploy_graph_module")
_GRAPH_FIX = (
    "Save the state dict of the module (`safetensors.torch.save_file(module.state_dict(), ...)`) and trace "
    "it anew, or export it with `torch.export.save`. Where the file has to stay as it is, read its `code` "
    "and accept it by a waiver."
)


def _imported(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact, danger in dangerous(facts, policy, ("executes",)):
        if fact.kind == "pickle.import":
            yield hit(fact, danger)


def _executed(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    sources: dict[tuple[str, str | None], list[Fact]] = {}
    for fact in facts:
        if fact.kind == "pickle.graph-source":
            sources.setdefault(place(fact), []).append(fact)
    uses = [fact for fact in facts if fact.kind in USES]
    for fact, danger in dangerous(uses, policy, ("executes",), imports=False):
        if fact.subject in _GRAPHS and (found := sources.get(place(fact))):
            yield _graph(fact, found)
        else:
            yield hit(fact, danger)
    for fact in facts:
        if fact.kind == "pickle.executed-text":
            message = (
                "The pickle holds a text that scipy.stats executes on loading, and that is not SciPy's own."
            )
            severity = None if fact.detail["told"] else Severity.HIGH
            yield Hit(fact, message, severity=severity, evidence=fact.detail["text"])


def _graph(fact: Fact, sources: Sequence[Fact]) -> Hit:
    """Object to a graph module of torch.fx by what its source does."""
    strange = [name for source in sources for name in unusual(source.detail)]
    if strange:
        message = "The pickle executes Python source that is no forward function of torch.fx."
        return Hit(fact, message, evidence="\n".join(strange[:20]))
    message = (
        "The pickle executes the forward function of a torch.fx graph module; it calls torch, operators and "
        "the module's own layers, and nothing else."
    )
    return Hit(fact, message, severity=Severity.MEDIUM, evidence=evidence(fact), fix=_GRAPH_FIX)


def _reaches(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact, danger in dangerous(facts, policy, ("network", "file", "process")):
        yield hit(fact, danger)


def _resolves(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact, danger in dangerous(facts, policy, ("resolves",)):
        if fact.subject in tables().shapes and category(fact) is None:
            message = f"The pickle calls {fact.subject} with arguments that no honest writer gives it."
            yield Hit(fact, message, severity=Severity.HIGH, evidence=evidence(fact))
        else:
            yield hit(fact, danger)


def _code(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact, danger in dangerous(facts, policy, ("code",)):
        yield hit(fact, danger, Severity.HIGH if fact.kind == "pickle.import" else None)


def _second_stage(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    uses = [fact for fact in facts if fact.kind in USES]
    for fact, danger in dangerous(uses, policy, ("loads",)):
        yield hit(fact, danger)
    for fact in facts:
        if fact.kind == "pickle.external-array" and fact.detail["escape"] is not None:
            yield Hit(fact, f"joblib loads an array from {fact.subject}, outside the folder of this file.")


def _unknown_called(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        severity = verdict(fact)
        if fact.kind == "pickle.instance" and severity is not Severity.HIGH:
            continue
        if danger_of(fact) is None and severity is not None and not allowed(fact, policy):
            message = f"The pickle calls {fact.subject}, which is not known to be harmless."
            yield Hit(fact, message, severity=severity, evidence=evidence(fact))


def _unknown(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    """Unknown classes that are imported or instantiated, but not called."""
    called = {(place(fact), fact.subject) for fact in facts if fact.kind == "pickle.call"}
    seen: set[tuple[tuple[str, str | None], str]] = set()
    for fact in facts:
        key = (place(fact), fact.subject)
        if fact.kind == "pickle.call" or key in called or key in seen:
            continue
        detail = fact.detail
        if category(fact) is not None or meaning.ordinary(detail["module"], detail["name"]):
            continue
        if detail["module"] == "__main__" or "." in detail["name"] or allowed(fact, policy):
            continue
        seen.add(key)
        message = f"Loading the pickle imports {fact.subject}, of which nothing is known."
        yield Hit(fact, message, evidence=evidence(fact))


def _main(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.detail["module"] == "__main__" and not allowed(fact, policy):
            message = f"The pickle needs {fact.subject}, a class of the script that wrote it."
            yield Hit(fact, message, evidence=evidence(fact))


def _dotted(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        module, name = fact.detail["module"], fact.detail["name"]
        if name in tables().attributes:
            continue
        if meaning.nested_name(module, name):
            message = f"The pickle reaches {fact.subject} through the attributes of a class."
            yield Hit(fact, message, severity=Severity.MEDIUM, evidence=f"{module}:{name}")
        else:
            message = f"The pickle reaches {fact.subject} by walking attributes from {module}."
            yield Hit(fact, message, evidence=f"{module}:{name}")


def _mutated(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        message = f"The pickle changes the imported object {fact.subject} itself, for the whole process."
        yield Hit(fact, message, evidence=fact.detail["text"])


# What these return is the imported object itself, or a part of it.
_LIVE = (
    "builtins.getattr",
    "__builtin__.getattr",
    "operator.attrgetter",
    "builtins.type",
    "operator.getitem",
    "logging.getLogger",
    # Its attributes are those of what it stands for.
    "types.GenericAlias",
)


def _unlike_a_pickler(fact: Fact) -> bool:
    """Say whether an object gets items after its state, or a state that is no dict: no pickler does so."""
    if fact.detail["via"] == "BUILD":
        value = fact.detail["value"]
        # With slots there are two: attributes, and what the slots hold.
        parts = value["items"] if value["type"] == "tuple" and len(value["items"]) == 2 else [value]
        return any(part["type"] not in ("dict", "none", "nested") for part in parts)
    return bool(fact.detail["built"])


def _inner_class(fact: Fact) -> bool:
    detail = fact.detail
    made = detail["via"].startswith(("NEWOBJ", "__newobj")) or detail["via"] == "_reconstructor"
    return made and "module" in detail and meaning.nested_name(detail["module"], detail["name"])


def _computed(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    starts, bare = tables().computed, tables().bare
    for fact in facts:
        text = fact.detail["text"]
        if fact.kind == "pickle.computed-callee":
            if _inner_class(fact):
                message = f"The pickle holds an instance of {fact.detail['name']}, a class inside a class."
                yield Hit(fact, message, severity=Severity.MEDIUM, evidence=text)
            elif not text.startswith(starts) and not (fact.detail["bare"] and text.startswith(bare)):
                message = f"The pickle calls what came out of {fact.subject}, not a name that can be checked."
                yield Hit(fact, message, evidence=text)
        elif fact.subject in tables().instances and _unlike_a_pickler(fact):
            message = f"The pickle has {fact.subject} call what the state holds that it was given."
            yield Hit(fact, message, evidence=text)
        elif "module" in fact.detail and meaning.nested_name(fact.detail["module"], fact.detail["name"]):
            continue  # the state of such an instance
        elif fact.detail["how"] in ("call", "instance") and fact.subject in _LIVE:
            message = f"The pickle changes an object that it reached through {fact.subject}."
            yield Hit(fact, message, severity=Severity.CRITICAL, evidence=text)


def _broken(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    grave = {
        place(fact)
        for fact in facts
        if fact.kind in ("pickle.call", "pickle.instance")
        and not allowed(fact, policy)
        and (danger_of(fact) is not None or verdict(fact) is Severity.HIGH)
    }
    for fact in facts:
        if fact.kind == "pickle.broken-after-effects":
            severity = None if place(fact) in grave else Severity.LOW
            message = "The pickle breaks off after it has imported or called something; by then that has run."
            yield Hit(fact, message, severity=severity, evidence=fact.detail["error"])


RULES = (
    rule(
        1,
        "executing-global-imported",
        Severity.CRITICAL,
        USES,
        _imported,
        summary="A pickle imports a function that runs code or commands",
        what="A global such as `os.system`, `builtins.eval` or `subprocess.Popen` is imported, though not "
        "called by the pickle itself. The submodules and aliases of these are meant too.",
        why="No data needs it. Handed on as an argument or as an object's state, it waits for the program "
        "that loads the file to call it.",
        references=("GHSA-49gj-c84q-6qm9", "GHSA-g344-hcph-8vgg"),
        cwe=(502, 94, 506),
    ),
    rule(
        2,
        "executing-global-called",
        Severity.CRITICAL,
        ("pickle.call", "pickle.instance", "pickle.graph-source", "pickle.executed-text"),
        _executed,
        varies=True,
        summary="A pickle calls a function that runs code or commands",
        what="`REDUCE`, `INST`, `OBJ`, `NEWOBJ` or `NEWOBJ_EX` calls a function that runs code or commands, "
        "with arguments that stand in the file. A graph module of torch.fx whose source calls torch alone is "
        "high.",
        why="Loading the file runs them, with the rights of whoever loads it.",
        references=("CVE-2025-1716", "CVE-2025-71352"),
        cwe=(502, 94, 506),
    ),
    rule(
        3,
        "reaching-global",
        Severity.HIGH,
        USES,
        _reaches,
        summary="A pickle uses files, the network or the process",
        what="A global is imported or called that opens files or connections, or changes the process.",
        why="Such a call can leak what the machine holds, or overwrite what will run next.",
        references=("GHSA-9m3x-qqw2-h32h", "GHSA-hgrh-qx5j-jfwx"),
    ),
    rule(
        4,
        "name-resolved-from-data",
        Severity.CRITICAL,
        USES,
        _resolves,
        varies=True,
        summary="A pickle looks up objects by names that it chooses itself",
        what="A gadget such as `importlib.import_module`, `pkgutil.resolve_name`, `operator.methodcaller` or "
        "`getattr` is used. `getattr` of a class's public name, `functools.partial` of a harmless function "
        "and the like are ordinary and not reported.",
        why="With such a function any other can be reached without naming it where scanners look.",
        references=("GHSA-vvpj-8cmc-gx39", "GHSA-955r-x9j8-7rhh"),
        cwe=(502, 470),
    ),
    rule(
        5,
        "unknown-global-called",
        Severity.HIGH,
        ("pickle.call", "pickle.instance"),
        _unknown_called,
        varies=True,
        summary="A pickle calls something that is not known to be harmless",
        what="A function or class that honest writers are not known to call is called with arguments of the "
        "file's choice. With numbers alone, as for a member of an enumeration, the finding is medium.",
        why="A list of bad names is never complete; what may be called is therefore listed instead.",
        fix=_TRUST,
        references=("arXiv:2508.15987",),
        precision="medium",
    ),
    rule(
        6,
        "unknown-global-imported",
        Severity.MEDIUM,
        USES,
        _unknown,
        summary="A pickle imports a class of which nothing is known",
        what="A class or function of an unknown package is imported, and at most an instance of it is made "
        "and given its attributes, as for any ordinary object.",
        why="Importing runs the module's top level. That is harmless exactly if the package is.",
        fix=_TRUST,
        precision="medium",
    ),
    rule(
        7,
        "dotted-global",
        Severity.CRITICAL,
        ("pickle.dotted",),
        _dotted,
        varies=True,
        summary="A pickle walks attributes to reach what it imports",
        what="From protocol 4 on a name may hold dots, and the unpickler walks attributes. A class inside "
        "a class is reported as medium.",
        why="Whatever a harmless module imports is one attribute away (`torch:serialization.os`).",
        references=("GHSA-5j3x-jp52-966f",),
        cwe=(502, 470),
    ),
    rule(
        10,
        "imported-object-mutated",
        Severity.CRITICAL,
        ("pickle.mutation",),
        _mutated,
        summary="A pickle changes an object that it imports",
        what="`BUILD`, `SETITEM(S)`, `APPEND(S)` or `ADDITEMS` is applied to an imported object.",
        why="The change outlives the load: it can replace a function of the program. No entry of "
        "`allow_globals` excuses it.",
        cwe=(502, 915),
    ),
    rule(
        11,
        "computed-callee",
        Severity.HIGH,
        ("pickle.computed-callee", "pickle.fill"),
        _computed,
        varies=True,
        summary="A pickle calls or changes the result of a call",
        what="What a call returned is called in its turn, or an object reached by `getattr` is changed.",
        why="Which function runs is decided during the load; chains of harmless steps reach any function.",
        references=("GHSA-m273-6v24-x4m4",),
    ),
    rule(
        13,
        "broken-after-effects",
        Severity.CRITICAL,
        ("pickle.broken-after-effects",),
        _broken,
        context=("pickle.call", "pickle.instance"),
        varies=True,
        summary="A pickle breaks off after it has acted",
        what="The stream is broken or cut short behind an import or a call. Where all of these are ordinary "
        "the file is likely damaged, and the finding is low.",
        why="The unpickler runs as it reads: the error comes too late. Hub malware has used this to stop "
        "scanners (nullifAI).",
        fix="Fetch the file again and compare its SHA-256 with the publisher's. " + CONVERT,
    ),
    rule(
        21,
        "code-object-rebuilt",
        Severity.CRITICAL,
        USES,
        _code,
        varies=True,
        summary="A pickle rebuilds functions or code",
        what="`marshal`, `types.CodeType`, cloudpickle or dill is used to rebuild functions from byte code.",
        why="Byte code in a data file is a program: whoever wrote the file chose what it does.",
        fix="Move the function into an installed package and store data alone, or accept it by a waiver "
        "once you have read what it runs.",
        references=("GHSA-97f8-7cmv-76j2",),
        cwe=(502, 94),
    ),
    rule(
        22,
        "second-stage-loader",
        Severity.HIGH,
        (*USES, "pickle.external-array"),
        _second_stage,
        summary="A pickle loads further files or data",
        what="`numpy.load`, `joblib.load`, `torch.load`, `pickle.loads` or the like is used, or an array of "
        "an old joblib file is to be read from another folder.",
        why="What it loads can run code itself, and is not in this file to be checked.",
        references=("GHSA-9726-w42j-3qjr",),
    ),
    rule(
        23,
        "class-of-main-script",
        Severity.MEDIUM,
        ("pickle.import",),
        _main,
        summary="A pickle needs a class of the script that wrote it",
        what="`__main__` is imported from: the class stands in a script, not in a package.",
        why="Whatever script loads the file decides what the class is.",
        fix="Move the class into an importable package and write the file again.",
    ),
)
