"""TFLite: operators that leave the interpreter, and offsets that leave the file."""

import struct
from collections.abc import Iterator

from tests.checks.models.building import Entry, elf, zipped
from tests.corpus.assemble import EVIL
from tests.corpus.hostile._proto import Table, flatbuffer, raw
from tests.corpus.sample import Sample


def model(
    custom: str | None = None,
    *,
    builtin: int = 0,
    opcode: int = 0,
    buffer: int = 0,
    inputs: list[int] | None = None,
    data: bytes = b"",
    metadata: dict[str, bytes] | None = None,
    options: bytes = b"",
) -> bytes:
    code: Table = Table({0: raw("b", 32 if custom else builtin)})
    if custom is not None:
        code[1] = custom
    code[3] = raw("i", 32 if custom else builtin)
    tensor = Table({0: [1, 4], 1: raw("b", 0), 2: raw("I", buffer), 3: "x"})
    operator = Table({0: raw("I", opcode), 1: inputs or [0], 2: [0]})
    if options:
        operator[5] = options
    graph = Table({0: [tensor], 1: [0], 2: [0], 3: [operator], 4: "main"})
    buffers = [Table(), Table({0: data or bytes(16)})]
    root = Table({0: raw("I", 3), 1: [code], 2: [graph], 3: "made by hand", 4: buffers})
    if metadata:
        root[6] = [Table({0: name, 1: raw("I", 2 + index)}) for index, name in enumerate(metadata)]
        buffers += [Table({0: body}) for body in metadata.values()]
    return flatbuffer(root, b"TFL3")


def samples() -> Iterator[Sample]:
    family = "tflite"
    for op in (
        "FlexReadFile",
        "FlexWriteFile",
        "FlexPyFunc",
        "FlexEagerPyFunc",
        "FlexMatchingFiles",
        "FlexTextLineDataset",
        "FlexImmutableConst",
        "FlexSqlDataset",
    ):
        expect = "medium" if op in {"FlexMatchingFiles", "FlexTextLineDataset", "FlexSqlDataset"} else "high"
        for name in ("model.tflite", "model.bin", "model"):
            yield Sample(
                family,
                f"{op} as {name}",
                "the Flex delegate runs a TensorFlow operation",
                {name: model(op)},
                expect,
            )
        yield Sample(
            family,
            f"{op} in a zip",
            "unpacked, then run",
            {"m.zip": zipped(Entry("a/model.tflite", model(op)))},
            expect,
        )
        packed = b"\x93\xa4n\xa2op" + op[4:].encode()
        yield Sample(
            family,
            f"{op} with options",
            "the node stands in the options",
            {"model.tflite": model(op, options=packed)},
            expect,
        )
    for op in ("AcmeShell", "MyCustomOp", "Evil>Run"):
        yield Sample(
            family,
            f"custom {op}",
            "an operator that the application brings",
            {"model.tflite": model(op)},
            "medium",
        )
    lies = {
        "operator code outside": model(opcode=99),
        "buffer outside": model(buffer=99),
        "tensor outside": model(inputs=[5000]),
        "tensor below": model(inputs=[-7]),
    }
    for name, data in lies.items():
        yield Sample(family, name, "the interpreter reads outside its tables", {"model.tflite": data})
    good = model()
    for at in range(0, len(good) - 4, 12):
        if at == 4:
            continue
        broken = bytearray(good)
        broken[at : at + 4] = b"\xf0\xff\xff\x7f"
        expect = "not-checked"
        # Text and tensor bytes may be anything; only offsets and counts are looked at.
        if _matters(good, at):
            yield Sample(
                family,
                f"an offset changed at {at}",
                "the interpreter reads outside the file",
                {"model.tflite": bytes(broken)},
                expect,
            )
    for cut in (9, 40, len(good) // 2, len(good) - 8):
        yield Sample(
            family,
            f"cut at {cut}",
            "the interpreter reads outside the file",
            {"model.tflite": good[:cut]},
            "not-checked",
        )
    yield Sample(
        family,
        "root outside",
        "the interpreter reads outside the file",
        {"model.tflite": struct.pack("<I", 1 << 30) + good[4:]},
        "not-checked",
    )
    yield Sample(
        family,
        "pickle in the metadata",
        "a tool unpickles it",
        {"model.tflite": model(metadata={"state": EVIL})},
    )
    yield Sample(
        family,
        "executable in the metadata",
        "native code beside the model",
        {"model.tflite": model(metadata={"lib": elf() + bytes(300)})},
    )
    yield Sample(
        family,
        "archive behind the model",
        "associated files: a pickle",
        {"model.tflite": good + zipped(Entry("labels.pkl", EVIL))},
    )
    yield Sample(
        family,
        "traversal behind the model",
        "associated files that leave the folder",
        {"model.tflite": good + zipped(Entry("../../evil.py", b"pass"))},
    )


def _matters(data: bytes, at: int) -> bool:
    """Whether the word is an offset that points into the file."""
    value = struct.unpack_from("<I", data, at)[0]
    return at == 0 or (at >= 8 and 4 < value < len(data) - at and value % 8 == 0 and at % 8 == 0)
