import io
import json
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import format_of, judged, look, reasons

from mlgate.policy.schema import Models

WRITTEN = {
    "yaml": "model:\n  _target_: os.system\n  command: 'true'\n",
    "quoted": "model: {\"_target_\": 'os.system'}\n",
    "escaped key": 'model: {"\\x5ftarget_": os.system}\n',
    "escaped value": 'model: {_target_: "os.\\u0073ystem"}\n',
    "anchor": "x: &x os.system\nmodel:\n  _target_: *x\n",
    "aliased key": "x: &x _target_\nmodel:\n  *x : os.system\n",
    "merged": "x: &x {_target_: os.system}\nmodel:\n  <<: *x\n",
    "interpolated": "x: {y: os}\nmodel:\n  _target_: ${x.y}.system\n",
    "interpolated twice": "x: ${y}\ny: os.system\nmodel:\n  _target_: ${x}\n",
    "interpolated from a list": "x: [a, os.system]\nmodel:\n  _target_: ${x.1}\n",
    "folded": "model:\n  _target_: >-\n    os.system\n",
    "complex key": "? _target_\n: os.system\n",
    "second document": "a: 1\n---\n_target_: os.system\n",
    "twice": "_target_: torch.nn.Linear\n_target_: os.system\n",
    "in a list": "- _target_: os.system\n",
    "lightning": "model:\n  class_path: os.system\n",
    "latent diffusion": "model:\n  target: os.system\n  params: {command: 'true'}\n",
    "json": '{"model": {"_target_": "os.system"}}',
    "escaped json": '{"model": {"\\u005ftarget_": "os\\u002esystem"}}',
    "json with a comment": '{"model": {"_target_": "os.system"}} # note',
    "reference of MONAI": "y: os.system\nx:\n  _target_: '@y'\n",
    "deep reference of MONAI": "y: {z: os.system}\nx:\n  _target_: '@y::z'\n",
    "older reference of MONAI": "y: {z: os.system}\nx:\n  _target_: '$@y#z'\n",
    "text of MONAI": "y: os.system\nx:\n  _target_: '%y'\n",
    "explicit key over two lines": '? "_tar\\\n  get_"\n: os.system\n',
    "interpolated, relative": "model:\n  _target_: ${.x}.system\n  x: os\n",
    "interpolated, relative to the parent": "x: os\nmodel:\n  _target_: ${..x}.system\n",
    "interpolated by brackets": "x: {y: os}\nmodel:\n  _target_: ${x[y]}.system\n",
    "interpolated by quoted brackets": "x: {y: os}\nmodel:\n  _target_: ${x['y']}.system\n",
    "interpolated many times": "model:\n  _target_: ${x9}\nx0: os.system\n"
    + "".join(f"x{number + 1}: ${{x{number}}}\n" for number in range(9)),
    "default of the environment": "_target_: ${oc.env:NO_SUCH,os.system}\n",
    "decoded": "_target_: ${oc.decode:'os.system'}\n",
    "a text that is a configuration": "a:\n  - |\n    _target_: os.system\n",
    "handed on from a long way": f"_target_: torch.{'os.path.' * 60}os.system\n",
    "through a module of torch": "_target_: torch.os.system\n",
}


@pytest.mark.parametrize("name", ["config.yaml", "config.json", "hparams"])
@pytest.mark.parametrize("how", WRITTEN)
def test_a_command_is_found_however_it_is_written(how, name):
    seen = look(WRITTEN[how].encode(), name)
    found = [(each.rule, each.severity.value) for each in judged(seen)]
    assert found == [("MLG-HFR-006", "critical")]
    assert format_of(seen) == "hydra-config"


def test_it_stands_at_its_line():
    for data in (b"a: 1\nb:\n  _target_: os.system\n", b'{"a": "1",\n"b": [\n{"_target_": "os.system"}]}'):
        (fact,) = look(data, "c").facts
        assert fact.location.line == 3


