"""One report with everything in it, hostile text included, and the small ones beside it."""

from msgspec.structs import replace
from tests.reports.measured import MEASURED

from mlgate.core.facts import Check, FileRecord, Location, Measurement, NotChecked, Package, Source
from mlgate.core.findings import Finding, Waived, fingerprint
from mlgate.core.report import (
    BaselineEntry,
    BaselineStatus,
    History,
    PastRun,
    PolicyRef,
    Report,
    Tool,
    Unjudged,
    Verdict,
    WaiverStatus,
)
from mlgate.core.rules import Rule
from mlgate.core.severity import Severity

ESCAPE = "\x1b[31mred\x1b[0m\x1b]0;title\x07"
BIDI = "invoice\u202egnp.exe"
MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>[bold]|`@octocat` #1 ![x](https://evil.test/x.png)"
)
HOSTILE_PATH = "models/<b>a|b`c\x1b[2J\u202e [x](y) 100%.pkl"
PROBLEMS = (
    "\x1b",
    "\x07",
    "\x00",
    "\x9b",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
    "\ud800",
    "\U000e0001",
)

TOOL = Tool(
    name="mlgate",
    version="1.2.3",
    python="3.11.9",
    platform="Linux-x86_64",
    packages={"fickling": "0.1.12", "onnxruntime": "1.20.1"},
)


def _rule(number, **values):
    defaults = {
        "kinds": ("pickle.call",),
        "judge": lambda facts, policy: (),
        "what": "Looks at every callable that the pickle machine calls.",
        "why": "Loading the file runs the call with the rights of whoever loads it.",
        "cwe": (502,),
        "atlas": ("AML.T0011.000",),
        "owasp": ("ML06:2023", "LLM03:2025"),
    }
    return Rule(id=number, **(defaults | values))


RULES = (
    _rule(
        "MLG-PKL-002",
        name="unsafe-global-called",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        summary="A pickle calls a function that runs code or commands",
        fix=(
            "Do not load the file. Ask its author for the weights alone:\n\n"
            "```python\nfrom safetensors.torch import save_file\n\nsave_file(model.state_dict(), 'model.safetensors')\n```\n\n"
            "- Or name the global in `models.allow_globals`, if it is yours.\n"
        ),
        references=("https://docs.python.org/3/library/pickle.html", "CVE-2025-1716"),
        precision="very-high",
    ),
    _rule(
        "MLG-PKL-006",
        name="unknown-global-imported",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        summary="A pickle imports a global that is not known to be harmless",
        fix="Look at the global, and name it in `models.allow_globals` if it is yours.",
    ),
    _rule(
        "MLG-DEP-001",
        name="vulnerable-dependency",
        check=Check.DEPENDENCIES,
        severity=Severity.HIGH,
        varies=True,
        kinds=("dependency.vulnerable",),
        summary="A pinned package has a published vulnerability",
        fix="Upgrade the package.",
        cwe=(1395,),
        atlas=("AML.T0010.001",),
        references=("https://osv.dev",),
    ),
    _rule(
        "MLG-ASM-002",
        name="robust-accuracy-below-threshold",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.figure",),
        summary="The model loses too many predictions to small changes of its input",
        fix="Train with adversarial examples, or lower the claim that the policy makes.",
        security=False,
        cwe=(1039,),
        atlas=("AML.T0015",),
        owasp=("ML01:2023",),
        precision="medium",
    ),
)


def finding(rule=RULES[0], location=None, **values):
    location = location or Location(path="models/net.pkl", offset=41)
    defaults = {
        "severity": rule.severity,
        "subject": "posix.system",
        "message": "The pickle calls posix.system as soon as it is loaded.",
        "fix": rule.fix,
        "blocks": rule.severity >= Severity.HIGH,
    }
    values = defaults | values
    mark = fingerprint(
        rule.id,
        location.path,
        location.member,
        values["subject"],
        values.get("advisory"),
        values.pop("nth", "0"),
    )
    return Finding(
        rule=rule.id, name=rule.name, check=rule.check, location=location, fingerprint=mark, **values
    )


def gap(reason, path, message, *, check=Check.MODELS, counts=True, waived=None, **values):
    subject = values.pop("subject", "")
    item = NotChecked(check, reason, Location(path=path, **values), message, subject)
    return Unjudged(item, counts=counts and waived is None, waived=waived)


_WAIVED = Waived(reason="the vulnerable function is not called", expires="2027-01-31", line=31)
_LFS = "The file is a Git LFS pointer: the model itself is not here. Run `git lfs pull`."

