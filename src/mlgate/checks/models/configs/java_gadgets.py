"""Classes in Java's serialization that call, load or connect while they are read.

What such a stream makes is not followed; that it is not checked is said by the walk. Its classes are
named in it, though, and some are in no model.

Source: the payloads of ysoserial, https://github.com/frohoff/ysoserial
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.search import found
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "java-gadgets"
KIND = "aside"
ORDER = 80

_MAGIC = b"\xac\xed\x00\x05"


def sniff(blob: Blob) -> bool:
    """Look for the mark of the stream protocol."""
    return blob.head.startswith(_MAGIC)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield each of these classes once.

    Raises:
        Declined: There is none.
        LimitReached: There is too much of it.
    """
    said = False
    for each in found(blob, {"class": _classes()}, limits, clock, binary=True, most=limits.search_bytes):
        said = True
        yield blob.fact("java.gadget", each.match[0], offset=each.offset)
    if not said:
        raise Declined


@cache
def _classes() -> re.Pattern[str]:
    return re.compile(
        r"org\.apache\.commons\.collections4?\.(?:functors\.(?:Invoker|Instantiate|Chained)\w*|map\.LazyMap"
        r"|keyvalue\.TiedMapEntry|comparators\.TransformingComparator)"
        r"|org\.apache\.commons\.beanutils\.BeanComparator"
        r"|(?:com\.sun\.org\.apache\.xalan\.internal|org\.apache\.xalan)\.xsltc\.trax\.TemplatesImpl"
        r"|javax\.management\.BadAttributeValueExpException|javax\.script\.ScriptEngineManager"
        r"|org\.codehaus\.groovy\.runtime\.(?:MethodClosure|ConvertedClosure)|bsh\.(?:Interpreter|XThis)"
        r"|com\.mchange\.v2\.c3p0\.\w+|com\.sun\.rowset\.JdbcRowSetImpl|sun\.rmi\.server\.UnicastRef"
        r"|java\.rmi\.server\.RemoteObjectInvocationHandler|java\.lang\.(?:Runtime|ProcessBuilder|ProcessImpl)"
        r"|java\.net\.URL(?:ClassLoader)?(?=[^A-Za-z])|org\.springframework\.(?:beans|core|aop)\.\w[\w.]*"
        r"|org\.hibernate\.(?:engine|type|tuple)\.\w[\w.]*|org\.mozilla\.javascript\.\w+|clojure\.(?:core|lang|inspector)[\w.$]*"
        r"|org\.python\.core\.\w+|com\.vaadin\.data\.util\.\w+|org\.jboss\.weld\.\w[\w.]*|sun\.reflect\.annotation\."
        r"AnnotationInvocationHandler|com\.sun\.syndication\.feed\.impl\.\w+|org\.apache\.wicket\.util\.upload\.\w+"
    )
