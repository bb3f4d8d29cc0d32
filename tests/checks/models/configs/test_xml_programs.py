"""XML that is a program: decoded beans, stylesheets that call Java, lists of plugins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import judged, look

SHEET = (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" {}>{}</xsl:stylesheet>'
)


def verdicts(text, name):
    return {(each.rule, each.severity.value) for each in judged(look(text.encode(), name))}


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?><java version="1.8" class="java.beans.XMLDecoder"><object class="x"/></java>',
        SHEET.format('xmlns:rt="http://xml.apache.org/xalan/java/java.lang.Runtime"', ""),
        SHEET.format('xmlns:rt="java:java.lang.Runtime"', ""),
        SHEET.format("", "<msxsl:script>x</msxsl:script>"),
        SHEET.format("", "<xsl:value-of select=\"document('http://x/y')\"/>"),
    ],
)
def test_a_program_is_found(text):
    assert verdicts(text, "transform.xml") == {("MLG-XML-001", "high")}


def test_a_list_of_plugins_loads_libraries():
    plugins = '<ie><plugins><plugin name="CPU" location="{}"></plugin></plugins></ie>'
    assert verdicts(plugins.format("./libfast.so"), "plugins.xml") == {("MLG-NAT-001", "high")}
    assert verdicts(plugins.format("plugin"), "plugins.xml") == set()


@pytest.mark.parametrize(
    "text",
    [
        SHEET.format("", "<xsl:value-of select=\"document('other.xml')\"/>"),
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><plugin><version>1</version></plugin></project>',
        "<html><body>java.beans.XMLDecoder</body></html>",
    ],
)
def test_other_documents_say_nothing(text):
    assert verdicts(text, "a.xml") == set()


@given(st.text(alphabet="<>java class=\"'plugin location.so/", max_size=200))
def test_any_text(text):
    look(f"<{text}".encode(), "a.xml")


def test_what_stands_before_the_program_does_not_matter():
    for size in (1 << 20, 17 << 20):
        text = f'<?xml version="1.0"?><!--{"x" * size}--><java class="java.beans.XMLDecoder"/>'
        assert verdicts(text, "bean.xml") == {("MLG-XML-001", "high")}
