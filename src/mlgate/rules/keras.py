"""Rules about Keras models: what their configuration makes a loader run, import and open."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._keras_names import outside, reaching, switch

_ATLAS = ("AML.T0011.000", "AML.T0018.002")
_OWASP = ("ML06:2023", "LLM03:2025")
# What has a graph besides its configuration, and is mostly run by that.
_SAVED = "savedmodel"
_LAYER = (
    "Do not load the model. Have its author write the function as a layer of its own:\n\n```python\n"
    '@keras.saving.register_keras_serializable(package="acme")\nclass Scale(keras.layers.Layer): ...\n```\n\n'
    "or ship the weights alone with `model.save_weights`."
)
_WITHOUT = (
    "Do not load the model. Ask its author for the weights alone (`model.save_weights`), and build the "
    "model in your own code."
)


_OWN = (
    "Nothing, where it is in code that you know: the program that loads the model has to register it or give "
    "it as `custom_objects`."
)


def _lambda(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.detail["holder"] != _SAVED:
            yield Hit(fact, f"The configuration holds Python byte code, for {fact.subject}.")


def _saved_lambda(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.detail["holder"] == _SAVED:
            yield Hit(fact, f"The SavedModel's Keras metadata holds Python byte code, for {fact.subject}.")


def _allowed(fact: Fact, policy: Any) -> bool:
    return fact.subject in policy.models.allow_globals


def _reference(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "keras.operation":
            if reaching(fact.subject):
                message = f"A layer runs the operation {fact.subject}, which reaches files or Python."
                yield Hit(fact, message, severity=Severity.CRITICAL)
            continue
        if switch(fact) or _allowed(fact, policy):
            continue
        what = "function" if fact.detail["function"] else "class"
        severity = outside(fact)
        if severity is Severity.CRITICAL:
            message = f"The configuration makes the loader import {fact.subject} and call it."
        elif fact.detail["module"] in ("", "builtins"):
            message = f"The model needs a {what} of its own, {fact.subject}."
        else:
            message = f"The model names the {what} {fact.subject}, which is not known to be Keras' own."
        yield Hit(fact, message, severity=severity, fix=_OWN if severity is Severity.LOW else None)


def _switch(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if switch(fact):
            yield Hit(fact, f"The configuration makes the loader call {fact.subject}.")


def _pickle(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The layer {fact.subject} holds a pickle, which is loaded together with the model.")


def _unguarded(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    """Yield a hit for each HDF5 file that has anything which Keras' safe mode is there to stop."""
    seen: set[tuple[str, str | None]] = set()
    for fact in facts:
        place = (fact.location.path, fact.location.member)
        if fact.detail["holder"] != "hdf5" or place in seen:
            continue
        if fact.kind == "keras.reference" and not (
            switch(fact) or (outside(fact) is Severity.CRITICAL and not _allowed(fact, policy))
        ):
            continue
        seen.add(place)
        yield Hit(fact, f"This HDF5 file holds something that runs, {fact.subject}, whatever safe_mode says.")


