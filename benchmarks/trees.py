"""Verified robustness of tree ensembles, beside what black-box attacks report of the same models.

    python benchmarks/trees.py [--samples N] [--queries N]

XGBoost models on scikit-learn's digits and breast-cancer data; the samples are test
samples that the model gets right. For each epsilon (Linf):

* mlgate's verification: broken, proven, neither, and samples a second;
* `Square` (scores) and `RayS` (labels): the share that they leave standing. It can only be
  larger than the verified one; by how much is what an attack flatters;
* `dtai-veritas`, where it is installed: samples a second, and on how many samples the two
  disagree.

Needs the extra `trees`. One thread.
"""

import argparse
import contextlib
import importlib.util
import io
import time
from typing import Any, NamedTuple

import numpy as np
import xgboost
from sklearn.datasets import load_breast_cancer, load_digits

from mlgate.checks.assessment.attack import Effort
from mlgate.checks.assessment.attacks import rays, square, verification
from mlgate.checks.assessment.ball import Ball, around
from mlgate.checks.assessment.loaders import xgboost_model
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.structure import read
from mlgate.checks.assessment.trees import Trees

COLUMNS = (
    *("model", "trees", "leaves", "epsilon", "samples", "verified", "square", "rays"),
    *("unknown", "samples/s", "veritas samples/s", "disagree"),
)


class Case(NamedTuple):
    """A model, and samples that it gets right."""

    name: str
    booster: Any
    trees: Trees
    x: np.ndarray
    labels: np.ndarray


class Victim:
    """An ensemble that answers for itself."""

    def __init__(self, trees: Trees) -> None:
        self.trees = trees

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.trees.raw(x)

    def on_time(self) -> None:
        """Take all the time there is."""


def case(name: str, data: Any, rounds: int, depth: int, most: int) -> Case:
    """Train on two thirds of the data; test on the rest, scaled to [0, 1]."""
    x, y = data
    x = ((x - x.min(axis=0)) / np.maximum(np.ptp(x, axis=0), 1e-9)).astype(np.float32)
    test = np.arange(len(x)) % 3 == 0
    classes = int(y.max()) + 1
    objective = (
        {"objective": "binary:logistic"}
        if classes == 2
        else {"objective": "multi:softprob", "num_class": classes}
    )
    settings = {**objective, "max_depth": depth, "nthread": 1, "seed": 0}
    booster = xgboost.train(settings, xgboost.DMatrix(x[~test], y[~test]), rounds)
    model = xgboost_model.load(bytes(booster.save_raw("ubj")), Request())
    given = {key: np.asarray(array) for key, array in model.trees().items()}
    trees = read(given, x.shape[1], classes, x.dtype)
    right = trees.raw(x[test]).argmax(axis=1) == y[test]
    return Case(name, booster, trees, x[test][right][:most], y[test][right][:most])


def veritas(held: Case, ball: Ball) -> tuple[np.ndarray, float]:
    """Ask dtai-veritas which samples are fragile: answers, and seconds."""
    import veritas as library

    with contextlib.redirect_stdout(io.StringIO()):
        whole = library.get_addtree(held.booster, silent=True)
    classes = len(held.trees.base)
    fragile = np.zeros(len(held.x), bool)
    started = time.perf_counter()
    for row, label in enumerate(map(int, held.labels)):
        above = np.nextafter(ball.high[row], np.float32(np.inf))
        box = [
            library.Interval(float(low), float(high)) for low, high in zip(ball.low[row], above, strict=True)
        ]
        for rival in set(range(classes)) - {label}:
            if classes == 2:
                margin = whole if rival == 1 else whole.negate_leaf_values()
            else:
                margin = whole.make_singleclass(rival).concat_negated(whole.make_singleclass(label))
            config = library.Config(library.HeuristicType.MAX_OUTPUT)
            config.ignore_state_when_worse_than = 0.0
            config.stop_when_num_solutions_exceeds = 1
            search = config.get_search(margin, box)
            search.step_for(20.0, 100)
            if search.num_solutions() and search.get_solution(0).output > 0:
                fragile[row] = True
                break
    return fragile, time.perf_counter() - started


def row(held: Case, epsilon: float, queries: int) -> list[str]:
    """Measure one model at one epsilon."""
    ball = around(held.x, epsilon)
    victim, n = Victim(held.trees), len(held.x)
    effort = Effort(queries, 0, np.arange(n))
    started = time.perf_counter()
    found = verification.run(victim, ball, held.labels, effort)
    seconds = time.perf_counter() - started
    black_box = [attack.run(victim, ball, held.labels, effort).broken for attack in (square, rays)]
    cells = [held.name, len(held.trees.roots), len(held.trees.owner), f"{epsilon:g}", n]
    cells += [f"{found.proven.mean():.2f}", *(f"{1 - broken.mean():.2f}" for broken in black_box)]
    cells += [int((~found.proven & ~found.broken).sum()), f"{n / seconds:.0f}"]
    if importlib.util.find_spec("veritas") is None:
        return [*map(str, cells), "not installed", "-"]
    fragile, took = veritas(held, ball)
    return [*map(str, cells), f"{n / took:.0f}", str(int((fragile != found.broken).sum()))]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--queries", type=int, default=500, help="of each black-box attack, a sample")
    arguments = parser.parse_args()
    digits, cancer = load_digits(return_X_y=True), load_breast_cancer(return_X_y=True)
    cases = [
        (case("digits", digits, 20, 4, arguments.samples), (0.03, 0.07, 0.15)),
        (case("digits, large", digits, 100, 6, arguments.samples), (0.07,)),
        (case("breast cancer", cancer, 100, 4, arguments.samples), (0.02, 0.05, 0.1)),
    ]
    print("|", " | ".join(COLUMNS), "|")
    print("|" + "---|" * len(COLUMNS))
    for held, epsilons in cases:
        for epsilon in epsilons:
            print("|", " | ".join(row(held, epsilon, arguments.queries)), "|", flush=True)


if __name__ == "__main__":
    main()
