"""The vocabulary: presentations that a triage nurse would name, read from TOML files, one a body system.

How an entry is written (docs/esi-engine.md shows it at length):

    [renal-colic]
    label = "flank pain, suspected kidney stone"
    kind = "complaint"      # complaint | sign | condition | intervention | request | idiom (no word inside counts)
    say = ["kidney stone(s|)", "renal colic"]     # words that mean it; (a|b) is either, {1..3} counts
    near = ["@flank @pain"]                 # or these word groups close together in one sentence
    resources = ["labs", "ct"]              # usual practice, ESI point C
    high_risk = ["severe-pain", "fever"]    # any line makes point B yes; "+" joins what must hold together
    rule = "v5 ch.4: severe flank pain"
"""

import itertools
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from .decide.conditions import Condition, parse_condition

Kind = Literal["complaint", "sign", "condition", "intervention", "request", "idiom"]
_ROOM = "esi_triage.esi"
KINDS: tuple[Kind, ...] = ("complaint", "sign", "condition", "intervention", "request", "idiom")


@dataclass(frozen=True)
class Variant:
    """What else an entry needs (`resources`, `may_need`) where `when` holds; the first that holds is taken."""

    when: Condition
    resources: frozenset[str]
    may_need: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Entry:
    """One presentation.

    Of its `resources`, usual practice, some would do without `may_skip`; beyond them some would use `may_need`.
    `immediate` conditions make point A yes, `high_risk` conditions point B. `confused` marks point B's second question
    (new confusion, lethargy, disorientation). `covers` names complaints that this one explains, so that they bring no
    resources of their own. `instead_of` names entries, or word groups (`@vision`), whose words inside this one's words
    do not count. What an entry `implies` holds with it; what it `past_implies` holds when it is past (intubated
    before). It does not count where an `unless` condition holds. One that is only `named` (a stroke, an overdose,
    CPR) is history unless the note opens with it or says now.
    """

    name: str
    label: str
    kind: Kind
    system: str
    say: tuple[str, ...] = ()
    near: tuple[tuple[str, ...], ...] = ()
    resources: frozenset[str] = frozenset()
    may_need: frozenset[str] = frozenset()
    may_skip: frozenset[str] = frozenset()
    variants: tuple[Variant, ...] = ()
    immediate: tuple[Condition, ...] = ()
    high_risk: tuple[Condition, ...] = ()
    covers: frozenset[str] = frozenset()
    instead_of: frozenset[str] = frozenset()
    implies: frozenset[str] = frozenset()
    past_implies: frozenset[str] = frozenset()
    unless: tuple[Condition, ...] = ()
    named: bool = False
    rule: str = ""

    @property
    def shown(self) -> bool:
        """False for a helper sign that only colours a complaint: its name is no word for a reader."""
        decides = self.high_risk or self.immediate or self.resources
        return self.kind != "sign" or bool(decides and self.label != _plain(self.name))


def expand(phrase: str) -> list[str]:
    """Every plain phrase that a written one stands for: `(a|b)` is either, `x{1..3}` is x1, x2 and x3; groups may nest.

    A count that is a word of its own, `{5..42} weeks`, stays: it is any number from 5 to 42.

    >>> expand("chest (pain|tightness)")
    ['chest pain', 'chest tightness']
    """
    group = re.search(r"\([^()]*\)|(?<=[^\s(|])\{\d+\.\.\d+\}|\{\d+\.\.\d+\}(?=[^\s|)])", phrase)
    if group is None:
        return [" ".join(phrase.split())]
    before, after = phrase[: group.start()], phrase[group.end() :]
    chosen = (expand(before + choice + after) for choice in _choices(group.group()))
    return list(dict.fromkeys(itertools.chain.from_iterable(chosen)))


def _choices(group: str) -> list[str]:
    if group.startswith("("):
        return group[1:-1].split("|")
    low, high = group[1:-1].split("..")
    return [str(number) for number in range(int(low), int(high) + 1)]


