"""The measured figures that README and docs quote: computed here, kept in docs/figures.json, put between their marks.

A figure in a document stands between `<!-- figure: NAME -->` and `<!-- / -->`; tests/test_documents.py fails where it
is not that of docs/figures.json. After a change to the engine or the corpus:

    python benchmarks/document_figures.py
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from esi_clues import hidden, notes
from esi_notes import FIGURES as NOTE_FIGURES
from esi_notes import judged, read_notes
from esi_triage.data.case_table import read_rows
from esi_triage.data.corpus.artefacts import artefacts
from esi_triage.data.corpus.nurse_notes import nurse_notes, voices, written_notes
from esi_triage.esi import assess
from esi_triage.evaluate.scored import Scored, scored
from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.page import interval
from esi_triage.progress import bar

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "figures.json"
HANDBOOK = ROOT.parent / "shared" / "data" / "handbook-dev.jsonl"
MARKED = re.compile(r"(<!-- figure: (\S+) -->)(.*?)(<!-- / -->)")


def documents() -> list[Path]:
    """README.md and all of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def figures() -> dict[str, dict[str, Any]]:
    """By name: the text to quote, how many cases it rests on, and what was measured."""
    found = {}
    for name, (about, answers) in _measured().items():
        m = metrics(answers)
        shares = {key: m[key] for key in ("exact", "within_one", "under_triage", "over_triage")}
        shares |= {"sensitivity_1_2": m["high_acuity_sensitivity"], "sensitivity_1": m["per_class"]["1"]["sensitivity"]}
        shares["best_constant_exact"] = m["best_constant"]["exact"]
        for key, share in shares.items():
            found[f"{name}.{key}"] = {"text": interval(share), "n": share["n"], "about": f"rules on {about}"}
            found[f"{name}.{key}.n"] = {"text": str(share["n"]), "n": share["n"], "about": f"cases: {about}"}
    return found | _on_notes() | _of_the_notes()


def _on_notes() -> dict[str, dict[str, Any]]:
    """The figures of esi_notes.py on the tuning voices, by name."""
    rows = [judged(row) for row in read_notes(None, "tuning", frozenset())]
    found = {}
    for name, (of, is_so) in NOTE_FIGURES.items():
        share = proportion(sum(is_so(row) for row in rows if of(row)), sum(map(of, rows)))
        key = f"rules.notes.{name.replace(',', '').replace(' ', '_').replace('-', '_')}"
        about = f"rules on nurse notes, tuning voices: {name}"
        found[key] = {"text": interval(share), "n": share["n"], "about": about}
        found[f"{key}.n"] = {"text": str(share["n"]), "n": share["n"], "about": about}
    return found


def _of_the_notes() -> dict[str, dict[str, Any]]:
    """How many nurse notes there are, of what, and how often the first two labels agree."""
    written = [note for number in voices() for note in written_notes(number)]
    cases, levels = list(nurse_notes()), Counter(note.level for note in written)
    counts = {"all": len(cases), "voices": len(voices()), "third": sum(note.third is not None for note in written)}
    counts |= {"answers": sum(case.reference_answer is not None for case in cases), "disputed": levels[None]}
    counts |= {f"level_{level}": levels[level] for level in (1, 2, 3, 4, 5)}
    for split in ("train", "tuning", "held_out"):
        counts[split] = sum(case.split == split for case in cases)
        counts[f"{split}.voices"] = sum(voice.split == split for voice in voices().values())
    counts |= {
        f"kind.{kind}": sum(note.kind == kind for note in written) for kind in ("harmless-word", "hidden-danger")
    }
    counts["pairs"] = len({note.pair for note in written if note.pair})
    found_looks = artefacts(cases)
    found = {name: (f"{count:,}", count) for name, count in counts.items()}
    for name, first, last in (("", 1, 999), (".67_to_112", 67, 112), (".from_113", 113, 999)):
        some = [note for note in written if first <= int(note.id.split("-")[0]) <= last]
        agreed = sum(note.gold == note.second for note in some)
        found[f"agreement{name}"] = (f"{agreed:,} of {len(some):,} ({100 * agreed / len(some):.1f} %)", len(some))
    found["artefacts"] = (f"{100 * found_looks.looks:.1f} %", found_looks.n)
    found["artefacts.n"] = (f"{found_looks.n:,}", found_looks.n)
    found["artefacts.constant"] = (f"{100 * found_looks.constant:.1f} %", found_looks.n)
    about = "the corpus of nurse notes"
    return {f"corpus.notes.{name}": {"text": text, "n": n, "about": about} for name, (text, n) in found.items()}


def _measured() -> dict[str, tuple[str, Scored]]:
    clues = list(notes())
    levels = _levels([text for _, _, text in clues], "notes")
    found = {}
    for name, about, is_hidden in (
        ("rules.unseen", "notes of presentations held out throughout development", True),
        ("rules.development", "notes whose errors were read during development", False),
    ):
        rows = [(clue, level) for clue, level in zip(clues, levels, strict=True) if hidden(clue[0]) == is_hidden]
        gold, names = [clue[1] for clue, _ in rows], [clue[0] for clue, _ in rows]
        found[name] = (about, scored(gold, [level for _, level in rows], names))
    if HANDBOOK.is_file():
        cases: list[Any] = list(read_rows(HANDBOOK))
        levels = _levels([case["narrative"] for case in cases], "handbook cases")
        found["rules.handbook"] = ("handbook cases (development set)", scored([c["gold"] for c in cases], levels))
    return found


def _levels(texts: list[str], label: str) -> list[int]:
    with bar(label, len(texts), "note") as shown:
        return [(shown.update(), assess(text).level)[1] for text in texts]


def put_into_documents(kept: dict[str, dict[str, Any]]) -> None:
    """Replace what stands between the marks."""
    for file in documents():
        text = file.read_text(encoding="utf-8")
        file.write_text(MARKED.sub(lambda m: f"{m[1]}{kept[m[2]]['text']}{m[4]}", text), encoding="utf-8")


def keep(found: dict[str, dict[str, Any]]) -> None:
    """Put figures into docs/figures.json, beside those of other commands, and into the documents."""
    known = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
    known |= found
    FIGURES.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    put_into_documents(known)


if __name__ == "__main__":
    keep(figures())
