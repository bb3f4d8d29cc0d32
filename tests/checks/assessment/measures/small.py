"""Models and subjects without a sandbox, for tests of measures; the sandbox has its own."""

from contextlib import contextmanager

import numpy as np

from mlgate.checks.assessment.classifier import _meaning
from mlgate.checks.assessment.data import Dataset
from mlgate.checks.assessment.measure import Subject
from mlgate.checks.assessment.model import Scores
from mlgate.policy.assessment import Assessment, Data, ModelFile


class Answers:
    """A model that is a function from samples to raw scores."""

    guide = None
    sha256 = "d" * 64

    def __init__(self, function, x, task="classification", classes=None):
        self.function, self.task = function, task
        self.raw = function(x)
        self.first = Scores(self.raw[:1], classes)
        self.meaning = "values" if task == "regression" else _meaning(self.raw)
        self.clean = self._comparable(self.raw)
        self.passes = len(x)

    @property
    def columns(self):
        return self.clean.shape[1]

    def _comparable(self, raw):
        if self.meaning in ("values", "scores"):
            return raw
        return np.log(np.maximum(raw, 1e-300))

    def answer(self, x):
        self.passes += len(x)
        return self.function(x)

    def predict(self, x):
        return self._comparable(self.answer(x))

    def repeat(self):
        """It has no worker that could change its mind."""


def one_hot(columns, classes):
    """Scores whose highest is at these columns."""
    return 3 * np.eye(classes)[np.asarray(columns)] - 1


def subject(function, x, labels, *, groups=None, names=(), others=None, files=None, classes=None, **entry):
    """A subject whose other models and files are given, by path."""
    made = Assessment("m", ModelFile("m.onnx"), Data("d.npz", "y"), **entry)
    groups = {name: np.asarray(values, np.str_) for name, values in (groups or {}).items()}
    model = Answers(function, x, made.task, classes)

    @contextmanager
    def load(wanted, _key):
        yield Answers(others[wanted.path], x, made.task)

    return Subject(
        entry=made,
        model=model,
        dataset=Dataset(x, np.asarray(labels), np.arange(len(x)), "d.npz", groups, tuple(names)),
        x=x,
        labels=np.asarray(labels),
        detail={"model_sha256": "a" * 64},
        progress=lambda _message: None,
        read=lambda wanted, _key: files[wanted.path],
        load=load,
    )
