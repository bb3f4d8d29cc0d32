"""Small networks in numpy with a backward pass of their own: victims without a sandbox.

Their weights are those of the shipped examples: two networks that read digits equally well,
of which one was trained to withstand changes of 0.1.
"""

import time
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from mlgate.checks.assessment.ball import Features, around
from mlgate.checks.assessment.predictor import BudgetSpent

EXAMPLES = Path(__file__).parents[3] / "examples"


def weights(example):
    model = onnx.load(EXAMPLES / example / "models" / "digits.onnx")
    found = {each.name: numpy_helper.to_array(each).astype(np.float64) for each in model.graph.initializer}
    return [found[name] for name in ("w1", "b1", "w2", "b2")]


def digits(n=200):
    """Images [n, 8, 8] from 0 to 1, and their digits."""
    held = np.load(EXAMPLES / "passing" / "data" / "holdout.npz")
    return held["image"].reshape(-1, 8, 8)[:n].astype(np.float32), held["digit"][:n].astype(np.int64)


class Network:
    """Two layers with a ReLU between them.

    Args:
        weights: Of the layers.
        scale: What scores are multiplied by.
        levels: Values that an input is rounded to, without a gradient; 0 for none.
        lying: True for gradients that are other features'.
        shattered: True for a ripple on the input, too fine to matter and far too steep.
    """

    trees = None
    deadline = most_passes = None

    def __init__(self, weights, x, *, scale=1.0, levels=0, lying=False, shattered=False):
        self._w1, self._b1, self._w2, self._b2 = weights
        self._scale, self._levels, self._lying, self._shattered = scale, levels, lying, shattered
        self.guide = self
        self.passes = self.pulls = 0
        self.clean = self.predict(x)

    def _layers(self, x):
        flat = x.reshape(len(x), -1).astype(np.float64)
        if self._levels:
            flat = np.round(flat * (self._levels - 1)) / (self._levels - 1)
        if self._shattered:
            flat = flat + 0.02 * np.sin(800 * flat)
        hidden = flat @ self._w1 + self._b1
        return hidden, (np.maximum(hidden, 0) @ self._w2 + self._b2) * self._scale

    def predict(self, x):
        self.on_time()
        self.passes += len(x)
        return self._layers(x)[1]

    def gradient(self, x, objective):
        self.on_time()
        self.passes += len(x)
        self.pulls += len(x)
        hidden, scores = self._layers(x)
        losses, slope = objective(scores, slice(0, len(x)))
        found = ((slope * self._scale) @ self._w2.T * (hidden > 0)) @ self._w1.T
        if self._shattered:
            found = found * (1 + 16 * np.cos(800 * x.reshape(found.shape).astype(np.float64)))
        if self._lying:
            found = found[:, ::-1]
        return scores, losses, (found * (self._levels == 0)).reshape(x.shape)

    def on_time(self):
        late = self.deadline is not None and time.monotonic() >= self.deadline
        if late or (self.most_passes is not None and self.passes >= self.most_passes):
            raise BudgetSpent

    def repeat(self):
        """It has no worker that could change its mind."""


class Linear:
    """Two classes, told apart by a plane: every sample's distance is known.

    Args:
        normal: [features] Of the plane.
    """

    trees = None

    def __init__(self, normal):
        self._normal = np.asarray(normal, np.float64)
        self.queries = 0

    def predict(self, x):
        self.queries += len(x)
        score = x.reshape(len(x), -1).astype(np.float64) @ self._normal
        return np.stack([score, -score], axis=1)

    def gradient(self, x, objective):
        scores = self.predict(x)
        losses, slope = objective(scores, slice(0, len(x)))
        return scores, losses, (slope @ np.stack([self._normal, -self._normal])).reshape(x.shape)

    def labels(self, x):
        return self.predict(x).argmax(axis=1)

    def distance(self, x, norm="linf"):
        """How far the plane is from each sample, [n]."""
        flat = np.abs(x.reshape(len(x), -1).astype(np.float64) @ self._normal)
        return flat / (np.abs(self._normal).sum() if norm == "linf" else np.linalg.norm(self._normal))


def unit_ball(x, epsilon, norm="linf"):
    """The ball around images from 0 to 1."""
    low, high = np.zeros(x.shape[1:], x.dtype), np.ones(x.shape[1:], x.dtype)
    return around(x, epsilon, norm, Features(low=low, high=high))
