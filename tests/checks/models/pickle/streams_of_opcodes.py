"""Make pickle streams that almost work: opcodes at random, and mutations of real pickles."""

import random

GLOBALS = [b"cos\nsystem\n", b"cbuiltins\neval\n", b"ccollections\nOrderedDict\n", b"c__builtin__\nxrange\n"]
TEXTS = [b"os", b"system", b"a.b", b"builtins", b"x" * 300, "é".encode(), b"\xed\xa0\x80", b"", b"\xff"]
LINES = [
    b"1", b"0", b"00", b"01", b"-1", b"0x1F", b"1_0", b" 7 ", b"010", b"5L", b"0x1FL", b"1\x00junk", b"1.5",
    b"'os'", b"'o\\x73'", b'"sys"', b"'\\u006f'", b"'\xe9'", b"os", b"\\u006fs", b"", b"'", b"'bad\\x'", b"'a\\8'",
]  # fmt: skip
PLAIN = b"(.012N)]}\x88\x89\x85\x86\x87\x8f\x91RtlduesaboQ\x81\x92\x93\x94\x90\x97\x98"


def sized(code, width, text):
    return code + len(text).to_bytes(width, "little") + text


def opcode(rng):
    """Return one opcode with its argument."""
    kind = rng.randrange(24)
    if kind < 7:
        return bytes((rng.choice(PLAIN),))
    if kind < 9:
        return rng.choice(GLOBALS)
    if kind == 9:
        module, name = rng.choice(TEXTS), rng.choice(TEXTS)
        return (
            sized(b"\x8c", 1, module[:255])
            + sized(b"X", 4, name)
            + rng.choice((b"\x93", b"\x93R", b"", b"\x94\x93"))
        )
    if kind == 10:
        return rng.choice((b"K", b"h", b"q")) + bytes((rng.randrange(4),))
    if kind == 11:
        return rng.choice((b"J", b"j", b"r", b"\x84")) + rng.randrange(4).to_bytes(4, "little")
    if kind == 12:
        return rng.choice((b"I", b"L", b"F", b"S", b"V", b"g", b"p", b"P")) + rng.choice(LINES) + b"\n"
    if kind == 13:
        codes = (
            (b"\x8c", 1),
            (b"X", 4),
            (b"C", 1),
            (b"B", 4),
            (b"U", 1),
            (b"T", 4),
            (b"\x8d", 8),
            (b"\x8e", 8),
            (b"\x96", 8),
        )
        code, width = rng.choice(codes)
        return sized(code, width, rng.choice(TEXTS)[:255])
    if kind == 14:
        return b"\x80" + bytes((rng.randrange(7),))
    if kind == 15:
        return b"\x95" + rng.choice((0, 1, 3, 10, 1 << 20)).to_bytes(8, "little")
    if kind == 16:
        return rng.choice(
            (b"(ios\nsystem\n", b"(cos\nsystem\no", b"cos\nsystem\n(tR", b"cos\nsystem\n)\x81}b", b"ic\n\n")
        )
    if kind == 17:
        return rng.choice(
            (b"\x8a\x01\x05", b"\x8b\x02\x00\x00\x00\x01\x02", b"G" + bytes(8), b"M\x01\x02", b"\x82\x01")
        )
    if kind == 18:
        return rng.choice(
            (b"(K\x01K\x02K\x03K\x04t", b"(K\x01K\x02l", b"]K\x01a", b"}K\x01K\x02s", b"\x8f(K\x01\x90")
        )
    if kind == 19:
        return bytes((rng.randrange(256),))
    if kind == 20:
        return memo(rng)
    if kind == 21:
        # What is imported goes through the memo, as protocol 4 has it.
        module, name = rng.choice(TEXTS[:4]), rng.choice(TEXTS[:4])
        kept = rng.choice((b"\x94", b"q\x00", b"r\x01\x00\x00\x00", b"p0\n"))
        again = rng.choice((b"h\x00", b"j\x00\x00\x00\x00", b"g0\n", b"h\x01", b"2"))
        return sized(b"\x8c", 1, module) + kept + sized(b"\x8c", 1, name) + b"\x94" + again + b"0" + b"\x93"
    if kind == 22:
        return rng.choice(
            (
                b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\x00\x00\x00", b"\x82\x00", b"Pos\n", b"P\xe9\n", b"]Q", b"NQ",
                b"(cos\nsystem\n)o", b"(cos\nsystem\no", b"(o", b"(ibuiltins\ndict\n", b"(\x8c\x01aios\na.b\n", b"1", b"(1",
                b"cos\nsystem\n)\x81", b"cos\nsystem\n)}\x92", b"cos\nsystem\n}\x85R", b"}(\x8c\x01aNu", b"(NNd",
            )
        )  # fmt: skip
    inner = b"".join(opcode(rng) for _ in range(rng.randrange(4)))
    return b"\x95" + max(len(inner) + rng.choice((0, 0, 0, -1, 1)), 0).to_bytes(8, "little") + inner


def memo(rng):
    """Return an opcode that writes or reads the memo, near its start or far away."""
    index = rng.choice((0, 1, 2, 3, 5, 60, 70, 255, 256, 300, 70_000))
    short = bytes((min(index, 255),))
    wide = index.to_bytes(4, "little")
    return rng.choice(
        (b"\x94", b"q" + short, b"r" + wide, b"p%d\n" % index, b"h" + short, b"j" + wide, b"g%d\n" % index)
    )


def made(rng, known=()):
    """Return a stream: made of opcodes, or a mutation of one of ``known``."""
    if known and rng.random() < 0.5:
        data = bytearray(rng.choice(known))
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(len(data) + 1)
            action = rng.randrange(4)
            if action == 0:
                data[at:at] = opcode(rng)
            elif action == 1:
                del data[at : at + rng.randrange(1, 6)]
            elif action == 2 and at < len(data):
                data[at] = rng.randrange(256)
            else:
                data[at : at + 1] = opcode(rng)
        return bytes(data)
    head = rng.choice((b"", b"", b"\x80\x02", b"\x80\x04", b"\x80" + bytes((rng.randrange(6),))))
    return head + b"".join(opcode(rng) for _ in range(rng.randrange(1, 30))) + rng.choice((b".", b"", b"0."))


def generator(seed):
    """Return a random source that is the same in every run."""
    return random.Random(seed)
