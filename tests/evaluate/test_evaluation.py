"""One evaluation from a file of cases to its folder: what is measured, what is written, and what never is."""

import json
import re
import shutil
from pathlib import Path

import pytest
from made_models import model_of

from esi_triage.data.case_table import write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case, Licence, read
from esi_triage.evaluate import scoring_log
from esi_triage.evaluate.evaluation import Plan, evaluate_file
from esi_triage.evaluate.measurement import Evaluation, evaluate_replies
from esi_triage.evaluate.report.sections import sections
from esi_triage.predict import load_model, rules_model
from esi_triage.predict.model import Model, Reply, constant_model, one_by_one, reply_of
from esi_triage.predict.score_file import read_replies, replies_to

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

    def stream(cases):
        for i in range(len(cases)):
            gold = GOLD[i % len(GOLD)]
            level = [gold, None, min(5, gold + 1), gold][i % 4]
            one, two, three, four, five = (0.8 if k == level else 0.05 for k in range(1, 6))
            odds = (one, two, three, four, five) if level else None
            yield [(i, Reply(level, f"ANSWER: ESI {level}", False, odds))]

    return Model("half", stream)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    result, _, _ = evaluate_file(_half_right(), _file(folder), folder / "out", Plan(perturb=True))
    return folder / "out", result


def _evaluated(model: Model) -> Evaluation:
    cases = [_case(i, gold) for i, gold in enumerate(GOLD)]
    return evaluate_replies(model.name, cases, replies_to(model, cases, "test"))


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
        if name != "random":
            assert row["paired"]["p_holm"] >= row["paired"]["p_by_patient"]


def test_a_constant_model_is_not_called_better_than_itself(tmp_path):
    result = _evaluated(constant_model("constant:3"))
    assert result.metrics["margin_over_best_constant"]["value"] == 0
    assert result.metrics["levels_answered"] == 1
    (beside,) = [s for s in sections("constant:3", result.metrics) if s.title.startswith("D.")]
    assert beside.lead.startswith("Not shown to be exact more often than: ")
    assert "always ESI-3" not in beside.lead


def test_the_engine_reads_each_note_once_whoever_asks(tmp_path, monkeypatch):
    notes = []
    monkeypatch.setattr(rules_model, "read", lambda text: notes.append(text) or read(text))
    rules = load_model("rules")
    result, _, _ = evaluate_file(rules, _file(tmp_path), tmp_path / "out", others={"rules again": rules})
    assert len(notes) == len(set(notes)) == len(GOLD)
    assert result.predicted == [reply.level for reply in replies_to(rules, result.cases, "test")]
    evaluate_file(constant_model("constant:3"), _file(tmp_path), tmp_path / "constant")
    assert len(notes) == 3 * len(GOLD)  # as a baseline they read once too


def test_on_the_card_s_cases_the_card_s_rows_stand_beside(evaluated):
    _, result = evaluated
    figures = result.metrics | {"sources": ["mietic-validate"], "n": 36}
    (_, card, *_) = sections("half", figures)[1].tables
    assert card.head[0] == "model card, on the same cases"
    assert ["v46", "77.8 % (62 to 88)", "94.4 % (82 to 98)", "0.0 % (0 to 10)"] in card.rows
    for other in ({"n": 35}, {"sources": ["mietic", "mietic-validate"]}, {"sources": ["t"]}):
        tables = sections("half", figures | other)[1].tables
        assert not [table for table in tables if table.head[0].startswith("model card")]


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
    evaluate_file(_half_right(), _file(tmp_path), tmp_path / "out", Plan(with_cases=True))
    page = (tmp_path / "out" / "report.html").read_text()
    shown = re.findall(r"<summary>(case-\d+): gold ESI (\d), answered (nothing|\d)", page)
    assert len(shown) == len(GOLD)
    assert [answer for _, _, answer in shown[:10]] == ["nothing"] * 10
    assert "swollen ankle" not in (tmp_path / "out" / "report.md").read_text()


def test_credentialed_cases_are_refused_before_anything_is_asked(tmp_path):
    def reply_to(case):
        raise AssertionError("asked")

    file = _file(tmp_path, "credentialed")
    with pytest.raises(InputError, match="40 of 40 cases are credentialed"):
        evaluate_file(one_by_one("m", reply_to), file, tmp_path / "out", Plan(with_cases=True))
    assert not scoring_log.log_of(file).exists()


def test_each_scoring_is_in_the_ledger_and_in_the_report(tmp_path):
    file = _file(tmp_path)
    for spec in ("constant:2", "constant:3", "constant:3"):
        evaluate_file(load_model(spec), file, tmp_path / "out")
    assert [entry["model"] for entry in scoring_log.read_log(file)] == ["constant:2", "constant:3", "constant:3"]
    assert re.search(r"has been scored 3 times since \S+, by 2 models", (tmp_path / "out" / "report.md").read_text())


def test_a_broken_ledger_stops_the_evaluation_before_it_starts(tmp_path):
    file = _file(tmp_path)
    scoring_log.log_of(file).write_text("not json\n")

    def reply_to(case):
        raise AssertionError("asked")

    with pytest.raises(InputError, match="line 1 is no entry"):
        evaluate_file(one_by_one("m", reply_to), file, tmp_path / "out")


