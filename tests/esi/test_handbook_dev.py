"""The bars on the published teaching cases, reworded (a development set; other cases judge the engine)."""

import json
from pathlib import Path

import pytest

from esi_triage.esi import assess

_CASES = Path(__file__).parents[2].parent / "shared" / "data" / "handbook-dev.jsonl"


@pytest.mark.skipif(not _CASES.exists(), reason=f"the handbook development cases are not at {_CASES}")
def test_bars() -> None:
    cases = [json.loads(line) for line in _CASES.read_text(encoding="utf-8").splitlines()]
    pairs = [(case["gold"], assess(case["narrative"]).level) for case in cases]
    n = len(pairs)
    urgent = [level for gold, level in pairs if gold <= 2]
    assert sum(gold == level for gold, level in pairs) >= 0.75 * n
    assert sum(abs(gold - level) <= 1 for gold, level in pairs) >= 0.95 * n
    assert sum(level <= 2 for level in urgent) >= 0.92 * len(urgent)
    assert sum(level > gold for gold, level in pairs) <= 0.08 * n
