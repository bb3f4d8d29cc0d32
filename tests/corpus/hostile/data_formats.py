"""Formats beside the main ones: Arrow, R, XML, Core ML, Caffe, MXNet, Paddle, msgpack, boosters."""

import base64
import gzip
import json
import pickle
import struct
from collections.abc import Iterator

from tests.checks.models.building import NOISE, Entry, zipped
from tests.corpus.assemble import EVIL, EVIL_4, EVIL_TEXT, EVIL_UNKNOWN
from tests.corpus.hostile._proto import Table, field, fields, flatbuffer, raw
from tests.corpus.sample import Sample

PAYLOADS = {"system": EVIL, "text": EVIL_TEXT, "exec": EVIL_4, "unknown": EVIL_UNKNOWN}


def samples() -> Iterator[Sample]:
    yield from _arrow()
    yield from _r()
    yield from _xml()
    yield from _native()
    yield from _msgpack()
    yield from _boosters()


def _compact(number: int, kind: int, last: int, body: bytes) -> bytes:
    return bytes(((number - last) << 4 | kind,)) + body


def _binary(data: bytes) -> bytes:
    out, size = b"", len(data)
    while size > 0x7F:
        out += bytes((size & 0x7F | 0x80,))
        size >>= 7
    return out + bytes((size,)) + data


def parquet(metadata: dict[str, bytes]) -> bytes:
    """A Parquet file of no columns with key-value metadata."""
    root = _compact(4, 8, 0, _binary(b"schema")) + _compact(5, 5, 4, b"\0") + b"\0"
    pairs = b"".join(
        _compact(1, 8, 0, _binary(k.encode())) + _compact(2, 8, 1, _binary(v)) + b"\0"
        for k, v in metadata.items()
    )
    footer = (
        _compact(1, 5, 0, b"\4")
        + _compact(2, 9, 1, b"\x1c" + root)
        + _compact(3, 6, 2, b"\0")
        + _compact(4, 9, 3, b"\x0c")
    )
    footer += _compact(5, 9, 4, bytes((len(metadata) << 4 | 12,)) + pairs) + b"\0"
    return b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1"


def schema(metadata: dict[str, str], *, on_field: bool = True) -> bytes:
    """An Arrow schema message with one field and its metadata."""
    pairs = [Table({0: key, 1: value}) for key, value in metadata.items()]
    column = Table({0: "x", 1: raw("B", 1), 2: raw("B", 2), 3: Table({0: raw("i", 64), 1: raw("B", 1)})})
    if on_field:
        column[6] = pairs
    described = Table({1: [column]})
    if not on_field:
        described[2] = pairs
    # flatbuffer() writes an identifier; Arrow's messages have none, and do not look there.
    return flatbuffer(Table({0: raw("h", 4), 1: raw("B", 1), 2: described}), bytes(4))


def stream(message: bytes) -> bytes:
    return b"\xff\xff\xff\xff" + struct.pack("<I", len(message)) + message + b"\xff\xff\xff\xff\0\0\0\0"


def arrow_file(message: bytes) -> bytes:
    body = b"ARROW1\0\0" + stream(message)
    footer = flatbuffer(Table({0: raw("h", 4)}), bytes(4))
    return body + footer + struct.pack("<I", len(footer)) + b"ARROW1"


