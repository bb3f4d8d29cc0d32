import array
import collections
import datetime as dt
import decimal
import fractions
import functools
import io
import ipaddress
import itertools
import operator
import pathlib
import pickle
import random
import re
import types
import uuid
import warnings
import zoneinfo

import joblib
import numpy as np
import pytest
import scipy.interpolate
import scipy.sparse
import scipy.spatial
import scipy.stats
import sklearn.calibration
import sklearn.cluster
import sklearn.compose
import sklearn.decomposition
import sklearn.ensemble
import sklearn.feature_extraction.text
import sklearn.gaussian_process
import sklearn.linear_model
import sklearn.naive_bayes
import sklearn.neighbors
import sklearn.neural_network
import sklearn.pipeline
import sklearn.preprocessing
import sklearn.svm
import sklearn.tree
from tests.checks.models.pickle.hostile import BARE, TECHNIQUES, call, short, text
from tests.checks.models.pickle.test_streams import legacy

from mlgate.checks.models.formats import pickle as reader
from mlgate.checks.models.reader import HEAD, Blob, Clock, Declined
from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.core.limits import Limits
from mlgate.core.severity import Severity
from mlgate.policy.schema import Models, Policy
from mlgate.rules import pickle as family
from mlgate.rules import pickle_stream
from mlgate.rules import torch as torch_rules

RULES = (*family.RULES, *pickle_stream.RULES)
BY_ID = {rule.id: rule for rule in RULES}


def facts(data):
    """Facts of a file and of all that is nested in it."""
    found = []
    waiting = [
        Blob(location=Location(path="x"), stream=io.BytesIO(data), size=len(data), head=data[:HEAD], name="x")
    ]
    while waiting:
        blob = waiting.pop()
        if blob.depth > 4 or not reader.sniff(blob):
            continue
        try:
            for item in reader.read(blob, Limits(), Clock(100)):
                if isinstance(item, Fact):
                    found.append(item)
                elif isinstance(item, Blob):
                    waiting.append(item)
        except Declined:
            continue
    return found


def findings(data, *allowed, rules=RULES):
    policy = Policy(version=1, models=Models(allow_globals=allowed))
    return judge(rules, facts(data), policy)


def ids(data, *allowed):
    return {finding.rule for finding in findings(data, *allowed)}


def severities(data, rule):
    return {finding.severity for finding in findings(data, rules=(BY_ID[rule],))}


@pytest.mark.parametrize("name", TECHNIQUES)
def test_every_technique_is_at_least_high(name):
    assert any(finding.severity >= Severity.HIGH for finding in findings(TECHNIQUES[name]))


X = np.random.RandomState(0).rand(30, 4)
Y = (X[:, 0] > 0.5).astype(int)


def values():
    """Ordinary values, as models and data sets hold them."""
    yield from (
        {"a": [1, 2.5, None, True, "text", b"\xff\x00"], "b": {1, 2}, "c": frozenset([1]), "d": 1j},
        {f"word{number}": number for number in range(5000)},
        [f"token{number}".encode() for number in range(3000)],
        collections.OrderedDict(a=1),
        collections.defaultdict(list, a=[1]),
        collections.Counter("abca"),
        collections.deque([1, 2], 3),
        dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
        [dt.timedelta(days) for days in range(100)],
        uuid.UUID(int=5),
        re.compile("a+", re.IGNORECASE),
        decimal.Decimal("1.5"),
        fractions.Fraction(1, 3),
        pathlib.PurePosixPath("models/a.bin"),
        functools.partial(np.mean, axis=0),
        functools.partial(functools.partial(int), base=2),
        operator.itemgetter(1, 2),
        operator.attrgetter("shape"),
        random.Random(1),
        array.array("d", [1.0]),
        types.SimpleNamespace(a=1),
        ipaddress.ip_address("192.0.2.1"),
        bytearray(b"x" * 20),
        slice(1, 2),
        range(3),
        type(None),
        ...,
        ValueError("message"),
        itertools.count(3),
        [len, sum, dict, np.ndarray, operator.add],
        "os.system",
        "cos\nsystem, he wrote",
    )


