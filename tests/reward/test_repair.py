"""Repair: small tables whose least change is known by hand, the card's designs, and any table at random."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esi_triage.errors import InputError
from esi_triage.reward import Design, audit, load_design
from esi_triage.reward.audit.setting import Scale
from esi_triage.reward.policy import read_prior, warm_start
from esi_triage.reward.repair import Repair, repair, repair_as_json, repair_as_text, repair_as_toml
from esi_triage.reward.repair.demands import demands

MIMIC = read_prior("mimic-iv-ed", 5)
EVEN = dict.fromkeys(range(1, 6), 1.0)


def world(n: int, skill: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    return np.full(n, 1 / n), warm_start(np.full(n, 1 / n), skill)


def two(table: list[list[float]], no_parse: float = -1.0) -> Design:
    return Design.model_validate({"name": "two", "table": table, "no_parse": no_parse})


def moved(result: Repair) -> dict[tuple[int, int] | None, tuple[float, float]]:
    return {change.cell: (change.before, change.after) for change in result.changes}


# (table, silence, margin, what must move), worked out by hand without scaling
BY_HAND = [
    # at even odds the milder level is ahead by 0.1: each error moves by half of what makes up for it
    ([[1.0, -0.4], [-0.6, 1.0]], -1.0, 0.1, {(1, 2): (-0.4, -0.5), (2, 1): (-0.6, -0.5)}),
    # one error is below silence: to move silence down or the cell up costs the same, a half each is the least largest
    ([[1.0, -0.6], [-0.4, 1.0]], -0.5, 0.1, {(1, 2): (-0.6, -0.55), None: (-0.5, -0.55)}),
    # nothing is wrong: nothing moves
    ([[1.0, -0.5], [-0.5, 1.0]], -1.0, 0.1, {}),
]


@pytest.mark.parametrize(("table", "no_parse", "margin", "expected"), BY_HAND)
def test_the_least_change_by_hand(table: list[list[float]], no_parse: float, margin: float, expected: dict) -> None:
    result = repair(
        two(table, no_parse), [world(2)], "warning" if no_parse == -1 else "note", margin=margin, scale="none"
    )
    found = moved(result)
    assert found.keys() == expected.keys()
    for cell, values in expected.items():
        assert found[cell] == pytest.approx(values, abs=1e-5)


def test_the_step_to_exact_is_made_larger_than_any_bonus() -> None:
    """Up to 0.4 for brevity, and 0.4 from wrong to exact: errors pay 0.1 less, for exact answers stay as they are."""
    values = two([[0.0, -0.4], [-0.4, 0.0]]).model_dump() | {"length_bonus": 0.4}
    result = repair(Design.model_validate(values), [world(2)], margin=0.1, scale="none")
    assert moved(result) == {wrong: pytest.approx((-0.4, -0.5)) for wrong in ((1, 2), (2, 1))}
    assert result.left == []


def test_v45c_s_error_is_not_for_a_table_to_remove() -> None:
    result = repair(load_design("v45c"), [(MIMIC, warm_start(MIMIC))], "error")
    assert result.after is None
    assert "Class factors" in repair_as_text(result)


def test_v46_needs_other_class_factors_first() -> None:
    """With ×3 ESI-2 is the most probable level in training, and ESI-3 among patients: no table serves both."""
    result = repair(load_design("v46"), [(MIMIC, warm_start(MIMIC))])
    assert result.after is None
    assert {demand.check for demand in result.conflict} == {"hedging", "drift"}
    assert "Class factors" in repair_as_text(result)


@pytest.fixture(scope="module")
def v46_repaired() -> Repair:
    design = load_design("v46").model_copy(update={"oversample": EVEN})
    return repair(design, [(MIMIC, warm_start(MIMIC, skill)) for skill in (0.6, 0.65, 0.8)], scale="none")


def test_v46_is_repaired_in_every_world(v46_repaired: Repair) -> None:
    assert v46_repaired.after is not None
    assert v46_repaired.left == []
    for skill in (0.6, 0.65, 0.8):
        assert not audit(v46_repaired.after, MIMIC, warm_start(MIMIC, skill), scale="none").reaches("warning")
    cells = moved(v46_repaired)
    assert cells[(3, 2)][1] < 0.0  # the pull to ESI-2
    assert not any((level, level) in cells for level in range(1, 6))


def test_a_repaired_design_is_a_file_with_reasons(v46_repaired: Repair, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(repair_as_toml(v46_repaired), encoding="utf-8")
    read = load_design(str(file))
    assert v46_repaired.after is not None
    assert read.model_dump(exclude={"name", "about"}) == v46_repaired.after.model_dump(exclude={"name", "about"})
    reasons = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    assert len(reasons) == len(v46_repaired.changes)
    assert any(line.startswith("# ESI-3 called ESI-2: 0.0 -> -") and "hedging" in line for line in reasons)


def test_names_and_the_urgent_end_survive_the_file(tmp_path: Path) -> None:
    values = {"name": 'a "b"', "table": [[1, 0.5], [0, 1]], "no_parse": -1, "labels": ["mild", "grave"]}
    result = repair(Design.model_validate(values | {"urgent": "last"}), [world(2)])
    (tmp_path / "x.toml").write_text(repair_as_toml(result), encoding="utf-8")
    read = load_design(str(tmp_path / "x.toml"))
    assert (read.name, read.labels, read.urgent) == ('a "b"-repaired', ("mild", "grave"), "last")


def test_frozen_cells_stay_and_others_move_more() -> None:
    design = two([[1.0, -0.6], [-0.4, 1.0]], -0.5)
    assert moved(repair(design, [world(2)], "note", frozen=[(1, 2)], scale="none")).keys() == {None}
    assert moved(repair(design, [world(2)], "note", frozen=[None], scale="none")).keys() == {(1, 2)}


def test_what_frozen_cells_forbid_is_named_and_nothing_else() -> None:
    design = two([[1.0, -0.6], [-0.4, 1.0]], -0.5)
    result = repair(design, [world(2)], "note", frozen=[None, (1, 2), (2, 2)], scale="none")
    assert result.after is None
    assert [demand.why for demand in result.conflict] == ["level 1 called level 2 is no worse than abstention"]
    assert sorted(result.frozen, key=str) == [(1, 2), None]  # not (2, 2), which is in nobody's way
    assert "frozen: no answer -0.5" in repair_as_text(result)
    assert repair_as_json(result)["feasible"] is False


@pytest.mark.parametrize("n", [5, 7])
def test_repair_keeps_the_order_of_a_near_credit_table(n: int) -> None:
    """Kappa's credit: the middle pays in a doubt between extremes, and is repaired without flattening it."""
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    values = {"name": "kappa", "table": (1 - (distance / (n - 1)) ** 2).tolist(), "no_parse": 0.0}
    result = repair(Design.model_validate(values), [world(n)])
    assert result.after is not None
    assert result.changes
    ordered(np.array(result.after.table), np.array(values["table"]))