def _arrow() -> Iterator[Sample]:
    family = "data: Arrow and Parquet"
    names = (
        "arrow.py_extension_type",
        "ray.data.arrow_pickled_object",
        "ray.data.arrow_tensor",
        "acme.extension",
    )
    for kind, evil in PAYLOADS.items():
        text = evil.decode("latin1")
        for name in names:
            metadata = {"ARROW:extension:name": name, "ARROW:extension:metadata": text}
            expect = "medium" if name == "acme.extension" else "high"
            yield Sample(
                family,
                f"stream, {name}, {kind}",
                "the extension type is unpickled",
                {"data.arrow": stream(schema(metadata))},
                expect,
            )
            yield Sample(
                family,
                f"file, {name}, {kind}",
                "the extension type is unpickled",
                {"data.feather": arrow_file(schema(metadata))},
                expect,
            )
            inner = base64.b64encode(stream(schema(metadata)))
            yield Sample(
                family,
                f"parquet, {name}, {kind}",
                "the extension type is unpickled",
                {"data.parquet": parquet({"ARROW:schema": inner})},
                expect,
            )
        yield Sample(
            family,
            f"parquet metadata, {kind}",
            "a reader unpickles it",
            {"data.parquet": parquet({"state": evil})},
        )
        yield Sample(family, f"pickle as parquet, {kind}", "a fallback", {"data.parquet": evil})
    plain = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": "gASVAAAA"}
    for path in ("data.bin", "data", "dataset.arrow", "a/data-00000.arrow"):
        yield Sample(
            family, f"any extension, {path}", "the extension type is unpickled", {path: stream(schema(plain))}
        )
    yield Sample(
        family,
        "parquet, cut",
        "the footer is missing",
        {"data.parquet": parquet({"a": b"b"})[:20]},
        "not-checked",
    )
    yield Sample(
        family,
        "in a zip",
        "unpacked and read",
        {"d.zip": zipped(Entry("a/data.arrow", stream(schema(plain))))},
    )


def _string(value: str) -> bytes:
    return struct.pack(">ii", 9 | 64 << 12, len(value)) + value.encode()


def _symbol(value: str) -> bytes:
    return struct.pack(">i", 1) + _string(value)


def rds(body: bytes, version: int = 2) -> bytes:
    head = b"X\n" + struct.pack(">iii", version, 0x00040001, 0x00020300)
    if version == 3:
        head += struct.pack(">i", 5) + b"UTF-8"
    return head + body


def _r() -> Iterator[Sample]:
    family = "data: R"
    null = struct.pack(">i", 254)
    environment = struct.pack(">i", 253)
    call = (
        struct.pack(">i", 6)
        + _symbol("system")
        + struct.pack(">i", 2)
        + struct.pack(">ii", 16, 1)
        + _string("true")
        + null
    )
    promise = struct.pack(">i", 5) + struct.pack(">i", 251) + call
    bodies = {
        "promise": promise,
        "promise with an environment": struct.pack(">i", 5 | 1 << 10)
        + environment
        + struct.pack(">i", 251)
        + call,
        "promise in a list": struct.pack(">ii", 19, 2)
        + struct.pack(">ii", 13, 1)
        + struct.pack(">i", 1)
        + promise,
        "promise in a pairlist": struct.pack(">i", 2 | 1 << 10) + _symbol("x") + promise + null,
        "promise in an attribute": struct.pack(">ii", 13 | 1 << 9, 1)
        + struct.pack(">i", 1)
        + struct.pack(">i", 2 | 1 << 10)
        + _symbol("names")
        + promise
        + null,
        "promise in an environment": struct.pack(">ii", 4, 0)
        + environment
        + struct.pack(">i", 2 | 1 << 10)
        + _symbol("x")
        + promise
        + null
        + null
        + null,
        "bytecode": struct.pack(">iii", 21, 1, 21) + call + null,
        "closure": struct.pack(">i", 3) + environment + null + call,
    }
    for name, body in bodies.items():
        expect = "medium" if name in {"bytecode", "closure"} else "high"
        for version in (2, 3):
            data = rds(body, version)
            yield Sample(
                family, f"{name}, version {version}", "evaluated on first use", {"model.rds": data}, expect
            )
            yield Sample(
                family,
                f"{name}, version {version}, gz",
                "evaluated on first use",
                {"model.rds": gzip.compress(data, mtime=0)},
                expect,
            )
        pairs = b"RDX2\n" + rds(struct.pack(">i", 2 | 1 << 10) + _symbol("x") + body + null)
        yield Sample(family, f"{name}, rda", "evaluated on first use", {"model.rda": pairs}, expect)
        yield Sample(
            family,
            f"{name}, RData",
            "evaluated on first use",
            {"model.RData": gzip.compress(pairs, mtime=0)},
            expect,
        )
        yield Sample(family, f"{name}, another name", "goes by content", {"model.bin": rds(body)}, expect)
    yield Sample(
        family,
        "length beyond the file",
        "an allocation by the header",
        {"a.rds": rds(struct.pack(">ii", 14, 2**31 - 2))},
        "not-checked",
    )
    yield Sample(family, "cut", "the reader fails", {"a.rds": rds(promise)[:30]}, "not-checked")
    yield Sample(
        family,
        "text form",
        "the other encoding",
        {"a.rds": b"A\n2\n262145\n131840\n5\n251\n6\n1\n262153\n6\nsystem\n254\n"},
        "not-checked",
    )