def arrays():
    rng = np.random.RandomState(0)
    yield from (
        np.arange(5),
        np.float64(1),
        np.array([{"a": 1}], dtype=object),
        np.ma.array([1, 2]),
        rng,
        np.random.default_rng(0),
        np.datetime64("2020"),
        np.rec.array([(1, "a")]),
        np.zeros(3, "f4,i8"),
        np.asfortranarray(np.ones((2, 3))),
        [np.mean, np.sin, np.dtype("f4"), np.poly1d([1, 2])],
        scipy.sparse.csr_matrix(np.eye(3)),
        scipy.sparse.coo_array(np.eye(3)),
        scipy.interpolate.CubicSpline([1, 2, 3], [1, 2, 3]),
        scipy.interpolate.interp1d([1, 2], [3, 4]),
        scipy.stats.norm(0, 1),
        scipy.spatial.cKDTree(np.eye(3)),
    )


def estimators():
    sk = sklearn
    words = ["a cat", "a dog", "two birds"] * 10
    yield from (
        sk.linear_model.LogisticRegression().fit(X, Y),
        sk.linear_model.SGDClassifier().fit(X, Y),
        sk.tree.DecisionTreeClassifier().fit(X, Y),
        sk.ensemble.RandomForestClassifier(5).fit(X, Y),
        sk.ensemble.GradientBoostingClassifier(n_estimators=5).fit(X, Y),
        sk.ensemble.HistGradientBoostingClassifier(max_iter=5).fit(X, Y),
        sk.svm.SVC(probability=False).fit(X, Y),
        sk.neighbors.KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
        sk.neighbors.KNeighborsClassifier(algorithm="ball_tree").fit(X, Y),
        sk.naive_bayes.GaussianNB().fit(X, Y),
        sk.cluster.KMeans(2, n_init=1).fit(X),
        sk.decomposition.PCA(2).fit(X),
        sk.gaussian_process.GaussianProcessClassifier().fit(X, Y),
        sk.neural_network.MLPClassifier(max_iter=3).fit(X, Y),
        sk.calibration.CalibratedClassifierCV(sk.svm.LinearSVC()).fit(X, Y),
        sk.preprocessing.FunctionTransformer(np.log1p).fit(X),
        sk.pipeline.make_pipeline(
            sk.feature_extraction.text.TfidfVectorizer(), sk.linear_model.LogisticRegression()
        ).fit(words, Y),
    )


def joblib_bytes(value):
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


def every(make, protocols=range(6)):
    for value in make:
        for protocol in protocols:
            try:
                yield value, pickle.dumps(value, protocol)
            except (TypeError, pickle.PicklingError):
                continue
        yield value, joblib_bytes(value)


