"""Repair: small tables whose least change is known by hand, the card's designs, and any table at random."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esi_triage.errors import InputError
from esi_triage.reward import Design, audit, load_design
from esi_triage.reward.policy import read_prior, warm_start
from esi_triage.reward.repair import Repair, as_json, as_text, as_toml, repair
from esi_triage.reward.repair.demands import demands

MIMIC = read_prior("mimic-iv-ed", 5)
EVEN = dict.fromkeys(range(1, 6), 1.0)


def world(n: int, skill: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    return np.full(n, 1 / n), warm_start(np.full(n, 1 / n), skill)


def two(table: list[list[float]], no_parse: float = -1.0) -> Design:
    return Design.model_validate({"name": "two", "table": table, "no_parse": no_parse})


def moved(result: Repair) -> dict[tuple[int, int] | None, tuple[float, float]]:
    return {change.cell: (change.before, change.after) for change in result.changes}


# (table, silence, margin, what must move), worked out by hand
BY_HAND = [
    # both errors cost nothing: each must cost the margin
    ([[1.0, 0.0], [0.0, 1.0]], -1.0, 0.1, {(1, 2): (0.0, -0.1), (2, 1): (0.0, -0.1)}),
    # one error is below silence: to move silence down or the cell up costs the same, a half each is the least largest
    ([[1.0, -0.6], [-0.4, 1.0]], -0.5, 0.1, {(1, 2): (-0.6, -0.55), None: (-0.5, -0.55)}),
    # nothing is wrong: nothing moves
    ([[1.0, -0.5], [-0.5, 1.0]], -1.0, 0.1, {}),
]


@pytest.mark.parametrize(("table", "no_parse", "margin", "expected"), BY_HAND)
def test_the_least_change_by_hand(table: list[list[float]], no_parse: float, margin: float, expected: dict) -> None:
    result = repair(two(table, no_parse), [world(2)], margin=margin)
    found = moved(result)
    assert found.keys() == expected.keys()
    for cell, values in expected.items():
        assert found[cell] == pytest.approx(values, abs=1e-5)
    assert result.left == []


def test_the_step_to_exact_is_made_larger_than_any_bonus() -> None:
    """Up to 0.4 for brevity, and 0.4 from wrong to exact: 0.1 more in each row, half of it in each cell."""
    values = two([[0.0, -0.4], [-0.4, 0.0]]).model_dump() | {"length_bonus": 0.4}
    result = repair(Design.model_validate(values), [world(2)], margin=0.1)
    for gold, wrong in ((1, 2), (2, 1)):
        assert moved(result)[gold, gold] == pytest.approx((0.0, 0.05))
        assert moved(result)[gold, wrong] == pytest.approx((-0.4, -0.45))
    assert result.left == []


def test_v45c_s_error_goes_with_the_least_cost_on_the_level_that_is_never_punished() -> None:
    result = repair(load_design("v45c"), [(MIMIC, warm_start(MIMIC))], "error")
    assert set(moved(result)) == {(2, 1), (3, 1), (4, 1), (5, 1)}
    assert result.after is not None
    assert audit(result.after, MIMIC).verdict == "warning"


def test_v46_needs_other_class_factors_first() -> None:
    """With ×3 ESI-2 is the most probable level in training, and ESI-3 among patients: no table serves both."""
    result = repair(load_design("v46"), [(MIMIC, warm_start(MIMIC))])
    assert result.after is None
    assert {demand.check for demand in result.conflict} == {"hedging", "drift"}
    assert "Class factors" in as_text(result)


@pytest.fixture(scope="module")
def v46_repaired() -> Repair:
    design = load_design("v46").model_copy(update={"oversample": EVEN})
    return repair(design, [(MIMIC, warm_start(MIMIC, skill)) for skill in (0.5, 0.65, 0.8)])


def test_v46_is_repaired_in_every_world(v46_repaired: Repair) -> None:
    assert v46_repaired.after is not None
    assert v46_repaired.left == []
    for skill in (0.5, 0.65, 0.8):
        assert not audit(v46_repaired.after, MIMIC, warm_start(MIMIC, skill)).reaches("warning")
    cells = moved(v46_repaired)
    assert cells[(2, 3)] == pytest.approx((0.0, -0.3))  # the free zone: the margin, and the bonus of a wrong answer
    assert cells[None][1] <= -2.0  # silence below v46's worst answer
    assert (1, 4) not in cells


def test_a_repaired_design_is_a_file_with_reasons(v46_repaired: Repair, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(as_toml(v46_repaired), encoding="utf-8")
    read = load_design(str(file))
    assert v46_repaired.after is not None
    assert read.model_dump(exclude={"name", "about"}) == v46_repaired.after.model_dump(exclude={"name", "about"})
    reasons = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    assert len(reasons) == len(v46_repaired.changes)
    assert "# ESI-2 called ESI-4: 0.0 -> -0.3, for costless: ESI-2 called ESI-4 costs something" in reasons


def test_names_and_the_urgent_end_survive_the_file(tmp_path: Path) -> None:
    values = {"name": 'a "b"', "table": [[1, 0.5], [0, 1]], "no_parse": -1, "labels": ["mild", "grave"]}
    result = repair(Design.model_validate(values | {"urgent": "last"}), [world(2)])
    (tmp_path / "x.toml").write_text(as_toml(result), encoding="utf-8")
    read = load_design(str(tmp_path / "x.toml"))
    assert (read.name, read.labels, read.urgent) == ('a "b"-repaired', ("mild", "grave"), "last")


def test_frozen_cells_stay_and_others_move_more() -> None:
    design = two([[1.0, -0.6], [-0.4, 1.0]], -0.5)
    assert moved(repair(design, [world(2)], frozen=[(1, 2)])).keys() == {None}
    assert moved(repair(design, [world(2)], frozen=[None])).keys() == {(1, 2)}


def test_what_frozen_cells_forbid_is_named_and_nothing_else() -> None:
    design = two([[1.0, -0.6], [-0.4, 1.0]], -0.5)
    result = repair(design, [world(2)], frozen=[None, (1, 2), (2, 2)])
    assert result.after is None
    assert [demand.why for demand in result.conflict] == ["level 1 called level 2 is no worse than silence"]
    assert sorted(result.frozen, key=str) == [(1, 2), None]  # not (2, 2), which is in nobody's way
    assert "frozen: no answer -0.5" in as_text(result)
    assert as_json(result)["feasible"] is False


@pytest.mark.parametrize(("cell", "margin", "named"), [((3, 1), 0.05, "--freeze 3,1"), ((1, 1), 0.0, "--margin 0")])
def test_bad_input(cell: tuple[int, int], margin: float, named: str) -> None:
    with pytest.raises(InputError, match=named):
        repair(two([[1.0, 0.0], [0.0, 1.0]]), [world(2)], frozen=[cell], margin=margin)


CELLS = st.integers(-8, 8).map(lambda k: k / 4)
PAID = st.sampled_from(["always", "parsed", "exact"])


@st.composite
def designs(draw: st.DrawFn) -> Design:
    n = draw(st.integers(2, 4))
    values = {
        "name": "random",
        "table": [[draw(CELLS) for _ in range(n)] for _ in range(n)],
        "no_parse": draw(CELLS),
        "urgent": draw(st.sampled_from(["first", "last", "neither"])),
        "format_bonus": draw(st.sampled_from([0.0, 0.1])),
        "length_bonus": draw(st.sampled_from([0.0, 0.3])),
        "format_paid": draw(PAID),
        "length_paid": draw(PAID),
    }
    return Design.model_validate(values)


def plain(design: Design) -> Design:
    """A table that passes with any bonuses: exact 3, every error by its distance, silence far below."""
    n = len(design.table)
    table = tuple(tuple(3.0 if g == a else -0.5 - 0.1 * abs(g - a) for a in range(n)) for g in range(n))
    return design.model_copy(update={"table": table, "no_parse": -3.0})


@settings(deadline=None, max_examples=40)
@given(designs(), st.sampled_from(["error", "warning"]), st.sampled_from([0.7, 0.9]))
def test_any_table_is_repaired_and_by_no_more_than_a_change_that_is_known_to_do(design, severity, skill) -> None:
    prior, policy = world(len(design.table), skill)
    result = repair(design, [(prior, policy)], severity)
    assert result.after is not None
    # under the group's own scaling the sign of an advantage is not linear; nothing else may be left
    assert {finding.check for finding in result.left} <= {"groups"}
    known = plain(design)
    before = audit(design, prior, policy)
    asked = demands(before.setting, severity, 0.05)
    if all((demand.weights * known.rewards).sum() >= demand.least - 1e-9 for demand in asked):
        far = np.abs(np.array(known.table) - np.array(design.table)).sum() + abs(known.no_parse - design.no_parse)
        assert sum(abs(change.after - change.before) for change in result.changes) <= far + 1e-4


@settings(deadline=None, max_examples=40)
@given(designs(), st.sampled_from([0.7, 0.9]))
def test_a_table_that_meets_every_demand_has_no_finding(design: Design, skill: float) -> None:
    """The demands are sufficient: a table that fulfils them has nothing to warn of but the group's own scaling."""
    prior, policy = world(len(design.table), skill)
    for candidate in (design, plain(design)):
        found = audit(candidate, prior, policy)
        asked = demands(found.setting, "warning", 0.05)
        if all((demand.weights * candidate.rewards).sum() >= demand.least for demand in asked):
            assert {f.check for f in found.findings if f.severity != "note"} <= {"groups"}
