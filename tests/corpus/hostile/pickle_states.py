"""Objects whose state is the payload: they wait for their first use, or for the garbage collector."""

from collections.abc import Iterator

from tests.corpus.assemble import Call, Global, Raw, call, named, new, pickled, push, text
from tests.corpus.sample import Sample

G = Global
SYSTEM = G("os", "system")
PARTIAL = Call(G("functools", "partial"), (SYSTEM, "true"))

# A class of a package that models are made with, and an attribute that it calls.
ATTRIBUTES = [
    ("sklearn.preprocessing._function_transformer", "FunctionTransformer", "func"),
    ("sklearn.preprocessing._function_transformer", "FunctionTransformer", "inverse_func"),
    ("sklearn.feature_extraction.text", "TfidfVectorizer", "preprocessor"),
    ("sklearn.feature_extraction.text", "CountVectorizer", "analyzer"),
    ("sklearn.feature_extraction.text", "HashingVectorizer", "tokenizer"),
    ("sklearn.neighbors._unsupervised", "NearestNeighbors", "metric"),
    ("sklearn.neighbors._classification", "KNeighborsClassifier", "weights"),
    ("sklearn.svm._classes", "SVC", "kernel"),
    ("sklearn.gaussian_process._gpr", "GaussianProcessRegressor", "optimizer"),
    ("sklearn.cluster._spectral", "SpectralClustering", "affinity"),
    ("sklearn.pipeline", "Pipeline", "steps"),
    ("sklearn.compose._column_transformer", "ColumnTransformer", "transformers"),
    ("sklearn.ensemble._voting", "VotingClassifier", "estimators"),
    ("sklearn.model_selection._search", "GridSearchCV", "scoring"),
    ("sklearn.metrics._scorer", "_PredictScorer", "_score_func"),
    ("sklearn.ensemble._gb", "GradientBoostingClassifier", "init"),
    ("sklearn.feature_selection._univariate_selection", "SelectKBest", "score_func"),
    ("torch.nn.modules.linear", "Linear", "forward"),
    ("torch.nn.modules.linear", "Linear", "_forward_pre_hooks"),
    ("torch.nn.modules.container", "Sequential", "__call__"),
    ("torch.nn.modules.activation", "ReLU", "_call_impl"),
    ("torch.optim.sgd", "SGD", "step"),
    ("torch.optim.lr_scheduler", "LambdaLR", "lr_lambdas"),
    ("torch.utils.data.dataloader", "DataLoader", "collate_fn"),
    ("collections", "OrderedDict", "__missing__"),
    ("xgboost.sklearn", "XGBClassifier", "objective"),
    ("lightgbm.sklearn", "LGBMClassifier", "_fobj"),
    ("statsmodels.base.model", "Results", "predict"),
    ("nltk.classify.naivebayes", "NaiveBayesClassifier", "classify"),
    ("spacy.language", "Language", "tokenizer"),
    ("keras.src.models.sequential", "Sequential", "call"),
    ("acme.models", "Net", "forward"),
    ("types", "SimpleNamespace", "run"),
    ("argparse", "Namespace", "func"),
    ("threading", "local", "a"),
    ("string", "Template", "substitute"),
]