@pytest.mark.parametrize("make", [values, arrays, estimators])
def test_honest_pickles_are_no_alarm(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = list(every(make(), (0, 2, 4, 5) if make is estimators else range(6)))
    for value, data in made:
        grave = [item for item in findings(data) if item.severity >= Severity.HIGH]
        assert not grave, (value, grave)


def test_legacy_torch_files_are_no_finding():
    assert findings(legacy()) == ()


# What models in packages hold, as their pickles write it.
ORDINARY = {
    "enumeration by value": b"\x80\x02cpyannote.audio.core.task\nProblem\nK\x02\x85R.",
    "option of a known package": call("transformers.trainer_utils", "IntervalStrategy", "no"),
    "function of torch by name": b"\x80\x02c__builtin__\ngetattr\nctorch._C\n_VariableFunctionsClass\nX\x03\x00\x00\x00add\x86R.",
    "old class": b"ccopy_reg\n_reconstructor\n(copenff.A\nB\nc__builtin__\nobject\nNtR.",
    "tensor in a plain pickle": b"\x80\x02ctorch.storage\n_load_from_bytes\nB\x01\x00\x00\x00x\x85R.",
    "bound method": b"\x80\x02cbuiltins\ngetattr\ncacme\nThing\n)\x81" + text("__init__") + b"\x86R.",
    "typing": b"\x80\x04\x8c\x09_operator\x8c\x07getitem\x93\x8c\x06typing\x8c\x04List\x93\x8c\x08builtins\x8c\x03int\x93\x86R.",
    "array of an old numpy": b"\x80\x02cnumpy.core._internal\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R.",
    "logger": call("logging", "getLogger", "acme"),
    "subclass of a dict": b"\x80\x02comegaconf.nodes\nAnyNode\n)\x81}X\x01\x00\x00\x00aK\x01sb.",
}  # fmt: skip


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_uses_are_no_alarm(name):
    assert not [item for item in findings(ORDINARY[name]) if item.severity >= Severity.HIGH]


# Rule, a pickle that it objects to, one that it does not, one that tries to get round it.
CASES = [
    ("001", b"\x80\x02cos\nsystem\n.", pickle.dumps(dict), b"\x80\x04" + short("posix") + short("system") + b"\x93."),
    ("002", BARE, pickle.dumps(dt.date(2020, 1, 1)), call("distutils.spawn", "anything", "x")),
    ("003", call("builtins", "open", "x"), pickle.dumps(pathlib.PurePosixPath("x")), call("os", "remove", "x")),
    ("004", call("importlib", "import_module", "os"), pickle.dumps(operator.itemgetter(1)), call("acme", "import_string", "os")),
    ("005", call("acme.x", "run", "x"), pickle.dumps(uuid.UUID(int=1)), b"(S'x'\niacme.x\nThing\n."),
    ("006", b"\x80\x02cacme\nThing\n)\x81.", pickle.dumps(X), b"\x80\x02cacme\nthing\n."),
    ("007", TECHNIQUES["dotted"], b"\x80\x04ctorch\nFloatStorage\n.", b"\x80\x04cnumpy\n__class__.x\n."),
    ("009", TECHNIQUES["unresolvable STACK_GLOBAL"], pickle.dumps(X, 4), TECHNIQUES["STACK_GLOBAL of long text"]),
    ("010", TECHNIQUES["mutated allowed class"], pickle.dumps(collections.OrderedDict(a=1)), TECHNIQUES["append to an import"]),
    ("011", TECHNIQUES["computed callee"], pickle.dumps(functools.partial(np.mean)), TECHNIQUES["call of an instance"]),
    ("012", TECHNIQUES["base-0 number"], pickle.dumps(16, 0), TECHNIQUES["in a joblib array"]),
    ("013", TECHNIQUES["broken afterwards"], pickle.dumps(X), TECHNIQUES["cut off afterwards"]),
    ("014", pickle.dumps(1) + b"\x00\x01junk", pickle.dumps(1) + bytes(64), legacy(extra=b"\x01")),
    ("016", TECHNIQUES["nested, raw"], pickle.dumps([pickle.dumps([1] * 9)]), TECHNIQUES["nested, hex"]),
    ("017", TECHNIQUES["extension registry"], pickle.dumps(X), b"\x80\x02\x84\x01\x00\x00\x00."),
    ("018", b"\x80\x02X\x01\x00\x00\x00aQ.", legacy(), b"Pfile:///x\n."),
    ("019", TECHNIQUES["PROTO in mid-stream"], pickle.dumps(X), b"\x80\x05\x97."),
    ("020", b"Nr\xff\xff\xff\xff.", pickle.dumps(X), b"Np4000000000\n."),
    ("021", call("marshal", "loads", "x"), pickle.dumps(len), b"\x80\x02ctypes\nCodeType\n)\x81."),
    ("022", call("numpy", "load", "x"), pickle.dumps(X), b"\x80\x02ctorch.hub\nload\n."),
    ("023", b"\x80\x02c__main__\nNet\n)\x81.", pickle.dumps(X), b"(i__main__\nNet\n."),
]  # fmt: skip


@pytest.mark.parametrize(("number", "fires", "silent", "evasion"), CASES, ids=[case[0] for case in CASES])
def test_each_rule_fires_and_stays_silent(number, fires, silent, evasion):
    rule = BY_ID[f"MLG-PKL-{number}"]
    assert findings(fires, rules=(rule,))
    assert not findings(silent, rules=(rule,))
    assert findings(evasion, rules=(rule,))
    # Cut short, the same file is no reason to fall silent or to fail.
    assert findings(fires + b"\x00", rules=(rule,)) or number == "014"


def test_every_rule_has_a_case():
    assert {f"MLG-PKL-{case[0]}" for case in CASES} == set(BY_ID)


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_each_rule_explains_itself(rule):
    for part in (rule.summary, rule.what, rule.why, rule.fix):
        assert part
    assert not rule.summary.endswith(".")
    assert rule.references
    assert rule.cwe


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (call("acme.x", "run", "x"), "acme.x.run"),
        (b"\x80\x02cacme\nThing\n)\x81.", "acme.Thing"),
        (b"\x80\x02c__main__\nNet\n)\x81.", "__main__.Net"),
        (call("torch.hub", "load", "x"), "torch.hub.load"),
    ],
)
def test_the_policy_can_trust_a_global(data, name):
    assert ids(data)
    assert not ids(data, name)
    assert ids(data, name + "2")


