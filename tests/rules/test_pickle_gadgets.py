"""Classes of known packages that act while they are made or given their state."""

import pytest
from tests.checks.models.building import judged, look
from tests.checks.models.pickle.hostile import text


def named(module, name):
    return f"c{module}\n{name}\n".encode()


def instance(module, name, state=b"}"):
    return named(module, name) + b")\x81" + state + b"b"


def worst(body):
    findings = judged(look(b"\x80\x04" + body + b".", "m.pkl"))
    return max((item.severity for item in findings), key=lambda each: each.rank).value if findings else None


MAPPER = instance(
    "torch.utils.data.datapipes.iter.callable", "MapperIterDataPipe",
    b"}(" + text("datapipe") + b"](K\x01e" + text("fn") + named("numpy", "zeros") + b"u",
)  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        instance(
            "torch.utils.data.datapipes.datapipe", "_IterDataPipeSerializationWrapper", b"C\x02N.\x89\x86"
        ),
        instance("gymnasium.vector.utils.misc", "CloudpickleWrapper", b"C\x02N."),
        instance("stable_baselines3.common.vec_env.base_vec_env", "CloudpickleWrapper", b"C\x02N."),
        instance("nltk.lazyimport", "LazyModule"),
        instance("lightning_utilities.core.imports", "LazyModule"),
        instance("typing", "_GenericAlias"),
        named("pyarrow.lib", "OSFile") + text("model") + text("w") + b"\x86\x81",
        instance("matplotlib.dviread", "_LuatexKpsewhich"),
        instance("polars.expr.expr", "Expr", b"C\x02N."),
        named("torch.fx.graph_module", "GraphModule")
        + instance("torch.nn.modules.module", "Module")
        + instance("torch.fx.graph", "Graph")
        + b"\x86R",
        named("torch.export.unflatten", "InterpreterModule") + instance("torch.fx.graph", "Graph") + b"\x85R",
        named("torch.cuda.memory", "CUDAPluggableAllocator") + text("evil") * 3 + b"\x87R",
    ],
)
def test_what_runs_as_it_is_made_is_high(body):
    assert worst(body) in ("high", "critical")


@pytest.mark.parametrize("made", [b")R", b"N\x86R"])
def test_an_alias_changes_what_it_stands_for(made):
    alias = named("types", "GenericAlias") + named("numpy", "linalg")
    fill = b"}" + text("solve") + named("numpy", "zeros") + b"sb"
    assert worst(alias + b"K\x01\x86R" + fill) == "critical"
    assert worst(alias + b"K\x01\x86\x81" + fill) == "critical"


@pytest.mark.parametrize(
    "body",
    [
        named("collections", "defaultdict") + b"N" + MAPPER + b"\x86R",
        named("pandas", "DataFrame") + MAPPER + b"\x85R",
        named("numpy", "str_") + MAPPER + b"\x85R",
        named("array", "array") + text("i") + MAPPER + b"\x86R",
        named("torch.utils.data.dataset", "ConcatDataset") + MAPPER + b"\x85R",
        named("types", "SimpleNamespace") + b"](" + MAPPER + b"e\x85R",
        named("builtins", "dict") + b"](" + MAPPER + b"e\x85R",
        named("collections", "OrderedDict") + b"(" + MAPPER + b"t\x85R",
    ],
)
def test_an_object_that_applies_a_function_is_not_handed_to_what_asks_for_items(body):
    assert worst(body) == "high"


@pytest.mark.parametrize(
    "body",
    [
        named("collections", "defaultdict") + named("builtins", "list") + b"\x85R",
        named("collections", "defaultdict") + named("builtins", "list") + b"}\x86R",
        named("collections", "defaultdict") + named("functools", "partial")
        + named("collections", "defaultdict") + named("builtins", "int") + b"\x86R\x85R",
        named("collections", "defaultdict") + b")R",
        named("collections", "OrderedDict") + b"](" + text("a") + instance("sklearn.svm._classes", "SVC") + b"\x86e\x85R",
        named("types", "GenericAlias") + named("builtins", "list") + named("builtins", "int") + b"\x85\x86R",
    ],
)  # fmt: skip
def test_honest_uses_of_the_same_are_quiet(body):
    assert worst(body) is None


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("transformers.modeling_utils.load_state_dict", "high"),
        ("torch.utils._pytree._read_treespec", "high"),
        ("torch.backends.something.run_program", "high"),
        ("numpy.log1p", None),
        ("torch.nn.functional.relu", None),
        ("sklearn.metrics._classification.f1_score", None),
        ("torch.nn.modules.linear.Linear", None),
    ],
)
def test_a_function_of_a_known_package_is_judged_by_its_first_word(name, severity):
    module, _, function = name.rpartition(".")
    assert worst(b"}" + text("fn") + named(module, function) + b"s") == severity


ARRAY = named("numpy._core.multiarray", "_reconstruct")
BUFFER = named("pyarrow.lib", "py_buffer") + b"C\x04abcd\x85R"


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        (named("pyarrow.lib", "type_for_alias") + text("string") + b"\x85R", None),
        (BUFFER, None),
        (named("pyarrow.lib", "_restore_array") + b"(" + BUFFER + b"K\x01t\x85R", None),
        (named("pyarrow.lib", "py_buffer") + MAPPER + b"\x85R", "high"),
        (named("pyarrow.lib", "list_") + MAPPER + b"\x85R", "high"),
        (
            named("pandas.core.indexes.interval", "_new_IntervalIndex")
            + named("pandas.core.indexes.interval", "IntervalIndex")
            + b"}\x86R",
            None,
        ),
        (
            named("pandas.core.indexes.interval", "_new_IntervalIndex")
            + named("acme.models", "Net")
            + b"}\x86R",
            "high",
        ),
        (named("jax._src.array", "_reconstruct_array") + b"(" + ARRAY + b")}}tR", None),
        (
            named("jax._src.array", "_reconstruct_array") + b"(" + named("numpy", "fromfile") + b")}}tR",
            "high",
        ),
        (
            named("torch._tensor", "_rebuild_from_type_v2")
            + b"("
            + named("acme.nested_tensor", "_rebuild_njt")
            + named("torch", "Tensor")
            + b"))tR",
            "critical",
        ),
    ],
)
def test_what_pandas_pyarrow_and_jax_write_is_told_from_its_like(body, severity):
    assert worst(body) == severity
