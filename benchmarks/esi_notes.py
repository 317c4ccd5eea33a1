"""How the rules read nurse notes, by kind of note, with Wilson intervals: the shipped ones, or a file of JSON lines.

    python benchmarks/esi_notes.py [FILE] [--split tuning] [--voices minimal,everything] [--errors false-1]

"Allowed" counts a level of `also_ok` as right. "Certain and wrong" means that the level alone was possible and is
neither gold nor allowed. `--errors` prints notes: missed (gold 1 or 2, answered 3 to 5), false-1, false-2, certain,
under, over. The split held_out is for figures in documents, once a round of development is over.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from esi_triage.data.corpus.nurse_notes import nurse_notes
from esi_triage.esi import Decision, assess
from esi_triage.evaluate.statistics.intervals import wilson


class Row(NamedTuple):
    """A note, its levels and what the rules decided."""

    narrative: str
    gold: int
    allowed: frozenset[int]
    kind: str
    decision: Decision
    case_id: str = ""

    @property
    def certain_wrong(self) -> bool:
        """The level alone was possible, and no labeller would defend it."""
        return len(self.decision.possible) == 1 and self.decision.level not in self.allowed


Test = Callable[[Row], bool]
FIGURES: dict[str, tuple[Test, Test]] = {
    "exact": (lambda r: True, lambda r: r.decision.level == r.gold),
    "exact or allowed": (lambda r: True, lambda r: r.decision.level in r.allowed),
    "within one": (lambda r: True, lambda r: abs(r.decision.level - r.gold) <= 1),
    "sensitivity 1-2": (lambda r: r.gold <= 2, lambda r: r.decision.level <= 2),
    "sensitivity 1-2 or allowed": (lambda r: max(r.allowed) <= 2, lambda r: r.decision.level <= 2),
    "under-triage": (lambda r: True, lambda r: r.decision.level > r.gold),
    "over-triage": (lambda r: True, lambda r: r.decision.level < r.gold),
    "certain": (lambda r: True, lambda r: len(r.decision.possible) == 1),
    "certain and wrong": (lambda r: True, lambda r: r.certain_wrong),
    "gold possible": (lambda r: True, lambda r: r.gold in r.decision.possible),
    "gold 3-5, certainly 1 or 2": (
        lambda r: r.gold > 2,
        lambda r: r.decision.level <= 2 and r.certain_wrong,
    ),
}
ERRORS: dict[str, Test] = {
    "missed": lambda r: r.gold <= 2 < r.decision.level,
    "false-1": lambda r: r.decision.level == 1 not in r.allowed,
    "false-2": lambda r: r.decision.level == 2 not in r.allowed and r.gold > 2,
    "certain": lambda r: r.certain_wrong,
    "under": lambda r: r.decision.level > max(r.allowed) and r.gold > 2,
    "over": lambda r: 2 < r.decision.level < min(r.allowed),
}


def read_notes(path: Path | None, split: str, voices: frozenset[str]) -> Iterator[dict[str, Any]]:
    """The shipped notes of a split, or the rows of a JSON-lines file; of some voices only where they are named."""
    if path is None:
        for case in nurse_notes():
            if case.split == split and case.gold is not None and (not voices or case.group in voices):
                kind = next(tag.removeprefix("kind:") for tag in case.tags if tag.startswith("kind:"))
                yield {**case.model_dump(), "kind": kind}
        return
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    yield from (row for row in rows if not voices or row.get("voice") in voices)


def judged(row: dict[str, Any]) -> Row:
    """The row as the rules decide it."""
    allowed = frozenset({row["gold"], *row.get("also_ok", ())})
    name = str(row.get("id", row.get("case_id", "")))
    return Row(row["narrative"], row["gold"], allowed, row.get("kind", "all"), assess(row["narrative"]), name)


def print_figures(title: str, rows: list[Row]) -> None:
    """One line a figure: share, interval, counts."""
    print(f"{title}: {len(rows)} notes")
    for name, (of, is_so) in FIGURES.items():
        chosen = [row for row in rows if of(row)]
        if chosen:
            met = sum(map(is_so, chosen))
            low, high = wilson(met / len(chosen), len(chosen))
            share, interval = 100 * met / len(chosen), f"({100 * low:.1f} to {100 * high:.1f})"
            print(f"  {name:28} {share:5.1f} % {interval}  {met}/{len(chosen)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "path", type=Path, nargs="?", help="JSON lines; without it the notes that come with the package"
    )
    parser.add_argument(
        "--split", default="tuning", choices=("train", "tuning", "held_out"), help="of the shipped notes"
    )
    parser.add_argument("--voices", default="", help="comma separated")
    parser.add_argument("--errors", choices=ERRORS)
    parser.add_argument("--brief", action="store_true", help="all notes together only")
    chosen = parser.parse_args()
    voices = frozenset(filter(None, chosen.voices.split(",")))
    rows = [judged(row) for row in read_notes(chosen.path, chosen.split, voices)]
    if chosen.errors:
        for row in filter(ERRORS[chosen.errors], rows):
            possible = ",".join(map(str, sorted(row.decision.possible)))
            head = f"{row.case_id} gold {row.gold} {sorted(row.allowed)} [{row.kind}]"
            print(f"\n{head} -> {row.decision.level} ({possible})")
            print(f"  {row.narrative}")
            for step in row.decision.steps:
                print(f"  {step.point} {step.answer}: {step.reason} {[span.text for span in step.evidence]}")
        return
    print_figures("all", rows)
    if chosen.brief:
        return
    for kind in sorted({row.kind for row in rows}):
        print_figures(kind, [row for row in rows if row.kind == kind])


if __name__ == "__main__":
    main()