@pytest.mark.parametrize("technique", ["mutated allowed class", "dotted", "computed callee"])
def test_trust_never_excuses_mutation_attributes_or_computed_calls(technique):
    names = ("collections.OrderedDict", "functools.partial", "torch.serialization.os.system", "numpy.mean")
    assert {"MLG-PKL-010", "MLG-PKL-007", "MLG-PKL-011"} & ids(TECHNIQUES[technique], *names)


@pytest.mark.parametrize(
    "data",
    [
        call("_codecs", "encode", "x", "rot13"),
        call("__builtin__", "getattr", "a", "b"),
        b"\x80\x02cfunctools\npartial\ncbuiltins\neval\n\x85R.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(X\x01\x00\x00\x00atR.",
        b"\x80\x02cbuiltins\ngetattr\ncnumpy.lib\nnpyio\nX\x04\x00\x00\x00load\x86R.",
        b"\x80\x02cbuiltins\ntype\n(X\x01\x00\x00\x00a)}tR.",
        b"\x80\x02cbuiltins\niter\ncos\ngetcwd\nN\x86R.",
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\ncos\nsystem\nX\x02\x00\x00\x00id\x85NtR.",
        b"\x80\x02cnumpy.core\n_ufunc_reconstruct\n" + text("os") + text("system") + b"\x86R.",
        b"\x80\x02cfunctools\npartial\ncbuiltins\ngetattr\n\x85R.",
        b"\x80\x02cbuiltins\ngetattr\ncacme\nThing\n)\x81" + text("__globals__") + b"\x86R.",
        b"\x80\x02cbuiltins\ngetattr\ncacme\nThing\n" + text("__init__") + b"\x86R.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor\n(cacme\nf\n)RX\x01\x00\x00\x00a))tR.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(cacme\nf\n)RK\x00" + text("a") + b"))N}tR.",
        b"\x80\x02ctorch._utils\n_rebuild_parameter\n(X\x01\x00\x00\x00a\x88}tR.",
        b"\x80\x02ctorch._utils\n_rebuild_parameter_with_state\n(]\x88}}tR.",
        b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n(X\x01\x00\x00\x00a)tR.",
        b"\x80\x02ctorch._utils\n_rebuild_nested_tensor\n(NNNNtR.",
        b"\x80\x02ctorch._utils\n_rebuild_meta_tensor_no_storage\n(cacme\nf\n))NtR.",
        b"\x80\x02ctorch._utils\n_rebuild_wrapper_subclass\n(cacme\nf\nctorch\nfloat32\n)NtR.",
        b"\x80\x02cnumpy.core.multiarray\nscalar\ncacme\nf\nC\x01b\x86R.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncacme\nf\n)C\x01b\x87R.",
        b"\x80\x05cnumpy._core.numeric\n_frombuffer\n(C\x01acacme\nf\n)NtR.",
    ],
)
def test_allowed_functions_are_allowed_with_honest_arguments_only(data):
    assert any(item.severity >= Severity.HIGH for item in findings(data))


