"""ONNX: data outside the file, wherever a tensor can stand, and paths of every kind."""

from collections.abc import Iterator

from tests.checks.models.building import Entry, elf, zipped
from tests.corpus.assemble import EVIL
from tests.corpus.hostile._proto import field, fields
from tests.corpus.sample import Link, Sample


def external(location: str, offset: str = "0", length: str = "16", *, twice: bool = False) -> bytes:
    entries = [("location", "weights.bin"), ("location", location)] if twice else [("location", location)]
    entries += [("offset", offset), ("length", length)]
    out = fields((1, 4), (2, 1), (8, "w"))
    out += b"".join(field(13, fields((1, key), (2, value))) for key, value in entries)
    return out + field(14, 1)


def graph(*, nodes: bytes = b"", initializers: tuple[bytes, ...] = (), sparse: bytes = b"") -> bytes:
    out = field(1, fields((1, "x"), (2, "y"), (4, "Relu"))) + nodes + field(2, "g")
    out += b"".join(field(5, each) for each in initializers) + sparse
    io = fields((1, "x"), (2, field(1, fields((1, 1), (2, field(1, field(1, 4)))))))
    return out + field(11, io) + field(12, io)


def model(graph_def: bytes, *more: bytes) -> bytes:
    return fields((1, 10), (2, "pytorch"), (7, graph_def), (8, fields((1, ""), (2, 20)))) + b"".join(more)


def in_attribute(tensor: bytes, kind: int = 5) -> bytes:
    return field(1, fields((2, "c"), (4, "Constant"), (5, fields((1, "value"), (kind, tensor), (20, 4)))))


def in_branch(tensor: bytes, depth: int = 1) -> bytes:
    inner = graph(initializers=(tensor,))
    for _ in range(depth):
        inner = graph(
            nodes=field(
                1, fields((1, "x"), (2, "z"), (4, "If"), (5, fields((1, "then_branch"), (6, inner), (20, 5))))
            )
        )
    return inner


PLACES = {
    "initializer": lambda t: model(graph(initializers=(t,))),
    "second initializer": lambda t: model(graph(initializers=(external("weights.bin"), t))),
    "constant": lambda t: model(graph(nodes=in_attribute(t))),
    "constant list": lambda t: model(graph(nodes=in_attribute(t, 10))),
    "branch": lambda t: model(in_branch(t)),
    "branch, five deep": lambda t: model(in_branch(t, 5)),
    "branch, sixty deep": lambda t: model(in_branch(t, 60)),
    "sparse values": lambda t: model(graph(sparse=field(15, fields((1, t), (2, external("weights.bin")))))),
    "sparse indices": lambda t: model(graph(sparse=field(15, fields((1, external("weights.bin")), (2, t))))),
    "sparse attribute": lambda t: model(graph(nodes=in_attribute(field(1, t), 22))),
    "function": lambda t: model(
        graph(),
        field(
            25,
            fields((1, "f"), (10, "local"))
            + field(7, fields((2, "c"), (4, "Constant"), (5, fields((1, "value"), (5, t), (20, 4))))),
        ),
    ),
    "training, initialization": lambda t: model(graph(), field(20, field(1, graph(initializers=(t,))))),
    "training, algorithm": lambda t: model(graph(), field(20, field(2, graph(initializers=(t,))))),
    "graph list": lambda t: model(
        graph(
            nodes=field(
                1,
                fields(
                    (2, "c"), (4, "Scan"), (5, fields((1, "body"), (11, graph(initializers=(t,))), (20, 10)))
                ),
            )
        )
    ),
}
PATHS = ("/etc/passwd", "../../../etc/passwd", "..", "a/../../b", "..\\..\\a", "C:\\Windows\\a", "\\\\host\\share\\a", "//host/share/a", "/proc/self/environ", "./../a", "a/b/../../../c", "sub/../../../x", "C:/a", "\\etc\\passwd", "..//a", "a\0/../../b", ".../../../a", "a/./../../b", "\\\\?\\C:\\a", "/dev/zero", "../", "/")  # fmt: skip


