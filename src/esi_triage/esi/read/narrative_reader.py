"""From a narrative to findings: numbers, then the catalogue's words with their context, then words near each other."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise

from ...reading import NARRATIVE
from ..catalogue import Entry, entries, rules
from ..findings import STATUSES, Evidence, Finding, Findings, Status
from .measures import read_measures
from .mentions import Mention, find_mentions
from .person import read_age_months, read_arrival, read_sex
from .tokens import tokens_of
from .unread import unread_clauses

_REACH = 6
"""Words between two word groups of a `near` line: "vomited a large amount of bright red blood"."""

_OPENING = 9
"""A note opens with what the patient came for: within these words a named illness is today's."""

_TODAY: tuple[Status, ...] = ("present", "possible", "baseline")
_Groups = dict[str, list[Mention]]


def read(narrative: str) -> Findings:
    """Read a triage narrative. Never raises on any text; what cannot be read is listed in `warnings`.

    The first call builds the language pipeline (about 2 s); later calls take 1 to 3 ms for 80 words.
    """
    text = narrative[:NARRATIVE]  # what lies beyond is reported and not read
    measures = read_measures(text)
    warnings = list(measures.warnings)
    if len(narrative) > NARRATIVE:
        warnings.append(f"only the first {NARRATIVE} of {len(narrative)} characters were read")
    age = read_age_months(text)
    tokens = tokens_of(text)
    seen = _mentioned(text, find_mentions(tokens, age[1] if age else None))
    items = tuple(sorted((_finding(entries()[name], mentions) for name, mentions in seen.items()), key=_position))
    if not text.strip():
        warnings.append("the narrative is empty")
    elif not items and not measures.values:
        warnings.append("nothing in the narrative is in the catalogue; is it a triage note in English?")
    spans = [span for mentions in seen.values() for _, span in mentions] + list(measures.evidence.values())
    return Findings(
        age_months=age[0] if age else None,
        sex=read_sex(text),
        arrival=read_arrival(text),
        vitals=measures.vitals(),
        gcs=measures.values.get("gcs"),
        glucose_mg_dl=measures.values.get("glucose"),
        items=items,
        measured=measures.evidence | ({"age": age[1]} if age else {}),
        unread=unread_clauses(text, tokens, [*spans, *([age[1]] if age else [])]),
        warnings=tuple(warnings),
    )


def _mentioned(text: str, found: list[Mention]) -> dict[str, list[tuple[Status, Evidence]]]:
    """Each entry that is mentioned, with the status and the span of every mention."""
    met: dict[str, list[tuple[Status, Evidence]]] = defaultdict(list)
    mentions = _with_status(list(_entry_mentions(found)))
    elsewhere = _sentences_of_the_past(mentions)
    for entry, parts, status in mentions:
        if elsewhere and entry.name in rules("policy")["times"]["names"] and parts[0].sentence in elsewhere:
            continue
        for part in parts:
            met[entry.name].append((status, Evidence(part.start, part.end, text[part.start : part.end])))
    return met


def _with_status(
    mentions: list[tuple[Entry, tuple[Mention, ...]]],
) -> list[tuple[Entry, tuple[Mention, ...], Status]]:
    """Each mention with its status. Where a list of past illnesses would hold all that the patient complains of, its
    commas end the past: "history of CAD, chest pain"."""

    def told(listed: bool) -> list[tuple[Entry, tuple[Mention, ...], Status]]:
        return [(entry, parts, _order(_status(entry, part, listed) for part in parts)[-1]) for entry, parts in mentions]

    found = told(listed=True)
    if any(entry.kind in ("complaint", "request") and status in _TODAY for entry, _, status in found):
        return found
    return told(listed=False)


def _sentences_of_the_past(mentions: list[tuple[Entry, tuple[Mention, ...], Status]]) -> set[int]:
    """Sentences that date a trouble which the patient does not have today."""
    now = {entry.name for entry, _, status in mentions if status in _TODAY}
    return {
        parts[0].sentence
        for entry, parts, _ in mentions
        if entry.kind in ("complaint", "intervention")
        and entry.name not in now
        and any("past_time" in part.flags for part in parts)
    }


