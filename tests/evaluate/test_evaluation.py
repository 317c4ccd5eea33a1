"""One evaluation from a file of cases to its folder: what is measured, what is written, and what never is."""

import json
import re
from pathlib import Path

import pytest

from esi_triage.data.table import write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case, Licence
from esi_triage.evaluate import ledger
from esi_triage.evaluate.evaluation import Evaluation, evaluate_file, measure
from esi_triage.evaluate.sections import sections
from esi_triage.predict import load_model
from esi_triage.predict.model import Model, Reply, constant_model, reply_of, streaming_model
from esi_triage.predict.scoring import read_replies, replies_to

GOLD = [1, 2, 2, 3, 3, 3, 4, 5] * 5


def _case(i: int, gold: int | None, licence: Licence = "open") -> Case:
    return Case(
        case_id=f"case-{i}",
        source="t",
        licence=licence,
        subject_id=f"patient-{i}",
        narrative=f"A {20 + i}-year-old man arrived on foot with a swollen ankle, story {i}.",
        gold=gold,
        gold_source="nurse" if i % 2 else "engine",
    )


def _file(folder: Path, licence: Licence = "open") -> Path:
    file = folder / "cases.parquet"
    write_cases([_case(i, gold, licence) for i, gold in enumerate(GOLD)], file)
    return file


def _half_right() -> Model:
    """Right, silent, or one level off, in turn; with probabilities."""

    def answer(narratives, advance):
        advance(len(narratives))
        replies = []
        for i in range(len(narratives)):
            gold = GOLD[i % len(GOLD)]
            level = [gold, None, min(5, gold + 1), gold][i % 4]
            one, two, three, four, five = (0.8 if k == level else 0.05 for k in range(1, 6))
            replies.append(
                Reply(level, f"ANSWER: ESI {level}", False, (one, two, three, four, five) if level else None)
            )
        return replies

    return Model("half", answer)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    result, _, _ = evaluate_file(_half_right(), _file(folder), folder / "out", perturb=True)
    return folder / "out", result


def _evaluated(model: Model) -> Evaluation:
    cases = [_case(i, gold) for i, gold in enumerate(GOLD)]
    return measure(model.name, cases, replies_to(model, cases, "test"))


def test_everything_is_written_and_agrees(evaluated):
    folder, result = evaluated
    written = json.loads((folder / "metrics.json").read_text())
    assert written["exact"]["value"] == sum(g == p for g, p in zip(GOLD, result.predicted, strict=True)) / len(GOLD)
    assert written["no_parse"]["value"] == 0.25
    assert {"report.html", "report.md", "metrics.json", "predictions.parquet"} <= {f.name for f in folder.iterdir()}
    shown = f"{100 * written['exact']['value']:.1f} %"
    assert shown in (folder / "report.html").read_text()
    assert shown in (folder / "report.md").read_text()


def test_every_report_carries_the_trivial_baselines(evaluated):
    folder, result = evaluated
    assert set(result.metrics["baselines"]) == {*(f"constant:{k}" for k in range(1, 6)), "random", "rules"}
    for level in range(1, 6):
        share = result.metrics["baselines"][f"constant:{level}"]["exact"]["value"]
        assert share == pytest.approx(GOLD.count(level) / len(GOLD))
        assert f"always ESI-{level}" in (folder / "report.md").read_text()


def test_the_baselines_are_paired_with_the_model(evaluated):
    _, result = evaluated
    for name, row in result.metrics["baselines"].items():
        difference = result.metrics["exact"]["value"] - row["exact"]["value"]
        assert row["differences"]["exact"]["value"] == pytest.approx(difference), name
        assert row["paired"]["p_holm"] >= row["paired"]["p_by_patient"]


def test_a_constant_model_is_not_called_better_than_itself(tmp_path):
    result = _evaluated(constant_model("constant:3"))
    assert result.metrics["margin_over_best_constant"]["value"] == 0
    assert result.metrics["levels_answered"] == 1
    (beside,) = [s for s in sections("constant:3", result.metrics) if s.title.startswith("D.")]
    assert beside.lead.startswith("Not shown to be exact more often than: ")
    assert "always ESI-3" not in beside.lead


def test_other_models_stand_beside(tmp_path):
    result, _, _ = evaluate_file(
        _half_right(), _file(tmp_path), tmp_path / "out", others={"parent": constant_model("constant:4")}
    )
    assert result.metrics["baselines"]["parent"]["exact"]["value"] == GOLD.count(4) / len(GOLD)
    assert "| parent |" in (tmp_path / "out" / "report.md").read_text()


def test_no_row_text_unless_it_is_asked_for_and_open(evaluated, tmp_path):
    folder, _ = evaluated
    for name in ("report.html", "report.md", "metrics.json"):
        assert "swollen ankle" not in (folder / name).read_text(), name
        assert "case-1" not in (folder / name).read_text(), name
    evaluate_file(_half_right(), _file(tmp_path), tmp_path / "out", with_cases=True)
    page = (tmp_path / "out" / "report.html").read_text()
    shown = re.findall(r"<summary>(case-\d+): gold ESI (\d), answered (nothing|\d)", page)
    assert len(shown) == len(GOLD)
    assert [answer for _, _, answer in shown[:10]] == ["nothing"] * 10
    assert "swollen ankle" not in (tmp_path / "out" / "report.md").read_text()