@pytest.mark.parametrize(
    ("data", "severity"),
    [
        (b"\x80\x02cacme\nColor\nK\x01\x85R.", Severity.MEDIUM),
        (b"\x80\x02cacme\nOCR\nK\x01\x85R.", Severity.MEDIUM),
        (call("acme", "Color", "red"), Severity.MEDIUM),
        (b"\x80\x02cacme\nTable\ncbuiltins\nlist\n\x85R.", Severity.MEDIUM),
        (call("acme", "LoadError", "no such file: a b", "x"), Severity.MEDIUM),
        (call("acme", "Color", "a.b"), Severity.HIGH),
        (call("acme", "Color", "light blue"), Severity.MEDIUM),
        (call("acme", "Color", "echo hi"), Severity.HIGH),
        (call("acme", "Color", "Python -c x"), Severity.HIGH),
        (call("acme", "Color", "blue; sky"), Severity.HIGH),
        (call("acme", "Color", "light -blue"), Severity.HIGH),
        (call("acme", "ColorRunner", "light blue"), Severity.HIGH),
        (call("acme", "Color", "a", "b"), Severity.HIGH),
        (call("acme", "color", "red"), Severity.HIGH),
        (call("cmd", "Cmd", "red"), Severity.HIGH),
        (b"\x80\x02cacme\nTable\ncfastcore.xtras\nrun\n\x85R.", Severity.HIGH),
    ],
)
def test_what_enumerations_and_the_like_are_called_with_is_medium(data, severity):
    assert severities(data, "MLG-PKL-005") == {severity}


def test_a_class_inside_a_class_is_medium_in_any_protocol():
    outer = b"\x80\x02cbuiltins\ngetattr\ncacme\nOuter\n" + text("Inner") + b"\x86R"
    assert severities(outer + b")\x81.", "MLG-PKL-011") == {Severity.MEDIUM}
    assert severities(outer + b")R.", "MLG-PKL-011") == {Severity.HIGH}


def test_the_memory_formats_of_torch_are_ordinary():
    stream = b"\x80\x04" + short("acme") + short("torch.channels_last") + b"\x93."
    assert not severities(stream, "MLG-PKL-007")


def test_numbers_alone_make_an_unknown_function_no_better():
    assert severities(b"\x80\x02cacme\nrun\nK\x01\x85R.", "MLG-PKL-005") == {Severity.HIGH}


def test_a_damaged_honest_file_is_low():
    data = pickle.dumps(X)[:-20]
    assert severities(data, "MLG-PKL-013") == {Severity.LOW}


def test_evidence_shows_the_call_and_the_old_name():
    [finding] = findings(call("__builtin__", "eval", "1"), rules=(BY_ID["MLG-PKL-002"],))
    assert finding.evidence == "builtins.eval('1')\n(written as __builtin__.eval)"


def test_one_finding_a_use():
    assert [finding.rule for finding in findings(BARE)] == ["MLG-PKL-002"]


@pytest.mark.parametrize(
    ("module", "name", "args"),
    [
        ("pandas", "StringDtype", ["python"]),
        ("pandas", "PeriodDtype", ["period[M]"]),
        ("pandas", "Interval", ["0", "1", "right"]),
        ("pandas._libs.tslibs.offsets", "CustomBusinessDay", ["Mon Tue Wed"]),
    ],
)
def test_what_pandas_writes_is_ordinary(module, name, args):
    assert not findings(call(module, name, *args))


def test_a_class_that_legacy_torch_compares_is_the_class_itself():
    # persistent_load returns the class; its source is only compared.
    pid = (
        b"("
        + text("module")
        + b"ctorch.nn.modules.linear\nLinear\n"
        + text("linear.py")
        + text("class")
        + b"tQ"
    )
    assert not findings(b"\x80\x02" + pid + b")\x81.")
    assert "MLG-PKL-002" in ids(
        b"\x80\x02" + pid.replace(b"torch.nn.modules.linear\nLinear", b"os\nsystem") + b")R."
    )


def test_an_instance_of_vectorize_waits_like_any_other():
    assert not findings(b"\x80\x02cnumpy\nvectorize\n)\x81}b.")
    assert findings(b"\x80\x02cnumpy\nvectorize\ncnumpy\nmean\n\x85R.")


def _view(
    size, stride, offset=0, numel=10, kind=b"FloatStorage", function=b"_rebuild_tensor_v2", rest=b"\x89}"
):
    """A tensor of a storage, as torch.save writes it."""
    pid = (
        b"(" + text("storage") + b"ctorch\n" + kind + b"\n" + text("0") + text("cpu") + number(numel) + b"tQ"
    )
    numbers = (
        number(offset) + b"(" + b"".join(map(number, size)) + b"t(" + b"".join(map(number, stride)) + b"t"
    )
    return b"ctorch._utils\n" + function + b"\n(" + pid + numbers + rest + b"tR"