def test_the_page_is_one_file_and_every_table_and_figure_is_in_it(evaluated):
    page = (evaluated[0] / "report.html").read_text()
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    titles = [section.title for section in sections("half", evaluated[1].metrics)]
    assert [title[0] for title in titles] == list("SABCDFGHIJKLM")  # S: the summary
    for title in titles:
        assert title.replace("'", "&#39;") in page
    assert page.count("<img ") == page.count("data:image/png;base64,") == 7


def test_calibration_is_told_only_where_there_are_probabilities(tmp_path):
    silent = one_by_one("bare", lambda _: reply_of("ANSWER: ESI 3"))
    result = _evaluated(silent)
    assert not [s for s in sections("bare", result.metrics) if s.title.startswith("G.")]
    assert result.metrics["steps"] is None


def test_engine_and_nurse_gold_are_told_apart(evaluated):
    (section,) = [s for s in sections("half", evaluated[1].metrics) if s.title.startswith("J.")]
    assert {row[0] for row in section.tables[1].rows} == {"nurse", "engine"}


def test_sections_state_an_interval_with_every_share(evaluated):
    for section in sections("half", evaluated[1].metrics):
        for table in section.tables if section.title[0] not in "FL" else ():
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

    return Model("sampling", stream, f"seed {seed}", again=lambda k: _sampling(seed + k, asked, dies_in))


def test_repeated_answers_are_measured_and_kept(tmp_path):
    result, _, _ = evaluate_file(_sampling(), _file(tmp_path), tmp_path / "out", Plan(samples=3))
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
        evaluate_file(_sampling(0, asked, dies_in=1), file, tmp_path / "out", Plan(samples=2))
    evaluate_file(_sampling(0, asked), file, tmp_path / "out", Plan(samples=2))
    assert sorted(asked) == [0] * 40 + [1] * 40
    assert not [*(tmp_path / "out").glob("*resume*")]


def test_what_answers_the_same_each_time_is_not_asked_again(tmp_path):
    with pytest.raises(InputError, match="rules answers the same each time"):
        evaluate_file(load_model("rules"), _file(tmp_path), tmp_path / "out", Plan(samples=2))


def _counting(asked: list[str], name: str, dies_after: int | None = None) -> Model:
    """Notes what it is asked; may die after some answers, as where the process is killed."""

    def reply_to(case: Case) -> int:
        if dies_after is not None and len(asked) >= dies_after:
            raise KeyboardInterrupt
        asked.append(f"{case.case_id} {case.narrative}")
        return 3

    return model_of(reply_to, name, identity=name)


@pytest.mark.parametrize("dies_after", [60, 200])
def test_killed_anywhere_no_model_is_asked_the_same_twice(tmp_path, dies_after):
    """Also where other models are compared and narratives changed: an evaluation goes on where it was."""
    file, out = _file(tmp_path), tmp_path / "out"

    def run(limit):
        first, other = _counting(asked, "first", limit), _counting(asked, "other", limit)
        return evaluate_file(first, file, out, Plan(perturb=True), others={"other": other})

    asked: list[str] = []
    run(None)
    wanted, written = sorted(asked), (out / "metrics.json").read_text()
    shutil.rmtree(out)
    scoring_log.log_of(file).unlink()
    asked = []
    with pytest.raises(KeyboardInterrupt):
        run(dies_after)
    assert not scoring_log.read_log(file)
    run(None)
    assert sorted(asked) == wanted
    assert len(scoring_log.read_log(file)) == 1
    when = r'"(?:first|last)": "[^"]*"'
    assert re.sub(when, "", (out / "metrics.json").read_text()) == re.sub(when, "", written)


def test_a_scoring_is_counted_only_when_its_outputs_are_there(tmp_path, monkeypatch):
    """The mistake of an entry before the outputs: an evaluation that is killed while it writes would count twice."""

    def killed(*_, **__):
        raise KeyboardInterrupt

    file = _file(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("esi_triage.evaluate.evaluation.write_report", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate_file(constant_model("constant:3"), file, tmp_path / "out")
    assert not scoring_log.read_log(file)
    result, _, _ = evaluate_file(constant_model("constant:3"), file, tmp_path / "out")
    assert result.metrics["ledger"]["scorings"] == len(scoring_log.read_log(file)) == 1


def test_chance_is_computed_not_drawn(evaluated):
    """The mistake of one random draw, which was 76 % on 21 cases once: the expected share is the sum of squares."""
    _, result = evaluated
    chance = result.metrics["baselines"]["random"]
    shares = [GOLD.count(level) / len(GOLD) for level in range(1, 6)]
    assert chance["exact"]["value"] == pytest.approx(sum(share**2 for share in shares))
    assert chance["under_triage"]["value"] == pytest.approx(
        sum(a * b for i, a in enumerate(shares) for j, b in enumerate(shares) if j > i)
    )
    assert chance["qwk"]["value"] == pytest.approx(0)
    assert chance["exact"]["low"] < chance["exact"]["value"] < chance["exact"]["high"]
    paired = chance["paired"]
    assert paired["gained"] - paired["lost"] == pytest.approx(chance["differences"]["exact"]["value"] * len(GOLD))
    assert paired["p_holm"] is None
