"""Whole folders as people publish and keep them: configurations, sources, notebooks, archives."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Iterator

import numpy as np
from tests.corpus.hostile._hdf5 import hdf5
from tests.corpus.hostile._proto import field, fields
from tests.corpus.hostile.gguf import gguf
from tests.corpus.hostile.safetensors import made, tensor
from tests.corpus.hostile.tensorflow import constant, graph, meta, node, saved
from tests.corpus.hostile.tflite import model as tflite
from tests.corpus.sample import Sample

TEMPLATES = {
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "tools": "{%- set ns = namespace(is_first=false, is_tool=false) -%}{%- if tools %}{{- '<|im_start|>system\n' }}{%- for tool in tools %}{{- \"\n\" }}{{- tool | tojson }}{%- endfor %}{%- endif %}{%- for message in messages %}{%- if message.tool_calls is defined and message.tool_calls %}{%- for call in message.tool_calls %}{{- call.function.name }}{{- call.function.arguments | tojson }}{%- endfor %}{%- endif %}{%- set ns.is_first = true %}{%- endfor %}",
    "dates": "{%- if not date_string is defined %}{%- if strftime_now is defined %}{%- set date_string = strftime_now('%d %b %Y') %}{%- endif %}{%- endif %}{{- 'Today Date: ' + date_string }}{%- for m in messages %}{%- if m.content is string %}{{ m.content | trim }}{%- else %}{%- for part in m['content'] %}{%- if part['type'] == 'text' %}{{ part['text'] }}{%- endif %}{%- endfor %}{%- endif %}{%- endfor %}",
    "macros": "{%- macro render(message, loop) %}{{ message.role }}: {{ message.content.split('</think>')[-1].lstrip('\n') }}{%- endmacro %}{%- for message in messages %}{{ render(message, loop) }}{%- endfor %}",
    "generation": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}",
    "think": "{%- for m in messages %}{%- if '</think>' in m.content %}{%- set content = m.content.split('</think>')|last %}{%- endif %}{{- content }}{%- endfor %}",
}


def dumped(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


WEIGHTS = made(
    {"__metadata__": {"format": "pt"}, "a": tensor(0, 16, [4]), "b": tensor(16, 32, [2, 2])}, bytes(range(32))
)
KERAS = {
    "module": "keras",
    "class_name": "Sequential",
    "config": {
        "name": "net",
        "layers": [
            {
                "module": "keras.layers",
                "class_name": "InputLayer",
                "config": {"batch_shape": [None, 4]},
                "registered_name": None,
            },
            {
                "module": "keras.layers",
                "class_name": "Dense",
                "config": {
                    "units": 2,
                    "activation": "relu",
                    "kernel_initializer": {
                        "module": "keras.initializers",
                        "class_name": "GlorotUniform",
                        "config": {"seed": None},
                        "registered_name": None,
                    },
                },
                "registered_name": None,
            },
            {
                "module": "keras.layers",
                "class_name": "Dropout",
                "config": {"rate": 0.5},
                "registered_name": None,
            },
        ],
    },
    "registered_name": None,
    "compile_config": {
        "optimizer": {
            "module": "keras.optimizers",
            "class_name": "Adam",
            "config": {"learning_rate": 0.001},
            "registered_name": None,
        },
        "loss": "mse",
        "metrics": ["accuracy"],
    },
}
OLD_KERAS = {
    "class_name": "Functional",
    "config": {
        "name": "model",
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 8]},
                "name": "i",
                "inbound_nodes": [],
            },
            {
                "class_name": "Dense",
                "config": {"units": 3, "activation": "softmax"},
                "name": "d",
                "inbound_nodes": [[["i", 0, 0, {}]]],
            },
            {"class_name": "BatchNormalization", "config": {"axis": [1]}, "name": "bn", "inbound_nodes": []},
        ],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["d", 0, 0]],
    },
}
BASE = {
    "general.architecture": "llama",
    "general.name": "net",
    "llama.block_count": 1,
    "general.quantization_version": 2,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": ["<s>", "os", "exec", "{{", "__class__"],
    "tokenizer.ggml.scores": [0.0, 1.0, 0.5, 0.5, 0.5],
    "llama.rope.freq_base": 10000.0,
}
TRAIN = '''"""Train the model."""

import argparse
import os
import subprocess
from pathlib import Path

import torch

REVISION = os.environ.get("REVISION", "main")


def revision() -> str:
    return subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("model.safetensors"))
    arguments = parser.parse_args()
    model = torch.nn.Linear(2, 2)
    torch.save(model.state_dict(), arguments.out)


if __name__ == "__main__":
    main()
'''
MODELING = """import math

