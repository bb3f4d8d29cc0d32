"""Per-path overrides: which policy holds for a file.

An override says for the files that match what the policy says for all. Where several match,
the later ones hold, key by key. A finding belongs to the path where it stands; what is asked
of a model's behaviour, and of the policy itself, stands in the policy and has no path.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import UNSET, Struct
from msgspec.structs import asdict, replace

from mlgate.core.facts import Check, Fact, Location, NotChecked
from mlgate.core.findings import Finding
from mlgate.core.judge import judge, worst_first
from mlgate.core.rules import Rule
from mlgate.policy.globs import compile_globs
from mlgate.policy.load import NAME, PolicyFile
from mlgate.policy.schema import Override, Policy


def resolver(policy: Policy) -> Callable[[str], Policy]:
    """Return a function from a path to the policy that holds there."""
    tests = [compile_globs([each.path]) for each in policy.overrides]
    known: dict[tuple[int, ...], Policy] = {(): policy}

    def holding(path: str) -> Policy:
        met = tuple(index for index, test in enumerate(tests) if test(path))
        if met not in known:
            changed = policy
            for index in met:
                changed = _overridden(changed, policy.overrides[index])
            known[met] = changed
        return known[met]

    return holding


def judge_each(
    rules: Iterable[Rule], facts: Sequence[Fact], policy: Policy, context: Sequence[Fact] = ()
) -> tuple[Finding, ...]:
    """Judge every fact by the policy that holds where it stands.

    Every rule sees all facts each time: what it concludes from several files stays right.

    Args:
        rules: The rules.
        facts: About what is in scope.
        policy: The policy.
        context: Facts about what is beside it. What they alone would be found for is not in scope.
    """
    if context:
        rules = tuple(rules)
        before = {(each.fingerprint, each.severity) for each in judge_each(rules, context, policy)}
        after = judge_each(rules, (*facts, *context), policy)
        return tuple(each for each in after if (each.fingerprint, each.severity) not in before)
    holding = resolver(policy)
    groups: dict[int, tuple[Policy, set[str]]] = {}
    for fact in facts:
        path = fact.location.path
        own = holding(path)
        groups.setdefault(id(own), (own, set()))[1].add(path)
    rules = tuple(rules)
    if len(groups) == 1:
        return judge(rules, facts, next(iter(groups.values()))[0])
    found = [
        finding
        for own, paths in groups.values()
        for finding in judge(rules, facts, own)
        if finding.location.path in paths
    ]
    return tuple(sorted(found, key=worst_first))


def threshold_policy(holding: Callable[[str], Policy], policy: Policy, finding: Finding) -> Policy:
    """Return the policy whose thresholds a finding is held to."""
    return holding(finding.location.path) if finding.check in _PLACED else policy


def unmatched(loaded: PolicyFile, paths: Sequence[str]) -> Iterator[NotChecked]:
    """Yield the overrides that match no file: a renamed folder must not fall under laxer rules unseen."""
    for index, override in enumerate(loaded.policy.overrides):
        if not any(map(compile_globs([override.path]), paths)):
            yield NotChecked(
                check=Check.POLICY,
                reason="nothing-matched",
                location=Location(loaded.path or NAME, line=loaded.line(f"overrides[{index}].path")),
                message=f"overrides has {override.path!r}, which matches no file; correct it, or remove it",
                subject=override.path,
            )


_PLACED = (Check.MODELS, Check.DEPENDENCIES)


def _overridden(policy: Policy, override: Override) -> Policy:
    if override.fail_on is not UNSET:
        # Of every check: whoever names one severity for a folder means all that is in it.
        policy = replace(
            policy,
            fail_on=override.fail_on,
            models=replace(policy.models, fail_on=UNSET),
            dependencies=replace(policy.dependencies, fail_on=UNSET),
        )
    return replace(
        policy,
        models=_with(policy.models, override.models),
        dependencies=_with(policy.dependencies, override.dependencies),
    )


def _with(section: Struct, changes: Struct) -> Struct:
    return replace(section, **{key: value for key, value in asdict(changes).items() if value is not UNSET})
