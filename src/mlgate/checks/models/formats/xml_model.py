"""Models in XML: PMML, and the intermediate representation of OpenVINO.

A document that declares entities is not parsed at all, so none is ever expanded; of the
others, expat reads element by element.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from mlgate.checks.models.formats._xml_prolog import LONGEST, Prolog, prolog
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import chunks, printable, read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "pmml"
KIND = "model"
ORDER = 50

_OPENVINO = "openvino"
_ROOTS = {"PMML": FORMAT, "net": _OPENVINO, "CustomLayer": _OPENVINO, "CustomLayers": _OPENVINO}
# What a document begins with in each encoding that XML is told by, the longer ones first.
_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
    b"\x4c\x6f\xa7\x94": "cp037",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# Extensions say which program they are for; these are none.
_LANGUAGES = frozenset(("javascript", "ecmascript", "groovy", "java", "python", "jython", "shell"))
_XINCLUDE = "http://www.w3.org/2001/XInclude"
_LIBRARIES = (".so", ".dll", ".dylib")
_SPACE = b" \t\r\n\xef\xbb\xbf"
# Operators of the tokenizers that OpenVINO itself publishes.
_TOKENIZERS = frozenset(
    (
        "StringTensorPack", "StringTensorUnpack", "RaggedTensorPack",
        "SpecialTokensSplit", "NormalizeUnicode",
        "CaseFold", "RegexNormalization", "RegexSplit", "CharsMapNormalization",
        "BytesToChars", "CharsToBytes",
        "WordpieceTokenizer", "BPETokenizer", "UnigramTokenizer", "TrieTokenizer", "CombineSegments",
        "RaggedToDense", "RaggedToSparse", "RaggedToRagged", "VocabDecoder", "VocabEncoder", "FuzeRagged",
        "UTF8Validate", "ByteFallback", "Truncate", "StringToHashBucket",
        "EqualStr", "SentencepieceTokenizer",
        "SentencepieceDetokenizer", "SentencepieceStreamDetokenizer",
    )
)  # fmt: skip


def sniff(blob: Blob) -> bool:
    """Look for markup, in any encoding that XML has by its first bytes."""
    if not blob.head:
        return False
    return blob.head.lstrip(_SPACE)[:1] in (b"<", b"") or blob.head.startswith(tuple(_MARKS))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the document declares, and the elements that are more than data.

    Raises:
        Declined: Its root is none of a model.
        LimitReached: There is too much to note.
    """
    start = read_at(blob.stream, 0, min(blob.size, LONGEST))
    encoding = next((each for mark, each in _MARKS.items() if start.startswith(mark)), "utf-8")
    text = start.decode(encoding, "replace")
    whole = len(start) < LONGEST
    if whole and not any(root in text for root in _ROOTS):
        raise Declined
    before = prolog(text)
    format_ = _ROOTS.get(before.root)
    if format_ is None:
        if before.root or whole or not text.lstrip("\ufeff \t\r\n").startswith("<"):
            raise Declined
        yield blob.not_checked(
            "limit", "what stands before the root element has no end; fetch the file again"
        )
        return
    if before.root == "net" and whole and "<layer" not in text and not before.entities:
        raise Declined  # what entities would bring cannot be told
    if format_ != FORMAT:
        yield blob.fact("core.format", format_)
    if before.doctype is not None:
        yield from _declared(blob, before)
    if before.entities:
        return
    yield from _elements(blob, format_, limits, clock)


def _declared(blob: Blob, before: Prolog) -> Iterator[Fact]:
    yield blob.fact("xml.doctype", before.root, line=before.doctype, external=printable(before.external, 200))
    for name, value, line in before.entities:
        outside = "SYSTEM" in value or "PUBLIC" in value
        yield blob.fact(
            "xml.entity",
            printable(name, 100),
            line=line,
            external=outside,
            value=printable(value.strip(), 200),
        )


def _elements(blob: Blob, format_: str, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked]:
    from xml.parsers import expat  # noqa: PLC0415 - most texts are no such model

    seen = _Elements(blob, format_)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: seen.element(
        name, attributes, parser.CurrentLineNumber
    )
    parser.EntityDeclHandler = seen.refuse
    parser.ExternalEntityRefHandler = seen.refuse
    try:
        for chunk in chunks(blob.stream, 0, blob.size):
            clock.check()
            parser.Parse(chunk, False)  # noqa: FBT003 - the C function takes no names
            yield from seen.taken(limits, clock)
        parser.Parse(b"", True)  # noqa: FBT003 - as above
    except (expat.ExpatError, ValueError, LookupError) as error:
        yield from seen.taken(limits, clock)
        where = getattr(error, "lineno", None)
        yield blob.not_checked(
            "malformed", "this is no well-formed XML from here on; export the model again", line=where
        )
        return
    yield from seen.taken(limits, clock)


