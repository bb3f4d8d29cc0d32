"""GGUF: headers whose arithmetic goes wrong, and templates in values of every kind."""

import struct
from collections.abc import Iterator
from typing import Any

from tests.checks.models.building import Entry, elf, zipped
from tests.corpus.assemble import EVIL
from tests.corpus.hostile.templates import ESCAPES
from tests.corpus.sample import Sample


def string(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def value(each: Any) -> bytes:
    """A typed value: text, numbers, lists; ``bytes`` is raw, with its type before it."""
    match each:
        case bytes():
            return each
        case bool():
            return struct.pack("<IB", 7, each)
        case int():
            return struct.pack("<II", 4, each)
        case float():
            return struct.pack("<If", 6, each)
        case str():
            return struct.pack("<I", 8) + string(each)
        case list():
            return struct.pack("<I", 9) + _array(each)
    raise TypeError(each)


def _array(items: list[Any]) -> bytes:
    inner = [value(each) for each in items] or [value("")]
    kind = inner[0][:4]
    return kind + struct.pack("<Q", len(items)) + b"".join(each[4:] for each in inner[: len(items)])


def gguf(
    pairs: dict[str, Any],
    tensors: tuple[tuple[str, tuple[int, ...], int, int], ...] = (("w", (32,), 0, 0),),
    *,
    version: int = 3,
    count: int | None = None,
    keys: int | None = None,
    data: bytes = bytes(128),
    magic: bytes = b"GGUF",
    order: str = "<",
    padded: bool = True,
) -> bytes:
    if order == ">":
        body = b"".join(
            struct.pack(">Q", len(k.encode()))
            + k.encode()
            + struct.pack(">I", 8)
            + struct.pack(">Q", len(v.encode()))
            + v.encode()
            for k, v in pairs.items()
        )
        return magic + struct.pack(">IQQ", version, 0, len(pairs)) + body
    out = magic + struct.pack(
        "<IQQ", version, len(tensors) if count is None else count, len(pairs) if keys is None else keys
    )
    for key, each in pairs.items():
        out += string(key) + value(each)
    for name, dims, kind, offset in tensors:
        out += (
            string(name) + struct.pack(f"<I{len(dims)}Q", len(dims), *dims) + struct.pack("<IQ", kind, offset)
        )
    alignment = pairs.get("general.alignment", 32)
    pad = -len(out) % alignment if padded and isinstance(alignment, int) and 0 < alignment < 1 << 20 else 0
    return out + bytes(pad) + data


BASE = {"general.architecture": "llama", "general.name": "net", "llama.block_count": 1}


def samples() -> Iterator[Sample]:
    family = "gguf"
    for index, (name, template) in enumerate(ESCAPES.items()):
        carriers = {
            "chat_template": {"tokenizer.chat_template": template},
            "named template": {"tokenizer.chat_template.tool_use": template},
            "array": {"tokenizer.chat_template": ["{{ messages }}", template]},
            "array of arrays": {"tokenizer.chat_template": [["a"], [template]]},
            "another key": {"general.description": template},
            "acme key": {"acme.prompt": template},
            "templates list": {
                "tokenizer.chat_templates": ["tool"],
                "tokenizer.chat_template.tool": template,
            },
            "behind many": {**{f"a.{n}": n for n in range(200)}, "tokenizer.chat_template": template},
            "behind a vocabulary": {
                "tokenizer.ggml.tokens": [f"t{n}" for n in range(3000)],
                "tokenizer.chat_template": template,
            },
            "long": {"tokenizer.chat_template": "{# " + "a" * 100_000 + " #}" + template},
        }
        chosen = (
            carriers
            if index < 5
            else {key: carriers[key] for key in ("chat_template", list(carriers)[1 + index % 9])}
        )
        for how, pairs in chosen.items():
            yield Sample(
                family,
                f"{name}, {how}",
                "the runtime renders the template",
                {"model.gguf": gguf({**BASE, **pairs})},
            )
    evil = {**BASE, "tokenizer.chat_template": ESCAPES["class walk"]}
    for name in ("model.bin", "model", "ggml-model-q4_0.ggml", "model.txt"):
        yield Sample(family, f"as {name}", "the loader goes by the magic", {name: gguf(evil)})
    yield Sample(
        family, "in a zip", "unpacked, then loaded", {"m.zip": zipped(Entry("model.gguf", gguf(evil)))}
    )
    yield Sample(
        family,
        "big endian",
        "s390x",
        {"model.gguf": gguf({"tokenizer.chat_template": ESCAPES["class walk"]}, order=">")},
    )
    yield Sample(family, "version 2", "older header", {"model.gguf": gguf(evil, version=2)})
    yield Sample(
        family,
        "two templates",
        "either is rendered",
        {"model.gguf": gguf({**evil, "tokenizer.chat_template.b": "{{ messages }}"})},
    )
    lies = {
        "tensor count": gguf(BASE, count=2**61),
        "tensor count, negative": gguf(BASE, count=2**64 - 1),
        "key count": gguf(BASE, keys=2**62),
        "key count, one too many": gguf(BASE, (), keys=4, data=b"", padded=False),
        "string length": gguf(BASE, (), keys=4, data=struct.pack("<Q", 2**63) + b"a", padded=False),
        "string length overflows": gguf(
            BASE, (), keys=4, data=struct.pack("<Q", 2**64 - 1) + b"abc", padded=False
        ),
        "array length": gguf({**BASE, "a": struct.pack("<IIQ", 9, 0, 2**62)}),
        "array of unknown type": gguf({**BASE, "a": struct.pack("<IIQ", 9, 77, 4) + bytes(64)}),
        "unknown type": gguf({**BASE, "a": struct.pack("<I", 99) + bytes(8)}),
        "arrays within arrays": gguf({**BASE, "a": struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 5000}),
        "five dimensions": gguf(BASE, (("w", (1, 1, 1, 1, 1), 0, 0),)),
        "four thousand dimensions": gguf(BASE, (("w", (1,) * 4000, 0, 0),)),
        "dimensions overflow": gguf(BASE, (("w", (2**32, 2**32), 0, 0),)),
        "dimensions overflow by type": gguf(BASE, (("w", (2**61, 4), 0, 0),)),
        "tensor beyond the file": gguf(BASE, (("w", (1_000_000,), 0, 0),)),
        "offset beyond the file": gguf(BASE, (("w", (4,), 0, 2**40),)),
        "offset overflows": gguf(BASE, (("w", (32,), 0, 2**64 - 64),)),
        "offset not aligned": gguf(BASE, (("w", (4,), 0, 7),)),
        "alignment of zero": gguf({**BASE, "general.alignment": 0}),
        "alignment of three": gguf({**BASE, "general.alignment": 3}),
        "alignment huge": gguf({**BASE, "general.alignment": 0x80000000}),
        "alignment of text": gguf({**BASE, "general.alignment": "32"}),
        "tensors overlap": gguf(BASE, (("a", (32,), 0, 0), ("b", (32,), 0, 32))),
        "tensor twice": gguf(BASE, (("a", (8,), 0, 0), ("a", (8,), 0, 32))),
        "version 99": gguf(BASE, version=99),
        "version 1": gguf(BASE, version=1),
        "tokens of numbers": gguf({**BASE, "tokenizer.ggml.tokens": [1, 2]}),
        "scores of text": gguf({**BASE, "tokenizer.ggml.tokens": ["a"], "tokenizer.ggml.scores": ["a"]}),
        "merges of numbers": gguf({**BASE, "tokenizer.ggml.merges": [1]}),
        "token types of text": gguf({**BASE, "tokenizer.ggml.token_type": ["a"]}),
        "cut": gguf(BASE)[:60],
        "cut in the header": gguf(BASE)[:15],
        "key of megabytes": gguf({**BASE, "k" * 70_000: 1}),
        "name of megabytes": gguf(BASE, (("n" * 70_000, (4,), 0, 0),)),
    }
    weak = {
        "cut",
        "cut in the header",
        "version 99",
        "version 1",
        # Every loader stops at the end of the file.
        "key count, one too many",
        "tensor twice",
        "offset not aligned",
        "key of megabytes",
        "name of megabytes",
        "alignment of text",
        "tokens of numbers",
        "scores of text",
        "merges of numbers",
        "token types of text",
        "five dimensions",
        "unknown type",
        "array of unknown type",
        "tensors overlap",
        "tensor beyond the file",
    }
    for name, data in lies.items():
        yield Sample(
            "gguf: arithmetic",
            name,
            "the reader computes with it",
            {"model.gguf": data},
            "not-checked" if name in weak else "high",
        )
    yield Sample(
        family,
        "executable behind the tensors",
        "native code in the file",
        {"model.gguf": gguf(BASE) + elf() + bytes(400)},
    )
    yield Sample(
        family,
        "pickle behind the tensors",
        "another loader's part",
        {"model.gguf": gguf(BASE) + EVIL},
        "medium",
    )
    yield Sample(
        family,
        "archive behind the tensors",
        "also a zip archive",
        {"model.gguf": gguf(BASE) + zipped(Entry("data.pkl", EVIL))},
    )
    yield Sample(
        family,
        "a credential in the metadata",
        "published with the model",
        {"model.gguf": gguf({**BASE, "general.source.token": "hf_" + "QwZkPxNdVsLbTfHjRmYcGuEaWiOpKzXvBn"})},
    )
    yield Sample(
        family,
        "a template of megabytes",
        "longer than anyone writes",
        {
            "model.gguf": gguf(
                {**BASE, "tokenizer.chat_template": "{# " + "a" * 400_000 + " #}" + ESCAPES["cycler"]}
            )
        },
        "not-checked",
    )
