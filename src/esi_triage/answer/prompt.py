"""What a model is asked. Prompts are text files, named and hashed, so that a run says exactly which one it used."""

import hashlib
import sys
from dataclasses import dataclass
from importlib import resources

from ..errors import InputError

RENAMED = {"seed": "model-card"}  # names in experiment files and runs written before 0.2


@dataclass(frozen=True)
class Prompt:
    """A system prompt, its name and the SHA-256 of its text."""

    name: str
    system: str
    sha256: str


def load_prompt(name: str = "model-card") -> Prompt:
    """The shipped prompt called `name`. `model-card` is the card's system prompt, word for word."""
    name = RENAMED.get(name, name)
    folder = resources.files("esi_triage.answer") / "prompts"
    file = folder / f"{name}.txt"
    if not file.is_file():
        known = ", ".join(sorted(f.name.removesuffix(".txt") for f in folder.iterdir()))
        raise InputError(f"prompt = {name!r}: there is no such prompt. Known prompts: {known}.")
    system = file.read_text(encoding="utf-8").strip()
    return Prompt(name, system, hashlib.sha256(system.encode()).hexdigest())


def current_name(name: str, where: object) -> str:
    """Today's name of a prompt; where the file `where` uses an older one, a note on standard error says so."""
    if name in RENAMED:
        print(f"note: {where}: prompt = {name!r} is called {RENAMED[name]!r} now", file=sys.stderr)
    return RENAMED.get(name, name)


def messages(narrative: str, prompt: Prompt) -> list[dict[str, str]]:
    """The chat that asks for one narrative's ESI level: a system turn and a user turn."""
    return [{"role": "system", "content": prompt.system}, {"role": "user", "content": narrative}]
