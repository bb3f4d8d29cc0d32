"""The walk over one file and everything inside it.

No recursion: what reads a blob is a generator on a stack, so that a member is read,
and its temporary file gone, before its archive yields the next.
"""

from msgspec import Struct

from mlgate.checks.models.reader import Blob, Clock, LimitReached
from mlgate.checks.models.route import Route, Router, limit_reached
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits


class Examined(Struct, frozen=True):
    """What one file turned out to be.

    Attributes:
        format: Of its content: a reader's, a recognised one's, ``opaque``, or "" for
            text and other content that is no model.
        model: True where it is a model, or holds one.
        facts: What was seen.
        not_checked: What could not be.
    """

    format: str
    model: bool
    facts: tuple[Fact, ...]
    not_checked: tuple[NotChecked, ...]


def examine(root: Blob, router: Router, limits: Limits) -> Examined:
    """Read a file and all that is inside it. Whatever it holds, this returns.

    Args:
        root: The file.
        router: Asks the readers.
        limits: Of the policy.
    """
    clock = Clock(limits.file_seconds)
    facts: list[Fact] = []
    gaps: dict[tuple[str, str], NotChecked] = {}
    whole = Route(root)
    routes = [whole]
    stack = [router.visit(whole, limits, clock)]
    model = False
    try:
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
                model = routes.pop().model or model
                continue
            if isinstance(item, Blob):
                clock.check()
                clock.spend("members", 1, limits.members)
                if item.depth > limits.depth:
                    item = limit_reached(item, LimitReached("depth"), limits)
                else:
                    route = Route(item)
                    routes.append(route)
                    stack.append(router.visit(route, limits, clock))
                    continue
            clock.spend("facts", 1, limits.facts)
            if isinstance(item, Fact):
                facts.append(item)
            else:
                gaps.setdefault((item.message, str(item.location)), item)
    except LimitReached as limit:
        gap = limit_reached(root, limit, limits)
        gaps.setdefault((gap.message, str(gap.location)), gap)
    return Examined(
        format=whole.format,
        model=model or any(route.model for route in routes),
        facts=tuple(facts),
        not_checked=tuple(gaps.values()),
    )
