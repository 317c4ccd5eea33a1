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
from esi_triage.reward.audit.beliefs import doubts
from esi_triage.reward.comparison import comparison_as_json, comparison_as_text, write_html
from esi_triage.reward.design_figures import reinforced, table_figure
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
    lines = {
        line[:40].strip(): line.split()[-3:] for line in comparison_as_text(audits).splitlines() if line[:1].isalpha()
    }
    assert lines["verdict"] == ["ERROR", "WARNING", "NOTE"]
    assert lines["where training goes"] == ["error", "–", "–"]
    assert lines["prior shift"] == ["warning", "warning", "–"]
    assert lines["best answer ahead of abstention by"][1] == "+0.23"
    assert lines["best constant policy"] == ["ESI-2", "always", "ESI-3"]
    assert "  ESI-1           +1.00  -1.40  -1.70  -2.00  -2.30  -2.50" in comparison_as_text(audits)


def test_json_has_every_audit_and_the_checks_side_by_side(audits: list[Audit]) -> None:
    found = comparison_as_json(audits)
    assert [one["verdict"] for one in found["designs"]] == ["error", "warning", "note"]
    assert found["designs"][2]["table"] == load_design("audited").table
    assert found["findings_by_check"]["where training goes"] == ["error", "–", "–"]


def test_the_page_opens_offline_and_has_every_figure_of_every_design(audits: list[Audit], tmp_path: Path) -> None:
    file = tmp_path / "designs.html"
    write_html(audits, file, steps=20, seeds=2)
    page = html.unescape(file.read_text(encoding="utf-8"))
    assert "Not a medical device" in page
    assert re.findall(r"(?:src|href)=\"(?!data:image/png;base64,)", page) == []
    assert page.count("<img") == 3 * 4  # table, pairs, advantage, course
    assert page.count("How to read this:") == 4
    assert page.index("Every finding") < page.index("Figures to compare")
    for one in audits:
        for finding in one.findings:
            assert finding.message in page


PAGES = [(2, (), 4), (3, ("red", "amber", "green"), 4), (7, (), 4)]


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
        comparison_as_text([audit(load_design("v46"), MIMIC), graded(3)])


def test_a_wrong_answer_that_grpo_reinforces_is_found() -> None:
    """Nine answers of ten cut: a wrong one is better than most of its group."""
    cut = audit(load_design("audited"), MIMIC, cut_off(warm_start(MIMIC), 0.9))
    assert reinforced(cut)[4, 3]
    assert not reinforced(audit(load_design("audited"), MIMIC)).any()


def test_a_figure_is_a_png() -> None:
    assert table_figure(graded(3), 1.0).startswith(b"\x89PNG")


CELLS = st.integers(-8, 8).map(lambda k: k / 4)


@given(arrays(float, (4, 5), elements=CELLS), st.floats(0, 1))
def test_doubts_cover_every_belief_once_and_name_a_best_action(rewards: np.ndarray, p: float) -> None:
    found = doubts(rewards, (1, 3))
    assert [doubt.start for doubt in found[1:]] == [doubt.end for doubt in found[:-1]]
    assert (found[0].start, found[-1].end) == (0.0, 1.0)
    value = p * rewards[1] + (1 - p) * rewards[3]
    best = [doubt.action for doubt in found if doubt.start <= p <= doubt.end]
    assert best
    assert all(value[action] >= value.max() - 1e-6 for action in best)
