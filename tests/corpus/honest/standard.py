"""What people keep in pickles: the standard library's values, in every protocol."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import ipaddress
import operator
import pathlib
import pickle
import random
import re
import types
import uuid
import zoneinfo
from collections.abc import Iterator

from tests.corpus.sample import Sample

Point = collections.namedtuple("Point", "x y")  # noqa: PYI024 - what people keep


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Flag(enum.IntFlag):
    A = 1
    B = 2


@dataclasses.dataclass
class Config:
    rate: float = 0.1
    layers: list = dataclasses.field(default_factory=lambda: [64, 64])


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    rate: float = 0.1


class Plain:
    def __init__(self):
        self.weights = [0.5] * 8
        self.vocabulary = {"os.system": 1, "eval": 2, "trojan": 3}


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a, self.b = 1, [2]


class Counted(dict):
    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.seen = 3


class WithState:
    def __getstate__(self):
        return {"a": 1}

    def __setstate__(self, state):
        self.__dict__.update(state)


VALUES = {
    "a plain dictionary": {"weights": [0.1, 0.2], "name": "net", "epoch": 3, "done": True, "none": None},
    "five thousand entries": {f"key{n}": n * 0.5 for n in range(5000)},
    "twenty thousand integers": list(range(20_000)),
    "nested lists": [[[[1]]], [[2]], [3]],
    "text of many alphabets": ["\u65e5\u672c\u8a9e", "\u0440\u0443\u0441\u0441\u043a\u0438\u0439", "emoji \U0001f600", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")],
    "text about danger": ["os.system", "__import__('os')", "cos\nsystem\n", "eval(x)", "subprocess.Popen", "http://example.org/model.tar.gz"],
    "a vocabulary": {word: n for n, word in enumerate(["the", "of", "and", "trojan", "exploit", "import", "exec", "shell", "bash", "rm", "sudo"])},
    "long text": "word " * 20_000,
    "bytes": bytes(range(256)) * 8,
    "bytearray": bytearray(b"abc" * 100),
    "sets": [{1, 2}, frozenset({"a"})],
    "big numbers": [2**100, -(2**70), 1e300, float("inf"), complex(1, 2)],
    "OrderedDict": collections.OrderedDict(a=1, b=2),
    "defaultdict of lists": collections.defaultdict(list, {"a": [1]}),
    "defaultdict of int": collections.defaultdict(int, {"a": 1}),
    "defaultdict of dicts": collections.defaultdict(dict),
    "Counter": collections.Counter("mississippi"),
    "deque": collections.deque([1, 2], maxlen=5),
    "ChainMap": collections.ChainMap({"a": 1}, {"b": 2}),
    "UserDict": collections.UserDict(a=1),
    "named tuple": Point(1, 2),
    "enumeration": [Color.RED, Color.BLUE],
    "flags": Flag.A | Flag.B,
    "data class": Config(),
    "frozen data class": Frozen(),
    "a plain object": Plain(),
    "objects that share": [Plain()] * 5,
    "slots": Slotted(),
    "a dictionary's subclass": Counted(a=1),
    "an object with a state": WithState(),
    "a class": Plain,
    "a namespace": types.SimpleNamespace(a=1, b=[2]),
    "datetime": [dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC), dt.date(2026, 1, 2), dt.time(1, 2), dt.timedelta(days=3), dt.timezone(dt.timedelta(hours=2))],
    "zone": zoneinfo.ZoneInfo("UTC"),
    "uuid": uuid.UUID(int=7),
    "decimal": decimal.Decimal("1.5"),
    "fraction": fractions.Fraction(1, 3),
    "pattern": re.compile(r"\w+", re.IGNORECASE),
    "path": [pathlib.PurePosixPath("models/a.pt"), pathlib.PureWindowsPath("a\\b"), pathlib.Path("data")],
    "address": ipaddress.ip_address("127.0.0.1"),
    "itemgetter": operator.itemgetter(1),
    "partial of int": functools.partial(int, base=2),
    "partial of max": functools.partial(max, 3),
    "builtin functions": [len, max, min, sum, sorted, abs, round],
    "builtin types": [int, float, str, list, dict, tuple, set, bool, bytes, object, type(None)],
    "exceptions": [ValueError("a"), KeyError("b")],
    "range and slice": [range(5), slice(1, 2)],
    "ellipsis": [..., NotImplemented],
    "random state": random.Random(3),
    "an iterator": iter([1, 2, 3]),
    "method of a built-in": str.lower,
}  # fmt: skip


def samples() -> Iterator[Sample]:
    names = ("model.pkl", "cache.pickle", "vocab.bin", "state.dat", "meta.p", "encoder.joblib")
    for index, (name, value) in enumerate(VALUES.items()):
        for protocol in range(6):
            try:
                data = pickle.dumps(value, protocol)
            except (pickle.PicklingError, TypeError, AttributeError):
                continue
            data = data.replace(b"tests.corpus.honest.standard", b"acme_project.models.internal")
            yield Sample(
                "pickles of the standard library",
                f"{name}, protocol {protocol}",
                "",
                {names[index % len(names)]: data},
                "quiet",
            )
    several = pickle.dumps({"a": 1}, 4) + pickle.dumps([1, 2], 4) + pickle.dumps(None)
    yield Sample("pickles of the standard library", "three in one file", "", {"log.pkl": several}, "quiet")
    python2 = b"(dp0\nS'name'\np1\nS'caf\\xc3\\xa9'\np2\nsS'weights'\np3\n(lp4\nF0.5\naF1.5\nas."
    yield Sample("pickles of the standard library", "written by Python 2", "", {"old.pkl": python2}, "quiet")
    old = b"ccopy_reg\n_reconstructor\n(cacme.model\nNet\nc__builtin__\nobject\nNtR(dS'a'\nI1\nsb."
    yield Sample("pickles of the standard library", "an object of Python 2", "", {"old.pkl": old}, "quiet")
    sets = b"c__builtin__\nset\n((lI1\naI2\natR."
    yield Sample("pickles of the standard library", "a set of Python 2", "", {"old.pkl": sets}, "quiet")
