"""Pickles that attack their loader, by technique. The payloads are harmless and never run."""

import base64
import pickle
import struct


def text(value):
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def short(value):
    data = value.encode()
    return b"\x8c" + bytes((len(data),)) + data


def call(module, name, *args, protocol=2):
    """``module.name(*args)`` by REDUCE."""
    found = short(module) + short(name) + b"\x93" if protocol >= 4 else f"c{module}\n{name}\n".encode()
    return b"\x80" + bytes((protocol,)) + found + b"(" + b"".join(map(text, args)) + b"tR."


BARE = call("os", "system", "echo hi")
FRAMED = b"\x80\x04\x95" + struct.pack("<Q", 3) + b"Vab" + b"x\n0" + BARE[2:]

TECHNIQUES = {
    "os.system": BARE,
    "posix.system": call("posix", "system", "echo hi"),
    "nt.system": call("nt", "system", "echo hi"),
    "subprocess.Popen": call("subprocess", "Popen", "echo"),
    "commands, renamed": call("commands", "getoutput", "echo hi"),
    "__builtin__.eval": call("__builtin__", "eval", "1"),
    "builtins.exec, protocol 4": call("builtins", "exec", "1", protocol=4),
    "builtins.compile": call("builtins", "compile", "1", "f", "eval"),
    "cProfile.run": call("cProfile", "run", "1"),
    "trace.Trace": call("trace", "Trace", "x"),
    "idlelib submodule": call("idlelib.pyshell", "ModifiedInterpreter", "x"),
    "code.interact": call("code", "InteractiveInterpreter"),
    "timeit.timeit": call("timeit", "timeit", "1"),
    "pip.main": call("pip", "main", "install"),
    "pip submodule": call("pip._internal.cli.main", "main", "install"),
    "ensurepip": call("ensurepip", "_run_pip", "x"),
    "torch gadget": call("torch.utils._config_module", "ConfigModule", "x"),
    "torch._dynamo": call("torch._dynamo.guards", "GuardBuilder", "x"),
    "numpy.f2py": call("numpy.f2py.crackfortran", "getlincoef", "x", "y"),
    "numpy.testing": call("numpy.testing._private.utils", "runstring", "x", "y"),
    "lib2to3": call("lib2to3.pgen2.grammar", "Grammar"),
    "asyncio submodule": call("asyncio.unix_events", "_UnixSubprocessTransport", "x"),
    "pkgutil.resolve_name": call("pkgutil", "resolve_name", "os:system"),
    "pydoc.locate": call("pydoc", "locate", "os.system"),
    "importlib.import_module": call("importlib", "import_module", "os"),
    "operator.methodcaller": call("operator", "methodcaller", "system", "echo hi"),
    "operator.attrgetter": call("operator", "attrgetter", "__globals__"),
    "getattr of a module": b"\x80\x02c__builtin__\ngetattr\ncnumpy\nos\nX\x06\x00\x00\x00system\x86R.",
    "getattr of a dunder": call("__builtin__", "getattr", "a", "__class__"),
    "functools.partial": b"\x80\x02cfunctools\npartial\ncos\nsystem\nX\x02\x00\x00\x00id\x86R.",
    "functools.reduce": call("__builtin__", "reduce", "x"),
    "map by NEWOBJ": b"\x80\x02cbuiltins\nmap\ncos\nsystem\n]X\x02\x00\x00\x00ida\x86\x81.",
    "file": call("builtins", "open", "x", "w"),
    "shutil": call("shutil", "rmtree", "x"),
    "network": call("urllib2", "urlopen", "http://127.0.0.1/"),
    "dns through ssl": call("ssl", "get_server_certificate", "x"),
    "socket": call("socket", "create_connection", "x"),
    "sys.exit": call("sys", "exit"),
    "second stage": call("numpy", "load", "x"),
    "pickle.loads": call("_pickle", "loads", "x"),
    "torch.load": call("torch", "load", "x"),
    "marshal": call("marshal", "loads", "x"),
    "cloudpickle": call("cloudpickle.cloudpickle", "_make_function", "x"),
    "CodeType by NEWOBJ": b"\x80\x02ctypes\nCodeType\n)\x81.",
    "unknown function": call("acme.tools", "run_it", "x"),
    "unknown class with text": call("acme.tools", "Runner", "echo hi"),
    "import only": b"\x80\x02cos\nsystem\n.",
    "in state": b"\x80\x02csklearn.preprocessing._function_transformer\nFunctionTransformer\n)\x81}X\x04\x00\x00\x00funccos\nsystem\nsb.",
    "INST": b"(S'echo hi'\nios\nsystem\n.",
    "INST at the end, without newline": b"(S'echo hi'\nios\nsystem#",
    "OBJ": b"(cos\nsystem\nS'echo hi'\no.",
    "NEWOBJ_EX": b"\x80\x04\x8c\nsubprocess\x8c\x05Popen\x93)}\x92.",
    "memo": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93(\x8c\x02idtR.",
    "memo, text protocol": b"Vos\np0\n0Vsystem\np1\n0g0\ng1\n\x93(Vid\ntR.",
    "unresolvable STACK_GLOBAL": b"\x80\x04\x8c\x02oscbuiltins\nstr\n\x8c\x06system\x85R\x93(\x8c\x02idtR.",
    "STACK_GLOBAL of long text": b"\x80\x04" + text("a." * 3000 + "os") + short("system") + b"\x93(\x8c\x02idtR.",
    "dotted": b"\x80\x04" + short("torch") + short("serialization.os.system") + b"\x93(\x8c\x02idtR.",
    "dotted by GLOBAL": b"\x80\x04cnumpy\nos.system\n(\x8c\x02idtR.",
    "mutated module": b"\x80\x02cnumpy\n__builtins__\n}X\x01\x00\x00\x00acos\nsystem\nsb.",
    "mutated allowed class": b"\x80\x02ccollections\nOrderedDict\n}X\x01\x00\x00\x00aK\x01sb.",
    "item set on an import": b"\x80\x02csys\nmodules\nX\x01\x00\x00\x00aK\x01s.",
    "append to an import": b"\x80\x02csys\npath\nX\x01\x00\x00\x00aa.",
    "computed callee": b"\x80\x02cfunctools\npartial\ncnumpy\nmean\n\x85R(X\x01\x00\x00\x00atR.",
    "call of an instance": b"\x80\x02cacme\nThing\n)\x81)R.",
    "_reconstructor with another base": b"\x80\x02ccopy_reg\n_reconstructor\n(cacme\nA\ncacme\nB\nX\x01\x00\x00\x00xtR.",
    "__newobj__": b"\x80\x02ccopy_reg\n__newobj__\n(cbuiltins\nmap\ncos\nsystem\n]tR.",
    "extension registry": b"\x80\x02\x82\x01)R.",
    "broken afterwards": BARE[:-1] + b"\xff\xff",
    "cut off afterwards": BARE[:-1],
    "second stream": pickle.dumps({"a": 1}) + BARE,
    "second stream with the first one's memo": b"\x80\x04\x8c\x02os\x94.\x80\x04h\x00\x8c\x06system\x93(\x8c\x02idtR.",
    "nested, raw": pickle.dumps({"data": BARE + b"\n" * 300}),
    "nested, short": pickle.dumps({"data": BARE}),
    "nested in text": pickle.dumps({"data": "cos\nsystem\n(S'echo hi'\ntR."}),
    "nested, base64": pickle.dumps({"data": base64.b64encode(call("os", "system", "echo hi")).decode()}),
    "nested, hex": pickle.dumps({"data": BARE.hex()}),
    "nested, escaped": b"S'\\x80\\x02cos\\nsystem\\n(U\\x02idtR.'\n.",
    "base-0 number": b"\x80\x02I0x10\n0" + BARE[2:],
    "underscores in a memo index": b"Vos\np1_0\n0g10\nVsystem\n\x93(Vid\ntR.",
    "zero byte in a memo index": b"Vos\np1\x00junk\n0g1\nVsystem\n\x93(Vid\ntR.",
    "lone surrogate first": b"\x80\x04\x8c\x03\xed\xa0\x800" + BARE[2:],
    "PROTO in mid-stream": b"\x80\x02K\x01\x80\x040" + call("os", "system", "x", protocol=4)[2:],
    "FRAME past the end": b"\x80\x04\x95" + struct.pack("<Q", 1 << 30) + BARE[2:],
    "BUILD with nothing": b"]Nb0" + BARE[2:],
    "item set on a list": b"]K\x00K\x00s0" + BARE[2:],
    "marks popped": b"(K\x011" + BARE[2:],
    "in a joblib array": (
        b"\x80\x03cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(X\x05\x00\x00\x00shapeK\x64\x85X\x05\x00\x00\x00dtype"
        b"cnumpy\ndtype\nX\x02\x00\x00\x00u1K\x00K\x01\x87Rub" + (b"0" + BARE[2:]).ljust(100, b".") + b"."
    ),
    "under joblib's array": (
        b"\x80\x03cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(X\x05\x00\x00\x00shapeK\x04\x85X\x05\x00\x00\x00dtype"
        b"cnumpy\ndtype\nX\x02\x00\x00\x00u1K\x00K\x01\x87Rub" + b"\x00\x00\x00\x00" + BARE[2:]
    ),
}  # fmt: skip