def samples() -> Iterator[Sample]:
    family = "onnx"
    beside = {"weights.bin": bytes(64)}
    for place, make in PLACES.items():
        for path in PATHS[:6]:
            yield Sample(
                family,
                f"{place}, {path}",
                "the loader opens a path that the model names",
                {"model.onnx": make(external(path)), **beside},
            )
    for path in PATHS[6:]:
        yield Sample(
            family,
            f"initializer, {path!r}",
            "the loader opens a path that the model names",
            {"model.onnx": model(graph(initializers=(external(path),))), **beside},
        )
    for place in ("initializer", "branch", "function"):
        yield Sample(
            family,
            f"{place}, given twice",
            "the last location wins",
            {"model.onnx": PLACES[place](external("../../a", twice=True)), **beside},
        )
        for name in ("model.bin", "model.pb", "model", "model.ort", "model.txt", "weights.pt"):
            yield Sample(
                family,
                f"{place}, as {name}",
                "the loader goes by content",
                {name: PLACES[place](external("/etc/passwd"))},
            )
        yield Sample(
            family,
            f"{place}, in a zip",
            "unpacked, then loaded",
            {"m.zip": zipped(Entry("m/model.onnx", PLACES[place](external("/etc/passwd"))))},
        )
    plain = model(graph(initializers=(external("weights.bin"),)))
    yield Sample(
        family,
        "link beside the model",
        "the data is a link out of the repository",
        {"model.onnx": plain, "weights.bin": Link("/etc/passwd")},
    )
    yield Sample(
        family,
        "link upwards",
        "the data is a link out of the repository",
        {"m/model.onnx": plain, "m/weights.bin": Link("../../../secret")},
    )
    yield Sample(
        family,
        "link in the way",
        "a folder of the path is a link",
        {"model.onnx": model(graph(initializers=(external("sub/weights.bin"),))), "sub": Link("/etc")},
    )
    for offset, length in (("-1", "16"), ("a", "b"), ("0", "-5"), ("18446744073709551615", "2")):
        yield Sample(
            family,
            f"offset {offset}, length {length}",
            "reads outside the data",
            {"model.onnx": model(graph(initializers=(external("weights.bin", offset, length),))), **beside},
            "not-checked",
        )
    yield Sample(
        family,
        "data that is a pickle",
        "the sibling is loaded by more than ONNX",
        {"model.onnx": plain, "weights.bin": EVIL},
    )
    for domain, op in (
        ("com.microsoft", "PythonOp"),
        ("com.microsoft", "PythonOpGrad"),
        ("ai.onnx.contrib", "PyOp"),
        ("ai.onnx.contrib", "PyCustomOpDef"),
        ("com.microsoft.extensions", "AzureTextToText"),
        ("com.microsoft.extensions", "OpenAIAudioToText"),
    ):
        nodes = field(1, fields((1, "x"), (2, "z"), (4, op), (7, domain)))
        yield Sample(
            family,
            f"{domain}.{op}",
            "an operator that runs Python or calls out",
            {"model.onnx": model(graph(nodes=nodes), field(8, fields((1, domain), (2, 1))))},
            "medium",
        )
    secret = field(14, fields((1, "api"), (2, "AKIA" + "Z5XQ7WJ2K6RTN4PV")))
    yield Sample(
        family,
        "a credential in the metadata",
        "published with the model",
        {"model.onnx": model(graph(), secret)},
    )
    blob = field(14, fields((1, "state"), (2, EVIL)))
    yield Sample(
        family, "a pickle in the metadata", "a loader unpickles it", {"model.onnx": model(graph(), blob)}
    )
    yield Sample(
        family,
        "a script in the documentation",
        "native code in a string",
        {"model.onnx": model(graph(), fields((6, elf() + bytes(300))))},
    )
    dims = fields((1, 2**62), (1, 4), (2, 1), (8, "w"), (9, b"abcd"))
    yield Sample(
        family,
        "dimensions that overflow",
        "an allocation by the product",
        {"model.onnx": model(graph(initializers=(dims,)))},
        "medium",
    )
    negative = fields((1, -5), (2, 1), (8, "w"), (9, b"abcd"))
    yield Sample(
        family,
        "negative dimensions",
        "an allocation by the product",
        {"model.onnx": model(graph(initializers=(negative,)))},
        "medium",
    )
    good = model(graph(initializers=(external("/etc/passwd"),)))
    for cut in (20, len(good) // 2, len(good) - 4):
        yield Sample(family, f"cut at {cut}", "the parser fails", {"model.onnx": good[:cut]}, "not-checked")
    yield Sample(
        family,
        "groups",
        "a wire type that no writer uses",
        {"model.onnx": good + b"\xfb\x01" * 4000},
        "not-checked",
    )
    yield Sample(
        family,
        "fields in reverse",
        "order does not matter",
        {
            "model.onnx": fields((8, fields((1, ""), (2, 20))))
            + field(7, graph(initializers=(external("../a"),)))
            + fields((1, 10))
        },
    )
    yield Sample(
        family,
        "two graphs",
        "the parser merges them",
        {"model.onnx": model(graph()) + field(7, graph(initializers=(external("/etc/passwd"),)))},
    )
    long_varint = good.replace(b"\x08\x0a", b"\x08\x8a\x80\x80\x80\x80\0", 1)
    yield Sample(family, "long varints", "a number in six bytes", {"model.onnx": long_varint})
