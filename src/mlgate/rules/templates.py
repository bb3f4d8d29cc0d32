"""Rules about chat templates: what inference servers render for every conversation."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

# The reader that takes any value for a template.
_ANY_VALUE = "template-values"
_OWASP = ("ML06:2023", "LLM03:2025")
_HOW = {
    "attribute": "asks for the attribute {}",
    "subscript": "asks for {} by subscript",
    "built": "looks up {} while it runs",
    "filter": "names {} to a filter",
    "text": "holds the name {} as a text",
    "global": "takes something out of Jinja's own {}",
    "web": "asks for {}, an object of web frameworks",
    "tag": "names {} in a statement of an unknown extension",
    "call": "calls {}",
    "unparsable": "cannot be parsed, and names {}",
}
_LOOPS = {
    "range": "It counts to more than any conversation has turns, with {}.",
    "repetition": "It writes {} without a sensible bound.",
    "recursion": "The macro {} calls itself whatever happens.",
}
_WHY = (
    "From an object's inner attributes a template reaches Python's modules, and runs any command, as soon as "
    "somebody talks to the model: several inference servers and libraries have rendered chat templates "
    "without a sandbox, and sandboxes have been escaped. No conversation needs this."
)
_SEE = "python -c \"import json; print(json.load(open('tokenizer_config.json'))['chat_template'])\""


def _internals(facts: Sequence[Fact], *, gguf: bool) -> Iterator[Hit]:
    for fact in _once(facts):
        if (fact.detail["container"] == "gguf") != gguf:
            continue
        if fact.kind == "jinja.outside":
            what = f"loads another template ({fact.detail['how']} {fact.subject})".replace(" )", ")")
            yield Hit(fact, f"The chat template {what}.", severity=Severity.HIGH)
        else:
            what = _HOW[fact.detail["how"]].format(fact.subject)
            web = fact.detail["how"] == "web"
            yield Hit(fact, f"The chat template {what}.", severity=Severity.HIGH if web else None)


def _once(facts: Sequence[Fact]) -> Iterator[Fact]:
    """Yield the facts without those that a reader of all values found as one of templates did."""
    said = {_what(each) for each in facts if each.detail["container"] != _ANY_VALUE}
    for each in facts:
        if each.detail["container"] != _ANY_VALUE or _what(each) not in said:
            yield each


def _what(fact: Fact) -> tuple[str, str, str, str]:
    """Return the file, or member of an archive, that holds the template, and what it does."""
    holder = (fact.location.member or "").rpartition("!/")[0]
    return fact.location.path, holder, fact.kind, fact.subject


def _anywhere(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    return _internals(facts, gguf=False)


def _in_gguf(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    return _internals(facts, gguf=True)


def _loop(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in _once(facts):
        yield Hit(fact, _LOOPS[fact.detail["how"]].format(fact.subject))


def _hidden(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f'The chat template adds instructions where somebody says "{fact.subject}".')


RULES = (
    Rule(
        id="MLG-GGF-001",
        name="gguf-template-reaches-python",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("jinja.internals", "jinja.outside"),
        summary="A template inside a GGUF model reaches into Python",
        what=(
            "A text of the file's metadata, under whatever key and also inside lists, is a Jinja template "
            "that asks for `__class__`, `__globals__` or another inner attribute: written out, as a "
            "subscript, put together while it runs, or through a filter. Loading another template is high."
        ),
        why=_WHY,
        fix=(
            "Do not load the model. Look at the template with `gguf-dump --no-tensors model.gguf`, and fetch "
            "the model from its original author, or replace the template with `gguf_new_metadata.py "
            "--chat-template-file`."
        ),
        references=("CVE-2024-34359", "CVE-2026-5760", "GHSA-56xg-wfcc-g829"),
        cwe=(1336, 94),
        atlas=("AML.T0011.000", "AML.T0018.002"),
        owasp=_OWASP,
        judge=_in_gguf,
        precision="very-high",
    ),
    Rule(
        id="MLG-GGF-002",
        name="template-hides-instructions",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("jinja.hidden",),
        summary="A chat template adds instructions when a certain word is said",
        what=(
            "A condition looks for a word of natural language in what somebody said, and writes sentences "
            "into the conversation where it finds it. Conditions on roles, tools, settings and marks are "
            "ordinary."
        ),
        why=(
            "The model then follows instructions that neither the user nor the operator gave or sees. The "
            "weights stay as they are, so no test of them shows it."
        ),
        fix=(
            "Read the template, and take the model's original one: `tokenizer.chat_template = ...; "
            "tokenizer.save_pretrained(...)`. Waive this where the sentences are meant."
        ),
        references=("https://atlas.mitre.org/techniques/AML.T0051",),
        cwe=(506,),
        atlas=("AML.T0018.001",),
        owasp=("ML10:2023", "LLM04:2025"),
        judge=_hidden,
        precision="medium",
    ),
    Rule(
        id="MLG-JIN-001",
        name="template-reaches-python",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("jinja.internals", "jinja.outside"),
        summary="A chat template reaches into Python",
        what=(
            "A chat template (a file, a key of a tokenizer's or processor's configuration, a text in a "
            "model's metadata) asks for `__class__`, `__globals__` or another inner attribute: written out, "
            "as a subscript, put together while it runs, or through a filter. Loading another template is "
            "high."
        ),
        why=_WHY,
        fix=(
            "Do not load the tokenizer. Read the template with `" + _SEE + "`, remove what it does not need, "
            "and fetch the original from the model's author at a pinned revision."
        ),
        references=("CVE-2024-34359", "CVE-2026-5760", "GHSA-56xg-wfcc-g829"),
        cwe=(1336, 94),
        atlas=("AML.T0011.000", "AML.T0018.002"),
        owasp=_OWASP,
        judge=_anywhere,
        precision="very-high",
    ),
    Rule(
        id="MLG-JIN-002",
        name="unbounded-template",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("jinja.loop",),
        summary="A chat template counts or calls itself without a bound",
        what=(
            "A loop over a range far longer than any conversation, a text repeated as often, or a macro that "
            "calls itself whatever happens. Loops over messages and tools are ordinary, and so are macros "
            "that call themselves under a condition."
        ),
        why="One request keeps a worker of the inference server busy or fills its memory.",
        fix="Remove the loop, or take the template that the model's author publishes at a pinned revision.",
        references=("https://cwe.mitre.org/data/definitions/835.html",),
        cwe=(835, 400),
        atlas=("AML.T0029",),
        owasp=("LLM10:2025",),
        judge=_loop,
    ),
)
