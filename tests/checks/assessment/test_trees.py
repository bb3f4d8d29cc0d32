"""An ensemble does what its arrays say, and counts only where its model does so too."""

import numpy as np
import pytest
from tests.checks.assessment.ensembles import arrays, forest

from mlgate.checks.assessment import trees
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.structure import read
from mlgate.checks.assessment.trees import agrees


def walk(held, tree, sample):
    """One sample through one tree, as the words of the module say it."""
    node = int(held["roots"][tree])
    while held["feature"][node] >= 0:
        seen, cut = sample[held["feature"][node]], held["threshold"][node]
        if np.isnan(seen):
            goes_left = held["missing"][node]
        else:
            goes_left = seen <= cut if held["inclusive"][0] else seen < cut
        node = int(held["left" if goes_left else "right"][node])
    return held["value"][node]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_does_what_its_arrays_say(shared, inclusive, dtype):
    rng = np.random.default_rng(1)
    held = arrays(rng, columns=3, shared=shared, inclusive=inclusive, grid=np.arange(5) / 4)
    found = read(held, 3, 3, np.dtype(dtype))
    x = rng.choice([*np.arange(5) / 4, 0.1, 0.6, np.nan], (50, 3)).astype(dtype)
    expected = np.repeat(held["base"][None], 50, axis=0)
    for row, sample in enumerate(x):
        for tree in range(4):
            value = walk(held, tree, sample)
            expected[row, slice(None) if shared else held["column"][tree]] += value if shared else value[0]
    np.testing.assert_allclose(found.raw(x), expected, rtol=1e-12)


@pytest.mark.parametrize(("link", "columns"), [("softmax", 3), ("sigmoid", 3), ("identity", 2)])
def test_a_structure_that_reproduces_its_model_is_taken(link, columns):
    held = forest(np.random.default_rng(3), link=link, columns=columns)
    x = np.random.default_rng(4).random((100, 3)).astype(np.float32)
    assert agrees(held, x, held.answers(x) + 1e-7) == pytest.approx(1e-7)


def test_a_structure_of_another_model_is_refused():
    one, other = (forest(np.random.default_rng(seed)) for seed in (3, 5))
    x = np.random.default_rng(4).random((100, 3)).astype(np.float32)
    with pytest.raises(Unassessable, match="do not reproduce") as caught:
        agrees(one, x, other.answers(x))
    assert caught.value.reason == "tree-structure"


def test_a_structure_that_lies_about_one_sample_is_refused():
    held = forest(np.random.default_rng(3))
    x = np.random.default_rng(4).random((100, 3)).astype(np.float32)
    answers = held.answers(x)
    answers[7] = answers[7][::-1]
    with pytest.raises(Unassessable, match="do not reproduce"):
        agrees(held, x, answers)


def test_a_large_ensemble_is_compared_on_some_samples(monkeypatch):
    held = forest(np.random.default_rng(3))
    x = np.random.default_rng(4).random((100, 3)).astype(np.float32)
    answers = held.answers(x)
    monkeypatch.setattr(trees, "_MOST_COMPARED", 10 * len(held.roots) * len(held.levels))
    answers[1] = answers[1][::-1]
    assert agrees(held, x, answers) == 0
    answers[-1] = 1 - answers[-1]
    with pytest.raises(Unassessable, match="do not reproduce"):
        agrees(held, x, answers)
    monkeypatch.setattr(trees, "_MOST_COMPARED", 1)
    with pytest.raises(Unassessable, match="too many"):
        agrees(held, x, answers)
