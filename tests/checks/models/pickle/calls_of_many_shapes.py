"""Make streams of calls and texts that come again and again, most of them alike and some of them odd."""

import struct

PLAIN = [b"abc", b"w\xc3\xb6rt", b"", b"x" * 9, b"twenty letters in all", b"7.25", b"k" * 30]
# The first three are no texts.
ODD = [
    b"\xff", b"\x80abc", b"ab\xc3", b"cposix\nsystem\n", b"cos\nsystem\n(S'id'\ntR.", b"\xc2\x80\x04.",
    b"Y3Bvc2l4CnN5c3RlbQooUyd0cnVlJwp0Ui4=", b"63706f7369780a73797374656d0a", b"\xed\xa0\x80", b"(cos\nsystem\n",
    b"\xc2\x80\x04cos\nsystem\n", b"Ncos\nsystem\n)R.", b"system", b"os",
]  # fmt: skip
RAW = [
    b"\x07\xe4\x01\x01", b"123456789", b"\x80\x04]\x94.aaaa", b"cos\nsystem\n(S'id'\ntR.", b"\x93" * 9,
    b"ab\ncde\nfgh", b"1cos\nsystem\n0", b"\x7fELF12345", b"x\x9cabcdefgh", b"BZh91AY&SY1", b"(cos\nsystem\n.",
    b"N\x82\x01)R.aaaa",
]  # fmt: skip
WRAPS = [
    (b"", b""),
    (b"](", b"e"),
    (b"}(", b"u"),
    (b"(", b"t"),
    (b"(", b"l"),
    (b"(", b"d"),
    (b"h\0(", b"tR"),
    (b"h\0(", b"e"),
]
SCALARS = [b"K\1", b"M\1\1", b"J\1\1\1\xff", b"N", b"\x88", b"G?" + bytes(7)]
# What follows a value or two from the memo: seldom what breaks most streams.
ENDS = [
    b"0", b"2", b"\x85h\1N\x870", b"\x94", b"\x86h\0h\1\x860", b"cos\nsystem\nq\0", b"\x85ctorch.storage\n_load_from_bytes\nh\0)R0",
    b"h\1N\x85R", b"\x85\x94", b"](K\1e",
]  # fmt: skip
BREAKING = [
    b"00000000000\x93",
    b"\x93",
    b"Nb",
    b"b",
    b"a",
    b"0b",
    b"00b",
    b"R",
    b"\x85R",
    b"\x86R",
    b"h\0)R",
    b"(K\1tR",
    b"K\1a",
    b")R",
]


def text(data, short):
    head = b"\x8c" + bytes([len(data)]) if short else b"X" + struct.pack("<I", len(data))
    return head + data


