"""The nurse notes: fictional triage notes as nurses type them, with levels by two labellers, many with an answer.

The files in notes/ hold one voice each, one note a line; voices.toml says who types, and in which split. Labels were
made by language models working from the handbook: they are no expert's and no clinician's (docs/data-sheets).

1. The author of a note sets its level, and in the first 26 voices writes its reference answer. Of the others the
   training notes have one that was written from the note and the agreed level.
2. A second labeller sees the bare note. Where the two differ, a third decides; where all three differ there is no gold.
3. A reference answer stays with its note as long as it reaches the gold.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...answer import lines_of, parse
from ...errors import validated
from ...esi import Case, Split
from ...reading import strict_json

Kind = Literal["plain", "harmless-word", "hidden-danger"]


class Voice(BaseModel):
    """Who types: the setting in a sentence, and the split that all notes of the voice belong to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    setting: str
    split: Split


class WrittenNote(BaseModel):
    """One line of a file in notes/. `third` is there only where `gold` and `second` differ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    scenario: str
    narrative: str = Field(min_length=1)
    gold: int = Field(ge=1, le=5, description="the author's level")
    also_ok: tuple[int, ...] = Field(default=(), description="levels that a competent colleague could defend")
    second: int | None = Field(default=None, ge=1, le=5, description="the level of who saw the bare note only")
    third: int | None = Field(default=None, ge=1, le=5, description="the level of who decides between the two")
    kind: Kind = Field(
        default="plain", description="harmless-word: a dangerous word in harmless context; hidden-danger: no keyword"
    )
    pair: str | None = Field(default=None, description="two notes that differ in one detail, which changes the level")
    answer: str | None = Field(default=None, description="the reference answer, written for the note")

    @property
    def level(self) -> int | None:
        """The level that two of three labels agree on; null where the case is disputed."""
        if self.second in (None, self.gold):
            return self.gold
        return self.third if self.third in (self.gold, self.second) else None


@cache
def voices() -> dict[str, Voice]:
    """Voices by number, in order."""
    text = (resources.files("esi_triage.data.corpus") / "voices.toml").read_text(encoding="utf-8")
    return {
        number: validated(Voice, values, f"voices.toml: {number}") for number, values in tomllib.loads(text).items()
    }


def written_notes(number: str) -> Iterator[WrittenNote]:
    """The notes of one voice, in order. Raises InputError, naming file and line, for one that is damaged."""
    name = f"{number}-{voices()[number].slug}.jsonl"
    lines = (resources.files("esi_triage.data.corpus") / "notes" / name).read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines, start=1):
        yield validated(WrittenNote, strict_json(line), f"{name}: line {place}")


def nurse_notes() -> Iterator[Case]:
    """All notes as cases. `group` is the voice: splits never separate one author's notes."""
    for number, voice in voices().items():
        for note in written_notes(number):
            yield _case(note, voice)


def _case(note: WrittenNote, voice: Voice) -> Case:
    case_id = f"note-{note.id}"
    answer = note.answer if note.answer and parse(note.answer).level == note.level else None
    return Case(
        case_id=case_id,
        source="nurse-notes",
        licence="open",
        subject_id=f"note-{note.pair}" if note.pair else case_id,
        stay_id=case_id,
        split=voice.split,
        narrative=note.narrative,
        chief_complaint=lines_of(note.answer or "").get("chief_complaint"),
        gold=note.level,
        gold_source="model-consensus" if note.level else None,
        also_ok=tuple(sorted({*note.also_ok, note.gold} - {note.level})),
        group=voice.slug,
        quality=() if note.level else ("disputed",),
        scenario=note.scenario,
        reference_answer=answer,
        tags=(f"kind:{note.kind}", *((f"pair:{note.pair}",) if note.pair else ())),
    )