def number(value):
    data = value.to_bytes(9, "little", signed=True)
    return b"\x8a\x09" + data


def tensors(*views):
    found = findings(b"\x80\x02]" + b"".join(view + b"a" for view in views) + b".", rules=torch_rules.RULES)
    return [(item.rule, item.severity) for item in found]


@pytest.mark.parametrize(
    "view",
    [
        _view([10], [1]), _view([2, 5], [5, 1]), _view([5], [2], 1), _view([7, 10], [0, 1]), _view([0, 99], [99, 1], 10),
        _view([], [], 9), _view([10], [1], kind=b"BFloat16Storage"), _view([4, 0], [1, 1], 0, 0),
        _view([20], [1], kind=b"QUInt4x2Storage", function=b"_rebuild_qtensor", rest=b")\x89}"),
        _view([10], [1], numel=40, kind=b"UntypedStorage", function=b"_rebuild_tensor_v3", rest=b"\x89}ctorch\nfloat32\n"),
        _view([10], [1], numel=10, kind=b"UntypedStorage", function=b"_rebuild_tensor_v3", rest=b"\x89}ctorch\nfloat8_new\n"),
        _view([3], [1], 2) + b"0" + _view([3], [1], 7),
    ],
)  # fmt: skip
def test_a_view_within_its_storage_is_no_news(view):
    assert not tensors(view)


@pytest.mark.parametrize(
    "view",
    [
        _view([11], [1]), _view([2, 5], [6, 1]), _view([5], [2], 2), _view([], [], 10), _view([1], [1], 0, 0),
        _view([-1], [1]), _view([2], [-1], 5), _view([2], [1], -1), _view([2, 2], [1]), _view([1 << 62], [1 << 62]),
        _view([1 << 63, 0], [1, 1]), _view([2], [1 << 62], 0, 10),
        _view([11], [1], numel=40, kind=b"UntypedStorage", function=b"_rebuild_tensor_v3", rest=b"\x89}ctorch\nfloat32\n"),
        _view([21], [1], kind=b"QUInt4x2Storage", function=b"_rebuild_qtensor", rest=b")\x89}"),
        _view([3], [1]) + b"0" + _view([3], [1], numel=11),
        _view([3], [1]) + b"K\x00K\x01s",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n"
        + _view([11], [1]).removeprefix(b"ctorch._utils\n_rebuild_tensor_v2\n").removesuffix(b"R") + b"}tR",
    ],
)  # fmt: skip
def test_a_view_beyond_its_storage_is_high(view):
    assert ("MLG-TOR-003", Severity.HIGH) in tensors(view)


@pytest.mark.parametrize(
    ("indices", "values", "size", "fits"),
    [
        ([2, 3], [3], [4, 4], True),
        ([1, 3], [3, 4], [4, 4], True),
        ([2, 0], [0], [4, 4], True),
        ([2, 3], [4], [4, 4], False),
        ([3, 3], [3], [4, 4], False),
        ([1, 3], [3, 5], [4, 4], False),
        ([3], [3], [4], False),
        ([2, 3], [3], [4, -4], False),
    ],
)
def test_the_parts_of_a_sparse_tensor_fit_each_other(indices, values, size, fits):
    parts = b"".join(_view(side, [0] * len(side)) for side in (indices, values))
    sparse = b"ctorch._utils\n_rebuild_sparse_tensor\n(ctorch\nsparse_coo\n(" + parts
    sparse += b"(" + b"".join(map(number, size)) + b"t\x88ttR"
    assert tensors(sparse) == ([] if fits else [("MLG-TOR-003", Severity.HIGH)])


def test_numbers_that_nobody_can_read_are_medium():
    assert tensors(_view([2], [1]).replace(number(1) + b"t", b"\x8a\x40" + bytes(64) + b"t")) == [
        ("MLG-TOR-003", Severity.MEDIUM)
    ]
