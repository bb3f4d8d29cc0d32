"""Pickle's opcodes, and how far each reaches when nothing is executed.

Source: the opcode table of CPython's ``Lib/pickle.py``, and ``Modules/_pickle.c`` for
what follows each opcode.
"""

import re

MARK = 0x28
EMPTY_TUPLE = 0x29
STOP = 0x2E
POP = 0x30
POP_MARK = 0x31
DUP = 0x32
BINBYTES = 0x42
SHORT_BINBYTES = 0x43
FLOAT = 0x46
BINFLOAT = 0x47
INT = 0x49
BININT = 0x4A
BININT1 = 0x4B
LONG = 0x4C
BININT2 = 0x4D
NONE = 0x4E
PERSID = 0x50
BINPERSID = 0x51
REDUCE = 0x52
STRING = 0x53
BINSTRING = 0x54
SHORT_BINSTRING = 0x55
UNICODE = 0x56
BINUNICODE = 0x58
EMPTY_LIST = 0x5D
APPEND = 0x61
BUILD = 0x62
GLOBAL = 0x63
DICT = 0x64
APPENDS = 0x65
GET = 0x67
BINGET = 0x68
INST = 0x69
LONG_BINGET = 0x6A
LIST = 0x6C
OBJ = 0x6F
PUT = 0x70
BINPUT = 0x71
LONG_BINPUT = 0x72
SETITEM = 0x73
TUPLE = 0x74
SETITEMS = 0x75
EMPTY_DICT = 0x7D
PROTO = 0x80
NEWOBJ = 0x81
EXT1 = 0x82
EXT2 = 0x83
EXT4 = 0x84
TUPLE1 = 0x85
TUPLE2 = 0x86
TUPLE3 = 0x87
NEWTRUE = 0x88
NEWFALSE = 0x89
LONG1 = 0x8A
LONG4 = 0x8B
SHORT_BINUNICODE = 0x8C
BINUNICODE8 = 0x8D
BINBYTES8 = 0x8E
EMPTY_SET = 0x8F
ADDITEMS = 0x90
FROZENSET = 0x91
NEWOBJ_EX = 0x92
STACK_GLOBAL = 0x93
MEMOIZE = 0x94
FRAME = 0x95
BYTEARRAY8 = 0x96
NEXT_BUFFER = 0x97
READONLY_BUFFER = 0x98

HIGHEST_PROTOCOL = 5

# Bytes after the opcode, where that number is fixed.
FIXED = {
    MARK: 0, EMPTY_TUPLE: 0, STOP: 0, POP: 0, POP_MARK: 0, DUP: 0, BINFLOAT: 8, BININT: 4, BININT1: 1,
    BININT2: 2, NONE: 0, BINPERSID: 0, REDUCE: 0, EMPTY_LIST: 0, APPEND: 0, BUILD: 0, DICT: 0, APPENDS: 0,
    BINGET: 1, LONG_BINGET: 4, LIST: 0, OBJ: 0, BINPUT: 1, LONG_BINPUT: 4, SETITEM: 0, TUPLE: 0, SETITEMS: 0,
    EMPTY_DICT: 0, PROTO: 1, NEWOBJ: 0, EXT1: 1, EXT2: 2, EXT4: 4, TUPLE1: 0, TUPLE2: 0, TUPLE3: 0,
    NEWTRUE: 0, NEWFALSE: 0, EMPTY_SET: 0, ADDITEMS: 0, FROZENSET: 0, NEWOBJ_EX: 0, STACK_GLOBAL: 0,
    MEMOIZE: 0, FRAME: 8, NEXT_BUFFER: 0, READONLY_BUFFER: 0,
}  # fmt: skip

# Lines after the opcode.
LINES = {FLOAT: 1, INT: 1, LONG: 1, PERSID: 1, STRING: 1, UNICODE: 1, GET: 1, PUT: 1, GLOBAL: 2, INST: 2}

# Width of the little-endian length after the opcode.
SIZED = {
    BINBYTES: 4, SHORT_BINBYTES: 1, BINSTRING: 4, SHORT_BINSTRING: 1, BINUNICODE: 4, LONG1: 1, LONG4: 4,
    SHORT_BINUNICODE: 1, BINUNICODE8: 8, BINBYTES8: 8, BYTEARRAY8: 8,
}  # fmt: skip

OPCODES = frozenset(FIXED) | frozenset(LINES) | frozenset(SIZED)

# Importing, calling, or handing a value to an object's own methods.
EFFECTS = frozenset(
    (GLOBAL, INST, STACK_GLOBAL, EXT1, EXT2, EXT4, REDUCE, OBJ, NEWOBJ, NEWOBJ_EX, BUILD, PERSID, BINPERSID)
)


def may_act(data: bytes, start: int = 0) -> bool:
    """Say whether a reader that starts here could reach an opcode that acts, or STOP, before one that fails.

    The stack is left out of account, and running out of ``data`` counts as reaching one.
    """
    position, end = start, len(data)
    while position < end:
        opcode = data[position]
        if opcode in EFFECTS or opcode == STOP:
            return True
        if opcode not in OPCODES:
            return False
        position = skip(data, position)
    return True


def may_begin(data: bytes, *, whole: bool) -> bool:
    """Say whether ``data`` could be the beginning of a pickle; ``whole`` where nothing follows it."""
    position = 0
    while position < len(data):
        opcode = data[position]
        if opcode in EFFECTS or opcode == STOP:
            return position > 0 or opcode in (GLOBAL, PERSID)
        if opcode not in OPCODES:
            return False
        position = skip(data, position)
    return not whole


def skip(data: bytes, position: int) -> int:
    """Offset of the opcode after the one at ``position``; beyond ``data`` where that is cut off."""
    opcode = data[position]
    position += 1
    width = FIXED.get(opcode)
    if width is not None:
        return position + width
    width = SIZED.get(opcode)
    if width is not None:
        return position + width + int.from_bytes(data[position : position + width], "little")
    for _ in range(LINES.get(opcode, 0)):
        found = data.find(b"\n", position)
        if found < 0:
            return len(data) + 1
        position = found + 1
    return position


def arguments(data: bytes, position: int) -> list[int]:
    """Offsets at which the parts of an opcode begin that the unpickler reads one by one.

    These are its fixed argument or length, its lines or its payload, and what FRAME holds;
    the last offset is that of the next opcode.
    """
    opcode = data[position]
    width = FIXED.get(opcode, SIZED.get(opcode))
    parts = [position + 1]
    if width is not None:
        parts.append(position + 1 + width)
        if opcode in SIZED or opcode == FRAME:
            size = int.from_bytes(data[position + 1 : position + 1 + width], "little")
            parts.append(parts[-1] + size)
        return parts
    for _ in range(LINES.get(opcode, 0)):
        found = data.find(b"\n", parts[-1])
        parts.append(len(data) if found < 0 else found + 1)
    return parts


SCALAR = rb"(?:K.|M..|J....|G.{8}|[N\x88\x89])"
# Runs of scalars make up the lists that hold millions of them.
SCALAR_RUN = re.compile(SCALAR + rb"+", re.DOTALL)
SCALARS = re.compile(SCALAR, re.DOTALL)