@pytest.mark.parametrize(
    ("target", "severity"),
    [
        ("subprocess.check_output", "critical"),
        ("builtins.eval", "critical"),
        ("builtins.exec", "critical"),
        ("builtins.__import__", "high"),
        ("importlib.import_module", "high"),
        ("pickle.loads", "critical"),
        ("marshal.loads", "critical"),
        ("dill.load", "critical"),
        ("runpy.run_path", "critical"),
        ("pty.spawn", "critical"),
        ("ctypes.CDLL", "critical"),
        ("timeit.timeit", "critical"),
        ("docker.from_env", "critical"),
        ("site.addsitedir", "critical"),
        ("gc.get_objects", "high"),
        ("http.server.HTTPServer", "high"),
        ("asyncio.start_server", "high"),
        ("cPickle.loads", "critical"),
        ("compress_pickle.load", "critical"),
        ("torch.utils.cpp_extension.load", "critical"),
        ("torch.ops.load_library", "critical"),
        ("numpy.f2py.compile", "critical"),
        ("logging.config.dictConfig", "critical"),
        ("transformers.utils.subprocess.run", "critical"),
        ("joblib.load", "high"),
        ("torch.load", "medium"),
        ("requests.get", "high"),
        ("shutil.rmtree", "high"),
        ("os.remove", "high"),
        ("unittest.mock._importer", "high"),
        ("builtins.getattr", "medium"),
        ("operator.methodcaller", "medium"),
        ("builtins.open", "medium"),
    ],
)
def test_what_is_called_decides(target, severity):
    found = judged(look(f"x:\n  _target_: {target}\n".encode(), "c.yaml"))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-HFR-006", severity)]


@pytest.mark.parametrize(
    "target",
    [
        "src.models.MyNet", "torch.nn.Linear", "torch.optim.Adam", "functools.partial", "builtins.dict",
        "hydra.utils.get_class", "os.path.join", "os.getenv", "lightning.pytorch.loggers.wandb.WandbLogger",
        "sklearn.datasets.load_iris", "transformers.AutoModel.from_pretrained", "torchvision.transforms.Compose",
        "pandas.read_csv", "torch.compile", "omegaconf.DictConfig", "multiprocessing.cpu_count", "wandb.init",
        "monai.networks.nets.UNet", "numpy.load", "threading.Thread", "builtins.print", "torch.multiprocessing.spawn",
        "ldm.models.diffusion.ddpm.LatentDiffusion", "pathlib.Path", "operator.itemgetter", "system.Model",
    ],
)  # fmt: skip
def test_honest_targets_are_left_in_peace(target):
    for text in (f"x:\n  _target_: {target}\n", f"x:\n  target: {target}\n  params: {{a: 1}}\n"):
        seen = look(text.encode(), "c.yaml")
        assert (judged(seen), seen.not_checked) == ((), ())


def test_what_hydra_is_asked_to_look_up():
    text = "f:\n  path: os.system\n  _target_: hydra.utils.get_method\n"
    assert [each.subject for each in judged(look(text.encode(), "c.yaml"))] == ["os.system"]
    assert not judged(look(b"f:\n  path: os.system\n  _target_: acme.X\n", "c.yaml"))
    text = "f:\n  _target_: hydra.utils.get_object\n  _args_: [builtins.exec]\n"
    assert [each.subject for each in judged(look(text.encode(), "c.yaml"))] == ["builtins.exec"]
    assert not judged(look(b"f:\n  _target_: hydra.utils.instantiate\n  _args_: [x, data]\n", "c.yaml"))
    text = "f:\n  _target_: hydra.utils.get_object\n  path: os\n"
    assert [each.severity.value for each in judged(look(text.encode(), "c.yaml"))] == ["high"]


def test_the_policy_may_trust_a_target():
    seen = look(b"_target_: joblib.load\n", "c.yaml")
    assert not judged(seen, Models(allow_globals=("joblib.load",)))


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  web:\n    build: {target: prod}\n    volumes: [{target: /app}]\n",
        '{"compilerOptions": {"target": "es2020"}}',
        "spec: {metrics: [{target: {type: Utilization}}]}\n",
        "_target_: ${oc.env:X}\n",
        "_target_: null\n",
        "text: the key _target_ is os.system\n",
        "_target_: [os.system\n",
    ],
)
def test_other_texts_are_none(text):
    seen = look(text.encode(), "c.yaml")
    assert (seen.facts, seen.not_checked) == ((), ())


