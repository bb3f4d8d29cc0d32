"""Scans that report and never block."""

import numpy as np
import pytest
from tests.checks.assessment.measures.small import subject

from mlgate.checks.assessment.data import Dataset
from mlgate.checks.assessment.measures.poisoning import measure
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import DataFile, Poisoning

RNG = np.random.default_rng(0)
LABELS = np.arange(600) % 3
CLEAN = RNG.normal(size=(600, 3)) + 4 * np.eye(3)[LABELS]
POISONED = CLEAN.copy()
MARKED = np.flatnonzero(LABELS == 1)[:20]
POISONED[MARKED] += [0, 30, 0]


def scanned(x, settings=None, **more):
    made = subject(lambda rows: rows, x, LABELS, **more)
    return {figure.measurement.name: figure.measurement for figure in measure(made, settings or Poisoning())}


def test_a_planted_heap_is_named_and_blocks_nothing():
    found = scanned(POISONED)
    assert set(found) == {"cluster_silhouette", "spectral_outlier_share"}
    for one in found.values():
        assert (one.outcome, one.threshold) == ("info", None)
        assert one.detail["suspicious"] is True
        assert one.detail["by_class"]["1"]["suspicious"]
        assert not one.detail["by_class"]["0"]["suspicious"]
        assert "not a verdict" in one.detail["read_as"]
    assert set(found["spectral_outlier_share"].detail["by_class"]["1"]["samples"]) <= set(MARKED.tolist())


def test_clean_classes_are_not_named():
    assert not any(one.detail["suspicious"] for one in scanned(CLEAN).values())


def test_the_training_data_can_be_scanned():
    held = Dataset(POISONED, LABELS, np.arange(600), "train.npz", sha256="c" * 64)
    found = scanned(CLEAN, Poisoning(DataFile("train.npz")), files={"train.npz": held})
    assert all(one.detail["suspicious"] for one in found.values())
    assert found["cluster_silhouette"].detail["scanned"] == "train.npz"
    assert found["cluster_silhouette"].detail["reference_sha256"] == "c" * 64


def test_a_second_run_gives_the_same():
    assert scanned(POISONED) == scanned(POISONED)


def test_classes_too_small_to_scan_are_said():
    labels = LABELS.copy()
    labels[np.flatnonzero(labels == 2)[5:]] = 0
    made = subject(lambda rows: rows, CLEAN, labels)
    assert all(one.measurement.detail["not_scanned"] == {"2": 5} for one in measure(made, Poisoning()))


def test_where_no_class_can_be_scanned_that_is_not_silence():
    made = subject(lambda rows: rows, CLEAN[:30], LABELS[:30])
    with pytest.raises(Unassessable, match=r"no class of .* has 20 samples") as caught:
        list(measure(made, Poisoning()))
    assert caught.value.reason == "too-few-samples"