def _finding(entry: Entry, seen: list[tuple[Status, Evidence]]) -> Finding:
    """One finding an entry: the status nearest to "present" among its mentions, and the spans that have it."""
    best = _order(status for status, _ in seen)[0]
    spans = tuple(dict.fromkeys(evidence for status, evidence in seen if status == best))
    return Finding(entry.name, entry.label, best, spans)


def _order(statuses: Iterable[Status]) -> list[Status]:
    """Nearest to "present" first."""
    return sorted(statuses, key=STATUSES.index)


def _position(finding: Finding) -> int:
    return finding.evidence[0].start


def _status(entry: Entry, mention: Mention, listed: bool) -> Status:
    """One status from the contexts that hold. Order matters: "no family history of" is absent, not family.

    A condition is true of the patient whenever it began, so for conditions "past" and "baseline" are present.
    """
    kind, flags = entry.kind, mention.flags
    if flags & {"negated", "denied", "no", "not_done", "shorthand"}:
        return "absent"
    if "family" in flags:
        return "family"
    if "over" in flags:
        return "absent" if kind == "sign" else "past"
    if flags & {"hypothetical", "instructed"}:
        return "hypothetical"
    if kind == "intervention" and "planned" in flags:
        return "planned"
    if kind == "condition":
        return "present"
    past = {"past", "past_time", "past_list"} if listed and kind != "sign" else {"past", "past_time"}
    if flags & past and "now" not in flags and kind != "request":
        return "past"
    if "baseline" in flags:
        return "baseline"
    bare = mention.last - mention.first <= 2  # "tube going in" says itself that it is now
    if entry.named and bare and not (flags & {"now", "possible"} or mention.first < _OPENING):
        return "past"
    return "possible" if "possible" in flags else "present"


def _entry_mentions(mentions: list[Mention]) -> Iterator[tuple[Entry, tuple[Mention, ...]]]:
    """Each entry met, by its own words or by word groups near each other.

    Word groups are first paired within reach. Only when no complaint at all came out of that are they paired anywhere
    in a sentence, and then anywhere in the narrative: "his knee, replaced in spring, wants looking at: it is swollen".
    """
    known = entries()
    groups: list[Mention] = []
    complaint = False
    for mention in mentions:
        if mention.name.startswith("@"):
            groups.append(mention)
            continue
        entry = known[mention.name]
        complaint = complaint or entry.kind in ("complaint", "request")
        yield entry, (mention,)
    for near in (_within_reach, _same_sentence, _anywhere):
        for entry, parts in _pairs(groups, near):
            complaint = complaint or entry.kind in ("complaint", "request")
            yield entry, parts
        if complaint:
            return


def _within_reach(one: Mention, other: Mention) -> bool:
    return one.sentence == other.sentence and _gap(one, other) <= _REACH


def _same_sentence(one: Mention, other: Mention) -> bool:
    return one.sentence == other.sentence


def _anywhere(one: Mention, other: Mention) -> bool:
    return True


def _gap(one: Mention, other: Mention) -> int:
    """Words between two mentions, those of the age left out; less than zero where they overlap."""
    return max(one.begins, other.begins) - min(one.ends, other.ends)


def _pairs(
    groups: Iterable[Mention], near: Callable[[Mention, Mention], bool]
) -> Iterator[tuple[Entry, tuple[Mention, ...]]]:
    by_group: _Groups = defaultdict(list)
    for mention in groups:
        by_group[mention.name].append(mention)
    for line, entry in _near_lines():
        if all(group in by_group for group in line):
            for first in by_group[line[0]]:
                parts = _nearest(first, line[1:], by_group, near)
                if parts:
                    yield entry, parts


def _nearest(
    first: Mention, others: tuple[str, ...], by_group: _Groups, near: Callable[[Mention, Mention], bool]
) -> tuple[Mention, ...] | None:
    """`first` and the nearest mention of every other group, or null where one is out of reach of its neighbour."""
    parts = [first, *(min(by_group[group], key=lambda mention: _gap(first, mention)) for group in others)]
    parts.sort(key=lambda mention: mention.first)
    return tuple(parts) if all(near(one, other) for one, other in pairwise(parts)) else None


@cache
def _near_lines() -> tuple[tuple[tuple[str, ...], Entry], ...]:
    return tuple((line, entry) for entry in entries().values() for line in entry.near)
