"""Rules about skops archives: what their schema has looked up, called and instantiated."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules import _callables, _globals

# Nodes that hold plain data, and the names that they may go by.
_DATA = {
    "DictNode": ("builtins.dict", "collections.OrderedDict"),
    "DefaultDictNode": ("collections.defaultdict",),
    "ListNode": ("builtins.list",),
    "SetNode": ("builtins.set", "builtins.frozenset"),
    "TupleNode": ("builtins.tuple",),
    "BytesNode": ("builtins.bytes",),
    "BytearrayNode": ("builtins.bytearray",),
    "SliceNode": ("builtins.slice",),
    "JsonNode": ("builtins.str", "builtins.int", "builtins.float", "builtins.bool"),
    "PartialNode": ("functools.partial",),
}
# Nodes whose name is called, with arguments from the file.
_CALLING = (
    "ConstructorFromReduceNode",
    "NdArrayNode",
    "DTypeNode",
    "TreeNode",
    "LossNode",
    "QuantileForestNode",
)
_OTHERS = frozenset(
    (
        *_CALLING, "ObjectNode", "FunctionNode", "TypeNode", "MaskedArrayNode", "RandomStateNode",
        "RandomGeneratorNode", "SparseMatrixNode", "_DictWithDeprecatedKeysNode", "ReduceNode",
        "SGDNode", "CachedNode",
    )
)  # fmt: skip
_LOOKING_UP = ("FunctionNode", "TypeNode")
_GETTERS = ("operator.attrgetter", "operator.itemgetter")
_GRAVE = ("executes", "code", "resolves", "loads")
_TRUSTED = (
    "sklearn",
    "numpy",
    "scipy",
    "pandas",
    "xgboost",
    "lightgbm",
    "catboost",
    "quantile_forest",
    "imblearn",
)


def _nodes(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.subject in policy.models.allow_globals:
            continue
        found = _judged(fact)
        if found is not None:
            severity, message = found
            yield Hit(fact, message, severity=severity, evidence=f"{fact.detail['loader']}: {fact.subject}")


def _judged(fact: Fact) -> tuple[Severity, str] | None:
    detail, subject = fact.detail, fact.subject
    loader = detail["loader"]
    if loader == "OperatorFuncNode":
        if subject == "operator.methodcaller":
            return Severity.HIGH, f"The archive makes a function with {subject}, which calls any method."
        if subject in _GETTERS:
            return Severity.MEDIUM, f"The archive makes a function with {subject}."
        return Severity.CRITICAL, f"The archive has {subject} called through an operator node."
    if loader == "MethodNode":
        return _method(fact)
    danger = _globals.category(detail["module"], detail["name"])
    if danger is not None and (loader != "PartialNode" or subject != "functools.partial"):
        plain = subject in _DATA.get(loader, ()) or (loader in _LOOKING_UP and subject in _HARMLESS)
        if not plain:
            severity = Severity.CRITICAL if danger in _GRAVE else Severity.HIGH
            return severity, f"The archive names {subject}, which {_callables.DOES[danger]}."
    if loader in _DATA:
        if subject in _DATA[loader] or subject.startswith(_plain_roots(loader)):
            return None
        return Severity.MEDIUM, f"The archive makes {subject} of a node of plain data."
    if loader and loader not in _OTHERS:
        return Severity.MEDIUM, f"The archive has {subject} made by {loader}, which skops does not have."
    if _globals.known(detail["module"]) or _globals.ordinary(detail["module"], detail["name"]):
        return None
    if subject.partition(".")[0] in _TRUSTED:
        return None
    if loader in _LOOKING_UP and subject.startswith("builtins."):
        return None
    if loader in _CALLING and not _globals.class_like(detail["name"]):
        return Severity.HIGH, f"The archive has {subject} called, which is not known to be harmless."
    return Severity.MEDIUM, f"The archive names {subject}, of which nothing is known."


# Types that are looked up and not called.
_HARMLESS = frozenset(
    ("builtins.type", "builtins.property", "builtins.super", "builtins.map", "builtins.filter")
)


def _plain_roots(loader: str) -> tuple[str, ...]:
    # Subclasses of dict that scikit-learn keeps.
    return ("sklearn.",) if loader in ("DictNode", "DefaultDictNode", "TupleNode", "ListNode") else ("\0",)


def _method(fact: Fact) -> tuple[Severity, str] | None:
    method, owner, subject = fact.detail["method"], fact.detail["owner"], fact.subject
    if owner and owner != subject:
        return Severity.CRITICAL, f"The archive says {subject} and means a method of {owner}."
    if method.startswith("_") or "." in method:
        return Severity.CRITICAL, f"The archive looks up {method} in an object of {subject}."
    if _globals.category(fact.detail["module"], fact.detail["name"]) is not None:
        return Severity.CRITICAL, f"The archive looks up a method of {subject}."
    if _globals.known(fact.detail["module"]):
        return None
    return Severity.MEDIUM, f"The archive looks up a method of {subject}, of which nothing is known."


RULES = (
    Rule(
        id="MLG-SKP-001",
        name="skops-untrusted-node",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("skops.node",),
        summary="A skops archive names functions or classes that skops should not be made to trust",
        what=(
            "The nodes of `schema.json`: names that run code, operator nodes for something other than "
            "getters, method nodes that say one class and mean another or reach for private attributes. "
            "Unknown classes are medium, and what belongs to scikit-learn, numpy or scipy is no news."
        ),
        why=(
            "`skops.io.load` asks whoever loads to trust a list of names, and versions before 0.12 could be "
            "made to run others than those listed."
        ),
        fix=(
            "Update skops to 0.13 or newer, look "
            "at\n\n```python\nskops.io.get_untrusted_types(file=path)\n```\n\nand trust names one by one. "
            "Name your own classes in the policy (`models.allow_globals`)."
        ),
        references=("CVE-2025-54412", "CVE-2025-54413", "CVE-2025-54886", "https://skops.readthedocs.io/"),
        cwe=(502, 351),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_nodes,
        precision="high",
    ),
)
