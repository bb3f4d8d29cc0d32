"""The assessment: how well the policy's models do on the user's data, and under attack.

It loads only model bytes that the model check has cleared, and only in a sandboxed
process that has confined itself before it reads them (:mod:`.sandbox`). The gate keeps
the labels, the thresholds and the attack; the model sees features and nothing else.

Models are ONNX classifiers (see :mod:`.loaders.onnx` for which versions load), data is
npz or csv. Facts: ``assessment.measurement`` for every figure, ``assessment.digest`` for
every file whose digest the policy names.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from mlgate.checks import Scope
from mlgate.core.facts import Check, Location, NotChecked, Observations

if TYPE_CHECKING:
    from mlgate.checks.assessment.sandbox.walls import Wall


def collect(scope: Scope) -> Observations:
    """Run the policy's assessments, or those that ``scope.assessments`` names."""
    entries = scope.policy.policy.assessment
    known = {entry.name for entry in entries}
    place = Location(scope.policy.path or ".", line=scope.policy.line("assessment"))
    gaps = tuple(
        NotChecked(
            Check.ASSESSMENT,
            "unknown-assessment",
            place,
            f"the policy has no assessment {name!r}; it has {', '.join(sorted(known)) or 'none'}",
            name,
        )
        for name in scope.assessments
        if name not in known
    )
    chosen = [
        index
        for index, entry in enumerate(entries)
        if not scope.assessments or entry.name in scope.assessments
    ]
    if not chosen:
        return Observations(not_checked=gaps)
    if importlib.util.find_spec("numpy") is None:
        message = "numpy must be installed to assess models: pip install 'mlgate[assess]'"
        missing = tuple(
            NotChecked(Check.ASSESSMENT, "extra-missing", place, message, entries[index].name)
            for index in chosen
        )
        return Observations(not_checked=gaps + missing)
    # numpy is an extra, and slow to import: it is loaded where there is something to measure.
    run: Any = importlib.import_module("mlgate.checks.assessment.run")
    parts = [Observations(not_checked=gaps)]
    walls: tuple[Wall, ...] = ()
    for index in chosen:
        part, own = run.observe(scope, index)
        parts.append(part)
        walls = walls or own
    if walls:
        parts.append(Observations(sources=(run.sandbox(walls),)))
    return Observations.merge(parts)