class _Elements:
    """Notes what elements say that is more than data."""

    def __init__(self, blob: Blob, format_: str) -> None:
        self._blob = blob
        self._format = format_
        self._facts: list[Fact] = []
        self._known: set[tuple[str, str]] = set()

    def taken(self, limits: Limits, clock: Clock) -> list[Fact]:
        """Return the facts that came since the last time."""
        facts, self._facts = self._facts, []
        clock.spend("facts", len(facts), limits.facts)
        return facts

    def refuse(self, *_: Any) -> int:
        """End the parse: the start of the document declared no entity."""
        raise ValueError("an entity")

    def element(self, name: str, attributes: dict[str, str], line: int) -> None:
        space, _, local = name.rpartition(" ")
        extender = attributes.get("extender", "").lower()
        if local.lower() == "script":
            self._note("xml.script", name, line, language=attributes.get("language", ""))
        elif local == "Extension" and (extender in _LANGUAGES or _is_script(attributes)):
            self._note("xml.script", name, line, language=extender)
        elif local == "include" and space == _XINCLUDE:
            self._note("xml.include", attributes.get("href", ""), line)
        elif self._format == FORMAT:
            function = attributes.get("function", "") if local == "Apply" else ""
            if "." in function or ":" in function:
                self._note("pmml.function", function, line)
        elif local == "Source" and "filename" in attributes:
            path = attributes["filename"]
            self._note("native.library", path, line, what="layer of OpenVINO", escape=escape(path))
        elif local == "data" and any(value.lower().endswith(_LIBRARIES) for value in attributes.values()):
            for value in attributes.values():
                if value.lower().endswith(_LIBRARIES):
                    self._note("native.library", value, line, what="layer of OpenVINO", escape=escape(value))
        elif local == "layer" and attributes.get("version") == "extension":
            kind = attributes.get("type", "")
            if kind not in _TOKENIZERS:
                self._note("native.class", kind, line, what="layer of OpenVINO")

    def _note(self, kind: str, subject: str, line: int, **detail: str | None) -> None:
        if (kind, subject) not in self._known and len(self._facts) < 10_000:
            self._known.add((kind, subject))
            shown = {key: None if each is None else printable(each, 200) for key, each in detail.items()}
            fact = Fact(
                kind=kind,
                location=self._blob.at(None, line),
                subject=printable(subject, 300),
                detail={"format": self._format, **shown},
            )
            self._facts.append(fact)


def _is_script(attributes: dict[str, str]) -> bool:
    """Say whether an extension is a script: under that name, R's exporter notes how the model was fitted."""
    value = attributes.get("value", "")
    if attributes.get("name") != "script":
        return False
    called = _called().findall(value)
    known = bool(called) and called[0] in _FITS and _WITHIN.issuperset(called[1:])
    return not known or _formula().fullmatch(value) is None


# What fits a model in R, and what stands within its call.
_FITS = frozenset(
    (
        "lm", "glm", "nls", "loess", "rpart", "randomForest", "ranger", "svm", "ksvm", "nnet", "multinom",
        "gbm", "naiveBayes", "coxph", "survreg", "ctree", "cforest", "rlm", "gam", "lda", "qda", "ada",
        "step", "aov", "glmnet", "xgboost", "train", "kmeans", "arima",
    )
)  # fmt: skip
_WITHIN = frozenset(
    (
        "c", "list", "log", "log2", "log10", "exp", "sqrt", "abs", "I", "poly", "factor", "as.factor",
        "offset", "cbind", "Surv", "strata", "ns", "bs", "s", "scale", "interaction",
        "rpart.control", "control", "binomial", "poisson", "gaussian", "Gamma",
        "quasibinomial", "quasipoisson",
    )
)  # fmt: skip


@cache
def _called() -> re.Pattern[str]:
    return re.compile(r"([\w.:]+)\s*\(", re.ASCII)


@cache
def _formula() -> re.Pattern[str]:
    # A call with a formula, data and settings, as R prints it: texts are words, and nothing follows.
    inside = r"(?:[^\"';{}`\\\r\n]|\"[\w.-]{1,40}\")*+"
    return re.compile(rf"[\w.]{{1,60}}\([^\"';{{}}`\\~\r\n]*~{inside}(?<=\))", re.ASCII)