import torch
import torch.nn.functional as F
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import logging

logger = logging.get_logger(__name__)
torch.set_num_threads(1)
_HEADS = {"a": nn.Linear, "b": nn.Identity}


class NetConfig(PretrainedConfig):
    model_type = "net"


class NetModel(PreTrainedModel):
    config_class = NetConfig

    def __init__(self, config):
        super().__init__(config)
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return F.relu(self.layer(x)) * math.sqrt(2)


NetModel.register_for_auto_class("AutoModel")
"""
HUB = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "hidden_size": 64,
    "num_attention_heads": 2,
    "id2label": {"0": "a", "1": "b"},
    "torch_dtype": "float32",
    "transformers_version": "4.50.0",
}
TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_max_length": 512,
    "bos_token": "<s>",
    "clean_up_tokenization_spaces": False,
}


def notebook() -> bytes:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["epoch 1\n"]},
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {
                "text/html": ["<div><table><tr><td>1</td></tr></table></div>"],
                "text/plain": ["   a"],
                "image/png": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            },
        },
    ]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Training\n", "See os.system in the docs."]},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "outputs": [],
            "source": ["!pip install -q scikit-learn\n", "%matplotlib inline\n", "import numpy as np"],
        },
        {
            "cell_type": "code",
            "execution_count": 2,
            "metadata": {},
            "outputs": outputs,
            "source": ["model.fit(x, y)"],
        },
    ]
    return dumped(
        {"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
    )


def samples() -> Iterator[Sample]:
    for family, files in _folders():
        yield Sample(family[0], family[1], "", files, "quiet")


def _folders() -> Iterator[tuple[tuple[str, str], dict[str, bytes]]]:
    hub = "repositories"
    yield (
        (hub, "a BERT"),
        {
            "config.json": dumped(HUB),
            "tokenizer_config.json": dumped(TOKENIZER),
            "tokenizer.json": dumped(
                {"version": "1.0", "model": {"type": "WordPiece", "vocab": {"exec": 1, "os.system": 2}}}
            ),
            "model.safetensors": WEIGHTS,
            "README.md": b"---\nlicense: mit\ntags:\n- exec\n---\n# Net\n```python\nimport os\nos.system('true')\n```\n",
            "special_tokens_map.json": dumped({"bos_token": "<s>"}),
            "vocab.txt": b"the\neval\n",
        },
    )
    for name, template in TEMPLATES.items():
        yield (
            (hub, f"a chat model, {name}"),
            {
                "config.json": dumped({**HUB, "model_type": "llama"}),
                "tokenizer_config.json": dumped({**TOKENIZER, "chat_template": template}),
                "chat_template.jinja": template.encode(),
                "generation_config.json": dumped({"do_sample": True, "temperature": 0.7}),
            },
        )
        yield (
            ("gguf", f"template {name}"),
            {"model.gguf": gguf({**BASE, "tokenizer.chat_template": template})},
        )
    yield (
        (hub, "a sharded model"),
        {
            "config.json": dumped(HUB),
            "model.safetensors.index.json": dumped(
                {
                    "metadata": {"total_size": 64},
                    "weight_map": {
                        "a": "model-00001-of-00002.safetensors",
                        "b": "model-00002-of-00002.safetensors",
                    },
                }
            ),
            "model-00001-of-00002.safetensors": WEIGHTS,
            "model-00002-of-00002.safetensors": WEIGHTS,
        },
    )
    yield (
        (hub, "a LoRA"),
        {
            "adapter_config.json": dumped(
                {
                    "peft_type": "LORA",
                    "r": 8,
                    "target_modules": ["q_proj"],
                    "auto_mapping": None,
                    "base_model_name_or_path": "acme/net",
                    "task_type": "CAUSAL_LM",
                }
            ),
            "adapter_model.safetensors": WEIGHTS,
        },
    )
    yield (
        (hub, "sentence transformers"),
        {
            "modules.json": dumped(
                [
                    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                    {
                        "idx": 1,
                        "name": "1",
                        "path": "1_Pooling",
                        "type": "sentence_transformers.models.Pooling",
                    },
                ]
            ),
            "1_Pooling/config.json": dumped({"word_embedding_dimension": 64}),
            "config_sentence_transformers.json": dumped({"__version__": {"sentence_transformers": "3.0"}}),
            "config.json": dumped(HUB),
            "model.safetensors": WEIGHTS,
        },
    )
    yield (
        (hub, "diffusers"),
        {
            "model_index.json": dumped(
                {
                    "_class_name": "StableDiffusionPipeline",
                    "_diffusers_version": "0.30.0",
                    "unet": ["diffusers", "UNet2DConditionModel"],
                    "text_encoder": ["transformers", "CLIPTextModel"],
                    "safety_checker": [None, None],
                    "scheduler": ["diffusers", "PNDMScheduler"],
                }
            ),
            "unet/config.json": dumped({"_class_name": "UNet2DConditionModel", "sample_size": 64}),
            "scheduler/scheduler_config.json": dumped({"_class_name": "PNDMScheduler"}),
            "unet/diffusion_pytorch_model.safetensors": WEIGHTS,
        },
    )
    yield (
        (hub, "a speech processor"),
        {
            "preprocessor_config.json": dumped(
                {
                    "feature_extractor_type": "WhisperFeatureExtractor",
                    "feature_size": 80,
                    "mel_filters": [[0.0] * 10] * 5,
                }
            ),
            "config.json": dumped(HUB),
            "processor_config.json": dumped({"processor_class": "WhisperProcessor"}),
        },
    )
    yield (
        (hub, "an image processor"),
        {
            "preprocessor_config.json": dumped(
                {
                    "image_processor_type": "ViTImageProcessor",
                    "image_mean": [0.5] * 3,
                    "size": {"height": 224},
                }
            )
        },
    )
    yield (
        (hub, "trust_remote_code is false"),
        {"config.json": dumped({**HUB, "trust_remote_code": False}), "model.safetensors": WEIGHTS},
    )
    yield (
        (hub, "a project"),
        {
            "src/acme/train.py": TRAIN.encode(),
            "src/acme/__init__.py": b'"""Acme."""\n',
            "models/net.pkl": pickle.dumps({"w": np.ones(3)}),
            "setup.py": b"from setuptools import setup\n\nsetup(name='acme')\n",
            "Makefile": b"all:\n\tpython train.py\n",
            "conftest.py": b"import pytest\n",
            "README.md": b"# Acme\n",
        },
    )
    yield (
        (hub, "training code beside the weights"),
        {
            "train.py": TRAIN.encode(),
            "model.safetensors": WEIGHTS,
            "modeling_net.py": MODELING.encode(),
            "requirements.txt": b"torch==2.6.0\n",
        },
    )
    yield (
        (hub, "a README of danger"),
        {
            "SECURITY.md": b"Never call os.system, eval or pickle.loads: cos\nsystem\n(S'true'\ntR.\n",
            "notes.txt": b"__import__('os').system('true')\n{{ ''.__class__ }}\n",
        },
    )
    yield (
        (hub, "web templates"),
        {
            "templates/index.html": b"<html>{{ user.name }} {% for x in items %}{{ loop.index }}{% endfor %}<script>var a = 1;</script></html>",
            "templates/base.jinja2": b"{% extends 'layout.html' %}{% block a %}{{ url_for('x') }}{% include 'part.html' %}{% endblock %}",
        },
    )
    yield (
        (hub, "a data folder"),
        {
            "data/train.csv": b"a,b\n1,2\n" * 500,
            "data/labels.json": dumped({"0": "cat"}),
            "data/x.jsonl": b'{"text": "eval(os.system)"}\n' * 100,
            "data/raw.bin": np.random.default_rng(3).random(4000).astype("f4").tobytes(),
            "img/a.png": b"\x89PNG\r\n\x1a\n" + bytes(200),
            "img/b.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(200),
            "a.wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(200),
            "x.pdf": b"%PDF-1.4\n" + bytes(100),
        },
    )
    for name in range(4):
        floats = (
            np.random.default_rng(name).standard_normal(8192).astype(("f4", "f2", "i1", "f8")[name]).tobytes()
        )
        yield ("opaque", f"raw weights {name}"), {"weights.bin": floats, "ggml/data.dat": floats[:1000]}
    yield ("opaque", "zeros"), {"weights.bin": bytes(4096)}
    yield (
        ("opaque", "a fastText model"),
        {
            "cc.bin": struct.pack("<ii", 793712314, 12)
            + np.random.default_rng(3).random(2000).astype("f4").tobytes()
        },
    )
    yield (
        ("opaque", "sentencepiece"),
        {
            "tokenizer.model": b"".join(
                b"\n\x0e\n\x05" + f"tok{n:02}".encode() + b"\x15\0\0\0\0" for n in range(90)
            ),
            "spiece.vocab": b"<unk>\t0\nos\t-1\n",
        },
    )
    yaml = "yaml and json"
    yield (
        (yaml, "a workflow"),
        {
            ".github/workflows/ci.yml": b"name: ci\non: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n    - run: |\n        curl -sSf https://example.org/install.sh | sh\n        python -c 'import os; os.system(\"true\")'\n"
        },
    )
    yield (
        (yaml, "compose and helm"),
        {
            "docker-compose.yml": b"services:\n  web:\n    image: a\n    command: ['sh', '-c', 'exec a']\n",
            "chart/templates/a.yaml": b'kind: {{ .Values.kind }}\nname: {{ include "a.name" . }}\n',
            "mkdocs.yml": b"site_name: a\nmarkdown_extensions:\n- pymdownx.emoji:\n    emoji_index: !!python/name:material.extensions.emoji.twemoji\n    emoji_generator: !!python/name:material.extensions.emoji.to_svg\n",
        },
    )
    yield (
        (yaml, "hydra"),
        {
            "conf/config.yaml": b"defaults:\n- model: net\n- _self_\n",
            "conf/model/net.yaml": b"_target_: acme.models.Net\nencoder:\n  _target_: torch.nn.Linear\n  in_features: 2\n",
            "conf/optim.yaml": b"_target_: torch.optim.AdamW\n_partial_: true\nlr: 0.001\n",
            "conf/trainer.yaml": b"_target_: pytorch_lightning.Trainer\ncallbacks:\n- _target_: pytorch_lightning.callbacks.ModelCheckpoint\n  dirpath: ${oc.env:HOME}/a\n",
        },
    )
    yield (
        (yaml, "lightning"),
        {"lightning_logs/version_0/hparams.yaml": b"lr: 0.1\nlayers:\n- 1\n- 2\nname: net\n"},
    )
    yield (
        (yaml, "CloudFormation"),
        {
            "template.yaml": b"Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Name: !Sub '${A}-b'\n    Arn: !GetAtt A.Arn\n"
        },
    )
    yield (
        (yaml, "package files"),
        {
            "package.json": dumped({"name": "a", "scripts": {"build": "rm -rf dist && tsc"}}),
            "tsconfig.json": b'// comment\n{ "a": 1, }\n',
            "pyproject.toml": b"[project]\nname = 'a'\n",
            ".pre-commit-config.yaml": b"repos:\n- repo: local\n  hooks: []\n",
        },
    )
    yield (
        (yaml, "mlflow"),
        {
            "mlruns/m/MLmodel": b"artifact_path: model\nflavors:\n  python_function:\n    env:\n      conda: conda.yaml\n      virtualenv: python_env.yaml\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    predict_fn: predict\n    python_version: 3.11.7\n  sklearn:\n    code: null\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n    sklearn_version: 1.5.0\nmlflow_version: 2.20.0\nmodel_uuid: "
            + b"a" * 32
            + b"\n",
            "mlruns/m/model.pkl": pickle.dumps({"w": np.ones(2)}),
            "mlruns/m/conda.yaml": b"channels:\n- conda-forge\ndependencies:\n- python=3.11\n- pip\n- pip:\n  - mlflow==2.20.0\n  - scikit-learn==1.5.0\nname: mlflow-env\n",
            "mlruns/m/requirements.txt": b"mlflow==2.20.0\n",
            "mlruns/m/python_env.yaml": b"python: 3.11.7\nbuild_dependencies:\n- pip==24.0\ndependencies:\n- -r requirements.txt\n",
        },
    )
    yield (
        (yaml, "spacy"),
        {
            "meta.json": dumped({"lang": "en", "name": "core", "pipeline": ["ner"]}),
            "config.cfg": b'[nlp]\nlang = "en"\n[components.ner]\nfactory = "ner"\n[components.ner.model]\n@architectures = "spacy.TransitionBasedParser.v2"\n',
            "vocab/strings.json": dumped(["os", "eval"]),
            "ner/model": b"\x82\xa5nodes\x90\xa5attrs\x90",
        },
    )
    yield (
        ("notebooks", "an ordinary one"),
        {
            "train.ipynb": notebook(),
            "b.ipynb": dumped({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        },
    )
    for name in ("model.safetensors", "adapter.safetensors", "m/w.safetensors"):
        yield ("safetensors", name), {name: WEIGHTS}
    yield (
        ("safetensors", "padded"),
        {"model.safetensors": made(json.dumps({"a": tensor(0, 16, [4])}).encode() + b" " * 7)},
    )
    yield (
        ("safetensors", "empty tensors"),
        {"model.safetensors": made({"a": tensor(0, 0, [0, 4]), "b": tensor(0, 16, [4])})},
    )
    yield (
        ("safetensors", "many types"),
        {
            "model.safetensors": made(
                {
                    "a": tensor(0, 2, [1], "F16"),
                    "b": tensor(2, 4, [1], "BF16"),
                    "c": tensor(4, 5, [1], "I8"),
                    "d": tensor(5, 6, [1], "BOOL"),
                    "e": tensor(6, 7, [1], "F8_E4M3"),
                    "f": tensor(7, 15, [1], "I64"),
                },
                bytes(15),
            )
        },
    )
    yield (
        ("safetensors", "training metadata"),
        {
            "lora.safetensors": made(
                {
                    "__metadata__": {
                        "ss_network_module": "networks.lora",
                        "ss_dataset_dirs": '{"a": {"n": 1}}',
                        "ss_learning_rate": "0.0001",
                        "sshs_model_hash": "a" * 64,
                        "modelspec.title": "net",
                    },
                    "a": tensor(0, 16, [4]),
                }
            )
        },
    )
    yield (
        ("gguf", "ordinary"),
        {"model.gguf": gguf(BASE), "model-q4_0.gguf": gguf({**BASE, "general.alignment": 64})},
    )
    yield (
        ("gguf", "quantized"),
        {"model.gguf": gguf(BASE, (("a", (32, 4), 2, 0), ("b", (32,), 0, 96)), data=bytes(224))},
    )
    keras = zipped(
        {
            "metadata.json": b'{"keras_version": "3.9.0"}',
            "config.json": dumped(KERAS),
            "model.weights.h5": hdf5({"keras_version": b"3.9.0"}),
        },
        zipfile.ZIP_STORED,
    )
    yield ("keras", "an archive"), {"net.keras": keras}
    yield (
        ("keras", "HDF5"),
        {
            "net.h5": hdf5(
                {
                    "model_config": dumped(KERAS),
                    "training_config": dumped(
                        {"loss": "mse", "optimizer_config": {"class_name": "Adam", "config": {"lr": 0.1}}}
                    ),
                    "keras_version": b"3.9.0",
                    "backend": b"tensorflow",
                }
            )
        },
    )
    yield (
        ("keras", "old HDF5"),
        {
            "net.h5": hdf5(
                {"model_config": dumped(OLD_KERAS), "keras_version": b"2.4.0", "backend": b"tensorflow"}
            )
        },
    )
    yield ("keras", "weights alone"), {"net.weights.h5": hdf5({"layer_names": b"dense"})}
    yield ("keras", "JSON alone"), {"model.json": dumped(OLD_KERAS)}
    ops = [
        node(op, op.lower())
        for op in (
            "MatMul",
            "Conv2D",
            "Relu",
            "Softmax",
            "StatefulPartitionedCall",
            "VarHandleOp",
            "ReadVariableOp",
            "Identity",
            "Placeholder",
            "SaveV2",
            "RestoreV2",
            "MergeV2Checkpoints",
            "ShardedFilename",
            "Assert",
            "StringJoin",
            "NoOp",
            "Pack",
            "RandomUniform",
            "HashTableV2",
            "LookupTableFindV2",
        )
    ]
    tf_files = {
        "saved_model.pb": saved(meta(graph(constant("c", "model"), *ops))),
        "variables/variables.index": b"\0" * 100,
        "variables/variables.data-00000-of-00001": bytes(400),
        "fingerprint.pb": fields(*((n, 0x9E3779B97F4A7C15 + n) for n in range(1, 6)), (6, field(1, 1))),
    }
    yield (
        ("tensorflow", "a saved model"),
        {f"net/{name}": data for name, data in tf_files.items() if "variables" not in name},
    )
    yield ("tensorflow", "a frozen graph"), {"frozen.pb": graph(*ops[:4])}
    yield ("tflite", "ordinary"), {"model.tflite": tflite()}
    inner = {"model.safetensors": WEIGHTS, "config.json": dumped(HUB), "notes.txt": b"a"}
    for name, data in {
        "zip": zipped(inner),
        "zip, stored": zipped(inner, zipfile.ZIP_STORED),
        "tar": tarred(inner),
        "tar.gz": tarred(inner, "w:gz"),
        "tar.bz2": tarred(inner, "w:bz2"),
        "tar.xz": tarred(inner, "w:xz"),
        "gz": gzip.compress(WEIGHTS, mtime=0),
        "zip of a pickle": zipped({"model.pkl": pickle.dumps({"w": np.ones(2)})}),
        "zip of a zip": zipped({"a.zip": zipped(inner)}),
    }.items():
        ending = name.partition(",")[0].partition(" ")[0]
        yield ("archives", name), {f"model.{ending}": data}
    links = io.BytesIO()
    with tarfile.open(fileobj=links, mode="w") as archive:
        for name, data in inner.items():
            info = tarfile.TarInfo(f"./a/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo("./a/latest")
        info.type, info.linkname = tarfile.SYMTYPE, "model.safetensors"
        archive.addfile(info)
    yield ("archives", "tar with a link inside"), {"model.tar": links.getvalue()}
    pmml = b'<?xml version="1.0" encoding="UTF-8"?>\n<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header description="a"><Application name="sklearn2pmml"/></Header><DataDictionary><DataField name="x" optype="continuous" dataType="double"/></DataDictionary></PMML>'
    yield ("other formats", "PMML"), {"model.pmml": pmml}
    yield (
        ("other formats", "OpenVINO"),
        {
            "model.xml": b'<?xml version="1.0"?>\n<net name="a" version="11"><layers><layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,3" element_type="f32"/><output><port id="0"><dim>1</dim></port></output></layer><layer id="1" name="c" type="Const"><data element_type="f32" offset="0" size="16" shape="4"/></layer></layers><edges/></net>',
            "model.bin": bytes(16),
        },
    )
    yield (
        ("other formats", "Caffe"),
        {
            "deploy.prototxt": b'name: "net"\nlayer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 8 kernel_size: 3 } }\nlayer { name: "relu" type: "ReLU" bottom: "conv1" top: "conv1" }\n'
        },
    )
    yield (
        ("other formats", "msgpack"),
        {
            "flax_model.msgpack": b"\x81\xa6params\x81\xa6kernel\xc7\x1a\x01\x93\x91\x04\xa7float32\xc4\x0d"
            + bytes(13)
        },
    )
    yield (
        ("other formats", "plain XML"),
        {
            "a.xml": b"<a><b>1</b></a>",
            "pom.xml": b'<project xmlns="http://maven.apache.org/POM/4.0.0"/>',
            "a.svg": b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg xmlns="http://www.w3.org/2000/svg"/>',
            "index.html": b"<!DOCTYPE html><html><script>1</script></html>",
        },
    )
