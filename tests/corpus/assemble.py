"""A small assembler for pickles: every opcode by hand, nothing is ever loaded."""

import struct
from typing import Any, NamedTuple


class Global(NamedTuple):
    """An imported name."""

    module: str
    name: str


class Call(NamedTuple):
    """The result of a call."""

    function: Any
    args: tuple[Any, ...]


class Raw(NamedTuple):
    """Opcodes that push one value."""

    code: bytes


def text(value: str, form: str = "X") -> bytes:
    """Push text: ``S``, ``V``, ``X``, ``short`` (protocol 4) or ``long`` (8 byte length)."""
    data = value.encode("utf-8", "surrogatepass")
    match form:
        case "S":
            return b"S" + repr(value).encode("ascii") + b"\n"
        case "V":
            return b"V" + value.encode("raw-unicode-escape").replace(b"\n", b"\\u000a") + b"\n"
        case "T":
            return b"T" + struct.pack("<i", len(data)) + data
        case "U":
            return b"U" + bytes((len(data),)) + data
        case "short":
            return b"\x8c" + bytes((len(data),)) + data
        case "long":
            return b"\x8d" + struct.pack("<Q", len(data)) + data
        case _:
            return b"X" + struct.pack("<I", len(data)) + data


def blob(value: bytes) -> bytes:
    """Push bytes."""
    return b"B" + struct.pack("<I", len(value)) + value


def named(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def stacked(module: str, name: str, form: str = "short") -> bytes:
    """STACK_GLOBAL."""
    return text(module, form) + text(name, form) + b"\x93"


def push(value: Any, *, ascii_only: bool = False) -> bytes:
    """Push a plain value, a global, a call or raw opcodes."""
    match value:
        case Raw(code):
            return code
        case Global(module, name):
            return named(module, name)
        case Call(function, args):
            return call(function, *args)
        case None:
            return b"N"
        case bool():
            return (b"I01\n" if value else b"I00\n") if ascii_only else (b"\x88" if value else b"\x89")
        case int():
            return (
                b"I%d\n" % value
                if ascii_only or not -(2**31) <= value < 2**31
                else b"J" + struct.pack("<i", value)
            )
        case float():
            return b"F%r\n" % value if ascii_only else b"G" + struct.pack(">d", value)
        case str():
            return text(value, "V" if ascii_only else "X")
        case bytes():
            return text(value.decode("latin1"), "S") if ascii_only else blob(value)
        case tuple():
            return many(*value, ascii_only=ascii_only)
        case list():
            return b"](" + b"".join(push(each, ascii_only=ascii_only) for each in value) + b"e"
        case dict():
            inner = b"".join(push(each, ascii_only=ascii_only) for pair in value.items() for each in pair)
            return b"}(" + inner + b"u"
    raise TypeError(type(value))


def many(*values: Any, ascii_only: bool = False) -> bytes:
    """Push a tuple."""
    return b"(" + b"".join(push(each, ascii_only=ascii_only) for each in values) + b"t"


def call(function: Any, *args: Any) -> bytes:
    """REDUCE."""
    return push(function) + many(*args) + b"R"


def new(cls: Any, *args: Any) -> bytes:
    """NEWOBJ."""
    return push(cls) + many(*args) + b"\x81"


def pickled(body: bytes, protocol: int = 2, *, framed: bool | None = None) -> bytes:
    """A whole pickle of one value."""
    body += b"."
    if protocol >= 4 and framed is not False:
        body = b"\x95" + struct.pack("<Q", len(body)) + body
    return (b"\x80" + bytes((protocol,)) if protocol >= 2 else b"") + body


SYSTEM = Global("os", "system")
EVIL = pickled(call(SYSTEM, "true"))
EVIL_POSIX = pickled(call(Global("posix", "system"), "true"), 0)
EVIL_TEXT = b"cos\nsystem\n(S'true'\ntR."
EVIL_4 = pickled(stacked("builtins", "exec") + many("pass") + b"R", 4)
# A function of no list: whoever only knows names sees nothing here.
EVIL_UNKNOWN = pickled(call(Global("acme.deploy.shell", "execute"), "true"), 4)
PLAYLOADS = {
    "system": EVIL,
    "text": EVIL_TEXT,
    "exec-4": EVIL_4,
    "unknown": EVIL_UNKNOWN,
}
