"""Configurations of any framework that name the source beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import collect, judged, look, scope

RUNS = b"import os\nos.system('true')\n\n\ndef build():\n    return 1\n"
NAMED = {
    "gin": ("train.gin", "import plug\nlr = 0.1\n", "plug.py"),
    "gin's configurable": ("train.gin", "Trainer.hook = @plug.Hook\n", "plug.py"),
    "mmengine": ("cfg.py", "custom_imports = dict(imports=['a.b', 'plug'], strict=True)\n", "plug.py"),
    "mmengine in yaml": ("cfg.yaml", "custom_imports:\n  imports:\n    - a.b\n    - plug\n", "plug.py"),
    "monty": ("x.json", '{"@module": "plug", "@class": "X", "v": 1}', "plug.py"),
    "json_tricks": ("x.json", '{"__instance_type__": ["plug", "X"], "attributes": {}}', "plug.py"),
    "kedro": ("catalog.yml", "model:\n  type: plug.datasets.Pickled\n", "plug/datasets.py"),
    "allennlp": (".allennlp_plugins", "plug\n", "plug/__init__.py"),
    "fairseq": ("task.yaml", "common:\n  user_dir: ./plug\n", "plug/__init__.py"),
    "ray serve": ("serve.yaml", "applications:\n- import_path: plug.app:main\n", "plug/app.py"),
    "cog": ("cog.yaml", 'predict: "plug.py:Predictor"\n', "plug.py"),
    "a path": ("x.toml", 'code = "src/plug.py"\n', "src/plug.py"),
    "a level above": ("conf/x.yaml", "loader: plug.Loader\n", "plug.py"),
    "a server's": ("bentofile.yaml", "service: 'plug:Service'\n", "plug.py"),
    "a model card": ("README.md", "# Use\n\n```python\nfrom plug import Net\n```\n", "plug.py"),
    "escaped": ("x.json", '{"type": "\\u0070lu\\u0067.Loader"}', "plug.py"),
    "utf-16": ("x.json", '{"type": "plug.Loader"}'.encode("utf-16"), "plug.py"),
}
OTHERS = {
    "a word": ("x.yaml", "name: plug\n"),
    "a file": ("x.yaml", "weights: plug.safetensors\n"),
    "a longer name": ("x.yaml", "type: my_plug.Loader\n"),
    "prose": ("x.yaml", "text: it needs a plug. Nothing else.\n"),
    "a command": ("x.yaml", "command: python plug.py --fast\n"),
    "no import": ("x.md", "type: plug.Loader\n"),
    "a time": ("x.yaml", "at: 12:plug\nx: a:b:plug\n"),
}


@pytest.mark.parametrize("name", NAMED)
def test_source_that_is_named_is_imported(name):
    config, text, source = NAMED[name]
    data = text if isinstance(text, bytes) else text.encode()
    found = judged(collect(scope({config: data, source: RUNS})))
    assert [(each.rule, each.severity.value, each.location.path) for each in found] == [
        ("MLG-HFR-004", "high", source)
    ]


@pytest.mark.parametrize("name", OTHERS)
def test_source_that_is_not_named_is_a_script(name):
    config, text = OTHERS[name]
    assert judged(collect(scope({config: text.encode(), "plug.py": RUNS}))) == ()


INITIALISES = b"import os\n\n\nclass Net:\n    def __init__(self):\n        os.system('true')\n"


def test_what_a_configuration_has_made_runs_its_constructor():
    (found,) = judged(collect(scope({"x.yaml": b"net: !new:plug.Net\n", "plug.py": INITIALISES})))
    assert (found.rule, found.severity.value) == ("MLG-HFR-004", "high")
    (alone,) = judged(collect(scope({"plug.py": INITIALISES, "m.pkl": b"\x80\x02}."}))) or (None,)
    assert alone is None or alone.severity.value == "medium"


def test_scripts_that_are_started_are_not_imported():
    config = b"entry_point: train.py\nimport: train\n"
    assert judged(collect(scope({"x.yaml": config, "train.py": RUNS}))) == ()


def test_a_configuration_is_not_listed_for_the_names_in_it():
    seen = collect(scope({"x.yaml": b"type: plug.Loader\n"}))
    assert seen.inventory == ()
    assert [fact.kind for fact in seen.facts] == ["config.modules"]


def test_beyond_so_many_names_all_source_beside_it_counts():
    text = "".join(f"k{number}: m{number}.Class\n" for number in range(20_001))
    found = judged(collect(scope({"x.yaml": text.encode(), "plug.py": RUNS})))
    assert [each.rule for each in found] == ["MLG-HFR-004"]


def test_a_name_across_the_pieces_of_a_long_text_is_seen():
    size = 1 << 20
    for cut in (-8, -3, 0):
        text = b"#" * (size + cut - 7) + b"\ntype: plug.Loader\n"
        assert judged(collect(scope({"x.yaml": text, "plug.py": RUNS})))


@given(st.text(alphabet="ab.:/_-'\"[]\n ,@import{}\\u0061", max_size=400))
def test_any_text_is_read(text):
    look(text.encode(), "x.yaml")
    look(text.encode(), "x.gin")


BESIDE = b"import os\nos.system('true')\n"


@pytest.mark.parametrize(
    "files",
    [
        {"hyperparams.yaml": b"sample_rate: 16000\n", "custom.py": BESIDE},
        {"conf/base/catalog.yml": b"a:\n  type: extras.ds.Review\n", "extras/ds.py": BESIDE},
        {"conf/base/catalog.yml": b"a:\n  type: extras.ds.Review\n", "src/extras/ds.py": BESIDE},
        {"config.py": b"_base_ = ['./.cache/schedule.py']\n", ".cache/schedule.py": BESIDE},
        {"configs/a.py": b"_base_ = '../_base_/b-x.py'\n", "_base_/b-x.py": BESIDE},
        {
            "pyproject.toml": b"[build-system]\nbuild-backend = 'bk'\nbackend-path = ['_build']\n",
            "_build/bk.py": BESIDE,
        },
    ],
)
def test_where_else_modules_are_named(files):
    found = [each for each in judged(collect(scope(files))) if each.rule == "MLG-HFR-004"]
    assert [each.severity.value for each in found] == ["high"]
    (name,) = (name for name, data in files.items() if data == BESIDE)
    found = [each for each in judged(collect(scope({name: BESIDE}))) if each.rule == "MLG-HFR-004"]
    assert found == []