def _external(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        how, escape = fact.detail["how"], fact.detail["escape"]
        # Large collections of data are made of files that lie side by side.
        # Another file of the repository is looked at as what it is.
        beside = escape is None
        where = "beside it" if escape is None else "outside its folder"
        yield Hit(
            fact,
            f"The HDF5 file takes data from another file {where}, {fact.subject} ({how}).",
            severity=Severity.MEDIUM if beside else None,
            evidence=f"{fact.detail['at']} -> {fact.subject} {fact.detail['target']}".rstrip(),
        )


def _path(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        key, layer, escape = fact.detail["key"], fact.detail["layer"], fact.detail["escape"]
        if layer:
            # TensorFlow Hub is where honest models take such layers from.
            severity = Severity.MEDIUM if escape is None or key == "handle" else Severity.HIGH
            yield Hit(fact, f"A {layer} loads a whole model from {fact.subject}.", severity=severity)
        elif escape is not None:
            yield Hit(fact, f"A layer reads its {key} from {fact.subject}, outside the model.")


def _rule(
    number: int, name: str, severity: Severity, kinds: tuple[str, ...], judge: Any, **rest: Any
) -> Rule:
    return Rule(
        id=f"{rest.pop('family', 'MLG-KER')}-{number:03d}",
        name=name,
        check=Check.MODELS,
        severity=severity,
        kinds=kinds,
        judge=judge,
        atlas=_ATLAS,
        owasp=_OWASP,
        **rest,
    )


RULES = (
    _rule(
        1,
        "lambda-layer-with-code",
        Severity.CRITICAL,
        ("keras.lambda",),
        _lambda,
        summary="A Keras model holds marshalled Python code",
        what="A Lambda layer, or a function given as `__lambda__`, is stored as Python byte code. A "
        "Lambda that only names a function is not meant.",
        why="Loading or calling the model runs the code. Versions before 2.13 do so unasked.",
        fix=_LAYER,
        references=("CVE-2024-3660", "https://keras.io/api/layers/core_layers/lambda/"),
        cwe=(502, 94),
        precision="very-high",
    ),
    _rule(
        3,
        "lambda-layer-in-saved-model",
        Severity.HIGH,
        ("keras.lambda",),
        _saved_lambda,
        family="MLG-TFS",
        summary="The Keras metadata of a SavedModel holds marshalled Python code",
        what="A Lambda layer, or a function given as `__lambda__`, is stored as Python byte code in the "
        "metadata that Keras writes into a SavedModel.",
        why="`tf.saved_model.load` runs the graph alone; `keras.models.load_model` rebuilds the layers, and "
        "runs the code.",
        fix="Leave `keras_metadata.pb` out, which serving does not need, and load the graph with "
        "`tf.saved_model.load`; or have its author write the function as a layer of its own.",
        references=("CVE-2024-3660", "https://keras.io/api/layers/core_layers/lambda/"),
        cwe=(502, 94),
        precision="high",
    ),
    _rule(
        2,
        "keras-config-references-foreign-object",
        Severity.CRITICAL,
        ("keras.reference", "keras.operation"),
        _reference,
        varies=True,
        summary="A Keras configuration names a class or function that is not Keras' own",
        what="`module`, `class_name` or `config` name something outside Keras. Functions of any module, "
        "modules of Python itself and objects known to be dangerous are critical, a class of another "
        "package is medium, and a name that the loader has to be given is low.",
        why="Keras before 3.9 imports any module that is named, and calls what it finds there with "
        "arguments from the file.",
        fix="Where the class is your own, name it in the policy:\n\n```yaml\nmodels:\n  allow_globals: "
        "[acme.layers.Attention]\n```\n\nElse do not load the model; ask its author for the weights alone "
        "(`model.save_weights`).",
        references=("CVE-2025-1550", "CVE-2024-3660"),
        cwe=(502, 470, 94),
        precision="high",
    ),
    _rule(
        3,
        "keras-config-calls-switch-or-loader",
        Severity.CRITICAL,
        ("keras.reference",),
        _switch,
        summary="A Keras configuration calls functions that switch off safe mode, download or load",
        what="A function of `keras.config`, `keras.utils`, `keras.saving` or the like stands where a "
        "layer, loss or activation should: `enable_unsafe_deserialization`, `get_file`, `load_model`.",
        why="Such a function belongs to Keras, so that checks of the module let it pass. It turns safe "
        "mode off, fetches a file or loads another model.",
        fix=_WITHOUT,
        references=("CVE-2025-9906", "CVE-2025-8747", "CVE-2025-12060"),
        cwe=(502, 693, 913),
        precision="very-high",
    ),
    _rule(
        4,
        "keras-layer-holds-pickle",
        Severity.CRITICAL,
        ("keras.pickle",),
        _pickle,
        summary="A Keras layer holds a pickled module of PyTorch",
        what="A `TorchModuleWrapper` has a module of PyTorch in its configuration, written with "
        "`torch.save`. The pickle inside was looked at too.",
        why="Keras reads it with `torch.load(weights_only=False)`; before version 3.11.3 in safe mode, too.",
        fix="Export the module's weights (`safetensors.torch.save_file(module.state_dict(), "
        '"module.safetensors")`) and build the layer in your own code.',
        references=("CVE-2025-49655",),
        cwe=(502,),
        precision="very-high",
    ),
    _rule(
        5,
        "executable-config-in-hdf5",
        Severity.HIGH,
        ("keras.lambda", "keras.pickle", "keras.reference"),
        _unguarded,
        summary="An HDF5 model holds code, and its loader has no safe mode",
        what="The configuration in an HDF5 file holds byte code, a pickle, or calls something outside Keras.",
        why="Keras ignores `safe_mode=True` for HDF5 files up to version 3.11.2: what stands there is run.",
        fix="Do not load the model. Where you made it yourself, write it without code, in the newer "
        "format:\n\n"
        '```python\nmodel.save("model.keras")\n```',
        references=("CVE-2025-9905",),
        cwe=(693, 913),
        precision="very-high",
    ),
    _rule(
        6,
        "hdf5-data-from-other-files",
        Severity.HIGH,
        ("hdf5.external",),
        _external,
        varies=True,
        summary="An HDF5 file takes data from other files",
        what="An external link, an external raw data file, or a virtual data set leads out of the file. "
        "One that leads to a file beside it is medium.",
        why="Whoever loads the model reads those files into weights, and gives them away with the model.",
        fix="Write the file as one:\n\n```sh\nh5repack model.h5 whole.h5\n```\n\nor copy the weights with "
        "`model.save_weights` on a machine of your own.",
        references=("CVE-2026-1669", "https://docs.h5py.org/en/stable/high/group.html#external-links"),
        cwe=(22, 73, 610),
        precision="very-high",
    ),
    _rule(
        7,
        "keras-file-outside-model",
        Severity.HIGH,
        ("keras.path",),
        _path,
        varies=True,
        summary="A layer of a Keras model reads a file that is not part of it",
        what="The vocabulary of a layer is an absolute path, climbs out with `..`, or is an address. "
        "Layers that load a whole model, such as `TFSMLayer`, are medium where that lies beside the model.",
        why="Loading the model reads files of the machine, or sends requests, and a model that is loaded "
        "brings operations of its own.",
        fix="Build the layer with the words themselves (`StringLookup(vocabulary=[...])`) and save the model "
        "again with `model.save`.",
        references=("CVE-2025-12058", "CVE-2026-1462"),
        cwe=(22, 73, 918),
        precision="high",
    ),
)
