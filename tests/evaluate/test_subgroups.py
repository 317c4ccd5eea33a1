"""Subgroups: a planted bias is seen without being asked for, chance is not taken for one."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esi_triage.errors import InputError
from esi_triage.evaluate.breakdowns.slices import Slice
from esi_triage.evaluate.breakdowns.subgroups import MOST, groups_of, subgroups
from esi_triage.evaluate.linked_tables import read_columns, read_linked
from esi_triage.evaluate.report.patient_sections import subgroup_comparison
from esi_triage.evaluate.scored import scored


def _visits(under: dict[str, float], n: int = 5000):
    """Gold 3; each group's share of answers one level less urgent is `under`, the rest is right."""
    rng = np.random.default_rng(7)
    groups = rng.choice([*under], size=n, p=[0.2, *[0.8 / (len(under) - 1)] * (len(under) - 1)])
    predicted = [4 if rng.random() < under[group] else 3 for group in groups]
    return groups.tolist(), scored([3] * n, predicted)


def test_a_planted_bias_of_under_triage_is_seen_without_being_asked_for():
    """19.7 against 14.3 % in one group of 5,000 visits."""
    groups, answers = _visits({"B": 0.197, "A": 0.143, "C": 0.143})
    other = np.random.default_rng(1).choice(["east", "west", "north", "south"], size=answers.n).tolist()
    found = subgroups(answers, groups_of({"race": groups, "region": other}), {})
    row = next(row for row in found["rows"] if row["name"] == "B")
    difference = row["differences"]["under_triage_or_silent"]
    assert difference["significant"]
    assert 0.02 < difference["low"] < difference["value"] < difference["high"] < 0.1
    seen = subgroup_comparison({"subgroups": found}).lead
    assert "race: B: under-triage or no answer +" in seen
    assert "region" not in seen


def test_groups_that_do_not_differ_are_not_said_to():
    false = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        answers = scored([3] * 2000, rng.choice([2, 3, 4], size=2000, p=[0.1, 0.75, 0.15]).tolist())
        parts = groups_of({"race": rng.choice(["A", "B", "C", "D"], size=2000).tolist()})
        false += any(
            d["significant"] for row in subgroups(answers, parts, {})["rows"] for d in row["differences"].values()
        )
    assert false <= 2


def test_the_outcome_s_sensitivity_is_compared_too():
    """Of those who came to critical care, group B is placed in 1 or 2 half as often."""
    rng = np.random.default_rng(2)
    group, critical = rng.random(4000) < 0.3, rng.random(4000) < 0.2
    urgent = rng.random(4000) < np.where(group, 0.35, 0.7)
    answers = scored([3] * 4000, np.where(urgent & critical, 2, 3).tolist())
    parts = [Slice("race", "B", group), Slice("race", "A", ~group)]
    found = subgroups(answers, parts, {"died": [False] * 4000, "critical": critical.tolist()})
    assert found["outcome"] == "critical"
    row = found["rows"][0]
    assert row["outcome_sensitivity"]["value"] == pytest.approx(0.35, abs=0.05)
    assert row["differences"]["outcome_sensitivity"]["high"] < -0.25
    assert row["differences"]["outcome_sensitivity"]["significant"]


def test_rare_values_are_one_part_and_none_is_lost():
    values = [f"hospital {i % 40}" for i in range(400)] + [None] * 5
    parts = groups_of({"hospital": values})
    assert len(parts) == MOST
    assert sum(part.mask.sum() for part in parts) == 405
    assert parts[-1].name == "other values"


def test_a_small_part_is_shown_and_not_compared():
    answers = scored([3] * 100, [3] * 100)
    found = subgroups(answers, [Slice("race", "B", np.arange(100) < 10)], {})
    assert (found["rows"][0]["few"], found["rows"][0]["differences"], found["compared"]) == (True, {}, 0)


def test_tables_beside_the_cases_are_taken_up_and_ordered_by_case(tmp_path):
    cases = tmp_path / "visits.parquet"
    pq.write_table(
        pa.table({"case_id": ["b", "a", "z"], "critical": [1, 0, 1], "region": ["w", "e", "e"]}),
        tmp_path / "visits.outcomes.parquet",
    )
    pq.write_table(
        pa.table({"case_id": ["a", "b"], "race": ["B", None], "ward": [3, 4]}), tmp_path / "visits.groups.parquet"
    )
    found = read_linked(cases, ["a", "b", "c"])
    assert found.outcomes == {"critical": [False, True, None]}
    assert found.groups == {"region": ["e", "w", None], "race": ["B", None, None], "ward": ["3", "4", None]}
    assert found.file == "visits.outcomes.parquet"
    (tmp_path / "other.csv").write_text("case_id,died\na,1\nb,\n")
    assert read_linked(cases, ["a", "b"], tmp_path / "other.csv").outcomes == {"died": [True, None]}


def _beside(folder, kind, **columns):
    ids = [f"c{i:02}" for i in range(len(next(iter(columns.values()))))]
    pq.write_table(pa.table({"case_id": ids} | columns), folder / f"visits.{kind}.parquet")
    return ids


def test_columns_without_a_value_for_these_cases_are_left_out_and_outcomes_among_them_named(tmp_path):
    _beside(tmp_path, "outcomes", died=pa.nulls(4), critical=[1, 0, None, 1], late=[None, None, None, 1])
    ids = _beside(tmp_path, "groups", race=pa.nulls(4, pa.string()), region=["e", "w", None, "e"])
    found = read_linked(tmp_path / "visits.parquet", ids[:3])
    assert found.outcomes == {"critical": [True, False, None]}
    assert found.groups == {"region": ["e", "w", None]}
    assert found.not_recorded == ("died", "late")


def test_every_column_of_a_groups_file_is_a_group_whatever_its_codes(tmp_path):
    """Sex as 0 and 1 is no outcome, and race as 1 and 2 is none with a mistake in it."""
    _beside(tmp_path, "outcomes", died=[0] * 19 + [1])
    race, insured = ["1"] * 19 + ["2"], [i % 2 for i in range(20)]
    ids = _beside(tmp_path, "groups", race=race, insured=insured)
    found = read_linked(tmp_path / "visits.parquet", ids)
    assert list(found.outcomes) == ["died"]
    assert found.groups == {"race": race, "insured": [str(code) for code in insured]}


def test_outcomes_that_are_asked_for_and_say_nothing_of_these_cases_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("case_id,died\na,\nz,1\n")
    with pytest.raises(InputError, match=r"other\.csv: .*died.* no value for a labelled case"):
        read_linked(tmp_path / "visits.parquet", ["a"], tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("case_id,died\n" + "".join(f"x{i},{i % 2}\n" for i in range(20)) + "a,yes\n", ("row 21", "died = 'yes'")),
        ("case_id,died\na,1\na,0\n", ("rows 1 and 2", "'a'")),
        ("case_id,died\n,1\n", ("row 1", "case_id")),
        ("case_id,died\nq,1\n", ("none of its 1 rows",)),
        ("case_id\na\n", ("no column beside case_id",)),
        ("case_id,died\n", ("no rows",)),
    ],
)
def test_bad_outcomes_are_named(tmp_path, text, names):
    file = tmp_path / "outcomes.csv"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        read_columns(file, ["a"])
    for name in ("outcomes.csv", *names):
        assert name in str(raised.value)


def test_numbers_of_a_groups_file_are_names(tmp_path):
    file = tmp_path / "groups.jsonl"
    file.write_text('{"case_id": 7, "region": 2}\n')
    assert read_columns(file, ["7"]) == {"region": ["2"]}
