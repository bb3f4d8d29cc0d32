"""YAML whose tags construct, and configurations whose targets are called."""

import json
from collections.abc import Iterator

from tests.checks.models.building import Entry, zipped
from tests.corpus.sample import Sample

TAGS = {
    "apply": "!!python/object/apply:os.system ['true']",
    "apply, mapping": "!!python/object/apply:subprocess.Popen {args: [['true']]}",
    "apply, block": "!!python/object/apply:os.system\n  - 'true'",
    "new": "!!python/object/new:subprocess.Popen [['true']]",
    "new, state": "!!python/object/new:type\n  args: ['z', !!python/tuple [], {'extend': !!python/name:exec }]\n  listitems: 'pass'",
    "object": "!!python/object:acme.Evil {a: 1}",
    "name": "!!python/name:os.system",
    "name, colon": "!!python/name:os.system ''",
    "module": "!!python/module:antigravity",
    "verbatim": "!<tag:yaml.org,2002:python/object/apply:os.system> ['true']",
    "escaped": "!!python/object/%61pply:os.system ['true']",
    "in a key": "? !!python/object/apply:os.system ['true']\n  : b",
    "in a list": "[1, [2, !!python/object/apply:os.system ['true']]]",
    "anchored": "&a !!python/object/apply:os.system ['true']",
    "tag, then anchor": "!!python/object/apply:os.system &a ['true']",
    "hyperpyyaml new": "!new:os.system ['true']",
    "hyperpyyaml apply": "!apply:os.system ['true']",
    "hyperpyyaml name": "!name:os.system",
    "pickle": "!!python/object/apply:pickle.loads [!!binary 'Y29zCnN5c3RlbQooUyd0cnVlJwp0Ui4=']",
}  # fmt: skip
_WEAK_TAGS = {"object": "medium", "module": "medium"}  # fmt: skip
TARGETS = ("os.system", "subprocess.Popen", "subprocess.run", "builtins.eval", "builtins.exec", "builtins.__import__", "builtins.open", "runpy.run_path", "pickle.load", "pickle.loads", "torch.load", "torch.hub.load", "importlib.import_module", "pydoc.locate", "shutil.rmtree", "os.remove", "operator.methodcaller", "urllib.request.urlretrieve", "requests.get", "webbrowser.open", "ctypes.CDLL", "code.interact", "timeit.timeit", "cProfile.run", "pty.spawn", "posix.system", "pip.main", "builtins.getattr", "joblib.load", "dill.loads", "cloudpickle.loads", "yaml.unsafe_load", "pandas.read_pickle", "socket.create_connection", "marshal.loads", "types.FunctionType", "torch.utils.cpp_extension.load", "torch.ops.load_library", "tensorflow.load_op_library", "site.addsitedir", "os.popen", "os.execv", "asyncio.create_subprocess_shell", "nemo.utils.os.system", "nemo.core.classes.common.os.system", "torch.nn.os.system", "numpy.testing._private.utils.runstring", "torch.jit.load", "logging.config.dictConfig", "unittest.mock._importer", "idlelib.pyshell.main", "distutils.spawn.spawn", "omegaconf.omegaconf.os.system")  # fmt: skip
# What opens a file or a connection: research does that too. A thread or a process starts what
# another key names, and is ordinary by itself: neither is here.
_WEAK_TARGETS = dict.fromkeys(
    (
        "torch.jit.load",
        "torch.load",
        "joblib.load",
        "pandas.read_pickle",
        "torch.hub.load",
        "urllib.request.urlretrieve",
        "requests.get",
        "socket.create_connection",
        "site.addsitedir",
        "builtins.getattr",
        "operator.methodcaller",
        "builtins.open",
    ),
    "medium",
)


