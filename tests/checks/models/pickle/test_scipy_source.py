"""Texts that distributions of scipy.stats execute while they are loaded."""

import pickle

import joblib
import numpy as np
import pytest
import scipy.stats
from tests.checks.models.building import judged, look
from tests.checks.models.pickle.hostile import text

from mlgate.checks.models.pickle import scipy_source

EVIL = "import os\ndef _parse_args(self): pass\n"
HONEST = str(scipy.stats.gamma._parse_arg_template)  # noqa: SLF001 - what SciPy pickles


def distribution(state, cls="rv_continuous", module="scipy.stats._distn_infrastructure"):
    return f"c{module}\n{cls}\n".encode() + b")\x81" + state + b"b"


def state(value, filler=0):
    items = b"".join(text(f"field{number}") + b"N" for number in range(filler))
    return b"}(" + items + text("_parse_arg_template") + text(value) + b"u"


def worst(data, name="m.pkl"):
    found = [item.severity.value for item in judged(look(data, name)) if item.rule == "MLG-PKL-002"]
    return found[0] if found else None


@pytest.mark.parametrize("filler", [0, 7, 40, 1500])
@pytest.mark.parametrize("cls", ["rv_continuous", "rv_discrete", "norm_gen"])
def test_a_text_that_is_not_scipys_is_critical(filler, cls):
    assert worst(b"\x80\x04" + distribution(state(EVIL, filler), cls) + b".") == "critical"


@pytest.mark.parametrize(
    "value",
    [
        EVIL,
        HONEST.replace("loc=0", "loc=eval('1')"),
        HONEST.replace("return (", "return eval("),
        HONEST.replace("):\n", "): eval('1')\n"),
        HONEST + "eval('1')\n",
        "eval('1')\n" + HONEST,
        HONEST.replace("self._argcheck_rvs", "self.__class__"),
        HONEST.replace("moments='mv'", "moments=[eval('1')]"),
        "@eval\n" + HONEST,
        "x" * (1 << 15),
    ],
)
def test_what_is_changed_in_the_template_is_seen(value):
    assert worst(b"\x80\x04" + distribution(state(value)) + b".") in ("critical", "high")


def test_the_second_of_two_alike_is_seen():
    honest = distribution(state(HONEST))
    assert worst(b"\x80\x04(" + honest * 3 + distribution(state(EVIL)) + b"l.") == "critical"


@pytest.mark.parametrize(
    "hidden",
    [
        b"](" + text("_parse_arg_template") + text(EVIL) + b"\x86e",
        text("_parse_arg_template") + text(EVIL) + b"\x86\x85",
        b"ccollections\nOrderedDict\n](" + text("_parse_arg_template") + text(EVIL) + b"\x86e\x85R",
        b"}cnumpy\nstr_\n" + text("_parse_arg_template") + b"\x85R" + text(EVIL) + b"s",
    ],
)
def test_a_state_that_cannot_be_told_is_objected_to(hidden):
    assert worst(b"\x80\x04" + distribution(hidden) + b".") is not None


def test_another_class_that_is_given_such_a_state():
    assert worst(b"\x80\x04" + distribution(state(EVIL), "Proxy", "acme.proxies") + b".") == "critical"


def test_in_an_array_of_objects_that_joblib_wrote(tmp_path):
    joblib.dump(
        {"a": np.arange(50.0), "b": np.array([scipy.stats.gamma, "x"], dtype=object)}, tmp_path / "m.joblib"
    )
    honest = (tmp_path / "m.joblib").read_bytes()
    assert worst(honest, "m.joblib") in (None, "high")
    assert worst(honest.replace(b"return (a)", b"return (b)"), "m.joblib") in (None, "high")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_distribution_of_scipy_is_quiet(protocol):
    kinds = (scipy.stats.rv_continuous, scipy.stats.rv_discrete)
    every = [value for value in vars(scipy.stats).values() if isinstance(value, kinds)]
    every += [scipy.stats.loguniform(1e-3, 1), scipy.stats.rv_discrete(values=([1, 2], [0.5, 0.5]))]
    seen = look(pickle.dumps({"all": every, "rest": list(range(50))}, protocol), "m.pkl")
    assert not judged(seen)
    assert not seen.not_checked


def test_behind_arrays_of_joblib(tmp_path):
    joblib.dump(
        [np.arange(50.0), scipy.stats.uniform(0, 1), np.zeros(3), scipy.stats.gamma], tmp_path / "m.joblib"
    )
    seen = look((tmp_path / "m.joblib").read_bytes(), "m.joblib")
    assert not judged(seen)
    assert not seen.not_checked


def test_scipys_own_text_is_known():
    assert scipy_source.ordinary(HONEST)
    assert not scipy_source.ordinary(EVIL)
