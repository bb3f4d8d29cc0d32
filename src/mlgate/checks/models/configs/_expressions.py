"""Texts that PyTorch evaluates when it loads an exported program, held against what it writes.

Sizes are texts that SymPy evaluates as Python; guards are texts that are pasted into a
function's source. Both have a small grammar of their own, and nothing else belongs in them.
"""

import re
from functools import cache

# Constructors of SymPy and of PyTorch's own functions.
_SYMPY = frozenset(
    {
        "Abs", "Add", "And", "BitwiseFn_bitwise_and", "BitwiseFn_bitwise_or", "BitwiseFn_bitwise_xor",
        "BooleanFalse", "BooleanTrue", "CeilDiv", "CeilToInt", "CleanDiv", "Dummy", "Eq", "Equality",
        "Float", "FloatPow", "FloatTrueDiv", "FloorDiv", "FloorToInt", "Ge", "GreaterThan", "Gt", "ITE",
        "Identity", "IntTrueDiv", "Integer", "IsNonOverlappingAndDenseIndicator", "LShift", "Le",
        "LessThan", "Lt", "Max", "Min", "Mod", "ModularIndexing", "Mul", "Ne", "Not", "Or", "Piecewise",
        "Pow", "PowByNatural", "PythonMod", "RShift", "Rational", "RoundDecimal", "RoundToInt",
        "StrictGreaterThan", "StrictLessThan", "Symbol", "ToFloat", "TruncToFloat", "TruncToInt",
        "Tuple", "Unequality", "Where", "Xor", "ceiling", "exp", "floor", "log", "sign", "sqrt",
    }
)  # fmt: skip
_GUARDS = (
    _SYMPY
    | {"len", "abs", "max", "min", "int", "float", "bool", "round", "isinstance", "pow"}
    | {"cast_symbool_to_symint_guardless"}
)
_METHODS = frozenset({"size", "stride", "storage_offset", "dim", "numel", "item", "element_size"})
_WORDS = frozenset(
    {
        "async", "await", "breakpoint", "class", "compile", "def", "del", "delattr", "eval", "exec",
        "for", "getattr", "global", "globals", "import", "input", "lambda", "lambdify", "locals",
        "open", "parse_expr", "preview", "setattr", "source", "sympify", "vars", "while", "with",
        "yield",
    }
)  # fmt: skip
_LONGEST = 100_000
_PAIRS = {")": "(", "]": "["}


def objection(text: str, *, guard: bool) -> tuple[str, bool] | None:
    """Say what in an expression PyTorch does not write, or return None.

    Args:
        text: The expression.
        guard: True for a guard, which takes inputs apart; False for a size.

    Returns:
        The objection, and whether it could run what it likes.
    """
    if len(text) > _LONGEST:
        return "is longer than any that it writes", True
    open_: list[str] = []
    before = ["", "", ""]
    mild = None
    at = 0
    for token in _tokens().finditer(text):
        if text[at : token.start()].strip(" "):
            break
        at = token.end()
        word, behind = token[0], text[at : at + 1]
        problem: str | None = None
        if token.lastgroup == "name":
            problem = _name(word, before, behind, guard=guard)
            if problem is None and behind == "(" and not _known(word, before, guard=guard):
                mild = f"calls {word}"
        elif token.lastgroup == "text":
            problem = _text(word, guard=guard)
        elif word in "([":
            if before[-1] in (")", "]") and word == "(":
                problem = "calls what a call returns"
            elif word == "[" and not guard:
                problem = "takes something apart"
            open_.append(word)
        elif word in _PAIRS:
            if not open_ or open_.pop() != _PAIRS[word]:
                problem = "closes a bracket that it did not open"
        elif (word == "." and not guard) or (word == "," and not open_):
            problem = "reaches for an attribute" if word == "." else "is more than one expression"
        if problem is not None:
            return problem, True
        before = [*before[1:], word]
    if text[at:].strip(" "):
        return "holds what is no expression", True
    if open_:
        return "does not close a bracket", True
    return None if mild is None else (mild, False)


def _name(word: str, before: list[str], behind: str, *, guard: bool) -> str | None:
    if "__" in word:
        return f"reaches for {word}"
    if word in _WORDS:
        return f"uses {word}"
    if guard and before[-1] == ".":
        if before[-2] == "torch" and not word.startswith("sym_"):
            return f"reaches for torch.{word}"
        if behind == "(" and before[-2] not in ("math", "torch") and word not in _METHODS:
            return f"calls the method {word}"
    return None


def _known(word: str, before: list[str], *, guard: bool) -> bool:
    if before[-1] == ".":
        return True
    return word in (_GUARDS if guard else _SYMPY) or word.startswith("OpaqueUnaryFn_") or word in _OPERATORS


def _text(word: str, *, guard: bool) -> str | None:
    # SymPy evaluates the texts in a text too; a guard's are copied into a text in quotes.
    inside = word[1:-1]
    if guard:
        return "holds a quote in a text" if '"' in inside or "\\" in inside else None
    return None if _plain().fullmatch(inside) else "holds a text that is evaluated in its turn"


_OPERATORS = frozenset({"and", "or", "not", "in", "is", "if", "else"})


@cache
def _tokens() -> re.Pattern[str]:
    return re.compile(
        r"(?P<number>\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)"
        r"|(?P<name>[A-Za-z_]\w*)"
        r"|(?P<text>'[^'\n]*'|\"[^\"\n]*\")"
        r"|\*\*|//|<<|>>|<=|>=|==|!=|[-+*/%<>=&|~^(),.\[\]]",
        re.ASCII,
    )


@cache
def _plain() -> re.Pattern[str]:
    return re.compile(r"[\w.+-]{0,100}", re.ASCII)
