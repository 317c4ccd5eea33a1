"""Contamination is found, counted and named by case_id; nothing that is not open is shown."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from esi_triage.cli.data import data_commands as data
from esi_triage.cli.data.check import check
from esi_triage.cli.data.map_columns import map_columns
from esi_triage.data.case_table import read_cases, write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.overlap.contamination import check_files
from esi_triage.data.overlap.near_duplicates import jaccard, near_duplicates, shingles
from esi_triage.errors import InputError

app = typer.Typer()
app.command("check")(check)
app.command("map")(map_columns)

NOTE = "A woman of 67 came on foot with chest pain since noon; she is pale and sweats, and her left arm aches a little."
OTHER = "Boy, 4, fell from a swing an hour ago, cried at once, now plays; a bump on the forehead, no vomiting, alert."


def rows(folder: Path, name: str, *values: dict[str, Any]) -> Path:
    """A .jsonl table; each row has its own id, note, patient and visit unless it says otherwise."""
    file = folder / name
    lines = [
        {
            "case_id": f"{name}-{i}",
            "narrative": f"{name} {i} " + " ".join(f"{name}{i}word{j}" for j in range(30)),
            **row,
        }
        for i, row in enumerate(values)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def run(*arguments: Any) -> tuple[int, str]:
    found = CliRunner().invoke(app, list(map(str, arguments)))
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, found.stdout


@pytest.mark.parametrize(
    ("train", "test", "patients", "stays", "near"),
    [
        ({}, {}, 0, 0, 0),
        ({"subject_id": "p"}, {"subject_id": "q"}, 0, 0, 0),
        ({"subject_id": "p"}, {"subject_id": "p"}, 1, 0, 0),
        ({"subject_id": "1001"}, {"subject_id": 1001.0}, 1, 0, 0),  # as pandas writes it
        ({"subject_id": "1001", "source": "mimic-iv-ed"}, {"subject_id": "1001", "source": "mietic"}, 1, 0, 0),
        ({"stay_id": "s"}, {"stay_id": "s"}, 0, 1, 0),
        ({"subject_id": None}, {"subject_id": None}, 0, 0, 0),
        ({"subject_id": ""}, {"subject_id": ""}, 0, 0, 0),
        ({"narrative": NOTE}, {"narrative": NOTE}, 0, 0, 1),
        ({"narrative": NOTE}, {"narrative": f" {NOTE.upper().replace(';', ' --')}\n"}, 0, 0, 1),
        ({"narrative": NOTE}, {"narrative": f"{NOTE} She smokes."}, 0, 0, 1),
        ({"narrative": NOTE}, {"narrative": OTHER}, 0, 0, 0),
        ({"narrative": "cough"}, {"narrative": "Cough."}, 0, 0, 1),
        ({"narrative": "..."}, {"narrative": "!!!"}, 0, 0, 0),
    ],
)
def test_overlap(
    tmp_path: Path, train: dict[str, Any], test: dict[str, Any], patients: int, stays: int, near: int
) -> None:
    files = rows(tmp_path, "a.jsonl", {}, train), rows(tmp_path, "b.jsonl", test, {}, {})
    found = check_files(*files)
    assert (len(found.patients), len(found.stays), len(found.near)) == (patients, stays, near)
    assert (found.train_rows, found.test_rows) == (2, 3)
    assert bool(found) == bool(patients or stays or near)
    code, said = run("check", *files)
    assert code == (1 if found else 0)
    assert ("a.jsonl-1  and  b.jsonl-0" in said) == bool(found)


def test_what_is_found_is_left_out_of_the_next_build(tmp_path: Path) -> None:
    esi = typer.Typer()
    esi.add_typer(data.app, name="data")

    def call(*arguments: Any) -> int:
        return CliRunner().invoke(esi, ["data", *map(str, arguments)]).exit_code

    table, clean, overlap = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "overlap.jsonl"
    assert call("build", "open", "--n", 60, "--output", table) == 0
    cases = read_cases(table)[0]
    own = [case.model_copy(update={"case_id": "note", "subject_id": "me", "stay_id": None}) for case in cases[:1]]
    same = [case.model_copy(update={"case_id": "patient", "narrative": NOTE, "stay_id": None}) for case in cases[9:10]]
    write_cases([*own, *same], tmp_path / "test.parquet")
    assert call("check", table, tmp_path / "test.parquet", "--output", overlap) == 1
    gone = {cases[0].case_id, *(case.case_id for case in cases if case.subject_id == cases[9].subject_id)}
    gone = {case.case_id for case in cases if case.case_id in gone and case.split != "held_out"}
    assert gone == {json.loads(line)["case_id"] for line in overlap.read_text().splitlines()}
    assert call("build", "open", "--n", 60, "--output", clean, "--exclude", overlap) == 0
    assert read_cases(clean)[0] == [case for case in cases if case.case_id not in gone]
    left_out = [json.loads(line) for line in Path(f"{clean}.quarantine.jsonl").read_text().splitlines()]
    assert {row["case_id"]: row["reason"][:10] for row in left_out} == dict.fromkeys(gone, "excluded: ")
    assert call("check", clean, tmp_path / "test.parquet") == 0
    overlap.write_text('{"case_id": "of another table"}\n')
    assert call("build", "open", "--n", 60, "--output", tmp_path / "c.jsonl", "--exclude", overlap) == 1
    assert not (tmp_path / "c.jsonl").exists()


def test_what_is_compared_depends_on_the_split(tmp_path: Path) -> None:
    both = rows(
        tmp_path,
        "both.jsonl",
        {"subject_id": "p", "split": "train"},
        {"subject_id": "q", "split": "tuning"},
        {"subject_id": "r"},
        {"subject_id": "p", "split": "held_out"},
        {"subject_id": "q", "split": "held_out"},
    )
    found = check_files(both)
    assert (found.train_rows, found.test_rows, sorted(found.patients)) == (3, 2, ["p", "q"])
    train = rows(tmp_path, "train.jsonl", {"subject_id": "r"}, {"subject_id": "p", "split": "held_out"})
    found = check_files(train, both)  # what TRAIN holds out is not trained on; what TEST trains on is not tested
    assert (found.train_rows, found.test_rows, bool(found)) == (1, 2, False)


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        ([{}], None, "no row to test on"),
        ([{"split": "held_out"}], None, "no row to train on"),
        ([{}], [{"narrative": " "}], "no row to test on"),
        ([{"case_id": None}], [{}], "no row to train on"),
    ],
)
def test_an_empty_side_is_an_error(tmp_path: Path, train: list, test: list | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_files(rows(tmp_path, "a.jsonl", *train), rows(tmp_path, "b.jsonl", *test) if test else None)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.parquet", "junk", "not a readable parquet file"),
        ("nofile.parquet", None, "no such file"),
        ("nofile.jsonl", None, "no such file"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: str | None, said: str) -> None:
    if content:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name}: .*{said}"):
        check_files(tmp_path / name, rows(tmp_path, "b.jsonl", {}))


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([3] * 9 + [1, 1], "of level 1 only 2"),
        ([3] * 9, "only level 3"),
        ([], "no case with a level"),
    ],
)
def test_artefacts_of_too_few_cases_are_refused(tmp_path: Path, levels: list[int], said: str) -> None:
    file = rows(tmp_path, "few.jsonl", {}, *({"gold": level} for level in levels))
    refused = CliRunner().invoke(app, ["check", str(file), "--artefacts"]).exception
    assert isinstance(refused, InputError)
    assert str(refused).startswith(f"{file}: {said}")


def test_bad_rows_are_counted_once(tmp_path: Path) -> None:
    file = rows(tmp_path, "a.jsonl", {}, {"narrative": None}, {"split": "held_out"})
    with file.open("a", encoding="utf-8") as stream:
        stream.write("{no json\n")
    code, said = run("check", file, "--format", "json")
    assert code == 0
    assert json.loads(said)["bad_rows"] == {str(file): 2}


def test_an_overlap_can_be_allowed_with_a_reason_only(tmp_path: Path) -> None:
    files = rows(tmp_path, "a.jsonl", {"narrative": NOTE}), rows(tmp_path, "b.jsonl", {"narrative": NOTE})
    assert run("check", *files)[0] == 1
    code, said = run("check", *files, "--allow-overlap", "the same note on purpose")
    assert (code, "the same note on purpose" in said) == (0, True)
    assert json.loads(run("check", *files, "--allow-overlap", "why", "--format", "json")[1])["allowed"] == "why"
    assert isinstance(
        CliRunner().invoke(app, ["check", *map(str, files), "--allow-overlap", " "]).exception, InputError
    )


@pytest.mark.parametrize(("licence", "shown"), [("open", True), ("credentialed", False), (None, False)])
def test_text_is_shown_only_when_asked_and_open(tmp_path: Path, licence: str | None, shown: bool) -> None:
    files = (
        rows(tmp_path, "a.jsonl", {"narrative": NOTE, "licence": licence}),
        rows(tmp_path, "b.jsonl", {"narrative": NOTE}),
    )
    for form in ("text", "json"):
        assert "chest pain" not in run("check", *files, "--format", form)[1]
        said = run("check", *files, "--format", form, "--show")[1]
        assert said.count("chest pain") == (1 if shown else 0)
        assert "withheld" in said


def test_the_json_report(tmp_path: Path) -> None:
    files = (
        rows(tmp_path, "a.jsonl", {"narrative": NOTE, "stay_id": "s"}),
        rows(tmp_path, "b.jsonl", {"narrative": NOTE, "stay_id": "s"}),
    )
    report = json.loads(run("check", *files, "--format", "json")[1])
    assert report["stays"] == {"shared": 1, "examples": [{"train": "a.jsonl-0", "test": "b.jsonl-0"}]}
    assert report["patients"] == {"shared": 0, "examples": []}
    near = report["near_duplicates"]
    assert (near["pairs"], near["test_rows"], near["similarity"]) == (1, 1, "Jaccard of word 5-grams, at least 0.8")
    assert near["examples"] == [{"train": "a.jsonl-0", "test": "b.jsonl-0", "similarity": 1.0}]


@pytest.mark.parametrize("threshold", [0.05, 0, 1.5])
def test_a_threshold_outside_its_range_is_an_error(tmp_path: Path, threshold: float) -> None:
    with pytest.raises(InputError, match="threshold"):
        check_files(rows(tmp_path, "a.jsonl", {}), rows(tmp_path, "b.jsonl", {}), threshold)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.95])
def test_the_index_finds_what_a_comparison_of_all_pairs_finds(threshold: float) -> None:
    rng = random.Random(5)
    words = [f"w{i}" for i in range(4000)]
    train, test = [], []
    for i in range(300):
        note = rng.choices(words, k=60)
        retold = [rng.choice(words) if rng.random() < (i % 10) * 0.01 else word for word in note]
        train.append((f"t{i}", " ".join(note)))
        test.append((f"e{i}", " ".join(retold)))
    grams = [[(key, shingles(text)) for key, text in side] for side in (train, test)]
    exact = {
        (a, b): similarity
        for a, one in grams[0]
        for b, two in grams[1]
        if (similarity := jaccard(one, two)) >= threshold
    }
    assert len(exact) > 30
    found = {(match.train, match.test): match.similarity for match in near_duplicates(train, test, threshold)}
    assert found.items() <= exact.items()
    assert len(found) >= 0.99 * len(exact)


@given(st.text(max_size=200), st.text(max_size=200))
def test_similarity_is_a_similarity(a: str, b: str) -> None:
    one, two = shingles(a), shingles(b)
    assert jaccard(one, two) == jaccard(two, one)
    assert 0 <= jaccard(one, two) <= 1
    assert jaccard(one, one) == (1 if one else 0)


def test_tables_of_cases_in_parquet(tmp_path: Path) -> None:
    cases = [case.model_copy(update={"split": "train"}) for case in open_cases(300)]
    held = [
        case.model_copy(update={"case_id": f"x{case.case_id}", "subject_id": None, "stay_id": None})
        for case in cases[:5]
    ]
    held += [case.model_copy(update={"split": "held_out"}) for case in open_cases(5, seed=77)]
    held[:5] = [case.model_copy(update={"split": "held_out"}) for case in held[:5]]
    write_cases([*cases, *held], tmp_path / "cases.parquet")
    found = check_files(tmp_path / "cases.parquet")
    assert (found.train_rows, found.test_rows) == (300, 10)
    assert {match.test for match in found.near} >= {case.case_id for case in held[:5]}
    assert not found.patients


def test_map_prints_a_map(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("Visit,Reason,HR\n1,cough,80\n", encoding="utf-8")
    code, said = run("map", "--guess", tmp_path / "visits.csv")
    assert (code, 'heart_rate = "HR"' in said) == (0, True)
