"""H2O's models as Java source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import format_of, judged, look

SOURCE = """import hex.genmodel.GenModel;
/* Licensed under a licence.
 */
public class GBM_model extends GenModel {{
  // new Socket() is not here
  public double[] score0(double[] d, double[] p) {{ p[0] = d[0] < 2.5f ? 1.0 : 0.0; return p; }}
  {}
}}
"""


def verdicts(more, name="GBM_model.java"):
    return [(each.rule, each.severity.value) for each in judged(look(SOURCE.format(more).encode(), name))]


@pytest.mark.parametrize(
    "more",
    [
        'static { Runtime.getRuntime().exec("id"); }',
        'static { new ProcessBuilder("id").start(); }',
        'static { System.load("/tmp/x.so"); }',
        'static { Class.forName("x"); }',
        "static { R\\u0075ntime.x(); }",
        "static double y = 1\n * Runtime.getRuntime().hashCode();",
        "static { Runtime/**/.getRuntime(); }",
        'static { Thread.currentThread().getContextClassLoader().loadClass("x"); }',
        "// \\u000a static { Runtime.getRuntime(); }",
        "static { new java.net.ServerSocket(1); }",
        '/*\n// */ static { Runtime.getRuntime().exec("id"); }',
    ],
)
def test_what_is_more_than_arithmetic(more):
    assert verdicts(more) == [("MLG-CMD-001", "high")]


def test_an_ordinary_model():
    assert verdicts("") == []
    assert format_of(look(SOURCE.format("").encode(), "GBM_model.java")) == "h2o-pojo"


def test_other_java_is_left_alone():
    text = SOURCE.replace("hex.genmodel", "acme").format('static { Runtime.getRuntime().exec("id"); }')
    assert not judged(look(text.encode(), "A.java"))


@given(st.text(max_size=100))
def test_any_text(text):
    look(("import hex.genmodel.GenModel;" + text).encode("utf-8", "replace"), "A.java")


def test_the_base_class_may_stand_far_behind():
    text = "/*" + "x" * 100_000 + "*/" + SOURCE.format('static { Runtime.getRuntime().exec("id"); }')
    assert [each.rule for each in judged(look(text.encode(), "A.java"))] == ["MLG-CMD-001"]
