"""What a verdict on robustness costs, and how often it is wrong.

    python benchmarks/robustness.py                 # the stop rule, and mlgate on the two examples
    python benchmarks/robustness.py --rivals        # and pyautoattack and ART, where they are installed

The rivals need ``torch``, ``pyautoattack`` and ``adversarial-robustness-toolbox`` in the same
environment. All run on one processor: the models are small, and threads only disturb.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import datetime as dt
import resource
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np

from mlgate import gate
from mlgate.checks.assessment import sequential
from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.core.facts import Check

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
TOTAL, THRESHOLD, CONFIDENCE, RUNS = 600, 0.6, 0.95, 2000
RATES = (0.0, 0.2, 0.4, 0.5, 0.55, 0.58, 0.6, 0.62, 0.65, 0.7, 0.8, 0.9, 1.0)
NAMES = {"blocked": "fragile", "passing": "adversarially trained"}
POLICY = """\
version: 1
assessment:
  - name: digits
    model: {path: models/digits.onnx}
    data: {path: data/holdout.npz, features: image, label: digit, range: [0, 1]}
    robustness: {epsilon: 0.1, min_accuracy: MINIMUM, budget_seconds: 100000}
"""


def stop_rule() -> None:
    """Simulate verdicts: samples used, decided, wrong."""
    sequential.clopper_pearson = cache(clopper_pearson)  # type: ignore[attr-defined]
    rng = np.random.default_rng(0)
    print(f"Threshold {THRESHOLD}, {TOTAL} samples, confidence {CONFIDENCE}, {RUNS:,} runs a line:\n")
    print("| true rate | samples used, mean | times fewer | decided | wrong |\n|---|---|---|---|---|")
    for rate in RATES:
        used, decided, wrong = [], 0, 0
        for values in rng.random((RUNS, TOTAL)) < rate:
            seen = np.concatenate([[0], np.cumsum(values)])
            answer = sequential.decide(
                TOTAL,
                THRESHOLD,
                CONFIDENCE,
                lambda _start, stop, _bounds, seen=seen: int(seen[stop]),
            )
            used.append(answer.looks[-1].n)
            decided += answer.outcome != "inconclusive"
            # At the threshold itself a pass is right: the rate is not below it.
            wrong += answer.outcome == ("fail" if rate >= THRESHOLD else "pass")
        mean = float(np.mean(used))
        print(
            f"| {rate:g} | {mean:.0f} | {TOTAL / mean:.1f} | {decided / RUNS:.0%} | "
            f"{wrong} of {RUNS:,} ({wrong / RUNS:.2%}) |"
        )


def spent() -> float:
    """Return the processor time of this process and of those that it waited for."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def mlgate(example: str, minimum: float) -> None:
    """Assess one example with the gate: sandbox, look by look."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in ("models", "data"):
            shutil.copytree(EXAMPLES / example / part, root / part)
        (root / ".mlgate.yaml").write_text(POLICY.replace("MINIMUM", str(minimum)))
        before = spent()
        report = gate.run(
            gate.Request(root=root, checks=(Check.ASSESSMENT,), today=dt.date(2026, 1, 1), offline=True)
        )
        seconds = spent() - before
    (figure,) = (each for each in report.measurements if each.name == "robust_accuracy" and not each.part)
    print(
        f"| {NAMES[example]} | mlgate, at least {minimum:g} | {figure.outcome} | {figure.value:.3f} | "
        f"{figure.n} | {figure.detail['forward_passes']:,} | {seconds:.1f} |",
        flush=True,
    )


def rivals(example: str) -> None:
    """Run the standard AutoAttack of two libraries on the same weights and images."""
    import torch
    from onnx import load, numpy_helper

    torch.set_num_threads(1)
    held = {
        each.name: torch.tensor(numpy_helper.to_array(each))
        for each in load(EXAMPLES / example / "models" / "digits.onnx").graph.initializer
    }
    data = np.load(EXAMPLES / example / "data" / "holdout.npz")
    x, y = (
        torch.tensor(data["image"].reshape(-1, 1, 8, 8).astype(np.float32)),
        torch.tensor(data["digit"]).long(),
    )

    class Digits(torch.nn.Module):
        passes = 0

        def __init__(self) -> None:
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):  # type: ignore[no-untyped-def]
            Digits.passes += len(images)
            hidden = torch.relu(images.reshape(len(images), -1) @ held["w1"] + held["b1"])
            return hidden @ held["w2"] + held["b2"]

    model = Digits().eval()

    def row(name: str, attacked: torch.Tensor, truth: torch.Tensor, seconds: float) -> None:
        passes = Digits.passes
        robust = (model(attacked).argmax(1) == truth).float().mean().item()
        cells = (NAMES[example], name, "none", f"{robust:.3f}", len(truth), f"{passes:,}", f"{seconds:.1f}")
        print(f"| {' | '.join(map(str, cells))} |", flush=True)

    from pyautoattack import AutoAttack

    Digits.passes, before = 0, time.process_time()
    library = AutoAttack(model, norm="Linf", eps=0.1, version="standard", seed=0, device="cpu")
    library.verbose = False
    found = library.run_standard_evaluation(x, y, batch_size=400)
    row(
        "pyautoattack, standard",
        found[0] if isinstance(found, tuple) else found,
        y,
        time.process_time() - before,
    )

    from art.attacks.evasion import AutoAttack as ArtAutoAttack
    from art.estimators.classification import PyTorchClassifier

    Digits.passes, before = 0, time.process_time()
    wrapped = PyTorchClassifier(
        model,
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=(1, 8, 8),
        nb_classes=10,
        clip_values=(0, 1),
        device_type="cpu",
    )
    art = ArtAutoAttack(wrapped, norm=np.inf, eps=0.1, eps_step=0.02, batch_size=25)
    moved = torch.tensor(art.generate(x[:25].numpy(), y[:25].numpy()))
    row("ART, AutoAttack, 25 of the images", moved, y[:25], time.process_time() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rivals", action="store_true", help="run pyautoattack and ART too")
    arguments = parser.parse_args()
    stop_rule()
    print(
        "\n| model | who | verdict | robust accuracy | images | forward passes | CPU s |\n" + "|---" * 7 + "|"
    )
    for example, minima in (("blocked", (0.9, 0.66, 0.5)), ("passing", (0.5, 0.66, 0.8, 0.95))):
        for minimum in minima:
            mlgate(example, minimum)
        if arguments.rivals:
            rivals(example)


if __name__ == "__main__":
    main()
