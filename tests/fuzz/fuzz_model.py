"""Feed the whole model check with what atheris makes of the tests' own files.

    pip install atheris
    python tests/fuzz/fuzz_model.py --seeds corpus          # writes the seeds and ends
    python tests/fuzz/fuzz_model.py corpus -max_total_time=2400 -timeout=20

What is found is a crash of libFuzzer: an exception that leaves the check, a reader that failed,
or a rule that did. With ``--findings DIR`` the run goes on instead, and keeps one file of each kind
there. Needs the package, its test dependencies and atheris; pytest does not collect this.
"""

import hashlib
import importlib
import pickle
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

NAMES = (
    "m.bin", "m.pkl", "config.json", "m.yaml", "m.h5", "m.gguf", "model.py", "m.txt", "m.zip", "m.npz",
    "tokenizer_config.json", "m.xml", "m.ipynb",
)  # fmt: skip
LIMITS = {"inflated_bytes": 1 << 22, "members": 200, "facts": 500, "opcodes": 20_000, "file_seconds": 20}
# Longer files only make runs slow; what is special about them the tests of each limit say.
_LONGEST = 1 << 15


def look(data, name):
    """Run the check and every rule over one file; raise where a reader failed."""
    from tests.checks.models.building import judged
    from tests.checks.models.building import look as collected

    seen = collected(data, name, **LIMITS)
    for gap in seen.not_checked:
        if gap.reason == "reader-failed":
            raise RuntimeError(gap.message)
    for fact in seen.facts:
        if not f"{fact.location}{fact.subject}".isprintable():
            raise RuntimeError(f"{fact.kind} cannot be printed")
    judged(seen)


def seeds():
    """Yield every short file that the tests build at import."""
    here = Path(__file__).parents[1]
    for path in sorted((here / "checks" / "models").rglob("*.py")):
        name = ".".join(("tests", *path.relative_to(here).with_suffix("").parts))
        try:
            module = importlib.import_module(name)
        except BaseException:  # noqa: BLE001, S112 - a skipped test, or a package that is not there
            continue
        for value in vars(module).values():
            yield from _bytes(value)
    for value in ({"a": [1, 2.5, None, "x", b"y"]}, {1, 2}, 1 << 70):
        yield from (pickle.dumps(value, protocol) for protocol in range(6))


def _bytes(value):
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, str) and len(value) > 20:
        yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, dict):
        for item in value.values():
            yield from _bytes(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _bytes(item)


def write_seeds(folder):
    folder.mkdir(parents=True, exist_ok=True)
    made = {data for data in seeds() if 2 <= len(data) <= _LONGEST}
    for data in made:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


class Target:
    """What atheris calls.

    Args:
        findings: Where one input of each kind of failure is kept; None to fail at once.
    """

    def __init__(self, findings):
        self.findings = findings
        self.known = set()

    def __call__(self, data):
        try:
            look(data, NAMES[len(data) % len(NAMES)])
        except Exception as problem:
            if self.findings is None:
                raise
            kind = f"{type(problem).__name__}: {problem} {traceback.extract_tb(problem.__traceback__)[-1]}"
            if kind not in self.known:
                self.known.add(kind)
                sys.stderr.write(f"FOUND {kind}\n")
                name = hashlib.sha256(kind.encode()).hexdigest()[:16]
                (self.findings / name).write_bytes(data)


def main() -> int:
    """Fuzz, or write the seeds."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--seeds"]:
        write_seeds(Path(arguments[1]))
        return 0
    findings = None
    if "--findings" in arguments:
        at = arguments.index("--findings")
        findings = Path(arguments[at + 1])
        findings.mkdir(parents=True, exist_ok=True)
        del arguments[at : at + 2]
    import atheris

    with atheris.instrument_imports(include=["mlgate"]):
        from mlgate.checks.models.route import readers

        readers()
        importlib.import_module("tests.checks.models.building")
    atheris.Setup([sys.argv[0], *arguments], Target(findings))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