def test_credentialed_cases_are_refused_before_anything_is_asked(tmp_path):
    def answer(narratives, advance):
        raise AssertionError("asked")

    file = _file(tmp_path, "credentialed")
    with pytest.raises(InputError, match="40 of 40 cases are credentialed"):
        evaluate_file(Model("m", answer), file, tmp_path / "out", with_cases=True)
    assert not ledger.ledger_of(file).exists()


def test_each_scoring_is_in_the_ledger_and_in_the_report(tmp_path):
    file = _file(tmp_path)
    for spec in ("constant:2", "constant:3", "constant:3"):
        evaluate_file(load_model(spec), file, tmp_path / "out")
    assert [entry["model"] for entry in ledger.read_ledger(file)] == ["constant:2", "constant:3", "constant:3"]
    assert re.search(r"has been scored 3 times since \S+, by 2 models", (tmp_path / "out" / "report.md").read_text())


def test_a_broken_ledger_stops_the_evaluation_before_it_starts(tmp_path):
    file = _file(tmp_path)
    ledger.ledger_of(file).write_text("not json\n")

    def answer(narratives, advance):
        raise AssertionError("asked")

    with pytest.raises(InputError, match="line 1 is no ledger entry"):
        evaluate_file(Model("m", answer), file, tmp_path / "out")


def test_the_page_is_one_file_and_every_table_and_figure_is_in_it(evaluated):
    page = (evaluated[0] / "report.html").read_text()
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    titles = [section.title for section in sections("half", evaluated[1].metrics)]
    assert [title[0] for title in titles] == list("ABCDEFGHIJK")
    for title in titles:
        assert title.replace("'", "&#39;") in page
    assert page.count("<img ") == page.count("data:image/png;base64,") == 5


def test_calibration_is_told_only_where_there_are_probabilities(tmp_path):
    silent = Model("bare", lambda texts, advance: (advance(len(texts)), [reply_of("ANSWER: ESI 3")] * len(texts))[1])
    result = _evaluated(silent)
    assert not [s for s in sections("bare", result.metrics) if s.title.startswith("F.")]
    assert result.metrics["steps"] is None


def test_engine_and_nurse_gold_are_told_apart(evaluated):
    (section,) = [s for s in sections("half", evaluated[1].metrics) if s.title.startswith("I.")]
    assert {row[0] for row in section.tables[1].rows} == {"nurse", "engine"}


def test_sections_state_an_interval_with_every_share(evaluated):
    for section in sections("half", evaluated[1].metrics):
        for table in section.tables if section.title[0] != "K" else ():
            for cell in (cell for row in table.rows for cell in row if re.match(r"[\d.]+ %", cell)):
                assert re.fullmatch(r"[\d.]+ % \(\d+ to \d+\)", cell), (section.title, cell)


def _sampling(seed: int = 0, asked: list[int] | None = None, dies_in: int | None = None) -> Model:
    """Right on the cases that its seed does not pick out; keeps what it was asked, and may die in a sample."""

    def stream(cases):
        for place, case in enumerate(cases):
            if seed == dies_in and place == 20:
                raise KeyboardInterrupt
            if asked is not None:
                asked.append(seed)
            gold = case.gold or 3
            wrong = int(case.case_id.removeprefix("case-")) % 4 == seed
            yield [(place, reply_of(f"ANSWER: ESI {gold % 5 + 1 if wrong else gold}"))]

    return streaming_model("sampling", stream, f"seed {seed}", again=lambda k: _sampling(seed + k, asked, dies_in))


def test_repeated_answers_are_measured_and_kept(tmp_path):
    result, _, _ = evaluate_file(_sampling(), _file(tmp_path), tmp_path / "out", samples=3)
    r = result.metrics["repeatability"]
    assert (r["k"], r["n"]) == (3, 40)
    assert [exact["value"] for exact in r["exact"]] == [0.75, 0.75, 0.75]
    assert r["unanimous"]["value"] == 0.25  # samples 1 to 3 each err on another quarter
    assert r["agreement"]["value"] == pytest.approx(0.25 + 0.75 / 3)
    assert r["commonest_exact"]["value"] == 1
    assert result.metrics["exact"]["value"] == 0.75
    third = read_replies(tmp_path / "out" / "predictions-3.parquet")
    assert sum(reply.level == gold for reply, gold in zip(third, GOLD, strict=True)) == 30
    written = (tmp_path / "out" / "report.md").read_text()
    assert "each case asked 3 times" in written
    assert "25.0 %" in written


def test_killed_in_a_later_sample_nothing_is_asked_twice(tmp_path):
    asked: list[int] = []
    file = _file(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        evaluate_file(_sampling(0, asked, dies_in=1), file, tmp_path / "out", samples=2)
    evaluate_file(_sampling(0, asked), file, tmp_path / "out", samples=2)
    assert sorted(asked) == [0] * 40 + [1] * 40
    assert not [*(tmp_path / "out").glob("*journal*")]


def test_what_answers_the_same_each_time_is_not_asked_again(tmp_path):
    with pytest.raises(InputError, match="rules answers the same each time"):
        evaluate_file(load_model("rules"), _file(tmp_path), tmp_path / "out", samples=2)
