"""A reward design to begin with, for any number of ordered levels: a TOML file that explains itself."""

from importlib import resources

STEP = 0.2  # what each level farther costs


def new_design(levels: int) -> str:
    """The text of a design of so many levels (2 or more): exact 1, a wrong answer less with each step, silence last."""
    template = resources.files("esi_triage.reward") / "templates" / "new_design.toml"
    names = ", ".join(f'"{level}"' for level in range(1, levels + 1))
    rows = "\n".join(f"  [{', '.join(_cell(gold, answer) for answer in range(levels))}]," for gold in range(levels))
    filled = {"levels": levels, "names": names, "rows": rows, "no_parse": f"{-STEP * (levels + 1):.1f}"}
    return template.read_text(encoding="utf-8").format(**filled)


def _cell(gold: int, answer: int) -> str:
    return f"{1.0 if gold == answer else -STEP * abs(gold - answer):4.1f}"
