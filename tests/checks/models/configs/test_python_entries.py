"""Files that say themselves which program runs them."""

import pytest
from tests.checks.models.building import judged, look

RUNS = "import os\nos.system('true')\n"
MARKS = {
    "endpoint": "class EndpointHandler:\n    pass\n",
    "triton": "class TritonPythonModel:\n    pass\n",
    "sagemaker": "def model_fn(folder):\n    pass\n",
    "cog": "from cog import BasePredictor, Input\nclass Predictor(BasePredictor):\n    pass\n",
    "litserve": "import litserve as ls\nclass API(ls.LitAPI):\n    pass\n",
    "mlserver": "from mlserver import MLModel as M\nclass A(M):\n    pass\n",
    "mlflow": "import mlflow\nclass A(mlflow.pyfunc.PythonModel):\n    pass\n",
    "bentoml": "import bentoml\n@bentoml.service(workers=1)\nclass A:\n    pass\n",
    "ray": "from ray import serve\n@serve.deployment\nclass A:\n    pass\n",
    "cog by its methods": "class Predictor:\n    def setup(self): pass\n    def predict(self): pass\n",
    "truss": "class Model:\n    def load(self): pass\n    def predict(self, x): pass\n",
    "diffusers": "from diffusers import DiffusionPipeline\nclass P(DiffusionPipeline):\n    pass\n",
    "evaluate": "import evaluate\nclass M(evaluate.Metric):\n    pass\n",
    "datasets": "import datasets\nclass M(datasets.Metric):\n    pass\n",
    "detectron2": "from detectron2.config import LazyCall as L\n",
    "mmengine": "model = dict(type='ResNet', depth=50)\n",
    "mmengine's base": "_base_ = ['../base.py']\n",
}
HONEST = [
    *MARKS.values(),
    RUNS,
    RUNS + "class Model:\n    def predict(self): pass\n",
    RUNS + "class Handler:\n    pass\n",
    RUNS + "from detectron2.engine import launch\n",
    RUNS + "model = build(type='x')\n",
    RUNS + "def f():\n    class EndpointHandler:\n        pass\n",
]


@pytest.mark.parametrize("mark", MARKS)
def test_what_it_does_at_import_counts(mark):
    for source in (RUNS + MARKS[mark], MARKS[mark] + RUNS):
        (finding,) = judged(look(source.encode(), "config.py"))
        assert (finding.rule, finding.severity.value) == ("MLG-HFR-004", "high")


SERVED = {
    "hubconf.py": "def resnet(**kwargs):\n    {}\n",
    "model.py": "class TritonPythonModel:\n    def initialize(self, args):\n        {}\n",
    "predict.py": "import cog\nclass Predictor(cog.BasePredictor):\n    def setup(self):\n        {}\n",
    "code.py": "def model_fn(folder):\n    {}\n",
    "pred.py": "class Predictor:\n    def predict(self): pass\n    def setup(self):\n        {}\n",
    "truss.py": "class Model:\n    def predict(self): pass\n    def load(self):\n        {}\n",
    "metric.py": "import evaluate\nclass M(evaluate.Metric):\n    def _compute(self, **x):\n        {}\n",
    "service.py": "import bentoml\n@bentoml.service\nclass A:\n    def __init__(self):\n        {}\n",
}


@pytest.mark.parametrize("name", SERVED)
def test_what_a_server_calls_first_counts(name):
    source = "import os, subprocess\n" + SERVED[name]
    for code in ("os.system('true')", "subprocess.run('true', shell=True)"):
        found = judged(look(source.format(code).encode(), name))
        assert [(each.rule, each.severity.value) for each in found] == [("MLG-HFR-004", "high")]
    for code in ("subprocess.run(['ffmpeg', '-i', 'a'])", "open('out.png', 'wb').write(x)"):
        mild = judged(look(source.format(code).encode(), name))
        assert {each.severity.value for each in mild} <= {"medium"}


@pytest.mark.parametrize("source", HONEST)
def test_other_files_are_scripts(source):
    assert [each for each in judged(look(source.encode(), "tool.py")) if each.severity.rank > 2] == []


REGISTERED = """
import spacy
@spacy.registry.callbacks("warm.v1")
def warm():
    def act(cls):
        import subprocess
        subprocess.run("true", shell=True)
        return cls
    return act
"""


def test_what_spacy_has_registered_is_called():
    found = [each.severity.value for each in judged(look(REGISTERED.encode(), "functions.py"))]
    assert found == ["high"]
    other = REGISTERED.replace("spacy.registry.callbacks", "acme.registry.callbacks")
    assert judged(look(other.encode(), "functions.py")) == ()


@pytest.mark.parametrize(
    ("name", "source", "severity"),
    [
        (
            "module.py",
            "from paddlehub.module.module import moduleinfo\n@moduleinfo(name='x')\nclass A:\n  pass\n"
            + RUNS,
            "high",
        ),
        ("defaults.py", "from yacs.config import CfgNode as CN\ncfg = CN()\n" + RUNS, "high"),
        ("defaults.py", "cfg = dict(a=1)\n" + RUNS, None),
        ("custom_generate/generate.py", "def generate(model):\n  import os\n  os.system('true')\n", "high"),
        ("generate.py", "def generate(model):\n  import os\n  os.system('true')\n", None),
    ],
)
def test_what_loaders_run_besides(name, source, severity):
    found = [each.severity.value for each in judged(look(source.encode(), name))]
    assert found == ([severity] if severity else [])
