"""Classes in Java's serialization that call, load or connect while they are read.

What such a stream makes is not followed; that it is not checked is said by the walk. Its classes are
named in it, though, and some are in no model.

Source: the payloads of ysoserial, https://github.com/frohoff/ysoserial
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import CHUNK, read_at
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "java-gadgets"
KIND = "aside"
ORDER = 80

_MAGIC = b"\xac\xed\x00\x05"
_OVERLAP = 256
_MOST = 50


def sniff(blob: Blob) -> bool:
    """Look for the mark of the stream protocol, at the start or behind a short header of a container's."""
    return blob.head.startswith(_MAGIC)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield each of these classes once.

    Raises:
        Declined: There is none.
    """
    found: dict[str, int] = {}
    for start in range(0, min(blob.size, limits.search_bytes), CHUNK):
        clock.check()
        for match in _classes().finditer(read_at(blob.stream, start, CHUNK + _OVERLAP)):
            found.setdefault(match[0].decode("ascii"), start + match.start())
        if len(found) >= _MOST:
            break
    if not found:
        raise Declined
    for name, offset in found.items():
        yield blob.fact("java.gadget", name, offset=offset)


@cache
def _classes() -> re.Pattern[bytes]:
    return re.compile(
        rb"org\.apache\.commons\.collections4?\.(?:functors\.(?:Invoker|Instantiate|Chained)\w*|map\.LazyMap"
        rb"|keyvalue\.TiedMapEntry|comparators\.TransformingComparator)"
        rb"|org\.apache\.commons\.beanutils\.BeanComparator"
        rb"|(?:com\.sun\.org\.apache\.xalan\.internal|org\.apache\.xalan)\.xsltc\.trax\.TemplatesImpl"
        rb"|javax\.management\.BadAttributeValueExpException|javax\.script\.ScriptEngineManager"
        rb"|org\.codehaus\.groovy\.runtime\.(?:MethodClosure|ConvertedClosure)|bsh\.(?:Interpreter|XThis)"
        rb"|com\.mchange\.v2\.c3p0\.\w+|com\.sun\.rowset\.JdbcRowSetImpl|sun\.rmi\.server\.UnicastRef"
        rb"|java\.rmi\.server\.RemoteObjectInvocationHandler|java\.lang\.(?:Runtime|ProcessBuilder|ProcessImpl)"
        rb"|java\.net\.URL(?:ClassLoader)?(?=[^A-Za-z])|org\.springframework\.(?:beans|core|aop)\.\w[\w.]*"
        rb"|org\.hibernate\.(?:engine|type|tuple)\.\w[\w.]*|org\.mozilla\.javascript\.\w+|clojure\.(?:core|lang|inspector)[\w.$]*"
        rb"|org\.python\.core\.\w+|com\.vaadin\.data\.util\.\w+|org\.jboss\.weld\.\w[\w.]*|sun\.reflect\.annotation\."
        rb"AnnotationInvocationHandler|com\.sun\.syndication\.feed\.impl\.\w+|org\.apache\.wicket\.util\.upload\.\w+"
    )
