"""A predictions file: a missing case is wrong and said to be missing, a strange row is named."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esi_triage.errors import InputError
from esi_triage.evaluate.evaluation import evaluate_file
from esi_triage.predict.load import find_model
from esi_triage.predict.predictions_file import predictions_model

GOLD = {"a": 1, "b": 2, "c": 3, "d": None}
FORMS = (".jsonl", ".parquet", ".csv")


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    rows = [{"case_id": k, "narrative": f"note {k}", "licence": "open", "gold": gold} for k, gold in GOLD.items()]
    return written(tmp_path / "cases.jsonl", rows)


def written(file: Path, rows: list[dict[str, Any]]) -> Path:
    if file.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    elif file.suffix == ".csv":
        names = list(rows[0])
        lines = [",".join(f'"{"" if row[name] is None else row[name]}"' for name in names) for row in rows]
        file.write_text("\n".join([",".join(names), *lines]) + "\n")
    else:
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


@pytest.mark.parametrize("form", FORMS)
def test_levels_and_probabilities_are_read(tmp_path: Path, cases: Path, form: str) -> None:
    odds = [[0.6, 0.1, 0.1, 0.1, 0.1], None, [0, 0, 0.5, 0.5, 0]]
    levels = [("d", 4), ("a", 1), ("b", None), ("c", 3)]
    rows = [
        {"case_id": k, "level": level, "probabilities": json.dumps(p) if p and form == ".csv" else p}
        for (k, level), p in zip(levels, [odds[0], *odds], strict=True)
    ]
    file = written(tmp_path / f"theirs{form}", rows)
    result, _, unlabelled = evaluate_file(predictions_model(file, cases), cases, tmp_path / "out")
    assert result.predicted == [1, None, 3]
    assert [reply.probabilities for reply in result.replies] == [tuple(p) if p else None for p in odds]
    assert [reply.error for reply in result.replies] == [None] * 3
    assert (result.model, unlabelled) == ("theirs", 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_case_is_wrong_and_said_to_be_missing(tmp_path: Path, cases: Path, form: str) -> None:
    file = written(tmp_path / f"theirs{form}", [{"case_id": "a", "level": 1}, {"case_id": "c", "level": 3}])
    result, _, _ = evaluate_file(find_model("gpt", predictions=file, cases=cases), cases, tmp_path / "out")
    assert result.predicted == [1, None, 3]
    assert result.replies[1].error == f"no row in theirs{form}"
    assert result.metrics["exact"]["value"] == pytest.approx(2 / 3)
    assert result.model == "gpt"


def test_without_a_level_the_answer_is_read(tmp_path: Path, cases: Path) -> None:
    rows = [
        {"case_id": "a", "answer": "ANSWER: ESI 2"},
        {"case_id": "b", "answer": "hm"},
        {"case_id": "c", "answer": ""},
    ]
    model = predictions_model(written(tmp_path / "theirs.jsonl", rows), cases)
    assert [reply.level for reply in evaluate_file(model, cases, tmp_path / "out")[0].replies] == [2, None, None]


@pytest.mark.parametrize("form", FORMS)
def test_ids_and_levels_may_have_other_names(tmp_path: Path, form: str) -> None:
    rows = [{"case_id": f"x-{k}", "stay_id": k, "narrative": "n", "licence": "open", "gold": 3} for k in "123"]
    cases = written(tmp_path / "cases.jsonl", rows)
    theirs = [{"visit": k, "esi": 3, "vendor": "v", "p1": 0, "p2": 0.25, "p3": 0.75, "p4": 0, "p5": 0} for k in (1, 3)]
    model = predictions_model(written(tmp_path / f"t{form}", theirs), cases, id_column="visit", level_column="esi")
    result = evaluate_file(model, cases, tmp_path / "out")[0]
    assert result.predicted == [3, None, 3]
    assert result.replies[0].probabilities == (0, 0.25, 0.75, 0, 0)
    assert model.settings == {"unused_columns": ["vendor"]}


@pytest.mark.parametrize("form", FORMS)
def test_a_stay_id_is_an_id(tmp_path: Path, form: str) -> None:
    rows = [{"case_id": f"x-{k}", "stay_id": k, "narrative": "n", "licence": "open", "gold": 3} for k in "123"]
    cases = written(tmp_path / "cases.jsonl", rows)
    file = written(tmp_path / f"t{form}", [{"stay_id": 2, "level": 4}])
    assert evaluate_file(predictions_model(file, cases), cases, tmp_path / "out")[0].predicted == [None, 4, None]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("columns", "options", "says"),
    [
        ({"visit": "a", "esi": 2}, {}, "Its columns are: visit, esi."),
        ({"case_id": "a", "esi": 2}, {}, "another with --level-column"),
        ({"case_id": "a", "level": 2}, {"id_column": "visit"}, "no column 'visit' (--id-column)"),
        ({"case_id": "a", "level": 2}, {"level_column": "esi"}, "no column 'esi' (--level-column)"),
    ],
)
def test_a_header_that_fits_nothing_is_one_sentence(
    tmp_path: Path, cases: Path, form: str, columns: dict[str, Any], options: dict[str, str], says: str
) -> None:
    file = written(tmp_path / f"theirs{form}", [columns])
    with pytest.raises(InputError) as raised:
        predictions_model(file, cases, **options)
    assert says in str(raised.value)
    assert str(file) in str(raised.value)


def test_probabilities_that_sum_to_nearly_one_are_normalised(tmp_path: Path, cases: Path) -> None:
    rows = [{"case_id": k, "level": 3, "probabilities": [0.005, 0.2, 0.8, 0, 0]} for k in "abc"]
    model = predictions_model(written(tmp_path / "theirs.jsonl", rows), cases)
    found = evaluate_file(model, cases, tmp_path / "out")[0].replies[0].probabilities
    assert found == pytest.approx([p / 1.005 for p in (0.005, 0.2, 0.8, 0, 0)])


@pytest.mark.parametrize("value", [2, 2.0, "2", " 2 ", "2.0"])
def test_a_level_may_be_typed_as_text(tmp_path: Path, cases: Path, value: Any) -> None:
    model = predictions_model(written(tmp_path / "theirs.jsonl", [{"case_id": "b", "level": value}]), cases)
    assert evaluate_file(model, cases, tmp_path / "out")[0].predicted == [None, 2, None]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"case_id": "z", "level": 1}, "case_id 'z' is not in"),
        ({"case_id": "a", "level": 1}, "case_id 'a' occurs a second time"),
        ({"case_id": "b", "level": 6}, "level = 6"),
        ({"case_id": "b", "level": 2.5}, "level = 2.5"),
        ({"case_id": "b", "level": 10**400}, "level = 1000"),
        ({"case_id": "b", "level": 2, "probabilities": [10**400, 0, 0, 0, 0]}, "five numbers"),
        ({"case_id": "b", "level": True}, "level = True"),
        ({"case_id": "b", "level": "ESI 2"}, "level = 'ESI 2'"),
        ({"case_id": "b", "level": [2]}, "level = "),
        ({"level": 2}, "has no case_id"),
        ({"case_id": "b", "esi": 2}, "has no case_id, or neither level nor answer"),
        ({"case_id": "b", "level": 2, "probabilities": [0.5, 0.5]}, "probabilities"),
        ({"case_id": "b", "level": 2, "probabilities": [1, 1, 1, 1, 1]}, "sum to 1"),
        ({"case_id": "b", "level": 2, "probabilities": [-0.5, 1.5, 0, 0, 0]}, "sum to 1"),
        ({"case_id": "b", "level": 2, "probabilities": [float("nan")] * 5}, "NaN is no JSON number"),
        ({"case_id": "b", "level": 2, "probabilities": "high"}, "five numbers"),
        ({"case_id": "b", "level": 2, "probabilities": 0.4}, "five numbers"),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path: Path, cases: Path, row: dict[str, Any], says: str) -> None:
    file = written(tmp_path / "theirs.jsonl", [{"case_id": "a", "level": 1}, row])
    with pytest.raises(InputError) as raised:
        predictions_model(file, cases)
    assert says in str(raised.value)
    assert f"{file}: row 2" in str(raised.value)


def test_a_probability_that_is_no_number_is_named(tmp_path: Path, cases: Path) -> None:
    rows = [{"case_id": "a", "level": 2, "probabilities": [0.5, float("nan"), 0.5, 0.0, 0.0]}]
    with pytest.raises(InputError, match=r"row 1: probabilities = .* sum to 1"):
        predictions_model(written(tmp_path / "theirs.parquet", rows), cases)


def test_a_line_that_is_no_json_is_named(tmp_path: Path, cases: Path) -> None:
    (tmp_path / "theirs.jsonl").write_text('{"case_id": "a", "level": 1}\n{broken\n')
    with pytest.raises(InputError, match=r"theirs\.jsonl: row 2"):
        predictions_model(tmp_path / "theirs.jsonl", cases)


def test_predictions_and_an_endpoint_exclude_each_other(tmp_path: Path, cases: Path) -> None:
    file = written(tmp_path / "theirs.jsonl", [{"case_id": "a", "level": 1}])
    with pytest.raises(InputError, match="give one of them"):
        find_model("m", endpoint="http://127.0.0.1:1/v1", predictions=file, cases=cases)


def test_blanks_around_an_id_do_not_lose_its_prediction(tmp_path: Path) -> None:
    rows = [{"case_id": "a ", "narrative": "note a", "licence": "open", "gold": 1}]
    table = written(tmp_path / "table.jsonl", rows)
    file = written(tmp_path / "theirs.jsonl", [{"case_id": "a ", "level": 1}])
    result, _, _ = evaluate_file(find_model("gpt", predictions=file, cases=table), table, tmp_path / "out")
    assert result.predicted == [1]


def test_empty_probabilities_of_pandas_are_none(tmp_path: Path, cases: Path) -> None:
    row = {"case_id": "a", "level": 1.0, **{f"p{i}": float("nan") for i in range(1, 6)}}
    full = {"case_id": "b", "level": 2.0, **{f"p{i}": 0.2 for i in range(1, 6)}}
    result, _, _ = evaluate_file(
        predictions_model(written(tmp_path / "theirs.parquet", [row, full]), cases), cases, tmp_path / "out"
    )
    assert [reply.probabilities for reply in result.replies][:2] == [None, (0.2,) * 5]


@pytest.mark.parametrize("option", [{"seed": 3}, {"fast": True}, {"calibration": Path("c.json")}])
def test_options_of_a_model_that_is_asked_are_refused(tmp_path: Path, cases: Path, option: dict[str, Any]) -> None:
    file = written(tmp_path / "theirs.jsonl", [{"case_id": "a", "level": 1}])
    with pytest.raises(InputError, match="--predictions are made"):
        find_model("gpt", predictions=file, cases=cases, **option)
