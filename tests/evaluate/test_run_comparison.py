"""Comparison: exact McNemar and Holm against independent implementations, paired differences, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from typer.testing import CliRunner

from esi_triage.cli.evaluation.compare import compare
from esi_triage.data.case_table import write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.evaluate.breakdowns.baseline_rows import baseline_rows
from esi_triage.evaluate.labelled_cases import score_answers
from esi_triage.evaluate.run_comparison import compare_runs, read_scored
from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.evaluate.statistics.paired_tests import differences, holm, mcnemar, needed, paired
from esi_triage.predict.model import reply_of
from esi_triage.predict.score_file import prediction, write_predictions

RNG = np.random.default_rng(8)
levels = st.integers(1, 5)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels(gained: int, lost: int) -> None:
    expected: Any = statsmodels_mcnemar([[0, gained], [lost, 0]], exact=True)
    assert mcnemar(gained, lost) == pytest.approx(min(expected.pvalue, 1.0) if gained + lost else 1.0)


@pytest.mark.parametrize(("gained", "lost", "p"), [(0, 0, 1.0), (6, 0, 0.03125), (5, 0, 0.0625), (3, 3, 1.0)])
def test_mcnemar_by_hand(gained: int, lost: int, p: float) -> None:
    assert mcnemar(gained, lost) == pytest.approx(p)


@settings(deadline=None)
@given(st.integers(0, 80))
def test_needed_is_the_fewest_that_would_do(discordant: int) -> None:
    enough = [k for k in range(discordant + 1) if 2 * k >= discordant and mcnemar(k, discordant - k) < 0.05]
    assert needed(discordant) == (min(enough) if enough else None)


def test_paired_counts_discordant_cases() -> None:
    first = scored([1, 2, 3, 4], [1, 2, None, 5])
    found = paired(first, first.answered([1, 3, 3, 4]))
    assert (found["gained"], found["lost"], found["difference"]) == (2, 1, 0.25)
    assert found["p"] == found["p_by_patient"] == 1.0
    assert found["needed"] is None


def test_one_patient_s_cases_are_one_vote() -> None:
    """Eight cases gained by one patient who came eight times prove nothing."""
    gold, first, second = [2] * 8, [3] * 8, [2] * 8
    found = paired(scored(gold, first, ["a"] * 8), scored(gold, second, ["a"] * 8))
    assert found["p"] < 0.05
    assert found["p_by_patient"] == 1.0


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    expected: Any = multipletests(p_values, method="holm")[1] if p_values else []
    assert holm(p_values) == pytest.approx(list(expected))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.02]) == [0.02]


@settings(deadline=None)
@given(st.lists(st.tuples(levels, st.none() | levels, st.none() | levels), min_size=3, max_size=40))
def test_a_difference_is_the_difference_of_the_figures(rows: list[tuple[int, int | None, int | None]]) -> None:
    gold, first, second = ([row[i] for row in rows] for i in range(3))
    before, after = metrics(scored(gold, first, resamples=2)), metrics(scored(gold, second, resamples=2))  # pyright: ignore[reportArgumentType]
    found = differences(scored(gold, first, resamples=50), scored(gold, second, resamples=50))  # pyright: ignore[reportArgumentType]
    for name, figure in found.items():
        if figure["value"] is not None:
            assert figure["value"] == pytest.approx(after[name]["value"] - before[name]["value"], abs=1e-9), name
            assert figure["low"] <= figure["value"] <= figure["high"]


def test_pairing_is_used() -> None:
    """Two models that share most errors: the interval of their difference is far narrower than unpaired ones allow."""
    gold = RNG.integers(1, 6, 400).tolist()
    first = [g if RNG.random() < 0.6 else g % 5 + 1 for g in gold]
    second = [g if i % 20 == 0 else f for i, (g, f) in enumerate(zip(gold, first, strict=True))]
    difference: Any = differences(scored(gold, first), scored(gold, second))["exact"]
    alone = metrics(scored(gold, first))["exact"]
    assert difference["low"] > 0
    assert difference["high"] - difference["low"] < 0.5 * (alone["high"] - alone["low"])


def test_swapping_the_two_turns_the_sign() -> None:
    gold, first, second = (RNG.integers(1, 6, 60).tolist() for _ in range(3))
    one, two = scored(gold, first), scored(gold, second)
    there, back = differences(one, two), differences(two, one)
    for name in there:
        assert there[name]["value"] == pytest.approx(-(back[name]["value"] or 0)), name


def test_two_models_that_never_differed_on_36_cases_may_differ() -> None:
    gold = [level for _, level, _ in CASES]
    for name in ("exact", "qwk", "macro_f1"):
        figure: Any = differences(scored(gold, gold), scored(gold, gold))[name]
        assert figure["low"] < 0 < figure["high"], name


CASES = [(f"c{i:02}", level, f"p{i}") for i, level in enumerate([1] * 14 + [2] * 11 + [3] * 5 + [4] * 4 + [5] * 2)]


def predictions(file: Path, wrong: int, rows: list[tuple[str, int, str]] = CASES, **extra: Any) -> Path:
    """A predictions file in which the first `wrong` cases are one level off."""
    lines = [
        {"case_id": c, "level": g % 5 + 1 if i < wrong else g, "gold": g, "subject_id": s, **extra}
        for i, (c, g, s) in enumerate(rows)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def test_each_run_against_the_first_with_holm(tmp_path: Path) -> None:
    runs = [read_scored(predictions(tmp_path / f"{wrong}.jsonl", wrong)) for wrong in (9, 9, 3, 0)]
    found = compare_runs(runs)
    assert (found["n"], found["patients"], found["reference"]) == (36, 36, str(tmp_path / "9.jsonl"))
    same, six, nine = found["comparisons"]
    assert (same["gained"], same["lost"], same["p_holm"], same["significant"]) == (0, 0, 1.0, False)
    assert six["p"] == 0.03125
    assert six["p_holm"] == pytest.approx(2 * 0.03125)  # six of 36 alone would do, not beside two other comparisons
    assert not six["significant"]
    assert nine["significant"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    first = read_scored(predictions(tmp_path / "a.jsonl", 9))
    turned = predictions(tmp_path / "b.jsonl", 9)
    turned.write_text("".join(reversed(turned.read_text(encoding="utf-8").splitlines(keepends=True))), encoding="utf-8")
    assert compare_runs([first, read_scored(turned)])["comparisons"][0]["p"] == 1.0
    assert read_scored(turned).predicted == first.predicted


def test_a_folder_of_ours_with_the_cases_beside_it(tmp_path: Path) -> None:
    """Predictions that hold no gold: it comes from the case table; a case without gold is left out."""
    cases = [
        Case(case_id=c, source="made-up", licence="open", subject_id=s, narrative="x", gold=g) for c, g, s in CASES
    ]
    cases.append(Case(case_id="unlabelled", source="made-up", licence="open", narrative="x"))
    write_cases(cases, tmp_path / "cases.parquet")
    (tmp_path / "run").mkdir()
    rows = [prediction(case.case_id, reply_of(f"ANSWER: ESI {case.gold or 3}")) for case in cases]
    write_predictions(rows, tmp_path / "run" / "predictions.parquet")
    found = read_scored(tmp_path / "run", tmp_path / "cases.parquet")
    assert (found.gold, found.predicted) == ([g for _, g, _ in CASES], [g for _, g, _ in CASES])
    assert found.subjects == [s for _, _, s in CASES]
    with pytest.raises(InputError, match="--cases"):
        read_scored(tmp_path / "run")


def hospitals(folder: Path, n: int = 8) -> tuple[list[Path], dict[str, Any]]:
    """Two runs on the visits of `n` hospitals, and what the second's report says of the first beside it."""
    known = {"source": "t", "licence": "open", "narrative": "x", "gold": 3}
    cases = [Case(case_id=f"c{i:03}", subject_id=f"p{i}", group=f"h{i % n}", **known) for i in range(120)]
    write_cases(cases, folder / "cases.parquet")
    first: list[int | None] = [3 if i % 3 else 2 for i in range(120)]
    second: list[int | None] = [4 if case.group in ("h0", "h1") else 3 for case in cases]
    runs = {folder / "first.parquet": first, folder / "second.parquet": second}
    for file, answers in runs.items():
        rows = [prediction(case, reply_of(f"ANSWER: ESI {level}")) for case, level in zip(cases, answers, strict=True)]
        write_predictions(rows, file)
    return list(runs), baseline_rows(score_answers(cases, second), {"first": first})["first"]


