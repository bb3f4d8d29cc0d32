"""Lines of ``.pth`` files that Python runs when it starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import judged, look


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os; os.system('true')\n", [("os.system", "high", 1)]),
        ("../lib\nimport os; os.system('true')\n", [("os.system", "high", 2)]),
        ("import\tos, subprocess; subprocess.run(['x'])", [("subprocess.run", "high", 1)]),
        ("import base64; exec(base64.b64decode('eA=='))", [("builtins.exec", "critical", 1)]),
        ("../lib\n./other\n", []),
        ("import _virtualenv\n", []),
        ("# import os; os.system('true')\n", []),
        (" import os; os.system('true')\n", []),
        (
            "import os; a = os.environ.get('SETUPTOOLS', 'local'); a and __import__('_hack').add_shim();\n",
            [],
        ),
    ],
)
def test_lines_that_are_run(text, found):
    seen = judged(look(text.encode(), "x.pth"))
    assert [(each.subject, each.severity.value, each.location.line) for each in seen] == found
    assert judged(look(text.encode(), "x.txt")) == ()


@given(st.binary(max_size=300))
def test_any_bytes(data):
    look(b"import " + data, "x.pth")