def nemo(config):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in (("./model_config.yaml", config.encode()), ("./model_weights.ckpt", b"")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


NEMO = "target: nemo.collections.asr.models.EncDecCTCModel\nencoder:\n  _target_: {}\n"


@pytest.mark.parametrize(
    ("target", "severity"),
    [
        ("os.system", "critical"),
        ("acme.Encoder", "medium"),
        ("nemo.collections.asr.modules.ConformerEncoder", None),
        ("torch.nn.Linear", None),
        ("pytorch_lightning.callbacks.EarlyStopping", None),
        ("omegaconf.DictConfig", None),
    ],
)
def test_nemo_models(target, severity):
    for data, name in (
        (nemo(NEMO.format(target)), "m.nemo"),
        (f"nemo_version: 1.0\n{NEMO.format(target)}".encode(), "c.yaml"),
    ):
        found = [(each.rule, each.severity.value) for each in judged(look(data, name))]
        assert found == ([("MLG-NMO-001", severity)] if severity else [])


def test_many_targets_are_bounded():
    data = json.dumps([{"_target_": f"a.b{n}"} for n in range(100)]).encode()
    assert reasons(look(data, "c.json", facts=20)) == {"limit"}
    assert not look(json.dumps([{"_target_": "a.b"}] * 100).encode(), "c.json", facts=20).not_checked


def test_deep_documents_end():
    assert reasons(look(b'{"_target_": ' + b"[" * 5000, "c.json")) <= {"limit"}
    assert reasons(look(b"_target_: " + b"[" * 5000, "c.yaml")) <= {"limit"}


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seed = bytearray(data.draw(st.sampled_from(sorted(WRITTEN.values()))).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from(
                [b"!", b"${", b"&x ", b"*x", b"[", b"{", b"\t", b"\0", b"---\n", b": ", b"\xff", b'"']
            )
        )
    seen = look(bytes(seed), data.draw(st.sampled_from(["c.yaml", "c.json"])))
    assert "reader-failed" not in reasons(seen)


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("model:\n  _component_: subprocess.getoutput\n  cmd: x\n", "critical"),
        ("model:\n  _component_: torchtune.models.llama3.llama3_8b\n", None),
        ("a:\n  _target_: setuptools._distutils.spawn.spawn\n", "critical"),
        ("a:\n  type: haystack.X\n  custom_filters: {sh: subprocess.getoutput}\n", "high"),
        ("a:\n  custom_filters: {upper: acme.filters.upper}\n", None),
    ],
)
def test_keys_of_other_frameworks(text, severity):
    found = judged(look(text.encode(), "c.yaml"))
    assert [each.severity.value for each in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("_target_: numpy.load\nfile: x.npy\nallow_pickle: true\n", "high"),
        ("_target_: numpy.load\nfile: x.npy\nallow_pickle: ${x}\n", "high"),
        ("_target_: numpy.load\nfile: x.npy\nallow_pickle: false\n", None),
        ("_target_: numpy.load\nfile: x.npy\n", None),
        ("_target_: numpy.savetxt\nfname: /root/x\nX: [1]\n", "high"),
        ("_target_: numpy.savetxt\nfname: ../x\nX: [1]\n", "high"),
        ("_target_: pathlib.Path.touch\nself: ~/x\n", "high"),
        ("_target_: numpy.savetxt\nfname: out.txt\nX: [1]\n", "medium"),
    ],
)
def test_the_values_beside_a_target_count(text, severity):
    found = [each.severity.value for each in judged(look(text.encode(), "config.yaml"))]
    assert found == ([severity] if severity else [])


def test_the_places_of_arguments_count_as_their_names():
    text = "_target_: numpy.load\n_args_: [x.npy, null, true]\n"
    assert [each.severity.value for each in judged(look(text.encode(), "config.yaml"))] == ["high"]
    text = "_target_: numpy.save\n_args_: [/etc/cron.d/x, [1]]\n"
    assert [each.severity.value for each in judged(look(text.encode(), "config.yaml"))] == ["high"]


LOADED = "b:\n  _target_: numpy.load\n  file: y.npy\n  allow_pickle: true\n"


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  _target_: numpy.load\n  file: x.npy\n" + LOADED,
        "".join(f"a{at}:\n  _target_: numpy.load\n  file: {at}.npy\n" for at in range(500)) + LOADED,
        "p: /etc/cron.d/x\na:\n  _target_: numpy.save\n  file: ${p}\n",
    ],
)
def test_no_other_use_of_a_name_hides_what_it_is_given(text):
    assert [each.severity.value for each in judged(look(text.encode(), "config.yaml"))] == ["high"]