def ordered(after: np.ndarray, before: np.ndarray) -> None:
    """On either side of gold nearer pays no less than farther, and more where the two differed."""
    n = len(after)
    for gold in range(n):
        for side in (range(gold - 1, -1, -1), range(gold + 1, n)):
            for near, far in pairwise(side):
                assert after[gold, near] >= after[gold, far] - 1e-9
                if abs(before[gold, near] - before[gold, far]) > 1e-6:
                    assert after[gold, near] > after[gold, far]


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


@settings(deadline=None, max_examples=25)
@given(designs(), st.sampled_from(["group", "none"]), st.sampled_from([0.7, 0.9]))
def test_any_table_is_repaired_in_order(design: Design, scale: Scale, skill: float) -> None:
    prior, policy = world(len(design.table), skill)
    result = repair(design, [(prior, policy)], scale=scale)
    if result.after is None:
        assert result.conflict
        return
    # with the group's scaling the units move with the table; without, all but where training goes is linear
    if scale == "none":
        assert {finding.check for finding in result.left} <= {"groups", "collapse", "silence"}
    if result.changes:
        ordered(np.array(result.after.table), np.array(design.table))


@settings(deadline=None, max_examples=25)
@given(designs(), st.sampled_from([0.7, 0.9]))
def test_a_table_that_meets_every_demand_has_no_finding(design: Design, skill: float) -> None:
    """The demands are sufficient: a table that fulfils them has nothing to warn of but the group's own scaling."""
    prior, policy = world(len(design.table), skill)
    for candidate in (design, plain(design)):
        found = audit(candidate, prior, policy)
        asked = demands(found.setting, "warning", 0.05)
        if all((demand.weights * found.setting.table_only).sum() >= demand.least for demand in asked):
            assert {f.check for f in found.findings if f.severity != "note"} <= {"groups", "collapse", "silence"}
