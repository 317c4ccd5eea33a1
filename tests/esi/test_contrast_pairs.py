"""Minimal pairs of narratives (contrast_pairs.toml): what must and what must not change the level."""

import tomllib
from pathlib import Path

import pytest

from esi_triage.esi import assess

_PAIRS = tomllib.loads((Path(__file__).parent / "contrast_pairs.toml").read_text(encoding="utf-8"))["pair"]
_SIDES = [(pair["about"], *pair[side]) for pair in _PAIRS for side in ("a", "b")]


def test_there_are_a_hundred_pairs() -> None:
    assert len(_PAIRS) >= 100
    assert len({tuple(map(tuple, (pair["a"], pair["b"]))) for pair in _PAIRS}) == len(_PAIRS)


@pytest.mark.parametrize(("about", "narrative", "level"), _SIDES)
def test_pair(about: str, narrative: str, level: int) -> None:
    decision = assess(narrative)
    assert decision.level == level, f"{about}: {decision.steps}"
    assert decision.level in decision.possible