def test_hospitals_are_resampled_as_in_an_evaluation(tmp_path: Path) -> None:
    runs, beside = hospitals(tmp_path)
    found = compare_runs([read_scored(run) for run in runs])
    (comparison,) = found["comparisons"]
    assert comparison["p_by_patient"] == beside["paired"]["p_by_patient"] > comparison["p"]
    assert comparison["differences"] == beside["differences"]
    assert (found["patients"], found["intervals"]["clusters"]) == (8, "groups")
    text = esi_compare(*runs)
    assert text.startswith("120 cases of 8 groups (hash ")
    assert f"(by group {comparison['p_by_patient']:.2g})" in text


def test_predictions_without_groups_are_compared_by_patient_unless_another_file_has_them(tmp_path: Path) -> None:
    runs, _ = hospitals(tmp_path)
    older = tmp_path / "older.parquet"
    pq.write_table(pq.read_table(runs[0]).drop_columns("group"), older)
    alone = compare_runs([read_scored(older), read_scored(older)])
    assert (alone["patients"], alone["intervals"]["clusters"]) == (120, "patients")
    for others in ([read_scored(older), read_scored(runs[1])], [read_scored(older, tmp_path / "cases.parquet")] * 2):
        assert compare_runs(others)["patients"] == 8


def test_two_hospitals_are_too_few_to_compare_by(tmp_path: Path) -> None:
    runs, _ = hospitals(tmp_path, 2)
    text = esi_compare(*runs)
    assert text.startswith("120 cases (hash ")
    assert "patients; one or two groups (hospitals) are too few to resample, so nothing is said of others" in text


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (CASES[1:], ("36 and 35 cases", "'c00' is only in")),
        ([*CASES, ("c99", 2, "p99")], ("36 and 37 cases", "'c99' is only in")),
        ([("c00", 2, "p0"), *CASES[1:]], ("'c00' has gold 1 in the first and 2 in the second",)),
        ([("x00", 1, "p0"), *CASES[1:]], ("36 and 36 cases", "'c00' is only in")),
    ],
)
def test_other_cases_are_refused(tmp_path: Path, other: list[tuple[str, int, str]], names: tuple[str, ...]) -> None:
    first = read_scored(predictions(tmp_path / "a.jsonl", 9))
    second = read_scored(predictions(tmp_path / "b.jsonl", 9, other))
    with pytest.raises(InputError) as raised:
        compare_runs([first, second])
    for name in (*names, first.cases_hash[:12], second.cases_hash[:12]):
        assert name in str(raised.value)


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([{"case_id": "a", "gold": 2}], ("row 1", "level")),
        ([{"case_id": "a", "level": 2}], ("row 1", "--cases")),
        ([{"case_id": "a", "level": 2, "gold": 2}, {"case_id": "b", "level": 7, "gold": 2}], ("row 2", "level = 7")),
        ([{"case_id": "a", "level": 2, "gold": 0}], ("row 1", "gold = 0")),
        ([{"case_id": "a", "level": True, "gold": 1}], ("row 1", "level = True")),
        ([{"case_id": "a", "level": 2, "gold": 2}] * 2, ("rows 1 and 2", "'a'")),
        ([{"level": 2, "gold": 2}], ("row 1", "case_id")),
        ([], ("no rows",)),
    ],
)
def test_bad_predictions_are_named(tmp_path: Path, rows: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_scored(file)
    for name in ("bad.jsonl", *names):
        assert name in str(raised.value)


def test_an_answer_left_out_is_not_forgiven(tmp_path: Path) -> None:
    """The mistake of dropping what could not be parsed, made in the file: a labelled case without a row."""
    whole = predictions(tmp_path / "cases.jsonl", 0)
    part = predictions(tmp_path / "part.jsonl", 0, CASES[:-3])
    with pytest.raises(InputError, match=r"3 labelled cases .* 'c33'"):
        read_scored(part, whole)
    with pytest.raises(InputError, match=r"'c33' is not in"):
        read_scored(whole, part)


def test_one_run_alone_or_a_folder_without_predictions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two runs"):
        compare_runs([read_scored(predictions(tmp_path / "a.jsonl", 9))])
    with pytest.raises(InputError, match=r"predictions\.parquet"):
        read_scored(tmp_path)


def esi_compare(*arguments: object) -> str:
    app = typer.Typer()
    app.command()(compare)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, InputError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_says_what_it_would_have_taken(tmp_path: Path) -> None:
    reference, other = predictions(tmp_path / "a.jsonl", 5), predictions(tmp_path / "b.jsonl", 0)
    lines = esi_compare(reference, other).splitlines()
    assert lines[0].startswith("36 cases (hash ")
    assert "no difference shown: 5 cases gained, 0 lost; exact McNemar p = 0.062" in "\n".join(lines)
    assert "at least 6, all one way, are needed" in "\n".join(lines)
    exact = next(line for line in lines if line.strip().startswith("exact "))
    assert "+0.139" in exact
    assert "Holm" not in "\n".join(lines)


def test_the_command_names_patients_and_holm_where_they_matter(tmp_path: Path) -> None:
    rows = [(c, g, f"p{i // 2}") for i, (c, g, _) in enumerate(CASES)]
    files = [predictions(tmp_path / f"{wrong}.jsonl", wrong, rows) for wrong in (12, 4, 0)]
    text = esi_compare(*files)
    assert "36 cases of 18 patients" in text
    assert "by patient" in text
    assert "Holm over 2 comparisons" in text
    found = json.loads(esi_compare(*files, "--format", "json"))
    assert [row["run"] for row in found["comparisons"]] == [str(file) for file in files[1:]]