def _xml() -> Iterator[Sample]:
    family = "data: XML"
    pmml = '<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/>{}</PMML>'
    net = '<net name="a" version="11"><layers>{}</layers></net>'
    documents = {
        "external entity": (
            '<?xml version="1.0"?><!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            "<Extension>&x;</Extension>",
        ),
        "parameter entity": ('<!DOCTYPE p [<!ENTITY % x SYSTEM "http://127.0.0.1/a.dtd"> %x;]>', ""),
        "entities that grow": (
            '<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
            "<Extension>&c;</Extension>",
        ),
        "external DTD": ('<!DOCTYPE p SYSTEM "http://127.0.0.1/a.dtd">', ""),
        "public DTD": ('<!DOCTYPE p PUBLIC "-//A//B" "http://127.0.0.1/a.dtd">', ""),
        "XInclude": (
            "",
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
        ),
    }
    for name, (head, body) in documents.items():
        expect = "medium" if name in {"external DTD", "public DTD"} else "high"
        for kind, root, path in (("pmml", pmml, "model.pmml"), ("OpenVINO", net, "model.xml")):
            text = head + root.format(body)
            yield Sample(family, f"{name}, {kind}", "the parser resolves it", {path: text.encode()}, expect)
            if name == "external entity":
                yield Sample(
                    family,
                    f"{name}, {kind}, UTF-16",
                    "the parser resolves it",
                    {path: text.encode("utf-16")},
                    expect,
                )
                yield Sample(
                    family,
                    f"{name}, {kind}, in a zip",
                    "the parser resolves it",
                    {"m.zip": zipped(Entry(path, text.encode()))},
                    expect,
                )
                yield Sample(
                    family,
                    f"{name}, {kind}, another name",
                    "goes by content",
                    {"model.bin": text.encode()},
                    expect,
                )
    script = '<Extension name="script" extender="JavaScript">java.lang.Runtime.getRuntime().exec("true")</Extension>'
    yield Sample(
        family,
        "script in an extension",
        "a scoring engine evaluates it",
        {"model.pmml": pmml.format(script).encode()},
    )
    html = '<Extension><script type="text/javascript">fetch("http://127.0.0.1/")</script></Extension>'
    yield Sample(family, "script element", "a viewer runs it", {"model.pmml": pmml.format(html).encode()})
    for attribute in ("library", "path", "extension_path"):
        for value in ("/tmp/evil.so", "../../evil.so", "\\\\host\\evil.dll"):
            layer = f'<layer id="0" name="x" type="Custom"><data {attribute}="{value}"/></layer>'
            yield Sample(
                family,
                f"OpenVINO {attribute} {value}",
                "a library is loaded",
                {"model.xml": net.format(layer).encode()},
                "high" if attribute == "library" else "medium",
            )
    kernel = '<CustomLayer name="a" type="SimpleGPU" version="1"><Kernel entry="a"><Source filename="../../evil.cl"/></Kernel></CustomLayer>'
    yield Sample(
        family,
        "OpenVINO custom kernel",
        "a kernel is compiled",
        {"custom.xml": f"<CustomLayers>{kernel}</CustomLayers>".encode()},
        "medium",
    )


