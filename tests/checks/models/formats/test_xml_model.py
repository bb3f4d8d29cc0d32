import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, format_of, judged, kinds, look, reasons, zipped

PMML = """<?xml version="1.0" encoding="UTF-8"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" xmlns:data="http://jpmml.org/jpmml-model/InlineTable" version="4.4">
  <Header><Application name="SkLearn2PMML package"/><Extension name="user" value="a"/></Header>
  <DataDictionary><DataField name="y" optype="categorical" dataType="integer"><Value value="0"/></DataField></DataDictionary>
  <TransformationDictionary>
    <DerivedField name="a"><Apply function="x-log1p"><FieldRef field="b"/></Apply></DerivedField>
  </TransformationDictionary>
  {}
</PMML>
"""
NET = """<?xml version="1.0"?>
<net name="m" version="11">
  <layers>
    <layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,3" element_type="f32"/></layer>
    <layer id="1" name="t" type="StringTensorUnpack" version="extension"/>
    {}
  </layers>
  <edges/><rt_info><info name="OpenVINO Runtime" value="2026.4"/></rt_info>
</net>
"""


def verdicts(text, name="m.pmml"):
    return [(each.rule, each.severity.value) for each in judged(look(text.encode(), name))]


@pytest.mark.parametrize(
    ("text", "name", "format_"),
    [
        (PMML.format(""), "m.pmml", "pmml"),
        (PMML.format(""), "m.xml", "pmml"),
        (NET.format(""), "m.xml", "openvino"),
    ],
)
def test_ordinary_models(text, name, format_):
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode()):
        seen = look(data, name)
        assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), format_)


DOCTYPES = {
    "external": '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "public": "<!DOCTYPE PMML [<!ENTITY x PUBLIC 'a' 'http://x'>]>",
    "internal": '<!DOCTYPE PMML [<!ENTITY x "y">]>',
    "parameter": '<!DOCTYPE PMML [<!ENTITY % x SYSTEM "http://x"> %x;]>',
    "laughs": '<!DOCTYPE PMML [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>',
    "behind a comment": '<!-- <PMML> --><!DOCTYPE PMML [<!-- ]> --><!ENTITY x "y">]>',
    "behind other declarations": '<!DOCTYPE PMML [<!ELEMENT a (b, "]>")><!ATTLIST a b CDATA "]>"><!ENTITY x "]>">]>',
    "with an external subset": '<!DOCTYPE PMML SYSTEM "a.dtd" [<!ENTITY x "y">]>',
    "in lines": '<!DOCTYPE\n PMML\n [\n <!ENTITY\n x\n "y"\n>\n ]\n>',
}


@pytest.mark.parametrize("how", DOCTYPES)
@pytest.mark.parametrize("root", ["<PMML>&x;</PMML>", "<p:PMML xmlns:p='x' a='&x;'/>"])
def test_entities_are_never_expanded_and_said(how, root):
    found = verdicts(DOCTYPES[how] + root)
    assert found
    assert set(found) == {("MLG-XML-001", "high")}
    assert verdicts(DOCTYPES[how] + "<html>&x;</html>", "x.xml") == []


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE PMML PUBLIC "PMML 2.0" "http://www.dmg.org/v2-0/pmml_v2_0.dtd">',
        "<!DOCTYPE PMML>",
        "<!DOCTYPE PMML []>",
    ],
)
def test_a_type_declaration_alone(doctype):
    assert verdicts(doctype + "<PMML/>") == [("MLG-XML-001", "medium")]


@pytest.mark.parametrize(
    ("inside", "severity"),
    [
        ("<script>x</script>", "high"),
        ("<Extension><SCRIPT language='python'>x</SCRIPT></Extension>", "high"),
        ("<n:script xmlns:n='urn:x'/>", "high"),
        ('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>', "high"),
        ('<Apply function="com.acme.Evil"/>', "medium"),
        ('<Apply function="uppercase"/>', None),
        ('<include href="x"/>', None),
        ("<!-- <script> -->", None),
        ("<![CDATA[<script>]]>", None),
    ],
)
def test_elements_that_are_more_than_data(inside, severity):
    assert verdicts(PMML.format(inside)) == ([("MLG-XML-001", severity)] if severity else [])


def test_other_encodings():
    text = PMML.format("<script/>").split("?>", 1)[1]
    for encoding, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-16-le", b"")):
        found = judged(look(mark + text.strip().encode(encoding), "m.pmml"))
        assert [each.rule for each in found] == ["MLG-XML-001"]


def test_code_that_openvino_loads():
    custom = '<CustomLayer name="a" type="SimpleGPU"><Kernel entry="e"><Source filename="{}"/></Kernel></CustomLayer>'
    for path in ("kernel.cl", "../kernel.cl"):
        (fact,) = (
            each
            for each in look(custom.format(path).encode(), "g.xml").facts
            if each.kind == "native.library"
        )
        assert fact.subject == path
        assert fact.detail["escape"] == ("parent" if "/" in path else None)
    for path in ("/tmp/x.so", "..\\x.DLL", "libx.dylib"):
        seen = look(NET.format(f'<layer type="A"><data library="{path}"/></layer>').encode(), "m.xml")
        assert [each.subject for each in seen.facts if each.kind == "native.library"] == [path]
    own = look(NET.format('<layer type="Acme" version="extension"/>').encode(), "m.xml")
    assert {each.subject for each in own.facts if each.kind == "native.class"} == {"Acme"}


