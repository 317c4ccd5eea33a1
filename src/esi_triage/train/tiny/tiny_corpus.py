"""What the tiny base is made from: its recipe (tiny.toml) and its training text."""

import random
import tomllib
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from ...answer import load_prompt, messages
from ...data.corpus.vignettes import PRIOR, open_cases, presentations
from ...data.targets import reference_answer
from ...esi import Case

TEMPLATE = "chat_template.jinja"


def tiny_recipe(smoke: bool) -> dict[str, Any]:
    """What tiny.toml says; with `smoke`, its [smoke] table merged in."""
    recipe = tomllib.loads(text_of("tiny.toml"))
    small = recipe.pop("smoke")
    return {**recipe, **small} if smoke else recipe


def base_texts(recipe: dict[str, Any], n: int, visits: Sequence[Case] = ()) -> Iterator[str]:
    """The base's training text: notes and answers, made-up ones of which a share has its level drawn at random, and the
    share `recipe["visits"]` of `visits`, in random order. Raises ValueError where there are not enough of them."""
    template = SandboxedEnvironment().from_string(text_of(TEMPLATE))
    prompt = load_prompt()
    rng = random.Random(recipe["corpus_seed"])
    read = round(recipe["visits"] * n)
    real = iter(rng.sample(visits, read))
    made = _made_up(recipe, n - read, rng)
    sources = [real] * read + [made] * (n - read)
    rng.shuffle(sources)
    for source in sources:
        case = next(source)
        chat = messages(case.narrative, prompt)[0 if rng.random() < recipe["with_system_prompt"] else 1 :]
        chat.append({"role": "assistant", "content": reference_answer(case)})
        yield template.render(messages=chat, add_generation_prompt=False).rstrip("\n")


def _made_up(recipe: dict[str, Any], n: int, rng: random.Random) -> Iterator[Case]:
    pictures = [picture for presentation in presentations() if presentation.core for picture in presentation.picture]
    kinds = sorted({resource for picture in pictures for resource in picture.resources})
    for case in open_cases(n, recipe["corpus_seed"], core=True):
        yield case if rng.random() < recipe["right_level"] else _with_random_level(case, rng, kinds)


def _with_random_level(case: Case, rng: random.Random, kinds: list[str]) -> Case:
    level = rng.choices(list(PRIOR), list(PRIOR.values()))[0]
    drawn = rng.sample(kinds, {3: 2, 4: 1}.get(level, 0))
    return case.model_copy(update={"gold": level, "resources": tuple(drawn)})


def text_of(name: str) -> str:
    """A text file of this room."""
    return (resources.files("esi_triage.train.tiny") / name).read_text(encoding="utf-8")