# Left to the garbage collector, or to the loader's own first look at it.
TIMED = {
    "a temporary file's closer": (
        "tempfile",
        "_TemporaryFileCloser",
        {"name": "a", "delete": True, "close_called": False, "unlink": SYSTEM, "file": None},
    ),
    "a temporary file": (
        "tempfile",
        "_TemporaryFileWrapper",
        {"name": "a", "delete": True, "_closer": PARTIAL, "file": None},
    ),
    "a directory's finalizer": ("tempfile", "TemporaryDirectory", {"name": "/tmp/a", "_finalizer": PARTIAL}),
    "a subprocess that is forgotten": (
        "subprocess",
        "Popen",
        {"_child_created": True, "returncode": None, "_internal_poll": SYSTEM, "pid": 1},
    ),
    "a shelf": ("shelve", "Shelf", {"writeback": True, "cache": {"a": 1}, "dict": {}, "close": PARTIAL}),
    "an URL opener": (
        "urllib.request",
        "URLopener",
        {"close": PARTIAL, "_URLopener__tempfiles": ["/tmp/a"], "_URLopener__unlink": SYSTEM},
    ),
    "a zip file": ("zipfile", "ZipFile", {"fp": None, "mode": "w", "close": PARTIAL}),
    "a wave writer": ("wave", "Wave_write", {"close": PARTIAL}),
    "an event loop": ("asyncio.base_events", "BaseEventLoop", {"close": PARTIAL, "is_closed": SYSTEM}),
    "a generator's manager": ("contextlib", "_GeneratorContextManager", {"gen": None, "func": SYSTEM}),
    "a Tk variable": ("tkinter", "Variable", {"_tk": None, "_name": "a"}),
    "an exit stack": ("contextlib", "ExitStack", {"_exit_callbacks": [[True, SYSTEM]]}),
    "a thread": ("threading", "Thread", {"_target": SYSTEM, "_args": ["true"], "run": PARTIAL}),
    "a finalizer": ("multiprocessing.util", "Finalize", {"_callback": SYSTEM, "_args": ("true",)}),
    "a cached property": ("functools", "cached_property", {"func": SYSTEM}),
    "a default dictionary": ("collections", "UserDict", {"data": {}, "__missing__": SYSTEM}),
    "a mock": ("unittest.mock", "Mock", {"side_effect": SYSTEM}),
    "a plugin's entry point": (
        "importlib.metadata",
        "EntryPoint",
        {"name": "a", "value": "os:system", "group": "b"},
    ),
    "a module that loads": ("importlib.util", "_LazyModule", {"__name__": "antigravity"}),
    "a module loader": ("importlib.machinery", "SourceFileLoader", {"name": "a", "path": "a.py"}),
    "a socket": ("socket", "socket", {}),
    "a database": ("sqlite3", "Connection", {}),
    "a Dask graph": ("dask.delayed", "Delayed", {"dask": {"a": (SYSTEM, "true")}, "_key": "a"}),
    "a joblib call": ("joblib.parallel", "BatchedCalls", {"items": [(SYSTEM, ("true",), {})]}),
    "a memoised function": ("joblib.memory", "MemorizedFunc", {"func": SYSTEM}),
    "an interactive shell": ("code", "InteractiveInterpreter", {"locals": {}}),
    "a template": ("jinja2.environment", "Template", {"root_render_func": SYSTEM}),
    "a resolver": (
        "logging.config",
        "BaseConfigurator",
        {"config": {}, "importer": G("builtins", "__import__")},
    ),
    "a completer": ("rlcompleter", "Completer", {"namespace": {}}),
    "a timer": ("timeit", "Timer", {"inner": SYSTEM}),
}