def _conditions(lines: str | list[str]) -> tuple[Condition, ...]:
    """`"always"` or a list of lines, any of which suffices."""
    return tuple(parse_condition(line) for line in ([lines] if isinstance(lines, str) else lines))


def _plain(name: str) -> str:
    return name.replace("-", " ")


def _entry(name: str, system: str, raw: dict[str, Any]) -> Entry:
    unknown = set(raw) - set(Entry.__dataclass_fields__)
    if unknown:
        raise ValueError(f"{system}.toml, [{name}]: unknown key {sorted(unknown)[0]!r}")
    if raw.get("kind", "complaint") not in KINDS:
        raise ValueError(f"{system}.toml, [{name}]: kind must be one of {', '.join(KINDS)}")
    return Entry(
        name=name,
        label=raw.get("label", _plain(name)),
        kind=raw.get("kind", "complaint"),
        system=system,
        say=tuple(phrase for written in raw.get("say", ()) for phrase in expand(written)),
        near=tuple(tuple(line.split()) for written in raw.get("near", ()) for line in expand(written)),
        resources=frozenset(raw.get("resources", ())),
        may_need=frozenset(raw.get("may_need", ())),
        may_skip=frozenset(raw.get("may_skip", ())),
        variants=tuple(
            Variant(
                parse_condition(variant["when"]),
                frozenset(variant["resources"]),
                frozenset(variant.get("may_need", ())),
            )
            for variant in raw.get("variants", ())
        ),
        immediate=_conditions(raw.get("immediate", ())),
        high_risk=_conditions(raw.get("high_risk", ())),
        covers=frozenset(raw.get("covers", ())),
        instead_of=frozenset(raw.get("instead_of", ())),
        implies=frozenset(raw.get("implies", ())),
        past_implies=frozenset(raw.get("past_implies", ())),
        unless=_conditions(raw.get("unless", ())),
        named=raw.get("named", False),
        rule=raw.get("rule", ""),
    )


def _read_toml(folder: str, name: str) -> dict[str, Any]:
    return tomllib.loads((files(_ROOM) / folder / name).read_text(encoding="utf-8"))


@cache
def rules(name: str) -> dict[str, Any]:
    """One of the rule files: limits, policy or context."""
    return _read_toml("rules", f"{name}.toml")


@cache
def entries() -> dict[str, Entry]:
    """The whole catalogue by name. Raises ValueError, naming file and entry, where an entry is malformed."""
    found: dict[str, Entry] = {}
    for path in sorted((files(_ROOM) / "catalogue").iterdir(), key=lambda path: path.name):
        if not path.name.endswith(".toml") or path.name == "words.toml":
            continue
        system = path.name.removesuffix(".toml")
        for name, raw in _read_toml("catalogue", path.name).items():
            if name in found:
                raise ValueError(f"{path.name}, [{name}]: already in {found[name].system}.toml")
            found[name] = _entry(name, system, raw)
    for entry in found.values():
        _check_names(entry, found)
    return found


def _check_names(entry: Entry, known: dict[str, Entry]) -> None:
    """Every name that an entry uses must be an entry, and every word group must be in words.toml."""
    conditions = (*entry.immediate, *entry.high_risk, *entry.unless, *(variant.when for variant in entry.variants))
    used = {term.name for condition in conditions for term in condition if term.operator is None}
    used |= entry.covers | entry.instead_of | entry.implies | entry.past_implies
    for name in used - set(known) - {"always", "unsaid"} - {f"@{group}" for group in word_groups()}:
        raise ValueError(f"{entry.system}.toml, [{entry.name}]: no entry is called {name!r}")
    for group in itertools.chain.from_iterable(entry.near):
        if group.removeprefix("@") not in word_groups():
            raise ValueError(f"{entry.system}.toml, [{entry.name}]: words.toml has no group {group!r}")


@cache
def word_groups() -> dict[str, tuple[str, ...]]:
    """Groups of words for `near`, e.g. pain = pain, hurts, sore ..., expanded to plain phrases."""
    raw = _read_toml("catalogue", "words.toml")
    return {group: tuple(phrase for written in said for phrase in expand(written)) for group, said in raw.items()}