FINDINGS = (
    finding(
        evidence="from posix import system\n_var0 = system('echo hello')\nresult0 = _var0",
    ),
    finding(
        location=Location(path=HOSTILE_PATH, member=f"archive/{BIDI}/data.pkl", offset=7),
        subject=MARKUP,
        message=f"The pickle calls {MARKUP} {ESCAPE} {BIDI} \ud800 as soon as it is loaded.",
        fix=f"Do not load `{BIDI}`. {MARKUP}\n\n```\n{ESCAPE}</code></pre><script>alert(2)</script>\n```\n",
        evidence="\n".join(
            [f"{ESCAPE}{MARKUP} ``` </pre></details>", "x" * 400, *(f"line {n}" for n in range(90))]
        ),
    ),
    finding(
        RULES[2],
        Location(path="requirements.txt", line=3),
        severity=Severity.CRITICAL,
        subject="torch==2.1.0",
        message="torch 2.1.0 has a known vulnerability, PYSEC-2025-41: torch.load runs code with weights_only=True.",
        fix="Upgrade to torch 2.6.0 or later.",
        advisory="PYSEC-2025-41",
        aliases=("CVE-2025-32434", "GHSA-53q9-r3pm-6pq6"),
        cvss=9.8,
        blocks=True,
    ),
    finding(
        RULES[3],
        Location(path=".mlgate.yaml", line=18),
        subject="digits/robust_accuracy",
        message="The robust accuracy of digits is below the policy's threshold.",
        evidence="robust accuracy 0.520, interval [0.480, 0.560], 600 samples; the policy asks for 0.600",
        blocks=True,
    ),
    finding(
        RULES[2],
        Location(path="requirements.txt", line=9),
        subject="numpy==1.21.0",
        message="numpy 1.21.0 has a known vulnerability, PYSEC-2021-857: a buffer overflow in array_from_pyobj.",
        advisory="PYSEC-2021-857",
        aliases=("CVE-2021-41496",),
        cvss=5.5,
        blocks=False,
        waived=_WAIVED,
    ),
    finding(
        RULES[1],
        Location(path="models/net.pkl", offset=112),
        subject="acme.layers.Attention",
        message="The pickle imports acme.layers.Attention, which is not known to be harmless.",
        blocks=False,
    ),
    finding(
        RULES[2],
        Location(path="requirements.txt", line=4),
        severity=Severity.LOW,
        subject="jinja2==3.1.5",
        message="jinja2 3.1.5 has a known vulnerability, PYSEC-2025-99: a sandbox escape.",
        advisory="PYSEC-2025-99",
        cvss=2.1,
        blocks=False,
    ),
    finding(
        RULES[1],
        Location(path="models/old.pkl", offset=9),
        subject="acme.layers.Old",
        message="The pickle imports acme.layers.Old, which is not known to be harmless.",
        blocks=False,
        baseline=True,
    ),
)

NOT_CHECKED = (
    *(gap("lfs-pointer", f"models/part-{n}.bin", _LFS) for n in range(8)),
    gap(
        "unpinned",
        "requirements.txt",
        "The requirement names no exact version. Pin it, or use a lock file.",
        check=Check.DEPENDENCIES,
        line=12,
        subject="scipy",
    ),
    gap(
        "limit",
        "models/huge.zip",
        f"The limit inflated_bytes was reached {ESCAPE}; what lies behind it was not read.",
        member=f"inner/{BIDI}",
    ),
    gap("unpinned", "requirements-dev.txt", "The requirement names no exact version.", counts=False, line=2),
    gap("encrypted", "models/old.zip", "The member is encrypted.", waived=_WAIVED),
)

INVENTORY = (
    FileRecord("models/digits.onnx", "onnx", 48_213, "1f" * 32, "checked"),
    FileRecord(HOSTILE_PATH, "zip", 2_500_000, "ab" * 32, "checked"),
    FileRecord("models/huge.zip", "zip", 7_340_032_000, None, "not-checked"),
    FileRecord("models/net.pkl", "pickle", 81, "cd" * 32, "checked"),
)

PACKAGES = (
    Package("torch", "2.1.0", "requirements.txt", 3),
    Package("jinja2", "3.1.5", "requirements.txt", 4),
    Package("numpy", "1.21.0", "requirements.txt", 9),
    Package("scipy", None, "requirements.txt", 12, "python_version < '3.12'"),
    Package(f"evil-{BIDI}", f"1.0{ESCAPE}", "requirements.txt", 13, MARKUP),
)

LOOKS = [
    [50, 0.62, 0.41, 0.80],
    [100, 0.57, 0.43, 0.70],
    [200, 0.545, 0.45, 0.64],
    [400, 0.5275, 0.465, 0.59],
    [600, 0.52, 0.48, 0.56],
]

MEASUREMENTS = (
    Measurement("digits", "accuracy", 0.971, 0.958, 0.981, 1000, 0.95, "pass", {"confidence": 0.95}),
    Measurement(
        "digits",
        "robust_accuracy",
        0.52,
        0.48,
        0.56,
        600,
        0.6,
        "fail",
        {"attack": "square", "epsilon": 0.1, "norm": "linf", "seed": 0, "queries": 41_200, "looks": LOOKS},
    ),
    Measurement("faces", "robust_accuracy", None, None, None, 0, 0.5, "inconclusive", {"note": float("nan")}),
    Measurement(
        f"x{ESCAPE}",
        MARKUP,
        0.5,
        0.25,
        0.75,
        12,
        None,
        "info",
        {MARKUP: ESCAPE, "odd": {MARKUP: {MARKUP: BIDI}}, "rows": [{ESCAPE: float("inf")}]},
        family=MARKUP,
        part=f"{MARKUP}{ESCAPE}",
    ),
    *MEASURED,
)

