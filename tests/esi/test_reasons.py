"""Reasons are sentences of a nurse: no internal name reaches a reader, and what is not known is not asserted."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from esi_triage.answer import lines_of
from esi_triage.esi import assess, is_shown, read
from esi_triage.esi.catalogue import entries
from esi_triage.predict.rules_model import decision_text

_HERE = Path(__file__).parent
_INTERNAL = re.compile(rf"\b(?:{'|'.join(sorted((n for n in entries() if '-' in n), key=len, reverse=True))})\b")
_HELPERS = re.compile(r"\b\w+ (?:word|named|said)\b|\btorso\b|policy\.toml|limits\.toml")
_SAID_BY_NURSES = {"x-ray", "follow-up", "beta-blocker", "needle-stick", "breath-holding", "sickle-cell"}


def _notes() -> Iterator[str]:
    pairs = tomllib.loads((_HERE / "contrast_pairs.toml").read_text(encoding="utf-8"))["pair"]
    for pair in pairs:
        yield pair["a"][0]
        yield pair["b"][0]


def test_no_internal_name_reaches_a_reader() -> None:
    for note in _notes():
        findings, decision = read(note), assess(note)
        told = [step.reason for step in decision.steps]
        told += [finding.label for finding in findings.items if is_shown(finding)]
        told += lines_of(decision_text(findings, decision)).values()
        for line in told:
            plain = re.sub(r'"[^"]*"', "", line)  # the note's own words
            assert set(_INTERNAL.findall(plain)) <= _SAID_BY_NURSES, (note, line)
            assert not _HELPERS.search(plain), (note, line)


def test_an_age_that_is_not_known_is_not_a_reason() -> None:
    reason = assess("chest pain").step("B").reason
    assert "35" not in reason
    assert "age not recorded" in reason


def test_the_decisive_finding_comes_first_with_its_chapter() -> None:
    reason = assess("54 y/o M with chest pain and sweating.").step("B").reason
    assert reason.startswith("chest pain at 54")
    assert "chapter 4" in reason


def test_a_decision_is_plain_json() -> None:
    assert json.loads(json.dumps(assess("54 M chest pain, mows the lawn on Sundays").to_dict()))["unread"]
