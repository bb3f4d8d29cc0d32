"""Exported programs of PyTorch: operators, callables and texts that are evaluated at loading."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from mlgate.checks.models.configs._expressions import objection
from mlgate.checks.models.formats._torch_operators import Operators
from mlgate.checks.models.json_members import Malformed, Member, begins_json, members
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import line_of, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "torch-export"
KIND = "text"
ORDER = 20

_OLD = "serialized_exported_program.json"
# Keys of a program; any may be written with escapes.
_TELLING = ("graph_module", "expr_str", "guards_code", "\\u")
_COMPILED = (".cpp", ".cu", ".cubin", ".o", ".so", ".dll", ".dylib", ".pyd", ".spv", ".hsaco", "flags.json")
# Where the shapes of inputs and outputs are described, in a text of its own.
_SHAPES = frozenset({"in_spec", "out_spec", "treespec", "spec"})
_KNOWN = ("torch.", "builtins.", "transformers.", "diffusers.")
# What sizes are computed with. `_operator` also has callables that look up names.
_ARITHMETIC = frozenset(
    {
        "abs", "add", "and_", "contains", "eq", "floordiv", "ge", "getitem", "gt", "iadd", "ifloordiv",
        "imod", "imul", "index", "inv", "invert", "ipow", "is_", "is_not", "isub", "itruediv", "le",
        "lshift", "lt", "matmul", "mod", "mul", "ne", "neg", "not_", "or_", "pos", "pow", "rshift",
        "sub", "truediv", "truth", "xor",
    }
)  # fmt: skip


def sniff(blob: Blob) -> bool:
    """Say whether it is a member by which PyTorch knows an export, or a program in one."""
    if blob.container not in ("torch", "torchscript", "zip"):
        return False
    if blob.name in ("archive_format", _OLD):
        return True
    if _is_compiled(blob):
        return True
    if blob.container == "zip":
        return False
    path = (blob.location.member or "").rpartition("!/")[2].lower()
    return blob.name.endswith(".json") and "models/" in path and begins_json(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked]:
    """Yield that there is an export, and what its program names besides PyTorch's operators.

    Raises:
        Declined: It is no program.
        LimitReached: It is longer than ``limits.text_bytes``, or names too much.
    """
    if _is_compiled(blob):
        yield blob.fact("torch-export.compiled", printable(blob.name, 100))
        return
    if blob.name in ("archive_format", _OLD):
        yield blob.fact("torch-export.archive", blob.name)
    if blob.name == "archive_format":
        return
    text = read_text(blob, limits)
    if blob.name != _OLD and not any(word in text for word in _TELLING):
        raise Declined
    operators = Operators(blob, limits, clock)
    seen: set[tuple[str, str]] = set()
    try:
        for each in members(text, clock):
            if not isinstance(each.value, str):
                continue
            for kind, subject, detail in _judged(each):
                if (kind, subject) in seen:
                    continue
                seen.add((kind, subject))
                line = line_of(text, each.offset)
                if kind == "operator":
                    yield from operators.note(subject, line=line)
                else:
                    clock.spend("facts", 1, limits.facts)
                    yield blob.fact(kind, printable(subject, 200), line=line, **detail)
    except Malformed:
        yield blob.not_checked("malformed", "the exported program is no JSON document; export it again")


def _is_compiled(blob: Blob) -> bool:
    """Say whether it is code of an AOTInductor package, or what such code is compiled with."""
    return "data/aotinductor/" in (blob.location.member or "").lower() and blob.name.endswith(_COMPILED)


def _judged(each: Member) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what one text of a program comes to: a kind of fact, its subject and detail."""
    value = str(each.value)
    if each.key == "target" and "nodes" in each.path:
        yield from _target(value)
    elif each.key in _SHAPES:
        # Texts within a text: however deep the quotes, these are the names that are imported.
        for named in _imported().finditer(value.replace("\\", "")):
            name = (named["enum"] or f"{named['home']}.{named['name'] or '?'}").replace(":", ".")
            if not name.startswith(_KNOWN):
                yield "torch-export.target", name, {"form": "import"}
    elif each.key == "expr_str" or "guards_code" in each.path:
        guard = each.key != "expr_str"
        problem = objection(value, guard=guard)
        if problem is not None:
            where = "guard" if guard else "size"
            yield "torch-export.expression", value, {"does": problem[0], "free": problem[1], "where": where}


def _target(target: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what a node calls, where it is not plain arithmetic."""
    names = target.split(".")
    if names[:2] == ["torch", "ops"] and len(names) > 3:
        yield "operator", f"{names[2]}::{names[3]}", {}
    elif target.startswith("torch.ops.higher_order.") or _symbolic().fullmatch(target):
        return
    elif names[0] in ("_operator", "math") and len(names) == 2:
        if names[0] == "_operator" and names[1] not in _ARITHMETIC:
            yield "torch-export.target", target, {"form": "operator"}
    elif _extension().fullmatch(target):
        yield "torch-export.target", target, {"form": "extension"}
    else:
        yield "torch-export.target", target, {"form": "python"}


@cache
def _imported() -> re.Pattern[str]:
    # The type of an enumeration's value, and what makes the missing values of a mapping.
    return re.compile(
        r"\"fqn\"\s*:\s*\"(?P<enum>[^\"]{1,200})\""
        r"|\"default_factory_module\"\s*:\s*\"(?P<home>[^\"]{1,200})\"\s*"
        r"(?:,\s*\"default_factory_name\"\s*:\s*\"(?P<name>[^\"]{1,200})\")?"
    )


@cache
def _symbolic() -> re.Pattern[str]:
    return re.compile(r"(?:torch\._?(?:sym_|check|assert)\w*)?|torch\.ops\.\w+\.\w+", re.ASCII)


@cache
def _extension() -> re.Pattern[str]:
    return re.compile(r"#\w+:[\w.]+", re.ASCII)