SOURCES = (
    Source(
        Check.DEPENDENCIES,
        "bundled advisories",
        "1,204 advisories for 412 packages, made on 2026-01-05",
        {"count": 1204},
    ),
    Source(Check.ASSESSMENT, "sandbox", "no network, 16 GiB, own process", {"kind": "landlock"}),
    Source(Check.DEPENDENCIES, MARKUP, ESCAPE),
)

WAIVERS = (
    WaiverStatus(
        "MLG-DEP-001 PYSEC-2021-857 in requirements.txt", _WAIVED.reason, "2027-01-31", 31, "used", 1
    ),
    WaiverStatus(
        "MLG-PKL-002 in models/**", f"until the retraining {MARKUP}", "2025-12-31", 36, "expired", 2
    ),
    WaiverStatus(
        "MLG-DEP-001 PYSEC-2020-1 in requirements.txt",
        "no longer needed, we think",
        "2027-06-30",
        41,
        "unused",
        0,
    ),
)

BASELINE = BaselineStatus(
    path=".mlgate-baseline.json",
    sha256="7c" * 32,
    entries=3,
    known=1,
    stale=(
        BaselineEntry(f"MLG-PKL-002 posix.system in {HOSTILE_PATH}", "gone", "0" * 64),
        BaselineEntry(f"MLG-PKL-006 {MARKUP} in models/net.pkl", "worse", "1" * 64),
    ),
)

HISTORY = History(
    runs=tuple(
        PastRun(
            path=f"history/{day:02}.json",
            started=f"2026-01-{day:02}T08:00:00+00:00",
            verdict=verdict,
            blocking=blocking,
            severities={"critical": blocking, "medium": day},
            accepted=2,
            not_checked=unread,
            policy="5a" * 32 if day > 6 else ESCAPE,
            version=f"1.2.{ESCAPE}",
        )
        for day, verdict, blocking, unread in (
            (2, Verdict.FAIL, 9, 4),
            (4, Verdict.FAIL, 6, 4),
            (6, Verdict.UNDECIDED, 0, 3),
            (8, Verdict.PASS, 0, 0),
            (10, Verdict.FAIL, 2, 0),
        )
    ),
    unreadable=(f"history/{BIDI}: it is no JSON report of mlgate {MARKUP}{ESCAPE}",),
)

FULL = Report(
    tool=TOOL,
    root="/home/someone/secret-project",
    scope="every file of the repository",
    checks=("models", "dependencies", "assessment"),
    policy=PolicyRef(".mlgate.yaml", "5a" * 32),
    fail_on={"models": Severity.HIGH, "dependencies": Severity.HIGH, "assessment": Severity.HIGH},
    verdict=Verdict.FAIL,
    findings=FINDINGS,
    not_checked=NOT_CHECKED,
    inventory=INVENTORY,
    files_seen=128,
    packages=PACKAGES,
    measurements=MEASUREMENTS,
    sources=SOURCES,
    waivers=WAIVERS,
    baseline=BASELINE,
    history=HISTORY,
    rules=RULES,
    started="2026-01-15T10:20:30Z",
    seconds=12.3456,
)

CLEAN = replace(
    FULL,
    verdict=Verdict.PASS,
    findings=(),
    not_checked=(),
    measurements=MEASUREMENTS[:1],
    inventory=INVENTORY[:1],
    packages=PACKAGES[:3],
    sources=SOURCES[:1],
    waivers=(),
    baseline=None,
    history=None,
    files_seen=12,
)

UNDECIDED = replace(CLEAN, verdict=Verdict.UNDECIDED, not_checked=NOT_CHECKED[:1])

EMPTY = replace(
    CLEAN,
    policy=PolicyRef(),
    inventory=(),
    packages=(),
    measurements=(),
    sources=(),
    files_seen=0,
    checks=("models",),
    fail_on={"models": Severity.HIGH},
)

BAD_POLICY = replace(
    EMPTY,
    verdict=Verdict.UNDECIDED,
    checks=(),
    not_checked=(
        gap(
            "bad-policy",
            ".mlgate.yaml",
            "Unknown key `fial_on`; did you mean `fail_on`?",
            check=Check.POLICY,
            line=3,
        ),
    ),
)

REPORTS = {"full": FULL, "clean": CLEAN, "undecided": UNDECIDED, "empty": EMPTY, "bad-policy": BAD_POLICY}


def crowd(count):
    """Return a failing report with ``count`` findings, most of them too small to block."""
    many = [
        finding(
            RULES[0] if n % 100 == 0 else RULES[1],
            Location(path=f"models/{n % 700:03}.pkl", offset=n),
            evidence=f"from acme import layer_{n}\n" * 20,
            nth=str(n),
        )
        for n in range(count)
    ]
    many.sort(key=lambda one: -one.severity.rank)
    gaps = tuple(gap("lfs-pointer", f"models/part-{n}.bin", _LFS) for n in range(count // 10))
    return replace(FULL, findings=tuple(many), not_checked=gaps, baseline=None, history=None)