def _native() -> Iterator[Sample]:
    family = "data: other frameworks"
    for name, layer in {
        "Python layer": 'layer { name: "a" type: "Python" python_param { module: "os" layer: "system" } }',
        "Python layer of ours": 'layer {\n  name: "a"\n  type: "Python"\n  python_param {\n    module: "evil"\n    layer: "Net"\n    param_str: "{}"\n  }\n}',
        "Python layer, single quotes": "layer { name: 'a' type: 'Python' python_param { module: 'os' layer: 'system' } }",
    }.items():
        text = f'name: "net"\ninput: "data"\ninput_shape {{ dim: 1 dim: 3 }}\n{layer}\n'
        expect = "high" if "Python" in name else "medium"
        yield Sample(
            family, f"Caffe {name}", "Caffe imports the module", {"deploy.prototxt": text.encode()}, expect
        )
        yield Sample(
            family, f"Caffe {name}, pbtxt", "Caffe imports the module", {"net.pbtxt": text.encode()}, expect
        )
    parameter = fields((1, "os"), (2, "system"))
    layer = fields((1, "a"), (2, "Python"), (130, parameter))
    net = field(1, "net") + field(100, layer) + field(100, fields((1, "b"), (2, "ReLU")))
    yield Sample(family, "Caffe binary Python layer", "Caffe imports the module", {"net.caffemodel": net})
    for name, symbol in {
        "custom operator": {"op": "Custom", "name": "a", "attrs": {"op_type": "evil"}, "inputs": []},
    }.items():
        text = json.dumps(
            {
                "nodes": [{"op": "null", "name": "data", "inputs": []}, symbol],
                "arg_nodes": [0],
                "heads": [[1, 0, 0]],
                "attrs": {"mxnet_version": ["int", 10900]},
            }
        )
        yield Sample(
            family,
            f"MXNet {name}",
            "MXNet calls what is registered or loads it",
            {"net-symbol.json": text.encode()},
            "medium",
        )
    for kind, evil in PAYLOADS.items():
        for ending in (
            "pdparams",
            "pdopt",
            "pdmodel",
            "params",
            "caffemodel",
            "mlmodel",
            "engine",
            "plan",
            "cntk",
            "rknn",
            "om",
            "tmfile",
            "cbm",
            "model",
            "ubj",
            "tflite",
            "pte",
            "mnn",
            "ncnn",
            "param",
            "t7",
            "npz",
            "mat",
            "orc",
            "avro",
            "dat",
            "sav",
            "pickle",
            "dill",
            "cloudpickle",
            "joblib.gz",
            "msgpack",
            "ckpt-1.data-00000-of-00001",
            "index",
            "arrow",
            "feather",
            "hkl",
            "pgz",
            "p",
            "pk",
            "pcl",
            "data",
        ):
            yield Sample(
                "data: pickles under other formats' names",
                f"{ending}, {kind}",
                "a loader falls back to pickle",
                {f"model.{ending}": evil},
            )
    paddle = pickle.dumps({"w": [0.0] * 4, "StructuredToParameterName@@": {"w": "w"}}, 2)
    yield Sample(
        family, "Paddle with a second pickle", "paddle.load reads on", {"model.pdparams": paddle + EVIL}
    )
    for magic, name in (
        (b"ptrt" + NOISE, "model.engine"),
        (b"ftrt" + NOISE, "model.plan"),
        (b"B\0C\0N\0\0\0" + NOISE, "model.cntk"),
        (b"RKNN" + NOISE, "model.rknn"),
    ):
        yield Sample(family, f"{name}", "plugins are native code", {name: magic}, "not-checked")
    yield Sample(
        family,
        "Torch7",
        "a serialised function",
        {"model.t7": struct.pack("<ii", 6, 1) + NOISE},
        "not-checked",
    )


def _pack(value: object) -> bytes:
    match value:
        case bytes():
            return b"\xc6" + struct.pack(">I", len(value)) + value
        case str():
            return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
        case dict():
            return (
                b"\xdf"
                + struct.pack(">I", len(value))
                + b"".join(_pack(k) + _pack(v) for k, v in value.items())
            )
        case int():
            return b"\xd2" + struct.pack(">i", value)
    raise TypeError(value)


