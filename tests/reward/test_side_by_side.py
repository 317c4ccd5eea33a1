"""Designs side by side, and the regions of beliefs that the figures draw."""

import html
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from esi_triage.errors import InputError
from esi_triage.reward import Audit, Design, audit, load_design
from esi_triage.reward.compare import as_json, as_text, write_html
from esi_triage.reward.figures import regions, reinforced, table_figure
from esi_triage.reward.policy import cut_off, read_prior, warm_start

MIMIC = read_prior("mimic-iv-ed", 5)


def graded(n: int, labels: tuple[str, ...] = ()) -> Audit:
    table = [[1.0 if g == a else -0.5 * abs(g - a) for a in range(n)] for g in range(n)]
    values = {"name": f"grades-{n}", "table": table, "no_parse": -4, "labels": labels}
    return audit(Design.model_validate(values), np.full(n, 1 / n))


@pytest.fixture(scope="module")
def audits() -> list[Audit]:
    return [audit(load_design(name), MIMIC) for name in ("v45c", "v46", "audited")]


def test_text_holds_verdicts_findings_and_figures_side_by_side(audits: list[Audit]) -> None:
    lines = {line[:40].strip(): line.split()[-3:] for line in as_text(audits).splitlines() if line[:1].isalpha()}
    assert lines["verdict"] == ["ERROR", "WARNING", "NOTE"]
    assert lines["acts that cost nothing"] == ["error", "warning", "–"]
    assert lines["drift from the class shares"] == ["warning", "warning", "–"]
    assert lines["best answer ahead of silence by"][1] == "+0.21"
    assert lines["best lazy policy"] == ["ESI-2", "always", "ESI-3"]
    assert "  ESI-1           +1.00  -1.40  -1.70  -2.00  -2.30  -2.50" in as_text(audits)


def test_json_has_every_audit_and_the_checks_side_by_side(audits: list[Audit]) -> None:
    found = as_json(audits)
    assert [one["verdict"] for one in found["designs"]] == ["error", "warning", "note"]
    assert found["designs"][2]["table"] == load_design("audited").table
    assert found["findings_by_check"]["acts that cost nothing"] == ["error", "warning", "–"]


def test_the_page_opens_offline_and_has_every_figure_of_every_design(audits: list[Audit], tmp_path: Path) -> None:
    file = tmp_path / "designs.html"
    write_html(audits, file, steps=20, seeds=2)
    page = html.unescape(file.read_text(encoding="utf-8"))
    assert "Not a medical device" in page
    assert re.findall(r"(?:src|href)=\"(?!data:image/png;base64,)", page) == []
    assert page.count("<img") == 3 * 7  # table, pairs, three triangles, advantage, course
    assert page.count("How to read this:") == 5
    for one in audits:
        for finding in one.findings:
            assert finding.message in page


PAGES = [(2, (), 4), (3, ("red", "amber", "green"), 5), (7, (), 9)]


@pytest.mark.parametrize(("n", "labels", "figures"), PAGES)
def test_any_number_of_levels(n: int, labels: tuple[str, ...], figures: int, tmp_path: Path) -> None:
    write_html([graded(n, labels)], tmp_path / "page.html", steps=10, seeds=2)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<img") == figures
    assert all(label in page for label in labels)


def test_without_a_warm_start_that_can_be_simulated_the_page_says_so(tmp_path: Path) -> None:
    perfect = audit(load_design("v46"), MIMIC, warm_start(MIMIC, 1.0))
    write_html([perfect], tmp_path / "page.html")
    assert "Not simulated" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_designs_of_different_size_are_refused() -> None:
    with pytest.raises(InputError, match="grades-3 has 3 levels, v46 has 5"):
        as_text([audit(load_design("v46"), MIMIC), graded(3)])


def test_a_wrong_answer_that_grpo_reinforces_is_found() -> None:
    """Nine answers of ten cut: a wrong one is better than most of its group."""
    cut = audit(load_design("audited"), MIMIC, cut_off(warm_start(MIMIC), 0.9))
    assert reinforced(cut)[4, 3]
    assert not reinforced(audit(load_design("audited"), MIMIC)).any()


def test_a_figure_is_a_png() -> None:
    assert table_figure(graded(3), 1.0).startswith(b"\x89PNG")


CELLS = st.integers(-8, 8).map(lambda k: k / 4)
BELIEFS = arrays(float, 3, elements=st.floats(0.01, 1.0))


@given(arrays(float, (4, 5), elements=CELLS), BELIEFS)
def test_regions_cover_every_belief_once_and_with_a_best_act(rewards: np.ndarray, weights: np.ndarray) -> None:
    belief = weights / weights.sum()
    levels = (0, 1, 3)
    found = regions(rewards, levels)
    assert sum(_area(corners) for _, corners in found) == pytest.approx(1.0, abs=1e-4)
    value = belief @ rewards[list(levels)]
    best = [act for act, corners in found if _inside(belief, corners)]
    assert best
    assert all(value[act] >= value.max() - 1e-6 for act in best)


def _area(corners: np.ndarray) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _inside(belief: np.ndarray, corners: np.ndarray) -> bool:
    edges = np.roll(corners, -1, axis=0)[:, :2] - corners[:, :2]
    to = belief[:2] - corners[:, :2]
    turns = edges[:, 0] * to[:, 1] - edges[:, 1] * to[:, 0]
    return bool((turns >= -1e-9).all() or (turns <= 1e-9).all())