# The state sits on something that looks like data.
_LITERALS = {
    "a property in a namespace": call(G("types", "SimpleNamespace")) + b"}" + text("x") + push(Call(G("builtins", "property"), (SYSTEM,))) + b"sb",
    "a class with a method": call(G("builtins", "type"), "X", (), {"__init__": SYSTEM}) + b")R",
    "a class with __del__": call(G("builtins", "type"), "X", (), {"__del__": SYSTEM}),
    "a class with __reduce__": call(G("types", "new_class"), "X", (), {}, SYSTEM),
    "an enum with a member function": call(G("enum", "Enum"), "X", {"a": SYSTEM}),
    "a named tuple's class": call(G("collections", "namedtuple"), "X", "a"),
    "a dataclass": call(G("dataclasses", "make_dataclass"), "X", ["a"]),
    "partial by newobj": new(G("functools", "partial"), SYSTEM, "true"),
    "partial's state changes the function": call(G("functools", "partial"), G("operator", "itemgetter")) + push((SYSTEM, ("true",), {}, None)) + b"b",
    "partial of partial": call(G("functools", "partial"), PARTIAL),
    "partial called": push(PARTIAL) + b")R",
    "method bound to text": call(G("types", "MethodType"), SYSTEM, "true"),
    "method bound and called": call(G("types", "MethodType"), SYSTEM, "true") + b")R",
    "sorted by a function": call(G("heapq", "nlargest"), 1, ["true", "a"], SYSTEM),
    "a list of a map": named("builtins", "list") + new(G("builtins", "map"), SYSTEM, ["true"]) + b"\x85\x81",
    "a dict of a map": named("collections", "OrderedDict") + new(G("builtins", "map"), SYSTEM, ["true"]) + b"\x85R",
    "an array of a map": named("array", "array") + text("b") + new(G("builtins", "map"), SYSTEM, ["true"]) + b"\x86R",
    "a Fraction of a map": named("fractions", "Fraction") + new(G("builtins", "map"), SYSTEM, ["true"]) + b"\x85R",
    "a frozenset of a map": named("builtins", "frozenset") + new(G("builtins", "map"), SYSTEM, ["true"]) + b"\x85R",
    "a tuple of a filter": named("builtins", "tuple") + new(G("builtins", "filter"), SYSTEM, ["true"]) + b"\x85\x81",
    "bytes of a map": named("builtins", "bytes") + new(G("builtins", "map"), SYSTEM, ["true"]) + b"\x85R",
    "bytearray of a map": named("builtins", "bytearray") + new(G("builtins", "map"), SYSTEM, ["true"]) + b"\x85R",
    "numpy array of a map": named("numpy", "array") + new(G("builtins", "map"), SYSTEM, ["true"]) + b"\x85R",
    "an enumerate of a map": new(G("builtins", "enumerate"), Raw(new(G("builtins", "map"), SYSTEM, ["true"]))),
    "a zip of a map": call(G("builtins", "zip"), Raw(new(G("builtins", "map"), SYSTEM, ["true"]))),
    "a chain's state": call(G("itertools", "chain")) + push((Raw(new(G("builtins", "map"), SYSTEM, ["true"])),)) + b"b",
    "an iterator of a callable": call(G("builtins", "iter"), SYSTEM, "true"),
    "APPENDS of a map": b"](" + b"N" + new(G("builtins", "map"), SYSTEM, ["true"]) + b"e",
    "a deque subclass": new(G("collections", "deque"), Raw(new(G("builtins", "map"), SYSTEM, ["true"]))),
    "a regular expression's callback": call(G("re", "sub"), "a", SYSTEM, "a"),
    "an exception's notes": call(G("builtins", "Exception"), SYSTEM),
    "unittest case": call(G("unittest", "FunctionTestCase"), PARTIAL),
    "a Counter's subclass": call(G("collections", "Counter"), Raw(new(G("builtins", "map"), SYSTEM, ["true"]))),
    "a ufunc out of a function": call(G("numpy", "frompyfunc"), SYSTEM, 1, 1) + push((["true"],)) + b"R",
    "torch lambda": call(G("torch.nn.modules.module", "Module")) + b"}" + text("forward") + push(PARTIAL) + b"sb",
}  # fmt: skip


def samples() -> Iterator[Sample]:
    family = "pickle: states that wait"
    for module, name, attribute in ATTRIBUTES:
        for kind, value in (
            ("function", SYSTEM),
            ("partial", PARTIAL),
            ("list", [["a", SYSTEM]]),
            ("exec", G("builtins", "exec")),
        ):
            body = new(G(module, name)) + b"}" + text(attribute) + push(value) + b"sb"
            yield Sample(
                family,
                f"{module}.{name}.{attribute} {kind}",
                "called with the model's first use",
                {"model.pkl": pickled(body, 2)},
            )
    for name, (module, cls, state) in TIMED.items():
        bodies = {
            "newobj": new(G(module, cls)) + push(state) + b"b",
            "reconstructor": call(
                G("copyreg", "_reconstructor"), G(module, cls), G("builtins", "object"), None
            )
            + push(state)
            + b"b",
            "slots": new(G(module, cls)) + push((None, state)) + b"b",
        }
        plain = not any(isinstance(each, Global | Call) for each in state.values())
        for form, body in bodies.items():
            yield Sample(
                family,
                f"{name} {form}",
                "runs when it is collected or used",
                {"model.pkl": pickled(body, 2)},
                "medium" if plain else "high",
            )
    for name, body in _LITERALS.items():
        mild = {"a named tuple's class", "an exception's notes"}
        yield Sample(
            family,
            name,
            "a value that calls what it holds",
            {"model.pkl": pickled(body, 2)},
            "medium" if name in mild else "high",
        )
