"""The dependency check: manifests into pins, pins to auditors, answers into facts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from msgspec import UNSET
from msgspec.structs import replace

from mlgate.checks import Scope
from mlgate.checks.dependencies import discovery, malware, merge
from mlgate.checks.dependencies.auditor import Audit, Auditor, Pin
from mlgate.checks.dependencies.discovery import Found, Root
from mlgate.checks.dependencies.manifest import trait
from mlgate.checks.dependencies.pins import Pins, resolve
from mlgate.checks.dependencies.walk import Tree, Walker
from mlgate.core.discovery import module, names
from mlgate.core.facts import Check, Fact, Location, NotChecked, Observations, Package, Source

_AUDITORS = "mlgate.checks.dependencies.auditors"


def collect(scope: Scope) -> Observations:
    """Read the manifests in scope, audit what they pin, and say what stays open."""
    limits = scope.policy.policy.limits
    found = discovery.find(scope)
    walker = Walker(scope.target, limits)
    trees = _read(found, scope, walker)
    pins = resolve(trees, walker)
    passed = _unread(found, trees, scope, walker)
    _nothing(trees, scope, walker)
    audits = _audit(pins.packages, scope)
    facts, gaps = _judgeable(pins, audits, limits.facts)
    facts += _required(pins.packages)
    agreement = merge.agreement(_wanted(pins.packages), audits)
    return Observations(
        facts=tuple(facts),
        not_checked=(
            *walker.not_checked,
            *gaps,
            *(gap for audit in audits.values() for gap in audit.not_checked),
        ),
        packages=pins.packages,
        sources=(
            _manifests_source(found, trees, walker.aside, passed, scope),
            *(source for audit in audits.values() for source in audit.sources),
            *([] if agreement is None else [agreement]),
        ),
    )


def _read(found: Found, scope: Scope, walker: Walker) -> list[Tree]:
    """Read every root. A discovered file that another one requires is no root of its own."""
    trees = []
    for root in found.roots:
        if root.reader is not None:
            scope.progress(root.path)
            trees.append(walker.tree(root))
    changed = scope.target.deleted.union(file.path for file in scope.target.files)
    if not scope.target.whole:
        trees += map(
            walker.tree, _including(found, scope, changed.difference(*(tree.required for tree in trees)))
        )
    kept: list[Tree] = []
    # The widest first: of two files that require each other, the first in path order stays.
    for tree in sorted(trees, key=lambda tree: -len(tree.required)):
        if tree.root.named or not any(tree.root.path in other.required for other in kept):
            kept.append(tree)
    return [
        tree
        for tree in trees
        if tree in kept
        and (scope.target.whole or not changed.isdisjoint(tree.files))
        and not _is_none(tree, walker)
    ]


def _including(found: Found, scope: Scope, changed: frozenset[str]) -> Iterator[Root]:
    """Yield the manifests that did not change, and include what did and is not read as one itself."""
    for root in found.unchanged if changed else ():
        # Read aside: what is wrong with a manifest that the change does not touch is not its matter.
        if not changed.isdisjoint(Walker(scope.target, scope.policy.policy.limits).tree(root).files):
            yield root


def _is_none(tree: Tree, walker: Walker) -> bool:
    """Say whether a file that was found by its content turned out to be no manifest."""
    reader = tree.root.reader
    found = not tree.root.named and reader is not None and trait(reader, "MARK") is not None
    return found and not tree.placed and not tree.indexes and not _has_gap(walker, tree.paths)


def _unread(found: Found, trees: Sequence[Tree], scope: Scope, walker: Walker) -> list[str]:
    """Say which manifests are known by name and not read.

    Returns:
        Declarations for which another manifest in their folder speaks; the source names them.
    """
    passed: list[str] = []
    spoken = {tree.folder for tree in trees if _asks(tree)}
    for root in found.roots:
        if root.reader is not None:
            continue
        kind = root.unread
        if not root.named and kind is not None and kind.kind == "declaration":
            if kind.contains:
                data = walker.data(root.path) or b""
                if not any(word.encode() in data for word in kind.contains):
                    continue
            if root.path.rpartition("/")[0] in spoken:
                passed.append(root.path)
                continue
        changed = scope.target.whole or any(file.path == root.path for file in scope.target.files)
        if changed:
            instead = kind.instead if kind else "name a requirements.txt, pylock.toml or uv.lock instead"
            message = f"is a manifest of a kind that is not read; {instead}"
            walker.gap("unsupported-manifest", root.path, message)
    return passed


def _nothing(trees: Sequence[Tree], scope: Scope, walker: Walker) -> None:
    """Nothing to audit is an answer only where the policy or a partial target says so."""
    wanted = scope.policy.policy.dependencies.manifests
    if not scope.target.whole or wanted == ():
        return
    silent = "holds no requirement, so nothing was audited; if that is meant, remove it from "
    if wanted is not UNSET:
        for tree in trees:
            if not _asks(tree) and not _has_gap(walker, tree.paths):
                walker.gap("nothing-to-audit", tree.root.path, f"{silent}dependencies.manifests")
        return
    if any(_asks(tree) for tree in trees) or walker.not_checked:
        return
    message = (
        "no manifest with a requirement was found; name yours in the policy (dependencies.manifests), or "
        "say that there is none: `dependencies: {manifests: []}`"
    )
    place = scope.policy.path or "."
    walker.gap("nothing-to-audit", place, message, scope.policy.line("dependencies"))


def _asks(tree: Tree) -> bool:
    """Say whether a tree requires anything: a constraint without a pin does not."""
    return any(not placed.constraint or placed.requirement.version is not None for placed in tree.placed)


def _has_gap(walker: Walker, paths: frozenset[str]) -> bool:
    return any(gap.location.path in paths for gap in walker.not_checked)


def _audit(packages: Iterable[Package], scope: Scope) -> Mapping[str, Audit]:
    """Ask every auditor that the policy names about every pin, once."""
    pins = _wanted(packages)
    known = {name.replace("_", "-"): name for name in names(_AUDITORS)}
    audits: dict[str, Audit] = {}
    for index, name in enumerate(dict.fromkeys(scope.policy.policy.dependencies.auditors)):
        if name in known:
            scope.progress(f"auditor {name}")
            audits[name] = cast("Auditor", module(_AUDITORS, known[name])).audit(pins, scope)
            continue
        place = Location(scope.policy.path or ".", line=scope.policy.line(f"dependencies.auditors[{index}]"))
        message = f"there is no auditor {name!r}; the auditors are: {', '.join(sorted(known))}"
        gap = NotChecked(Check.DEPENDENCIES, "unknown-auditor", place, message, name)
        audits[name] = Audit(not_checked=(gap,))
    return audits


def _required(packages: Iterable[Package]) -> list[Fact]:
    """Say each required name once for each manifest."""
    first: dict[tuple[str, str], Fact] = {}
    for package in packages:
        fact = Fact("dependency.required", _place(package), package.name)
        first.setdefault((package.path, package.name), fact)
    return list(first.values())


def _wanted(packages: Iterable[Package]) -> list[Pin]:
    return sorted({Pin(each.name, each.version) for each in packages if each.version is not None})


def _judgeable(pins: Pins, audits: Mapping[str, Audit], limit: int) -> tuple[list[Fact], list[NotChecked]]:
    """Turn answers into facts at every line that requires the pin."""
    facts = list(pins.facts)
    gaps: list[NotChecked] = []
    spent: Counter[str] = Counter()
    for package in pins.packages:
        if package.version is None:
            facts += _with_malware(package, package.name, [])
            continue
        pin = Pin(package.name, package.version)
        for name, audit in audits.items():
            gaps += _gaps(package, pin, name, audit)
        own = _with_malware(package, str(pin), list(_vulnerable(package, pin, audits)))
        room = max(0, limit - spent[package.path])
        spent[package.path] += len(own)
        facts += own[:room]
        if len(own) > room:
            message = f"more than {limit} facts in one manifest; the rest is not reported"
            gaps.append(NotChecked(Check.DEPENDENCIES, "limit", _place(package), message, str(pin)))
            break
    return facts, gaps


def _gaps(package: Package, pin: Pin, auditor: str, audit: Audit) -> Iterator[NotChecked]:
    answer = audit.answers.get(pin)
    if answer is not None and answer.unknown is not None:
        yield NotChecked(Check.DEPENDENCIES, answer.unknown, _place(package), answer.message, str(pin))
    elif answer is None and not audit.not_checked:
        message = f"the auditor {auditor} gave no answer for {pin}; run it again, or use another"
        yield NotChecked(Check.DEPENDENCIES, "no-answer", _place(package), message, str(pin))


def _with_malware(package: Package, subject: str, facts: list[Fact]) -> list[Fact]:
    """Add what is known of a malicious release: to the advisories that say so, or beside the others."""
    entry = malware.known(package.name, package.version)
    if entry is None:
        return facts
    known = {"what": entry.what, "references": list(entry.references)}
    if any(fact.kind == "dependency.malicious" for fact in facts):
        return [
            replace(fact, detail={**fact.detail, **known}) if fact.kind == "dependency.malicious" else fact
            for fact in facts
        ]
    return [Fact("dependency.malicious", _place(package), subject, {"name": package.name, **known}), *facts]


def _vulnerable(package: Package, pin: Pin, audits: Mapping[str, Audit]) -> Iterator[Fact]:
    upgrade = merge.upgrade(pin, audits)
    for flaw in merge.flaws(pin, audits):
        advisory = flaw.advisory
        kind = "dependency.malicious" if advisory.malicious else "dependency.vulnerable"
        yield Fact(
            kind=kind,
            location=_place(package),
            subject=str(pin),
            detail={
                "name": pin.name,
                "version": pin.version,
                "condition": package.extra,
                "advisory": advisory.id,
                "aliases": list(advisory.aliases),
                "cvss": advisory.cvss,
                "severity": advisory.severity.value if advisory.severity else None,
                "fixed": advisory.fixed,
                "upgrade": upgrade,
                "auditors": list(flaw.auditors),
                "silent": list(flaw.silent),
            },
        )


def _place(package: Package) -> Location:
    return Location(path=package.path, line=package.line)


def _manifests_source(
    found: Found, trees: Sequence[Tree], aside: Sequence[str], passed: Sequence[str], scope: Scope
) -> Source:
    wanted = scope.policy.policy.dependencies.manifests
    read = sorted({path for tree in trees for path in tree.paths})
    if wanted == ():
        summary = "none: the policy says that this repository has no dependencies"
    elif read:
        summary = f"{', '.join(read[:10])}{f' and {len(read) - 10} more' if len(read) > 10 else ''}"
    else:
        summary = "none was read"
    formats: defaultdict[str, list[str]] = defaultdict(list)
    for tree in trees:
        formats[tree.root.reader.FORMAT if tree.root.reader else "?"].append(tree.root.path)
    beside = (
        ("resolved by a lock file beside them", len(found.covered)),
        ("excluded by the policy", found.excluded),
        ("in virtual environments or installed packages", found.skipped),
    )
    summary += "".join(f"; {count} {what}" for what, count in beside if count)
    if passed:
        names = f"{', '.join(passed[:5])}{', ...' if len(passed) > 5 else ''}"
        summary += f"; not read, since a manifest beside it speaks: {names}"
    if aside:
        names = f"{', '.join(aside[:5])}{', ...' if len(aside) > 5 else ''}"
        summary += f"; no Python packages, of which no advisory here speaks: {names}"
    detail = {
        "discovered": wanted is UNSET,
        "read": read,
        "formats": dict(formats),
        "included": {
            tree.root.path: sorted(tree.paths - {tree.root.path}) for tree in trees if len(tree.paths) > 1
        },
        "aside": list(aside),
        "covered": list(found.covered),
        "passed_over": list(passed),
        "excluded": found.excluded,
        "skipped": found.skipped,
        "malicious_releases_known": malware.count(),
    }
    return Source(Check.DEPENDENCIES, "manifests", summary, detail)
