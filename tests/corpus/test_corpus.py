"""The corpus: nothing hostile passes in silence, nearly all of it is an alarm, and nothing honest is."""

import functools
import importlib
import pkgutil
from collections import defaultdict

import pytest
from tests.corpus import honest, hostile
from tests.corpus.score import Answer, answer

# Of the files that run code, write files or reach out: flagged at high or worse.
FLAGGED = 0.98


def _modules(package) -> list[str]:
    return sorted(
        each.name for each in pkgutil.iter_modules(package.__path__) if not each.name.startswith("_")
    )


@functools.cache
def _answers(package: str, module: str) -> tuple[Answer, ...]:
    return tuple(map(answer, importlib.import_module(f"{package}.{module}").samples()))


def _said(answers: list[Answer]) -> str:
    lines = (
        f"{each.sample.family}: {each.sample.name}: {'; '.join(each.rules) or 'nothing'}" for each in answers
    )
    return "\n".join(lines)


@pytest.mark.parametrize("module", _modules(hostile))
def test_nothing_hostile_passes_in_silence(module):
    passed = [each for each in _answers(hostile.__name__, module) if each.silent]
    assert not passed, _said(passed)


@pytest.mark.parametrize("module", _modules(hostile))
def test_what_runs_code_is_flagged(module):
    families = defaultdict(list)
    for each in _answers(hostile.__name__, module):
        if each.sample.expect == "high":
            families[each.sample.family].append(each)
    for family, answers in families.items():
        missed = [each for each in answers if not each.flagged]
        assert len(missed) <= (1 - FLAGGED) * len(answers), f"{family}\n{_said(missed)}"


@pytest.mark.parametrize("module", _modules(honest))
def test_nothing_honest_is_stopped(module):
    alarms = [each for each in _answers(honest.__name__, module) if each.alarm]
    assert not alarms, "\n".join((_said(alarms), *(gap for each in alarms for gap in each.not_checked)))


def test_the_corpus_is_as_large_as_it_says():
    hostile_files = [
        each.sample for module in _modules(hostile) for each in _answers(hostile.__name__, module)
    ]
    honest_files = [each.sample for module in _modules(honest) for each in _answers(honest.__name__, module)]
    assert len(hostile_files) > 6000
    assert len(honest_files) > 1000


@pytest.mark.parametrize("package", [hostile, honest])
def test_names_are_given_once(package):
    samples = [each.sample for module in _modules(package) for each in _answers(package.__name__, module)]
    names = [(each.family, each.name) for each in samples]
    assert sorted(_twice(names)) == []


def _twice(names):
    seen, twice = set(), set()
    for name in names:
        (twice if name in seen else seen).add(name)
    return twice
