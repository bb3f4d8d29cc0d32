"""Classes of Java's serialization that act while they are read."""

import pytest
from tests.checks.models.building import NOISE, judged, look, reasons

STREAM = b"\xac\xed\0\x05sr\0"


@pytest.mark.parametrize(
    "name",
    [
        "org.apache.commons.collections.functors.InvokerTransformer",
        "org.apache.commons.collections4.functors.ChainedTransformer",
        "com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl",
        "java.net.URL",
        "org.codehaus.groovy.runtime.MethodClosure",
    ],
)
@pytest.mark.parametrize("before", [b"", NOISE * 1000])
def test_a_gadget_is_named(name, before):
    data = STREAM + bytes([17]) + b"java.util.HashMap" + before + bytes([len(name)]) + name.encode() + b"\0xp"
    seen = look(data, "model.ser")
    assert [(each.rule, each.severity.value, each.subject) for each in judged(seen)] == [
        ("MLG-BIN-004", "high", name)
    ]
    assert reasons(seen) == {"unsupported-format"}


def test_other_objects_are_only_not_checked():
    seen = look(STREAM + b"\x19weka.classifiers.trees.J48java.net.URLs\0" + NOISE, "model.model")
    assert (judged(seen), reasons(seen)) == ((), {"unsupported-format"})
    assert not judged(look(b"java.lang.Runtime" + NOISE, "a.bin"))