def samples() -> Iterator[Sample]:
    family = "yaml: tags"
    names = (
        "config.yaml",
        "model.yml",
        "pipeline.yaml",
        "conf/a.yaml",
        "hparams.yaml",
        "x.yaml.bak",
        "config",
        "data.txt",
        "model.cfg",
    )
    for index, (name, tag) in enumerate(TAGS.items()):
        expect = _WEAK_TAGS.get(name, "high")
        if expect == "quiet":
            continue
        text = f"a: 1\nb: {tag}\n" if not tag.startswith("?") else f"{tag}\n"
        forms = {
            "plain": text,
            "document start": f"%YAML 1.1\n---\n{text}",
            "second document": f"a: 1\n---\n{text}",
            "comments": "# a\n" * 200 + text,
            "CRLF": text.replace("\n", "\r\n"),
            "byte order mark": "\ufeff" + text,
            "indented": "a:\n" + "".join(f"  {line}\n" for line in text.splitlines()),
            "large": "\n".join(f"k{n}: {n}" for n in range(20_000)) + "\n" + text,
            "broken after": text + "c: [\n",
        }
        keys = list(forms)
        for key in keys if index < 2 else [keys[0], keys[1 + index % (len(keys) - 1)]]:
            yield Sample(
                family, f"{name}, {key}", "yaml.load constructs it", {names[0]: forms[key].encode()}, expect
            )
        # Under other names a loader comes by only where a program asks for that file.
        other = names[1 + index % 5]
        yield Sample(
            family,
            f"{name}, {other}",
            "yaml.load constructs it",
            {other: text.encode()},
            expect if "bak" not in other else "high",
        )
    aliases = {
        "tag directive": "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system ['true']\n",
        "named handle": "%TAG !p! tag:yaml.org,2002:python/object/\n---\na: !p!apply:os.system ['true']\n",
        "second handle": "%TAG !! tag:yaml.org,2002:python/\n---\na: !!object/apply:os.system ['true']\n",
        "short handle": "%TAG !x! tag:yaml.org,2002:py\n---\na: !x!thon/object/apply:os.system ['true']\n",
        "in UTF-16": "a: !!python/object/apply:os.system ['true']\n",
        "merge": "x: &x {a: !!python/object/apply:os.system ['true']}\ny:\n  <<: *x\n",
        "set": "a: !!set {? !!python/object/apply:os.system ['true']}\n",
        "omap": "a: !!omap [b: !!python/object/apply:os.system ['true']]\n",
        "root": "!!python/object/apply:os.system ['true']\n",
        "json": '{"a": !!python/object/apply:os.system ["true"]}\n',
        "front matter": "---\nlicense: mit\nx: !!python/object/apply:os.system ['true']\n---\n# Model\n",
    }
    for name, text in aliases.items():
        data = text.encode("utf-16") if "16" in name else text.encode()
        path = "README.md" if name == "front matter" else "config.yaml"
        if name != "front matter":
            yield Sample(family, f"alias: {name}", "yaml.load constructs it", {path: data})
    family = "configurations: targets"
    for index, target in enumerate(TARGETS):
        expect = _WEAK_TARGETS.get(target, "high")
        config = {"model": {"_target_": target, "_args_": ["true"]}}
        forms = {
            "yaml": {"config.yaml": f"model:\n  _target_: {target}\n  _args_: ['true']\n".encode()},
            "quoted": {"conf/model/net.yaml": f"model:\n  '_target_': \"{target}\"\n".encode()},
            "flow": {"config.yaml": f"model: {{_target_: {target}, a: 1}}\n".encode()},
            "json": {"config.json": json.dumps(config).encode()},
            "list": {"config.yaml": f"callbacks:\n  - name: a\n    _target_: {target}\n".encode()},
            "partial": {"config.yaml": f"model:\n  _partial_: true\n  _target_: {target}\n".encode()},
            "nested": {"config.yaml": f"a:\n  b:\n    c:\n      _target_: {target}\n".encode()},
            "class_path": {
                "lightning.yaml": f"model:\n  class_path: {target}\n  init_args: {{a: 1}}\n".encode()
            },
            "root": {"config.yaml": f"_target_: {target}\ncommand: 'true'\n".encode()},
            "zip": {
                "m.zip": zipped(Entry("m/model_config.yaml", f"model:\n  _target_: {target}\n".encode()))
            },
            "folded": {"config.yaml": f"model:\n  _target_: >-\n    {target}\n".encode()},
        }
        keys = list(forms)
        for key in keys if index < 3 else [keys[0], keys[1 + index % (len(keys) - 1)]]:
            yield Sample(family, f"{target}, {key}", "hydra.utils.instantiate calls it", forms[key], expect)
    method = "model:\n  _target_: hydra.utils.get_method\n  path: os.system\n"
    yield Sample(
        family, "hydra.utils.get_method", "resolves os.system", {"config.yaml": method.encode()}, "medium"
    )
    yield Sample(
        family,
        "target by interpolation",
        "the target stands elsewhere",
        {"config.yaml": b"x: os.system\nmodel:\n  _target_: ${x}\n"},
        "medium",
    )
    yield Sample(
        family,
        "target in pieces",
        "the target stands elsewhere",
        {"config.yaml": b"x: os\nmodel:\n  _target_: ${x}.system\n"},
        "medium",
    )