@pytest.mark.parametrize(
    "text",
    [
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><a/></project>',
        '<!DOCTYPE svg PUBLIC "a" "b"><svg/>',
        '<!DOCTYPE html [<!ENTITY nbsp "&#160;">]><html>PMML</html>',
        "<net><location/></net>",
        "<manifest><script/></manifest>",
        "<",
        "",
    ],
)
def test_other_documents_are_left_alone(text):
    seen = look(text.encode(), "x.xml")
    assert (seen.facts, seen.not_checked) == ((), ())


def test_the_name_does_not_decide():
    assert "MLG-XML-001" in {rule for rule, _ in verdicts(PMML.format("<script/>"), "notes.txt")}
    data = zipped(Entry("a/m.txt", PMML.format("<script/>").encode(), method=8))
    assert "MLG-XML-001" in {each.rule for each in judged(look(data, "x.zip"))}


def test_a_cut_model_is_not_checked():
    whole = PMML.format("<script/>").encode()
    start = whole.index(b"<PMML") + 6
    for end in range(start, len(whole.rstrip())):
        assert reasons(look(whole[:end], "m.pmml")) == {"malformed"}, end


def test_a_prolog_without_end_is_not_checked():
    for start, reason in (
        (b"<!DOCTYPE PMML [<!--", "malformed"),
        (b"<!-- PMML", "limit"),
        (b"<!--", "limit"),
    ):
        assert reasons(look(start + b"x" * (1 << 20), "m.pmml")) == {reason}
    page = b"<!DOCTYPE html>\n<html>PMML" + b"x" * (1 << 20)
    assert not look(page, "m.html").not_checked


def test_what_is_noted_is_bounded():
    many = "".join(f'<Apply function="a.b{number}"/>' for number in range(100))
    assert reasons(look(PMML.format(many).encode(), "m.pmml", facts=20)) == {"limit"}
    deep = "<a>" * 20_000
    assert reasons(look(PMML.format(deep).encode(), "m.pmml")) == {"malformed"}


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seeds = [PMML.format("<script/>"), NET.format(""), *(each + "<PMML/>" for each in DOCTYPES.values())]
    seed = bytearray(data.draw(st.sampled_from(seeds)).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 5))] = data.draw(
            st.sampled_from([b"<", b">", b"&x;", b"]", b"\xff", b"\0", b"<!--", b'"', b"<!ENTITY", b"%"])
        )
    seen = look(bytes(seed), data.draw(st.sampled_from(["m.pmml", "m.xml"])))
    assert "reader-failed" not in reasons(seen)
    assert kinds(seen) is not None


OUTSIDE = (
    '<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]><net name="&x;" version="11">'
    '<layers><layer id="0" type="Parameter"/></layers></net>'
)


@pytest.mark.parametrize(
    "data",
    [
        OUTSIDE.encode("utf-16"),
        OUTSIDE.encode("utf-16-le"),
        OUTSIDE.encode("utf-16-be"),
        OUTSIDE.encode("utf-32"),
        OUTSIDE.encode("utf-32-be"),
        ('<?xml version="1.0" encoding="cp037"?>' + OUTSIDE).encode("cp037"),
        b" " * 5000 + OUTSIDE.encode(),
        b"<!--" + b"x" * 5000 + b"-->" + OUTSIDE.encode(),
        OUTSIDE.replace("[", "[%a:b;").encode(),
    ],
)
def test_an_entity_is_found_in_whatever_way_parsers_take_it(data):
    assert "MLG-XML-001" in {
        each.rule for each in judged(look(data, "m.xml")) if each.severity.value == "high"
    }


def test_layers_far_behind_the_root():
    text = NET.format(f'<!--{"x" * (1 << 20)}--><layer type="A"><data library="/tmp/x.so"/></layer>')
    assert "native.library" in kinds(look(text.encode(), "m.xml"))
    text = f'<net name="m"><!--{"x" * (1 << 20)}--><layers><layer type="A"><data library="/x.so"/></layer></layers></net>'
    assert "native.library" in kinds(look(text.encode(), "m.xml"))


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        ('<Extension name="script" extender="x">a()</Extension>', True),
        ('<Extension name="x" extender="JavaScript">a()</Extension>', True),
        ('<Extension name="user" value="me" extender="Rattle/PMML"/>', False),
        ('<Extension extender="KNIME" name="x"/>', False),
    ],
)
def test_scripts_in_extensions(extension, found):
    assert ("xml.script" in kinds(look(PMML.format(extension).encode(), "m.pmml"))) is found


def test_layers_that_an_entity_would_bring_are_not_hidden_by_it():
    data = b'<!DOCTYPE net [<!ENTITY x SYSTEM "layers.xml">]><net name="n" version="11">&x;</net>'
    assert "xml.entity" in kinds(look(data, "m.xml"))
    assert not look(b'<net name="n"><place/></net>', "m.xml").facts


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("lm(formula = y ~ x, data = d)", False),
        ('glm(formula = y ~ ., family = binomial(link = "logit"), data = d)', False),
        ("lm(y ~ x); system(1)", True),
        ("x = ~1; require('child_process').exec(1)", True),
        ("f(y ~ {system(1)})", True),
        ("print(~x)&#10;system(intToUtf8(c(105,100)))", True),
        ("lm(y ~ x, data = eval(parse(text = intToUtf8(c(105)))))", True),
        ("base::system(paste(~x))", True),
        ('lm(y ~ system("reboot"))', True),
        ('system("id")', True),
        ("", True),
    ],
)
def test_a_formula_is_no_script(value, found):
    shown = value.replace('"', "&quot;")
    extension = f'<Extension name="script" value="{shown}"/>'
    assert ("xml.script" in kinds(look(PMML.format(extension).encode(), "m.pmml"))) is found
