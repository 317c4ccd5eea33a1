"""Reporting checklists: each item is filled from the run, not applicable and why, or left to the author."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Formatter

from ....errors import InputError
from ....reading import read_toml

LISTS = ("tripod-llm", "mi-clear-llm")
AUTHOR = "AUTHOR MUST COMPLETE"


@dataclass(frozen=True, slots=True)
class Item:
    """One item: what is asked, whether a run can tell (`automatic`), and what stands there now."""

    id: str
    about: str
    automatic: bool
    text: str

    @property
    def open(self) -> bool:
        """True where a person must still write."""
        return self.text.startswith(AUTHOR)


def checklist(name: str, facts: Mapping[str, str], said: Mapping[str, str] | None = None) -> list[Item]:
    """The items of one of `LISTS`, filled with `facts` (card_facts.py) and with what the author has `said` by id.

    An automatic item whose facts the run lacks is left to the author, with the names of what is missing.
    """
    said = said or {}
    return [
        Item(row["id"], row["about"], "fill" in row, said.get(row["id"]) or _text(row, facts))
        for row in _read(name)["item"]
    ]


def checklists_markdown(names: Mapping[str, list[Item]]) -> str:
    """Checklists by name, as one Markdown document with a count of what is still open on top of each."""
    parts = ["# Reporting checklists"]
    for name, items in names.items():
        head = _read(name)
        left = [item.id for item in items if item.open]
        parts += [
            f"## {head['name']}",
            head["about"],
            f"Open, for the author to complete: {', '.join(left) or 'none'} ({len(left)} of {len(items)}).",
            "| item | what is asked | answer |\n| --- | --- | --- |\n"
            + "\n".join(f"| {item.id} | {_cell(item.about)} | {_cell(item.text)} |" for item in items),
        ]
    return "\n\n".join(parts) + "\n"


def read_author(file: Path) -> dict[str, dict[str, str]]:
    """What an author has written: a TOML file with a table for each list, e.g. [tripod-llm] with "3a" = "...".

    Raises InputError for a list or an item that does not exist, and for an answer that is no text.
    """
    tables = read_toml(file, "Give a TOML file of answers.")
    for name, answers in tables.items():
        if name not in LISTS or not isinstance(answers, dict):
            raise InputError(f"{file}: [{name}] is no checklist; known: {', '.join(LISTS)}.")
        known = [row["id"] for row in _read(name)["item"]]
        for item, text in answers.items():
            if item not in known:
                raise InputError(f"{file}: [{name}] has no item {item!r}; known: {', '.join(known)}.")
            if not isinstance(text, str) or not text.strip():
                raise InputError(f"{file}: [{name}] {item} = {text!r}; an answer is a text.")
    return tables


def _text(row: Mapping[str, str], facts: Mapping[str, str]) -> str:
    if "na" in row:
        return f"Not applicable: {row['na']}."
    asked = row.get("fill", row.get("author", ""))
    missing = [name for _, name, _, _ in Formatter().parse(asked) if name and not facts.get(name)]
    if "fill" in row:
        return f"{AUTHOR} (the run does not say: {', '.join(missing)})" if missing else asked.format_map(facts) + "."
    return AUTHOR if missing or not asked else f"{AUTHOR}. {asked.format_map(facts)}"


def _cell(text: str) -> str:
    return " ".join(text.replace("..", ".").replace("|", "/").split())


def _read(name: str) -> dict:
    file = resources.files("esi_triage.evaluate.report.card") / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