def _extension(code: int, data: bytes) -> bytes:
    return b"\xc9" + struct.pack(">Ib", len(data), code) + data


def _msgpack() -> Iterator[Sample]:
    family = "data: msgpack"
    for kind, evil in PAYLOADS.items():
        for name, data in {
            "bytes": _pack({"params": {"kernel": evil}}),
            # Pickles in base64 are not here: no reader of such files decodes a text.
            "extension": b"\xdf\0\0\0\1" + _pack("params") + _extension(1, evil),
            "unknown extension": b"\xdf\0\0\0\1" + _pack("params") + _extension(99, evil),
            "key": b"\xdf\0\0\0\1" + _pack(evil) + _pack(1),
            "after the tree": _pack({"a": 1}) + evil,
        }.items():
            expect = "medium" if name == "after the tree" else "high"
            yield Sample(
                family,
                f"{name}, {kind}",
                "a custom restore unpickles it",
                {"flax_model.msgpack": data},
                expect,
            )
            yield Sample(
                family,
                f"{name}, {kind}, checkpoint",
                "a custom restore unpickles it",
                {"checkpoint/checkpoint": data},
                expect,
            )
    array = _pack(b"O") + _pack(EVIL)
    yield Sample(
        family,
        "array of objects",
        "numpy rebuilds it",
        {"flax_model.msgpack": b"\xdf\0\0\0\1" + _pack("w") + _extension(1, b"\x93" + b"\x91\1" + array)},
        # numpy refuses to make objects of a buffer.
        "medium",
    )
    yield Sample(
        family,
        "no end of nesting",
        "the parser recurses",
        {"flax_model.msgpack": b"\x81\xa1a" * 50_000},
        "not-checked",
    )
    yield Sample(
        family,
        "count beyond the file",
        "an allocation by the header",
        {"flax_model.msgpack": b"\x81\xa6params\xdf\xff\xff\xff\xff\xa1a\1"},
        "not-checked",
    )
    yield Sample(
        family,
        "cut",
        "the reader fails",
        {"flax_model.msgpack": _pack({"params": {"kernel": b"abc"}})[:-6]},
        "not-checked",
    )


def _boosters() -> Iterator[Sample]:
    family = "data: boosters"
    xgb = {
        "learner": {
            "attributes": {"best": base64.b64encode(EVIL).decode()},
            "feature_names": [],
            "gradient_booster": {"model": {}},
            "learner_model_param": {},
        },
        "version": [2, 1, 0],
    }
    yield Sample(
        family,
        "XGBoost attribute with a pickle",
        "a wrapper unpickles the attribute",
        {"model.json": json.dumps(xgb).encode()},
        "high",
    )
    lightgbm = "tree\nversion=v4\nnum_class=1\nfeature_names=a\n\nparameters:\n[data: /etc/passwd]\n[input_model: ../../a.txt]\n[output_model: /etc/cron.d/a]\nend of parameters\n\npandas_categorical:__import__('os').system('true')\n"
    yield Sample(
        family,
        "LightGBM pandas_categorical",
        "no JSON where JSON must be",
        {"model.txt": lightgbm.encode()},
        "medium",
    )
    for kind, evil in PAYLOADS.items():
        yield Sample(family, f"pickle as ubj, {kind}", "a loader falls back to pickle", {"model.ubj": evil})
        yield Sample(family, f"pickle as cbm, {kind}", "a loader falls back to pickle", {"model.cbm": evil})
    yield Sample(
        family,
        "ubj cut",
        "the reader fails",
        {"model.ubj": b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x0aattributes"},
        "not-checked",
    )
    yield Sample(
        family,
        "ubj count beyond the file",
        "an allocation by the header",
        {"model.ubj": b"{L\0\0\0\0\0\0\0\x07learner[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff"},
        "not-checked",
    )
    yield Sample(
        family,
        "CatBoost cut",
        "the reader fails",
        {"model.cbm": b"CBM1" + struct.pack("<I", 1 << 30) + bytes(40)},
        "not-checked",
    )
