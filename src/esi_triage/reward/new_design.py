"""A reward design to begin with, for any number of ordered levels: a TOML file that explains itself."""

STEP = 0.2  # what each level farther costs


def new_design(levels: int) -> str:
    """The text of a design of so many levels (2 or more): exact 1, a wrong answer less with each step, silence last."""
    names = ", ".join(f'"{level}"' for level in range(1, levels + 1))
    rows = "\n".join(f"  [{', '.join(_cell(gold, answer) for answer in range(levels))}]," for gold in range(levels))
    return TEMPLATE.format(levels=levels, names=names, rows=rows, no_parse=f"{-STEP * (levels + 1):.1f}")


def _cell(gold: int, answer: int) -> str:
    return f"{1.0 if gold == answer else -STEP * abs(gold - answer):4.1f}"


TEMPLATE = """# A reward design of {levels} ordered levels. Try it: esi reward audit FILE
name = "mine"
about = ""

# What the levels are called, in order. The column `gold` of your training rows, and what your reader gives, hold these.
labels = [{names}]

# Which end must not be missed: "first", "last", or "neither".
urgent = "neither"

# One row for each true level, one column for each answer. Only differences within a row count: a constant added to a
# row changes nothing, and where advantages are divided by the group's spread, neither does its size.
table = [
{rows}
]

# Where no level can be read from the answer. Keep it below the worst answer.
no_parse = {no_parse}

# A bonus for short answers: up to so much, falling to 0 at so many tokens, for exact answers only ("parsed": for every
# answer with a level; "always": for every text).
length_bonus = 0.0
length_limit = 300
length_paid = "exact"

# How often a level is drawn, counted from 1. What is drawn more often weighs more in training: the audit says how much.
# [oversample]
# 1 = 2
"""
