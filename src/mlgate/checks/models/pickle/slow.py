"""The opcodes that are too rare to decide the speed."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from mlgate.checks.models.paths import escape
from mlgate.checks.models.pickle import joblib, nested, newobj_ex, scipy_source, torch_legacy
from mlgate.checks.models.pickle import opcodes as op
from mlgate.checks.models.pickle.acts import Acts
from mlgate.checks.models.pickle.state import LONGEST_NAME, Broken, Paused, Truncated
from mlgate.checks.models.pickle.values import (
    BUFFER,
    BYTEARRAY,
    CONTAINERS,
    LONGEST,
    NUMBER,
    PLAIN,
    UNKNOWN,
    Dict,
    Made,
    Payload,
    Persistent,
    Set,
    render,
)
from mlgate.checks.models.reader import LimitReached

_DECIMAL = re.compile(rb"-?(?:0|[1-9][0-9]*)")
# What strtol with base 0 and PyLong_FromString with base 0 take between them.
_C_INT = re.compile(rb"\s*[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)\s*")
_ESCAPE = re.compile(rb"\\(?:\n|([\\'\"abfnrtv])|([0-7]{1,3})|x([0-9a-fA-F]{2})|(x|\Z))")
_ESCAPED = dict(zip(b"\\'\"abfnrtv", b"\\'\"\a\b\f\n\r\t\v", strict=True))
_TEXT = frozenset((op.BINUNICODE8, op.BINSTRING, op.SHORT_BINSTRING))


class SlowOpcodes(Acts):
    """All opcodes but the most frequent."""

    def step(self, opcode: int, buffer: bytes, at: int) -> None:
        """Execute one opcode, of which ``buffer[at]`` is the first byte.

        :attr:`position` is its offset, and afterwards that of the next one.
        """
        handler = self._handlers.get(opcode)
        if handler is None:
            raise Broken(f"no opcode 0x{opcode:02x}")
        offset = self.position
        width = op.FIXED.get(opcode)
        if width is None:
            width = op.SIZED.get(opcode, 0)
        self.position += 1 + width
        handler(self, opcode, int.from_bytes(buffer[at + 1 : at + 1 + width], "little"), offset)

    def _pop_mark(self) -> list[Any]:
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def _proto(self, _opcode: int, value: int, offset: int) -> None:
        if value > op.HIGHEST_PROTOCOL:
            raise Broken(f"no protocol {value}")
        if offset != self.start:
            self.recorder.note("reader-difference", "PROTO in mid-stream", offset)
        self.protocol = value
        self.imported.clear()

    def _frame(self, _opcode: int, value: int, offset: int) -> None:
        if self.position + value > self.window.size:
            # C's unpickler fails here, the one in Python (joblib's) goes on.
            self.recorder.note("reader-difference", "FRAME past the end", offset)
        if self.frame_end > self.position:
            if self.position + value <= self.frame_end:
                # A frame inside a frame: all of it has been read already.
                return
            self.leave_frame(offset)
        elif self.frame_end > offset:
            # The frame before ends inside this opcode.
            self.leave_frame(offset)
        self.frame_end = self.position + value
        for cut in self.window.cuts:
            # The frame was left where its rest was dropped.
            if self.position < cut < self.frame_end:
                self.frame_end = cut

    def _pop(self, _opcode: int, _value: int, _offset: int) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._pop_mark()

    def _pop_to_mark(self, _opcode: int, _value: int, _offset: int) -> None:
        self._pop_mark()

    def _dup(self, _opcode: int, _value: int, _offset: int) -> None:
        self.stack.append(self.stack[-1])

    def _constant(self, opcode: int, _value: int, _offset: int) -> None:
        self.stack.append({op.NEWTRUE: True, op.NEWFALSE: False, op.EMPTY_TUPLE: ()}[opcode])

    def _container(self, opcode: int, _value: int, _offset: int) -> None:
        if opcode == op.EMPTY_SET:
            self.stack.append(Set())
            return
        items = self._pop_mark()
        kept = self.some(items)
        if opcode == op.DICT:
            if len(items) & 1:
                raise Broken("odd number of items for DICT")
            self.stack.append(Dict(kept))
        else:
            self.stack.append(kept if opcode == op.LIST else Set(kept))

    def _additems(self, _opcode: int, _value: int, offset: int) -> None:
        items = self._pop_mark()
        target = self.stack[-1]
        if type(target) is Set:
            if len(target) <= self.keep:
                self.grow(target, items)
        elif items:
            self.fill(target, items, offset, "ADDITEMS")

    def _number(self) -> bytes:
        line = self.line()
        if not line:
            raise Broken("a number that is none")
        # C reads numbers up to the first zero byte.
        return line.partition(b"\0")[0]

    def _integer(self, opcode: int, _value: int, offset: int) -> None:
        line = self._number()
        if opcode == op.INT and line in (b"00", b"01"):
            self.stack.append(line == b"01")
            return
        if opcode == op.LONG:
            line = line.removesuffix(b"L")
        if not _DECIMAL.fullmatch(line):
            # strtol makes a nought of nothing, where a zero byte comes first.
            if not _C_INT.fullmatch(line) and (line or opcode == op.LONG):
                raise Broken("a number that is none")
            self.recorder.note("reader-difference", "number in another base", offset, text=ascii(line[:40]))
            self.stack.append(NUMBER)
            return
        self.stack.append(int(line) if len(line) < 100 else NUMBER)

    def _float(self, _opcode: int, _value: int, _offset: int) -> None:
        try:
            self.stack.append(float(self._number()))
        except ValueError as error:
            raise Broken("a number that is none") from error

    def _long(self, opcode: int, size: int, offset: int) -> None:
        if opcode == op.LONG4 and size >= 1 << 31:
            raise Broken("a negative length")
        if self.position + size > self.window.size:
            raise Truncated
        data = self.window.read(self.position, size) if size <= 32 else None
        self.stack.append(NUMBER if data is None else int.from_bytes(data, "little", signed=True))
        if size > 1 << 20:
            self.recorder.note("amplification", "integer of many digits", offset, size=size)
        self.position += size

    def _string_line(self, opcode: int, _value: int, offset: int) -> None:
        start = self.position
        line = self.line()
        if line is None:
            self.stack.append(self.payload("text", start, self.position - start))
            return
        if opcode == op.STRING:
            if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
                raise Broken("a string without quotes")
            line = line[1:-1]
            if not line.isascii():
                self.recorder.note("reader-difference", "raw bytes in STRING", offset)
            text = _unescape(line).decode("latin-1")
        else:
            text = line.decode("raw-unicode-escape")
        if b"\\" in line:
            # Escapes hide what the text holds from its first bytes in the file.
            self._unescaped(text, offset)
        elif len(line) > nested.SHORTEST:
            self.nested_bytes(line, start + (opcode == op.STRING))
        self.stack.append(text if len(text) <= LONGEST_NAME else Payload("text", start, len(line)))

    def _unescaped(self, text: str, offset: int) -> None:
        try:
            data = text.encode("latin-1")
        except UnicodeEncodeError:
            return
        encoding = nested.encoding(data[: nested.HEAD]) if len(data) > nested.SHORTEST else None
        if encoding is not None:
            self.add_nested(offset, len(data), encoding, data)

    def _sized(self, opcode: int, size: int, _offset: int) -> None:
        if opcode == op.BINSTRING and size >= 1 << 31:
            raise Broken("a negative length")
        start, self.position = self.position, self.position + size
        if size > LONGEST:
            value = self.payload("text" if opcode in _TEXT else "bytes", start, size)
            self.stack.append(BYTEARRAY if opcode == op.BYTEARRAY8 else value)
            return
        data = self.peek(start, size)
        if len(data) < size:
            raise Truncated
        if size > nested.SHORTEST:
            self.nested_bytes(data, start, text=opcode == op.BINUNICODE8)
        if opcode == op.BYTEARRAY8:
            self.stack.append(BYTEARRAY)
        elif opcode == op.BINUNICODE8:
            self.stack.append(data.decode("utf-8", "surrogatepass"))
        elif opcode in _TEXT:
            self.stack.append(data.decode("latin-1"))
        else:
            self.stack.append(data)

    def _get(self, _opcode: int, _value: int, _offset: int) -> None:
        self.stack.append(self.memo.get(self._index()))

    def _put(self, _opcode: int, _value: int, offset: int) -> None:
        value = self.stack[-1]
        index = self._index()
        if index < 0:
            raise Broken("a negative memo index")
        if index > 1 << 24:
            self.large_memo(index, offset)
        self.memo.put(index, value)

    def _index(self) -> int:
        try:
            return int(self._number())
        except ValueError as error:
            raise Broken("a memo index that is no number") from error

    def _global(self, _opcode: int, _value: int, offset: int) -> None:
        module, name = self._names("utf-8")
        if not (module.isascii() and name.isascii()):
            self.recorder.note("reader-difference", "GLOBAL beyond ASCII", offset)
        self.stack.append(self.find_class(module, name, offset))

    def _names(self, encoding: str) -> tuple[str, str]:
        module, name = self.text_line(encoding, "module name"), ""
        if module:
            name = self.text_line(encoding, "name")
        if not name:
            raise Truncated if self.position >= self.window.size else Broken("an empty name")
        return module, name

    def _stack_global(self, _opcode: int, _value: int, offset: int) -> None:
        name, module = self._name(self.stack.pop()), self._name(self.stack.pop())
        if name is None or module is None:
            self.recorder.note(
                "unresolved", "STACK_GLOBAL", offset, module=module or "", name=name or "",
            )  # fmt: skip
            self.recorder.acted = True
            self.stack.append(UNKNOWN)
            return
        self.stack.append(self.find_class(module, name, offset))

    def _name(self, value: Any) -> str | None:
        if type(value) is str:
            return value
        if type(value) is Payload and value.kind == "text" and value.size <= LONGEST_NAME:
            return self.window.read(value.offset, value.size).decode("utf-8", "surrogatepass")
        if type(value) in PLAIN and type(value) is not Payload:
            raise Broken("STACK_GLOBAL of something that is no text")
        return None

    def _inst(self, _opcode: int, _value: int, offset: int) -> None:
        module, name = self._names("ascii")
        args = tuple(self.some(self._pop_mark()))
        self.stack.append(self._instantiate(self.find_class(module, name, offset), args, offset, "INST"))

    def _obj(self, _opcode: int, _value: int, offset: int) -> None:
        items = self._pop_mark()
        args = tuple(self.some(items[1:]))
        self.stack.append(self._instantiate(items[0], args, offset, "OBJ"))

    def _instantiate(self, cls: Any, args: tuple[Any, ...], offset: int, via: str) -> Any:
        # Without arguments a class without __getinitargs__ is made by __new__ alone, but
        # anything else is called: which of the two cannot be seen, so it counts as called.
        return self.reduce(cls, args, offset, via)

    def _newobj(self, opcode: int, _value: int, offset: int) -> None:
        keywords = self.stack.pop() if opcode == op.NEWOBJ_EX else None
        args = self.stack.pop()
        cls = self.stack.pop()
        if type(args) is not tuple and (type(args) in PLAIN or type(args) in CONTAINERS):
            raise Broken("the arguments of an instance are no tuple")
        known = args if type(args) is tuple else None
        if keywords and known is not None:
            known = (*known, keywords)
        via = "NEWOBJ_EX" if opcode == op.NEWOBJ_EX else "NEWOBJ"
        self.stack.append(self.instance(cls, known, offset, via))

    def _build(self, _opcode: int, _value: int, offset: int) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is Made and self.arrays and joblib.is_wrapper(target):
            self.array = joblib.array(state)
            self.stack.pop()
            raise Paused
        self.fill(target, state, offset, "BUILD")
        if scipy_source.concerns(target, state):
            self.templates.append((offset, state))
        if type(target) is Made:
            file = joblib.outside(target, state)
            if file is not None:
                leaves = escape(file) if file != "?" else "unknown"
                self.recorder.note("external-array", file, offset, escape=leaves)
            target.built, target.state = True, shown_state(state)

    def _extension(self, _opcode: int, code: int, offset: int) -> None:
        if code == 0:
            raise Broken("extension code 0")
        self.recorder.note("extension", f"extension {code}", offset, code=code)
        self.recorder.acted = True
        self.stack.append(UNKNOWN)

    def _persid(self, opcode: int, _value: int, offset: int) -> None:
        pid = self.stack.pop() if opcode == op.BINPERSID else self.text_line("ascii", "persistent id")
        form, shown = "other", render(pid)
        storage = torch_legacy.storage(pid)
        if storage is not None:
            form, shown = "torch-storage", ""
            known = self.storages.setdefault(storage[0], storage[1])
            if known != storage[1]:
                # The first one is what the loader keeps.
                self.recorder.note("impossible-tensor", "one storage with two sizes", offset, text=shown)
            if len(self.storages) > self.limits.members:
                raise LimitReached("members")
        elif torch_legacy.source(pid):
            form, shown = "torch-source", ""
        self.recorder.note("persistent-id", form, offset, text=shown)
        # For a class with its source, PyTorch's loader returns the class.
        self.stack.append(pid[1] if form == "torch-source" else Persistent(pid))

    def _out_of_band(self, opcode: int, _value: int, offset: int) -> None:
        if opcode == op.NEXT_BUFFER:
            self.recorder.note("reader-difference", "out-of-band buffer", offset)
            self.stack.append(BUFFER)
        elif not self.stack:
            raise IndexError

    _handlers: ClassVar[dict[int, Callable[[Any, int, int, int], None]]] = {
        op.PROTO: _proto,
        op.FRAME: _frame,
        op.POP: _pop,
        op.POP_MARK: _pop_to_mark,
        op.DUP: _dup,
        op.NEWTRUE: _constant,
        op.NEWFALSE: _constant,
        op.EMPTY_TUPLE: _constant,
        op.EMPTY_SET: _container,
        op.DICT: _container,
        op.LIST: _container,
        op.FROZENSET: _container,
        op.ADDITEMS: _additems,
        op.INT: _integer,
        op.LONG: _integer,
        op.FLOAT: _float,
        op.LONG1: _long,
        op.LONG4: _long,
        op.STRING: _string_line,
        op.UNICODE: _string_line,
        op.BINSTRING: _sized,
        op.SHORT_BINSTRING: _sized,
        op.BINBYTES: _sized,
        op.BINBYTES8: _sized,
        op.BINUNICODE8: _sized,
        op.BYTEARRAY8: _sized,
        op.GET: _get,
        op.PUT: _put,
        op.GLOBAL: _global,
        op.STACK_GLOBAL: _stack_global,
        op.INST: _inst,
        op.OBJ: _obj,
        op.NEWOBJ: _newobj,
        op.NEWOBJ_EX: _newobj,
        op.BUILD: _build,
        op.EXT1: _extension,
        op.EXT2: _extension,
        op.EXT4: _extension,
        op.PERSID: _persid,
        op.BINPERSID: _persid,
        op.NEXT_BUFFER: _out_of_band,
        op.READONLY_BUFFER: _out_of_band,
    }


def shown_state(state: Any) -> Any:
    """Keep of a state what the width of a dtype is told by, or what a partial makes: parts of a tuple."""
    if type(state) is not tuple:
        return UNKNOWN
    return newobj_ex.held(state) or tuple(item if type(item) is int else None for item in state)


def _unescape(data: bytes) -> bytes:
    """Resolve the escapes of a STRING, as ``PyBytes_DecodeEscape`` does."""
    return _ESCAPE.sub(_escaped, data) if b"\\" in data else data


def _escaped(match: re.Match[bytes]) -> bytes:
    letter, octal, hexadecimal, bad = match.groups()
    if bad is not None:
        raise Broken("text with a broken escape")
    if letter is not None:
        return bytes((_ESCAPED[letter[0]],))
    if octal is not None:
        return bytes((int(octal, 8) & 255,))
    return bytes((int(hexadecimal, 16),)) if hexadecimal is not None else b""