class Maker:
    """A stream of turns, from a source of chance."""

    def __init__(self, chance, oddness=0.01):
        self.chance, self.oddness, self.index = chance, oddness, 4
        self.short = chance.random() < 0.5
        # Whether the first entry of each turn is written over by the second.
        self.over = chance.random() < 0.1

    def put(self, *, over=False):
        if over and self.over:
            return b"r" + struct.pack("<I", self.index - 1)
        self.index += 1
        if self.chance.random() < self.oddness / 5:
            return b"r" + struct.pack(
                "<I", self.chance.choice((0, 1, 4, self.index, self.index - 2, 1 << 25))
            )
        if self.chance.random() < self.oddness / 5:
            return self.chance.choice((b"\x94", b"r" + struct.pack("<I", self.index - 1)))
        return b"\x94" if self.short else b"r" + struct.pack("<I", self.index - 1)

    def get(self):
        return b"j" + struct.pack("<I", self.chance.randrange(self.index))

    def word(self, number, odd):
        if odd:
            return self.chance.choice(ODD if self.chance.random() < 0.2 else ODD[3:])
        return b"%d" % number if self.chance.random() < 0.5 else self.chance.choice(PLAIN)

    def turn(self, shape, number):
        chance, odd = self.chance, self.chance.random() < self.oddness
        callee = bytes([chance.choice((1, 2)) if odd else 0])
        word = self.word(number, odd)
        short = self.short if chance.random() > self.oddness / 3 else not self.short
        if shape == 0:
            return (
                b"h"
                + callee
                + text(word, short)
                + self.put()
                + b"\x85"
                + self.put(over=True)
                + b"R"
                + self.put()
            )
        if shape == 1:
            raw = chance.choice(RAW) if odd else RAW[0]
            return (
                b"h"
                + callee
                + b"C"
                + bytes([len(raw)])
                + raw
                + self.put()
                + b"\x85"
                + self.put(over=True)
                + b"R"
            )
        if shape == 2:
            inner = b"h\0h\2" + text(word, short) + self.put() + b"h\3\x86" + self.put() + b"R" + self.put()
            return inner + b"\x85" + self.put() + b"R" + self.put()
        if shape == 3:
            return text(word, short) + self.put()
        if shape == 4:
            more = chance.choice(SCALARS) if odd else b""
            return text(word, short) + self.put() + chance.choice(SCALARS) + more
        if shape == 5:
            return b"h\0h" + callee + b"h\3\x85\x85\x85R\x85R" + self.put()
        if shape == 6:
            return b"h\0" + self.get() + b"\x85R" + self.put()
        if shape == 7:
            items = chance.choice((b"(K\1K\2e", b"(K\1K\2K\3e", b"K\1a"))
            return b"h" + callee + b"]" + self.put() + items + b"\x85" + self.put() + b"R" + self.put()
        if shape == 8:
            many = chance.choice((24, 60)) if odd else 3
            return (
                b"h\0("
                + b"".join(chance.choices(SCALARS[:2], k=many))
                + b"t"
                + self.put()
                + b"R"
                + self.put()
            )
        if shape == 9:
            return (
                b"h\0h\2h\3h\3\x86R\x85\x94R"
                if self.short
                else b"h\0K\1G" + bytes(8) + b"N\x87R" + self.put()
            )
        if shape == 10:
            return b"h\2" + text(b"abc", short) + self.put() + b"h\3\x86R" + self.put()
        return text(word, short) + chance.choice((b"", b"", b"K\1"))

    def framed(self, part):
        """Most frames end where an opcode does."""
        size = len(part) + (self.chance.choice((-1, 1, 3, -4)) if self.chance.random() < 0.2 else 0)
        return b"\x95" + struct.pack("<Q", max(size, 0)) + part

    def stream(self, count):
        chance = self.chance
        parts = [b"\x80\x04" if self.short else b"\x80\x02"]
        parts += [b"(cdatetime\ndate\nr\0\0\0\0", b"cos\nsystem\nr\1\0\0\0"]
        parts += [b"c_codecs\nencode\nr\2\0\0\0X\6\0\0\0latin1r\3\0\0\0"]
        done = 0
        while done < count:
            size = chance.choice((3, 20, 60, 300, 1000))
            shape, (before, after) = chance.randrange(12), chance.choice(WRAPS)
            if after in b"ud" and shape != 4:
                # Of single values there may be an odd number.
                before, after = b"](", b"e"
            part = before + b"".join(self.turn(shape, done + number) for number in range(size)) + after
            parts.append(self.framed(part) if chance.random() < 0.3 else part)
            done += size
            if chance.random() < 0.5:
                parts.append(self.get() + (self.get() if chance.random() < 0.5 else b""))
                parts.append(chance.choice(BREAKING if chance.random() < 0.1 else ENDS))
        return b"".join(parts) + chance.choice((b"t.", b".", b"e.", b""))


def mutated(chance, data):
    """Change, drop, add or repeat a few bytes."""
    for _ in range(chance.choice((0, 0, 1, 2, 4))):
        at, size = chance.randrange(len(data)), chance.choice((1, 1, 5, 40, 400))
        new = chance.choice((chance.randbytes(1), b"", chance.randbytes(size), data[at : at + size] * 2))
        data = data[:at] + new + data[at + chance.choice((0, 1, size)) :]
    return data
