"""The guard: who decides, when a person does, and what it says where its model is missing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from esi_triage.answer import parse
from esi_triage.cli.main import app
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict import ask, load, load_model, model_files, reader, text_case
from esi_triage.predict.calibration import Calibration, Fitted, calibrated_model
from esi_triage.predict.guard.cost_of_reasons import EVERYTHING, cost_of_reasons
from esi_triage.predict.guard.guarding import guard_model
from esi_triage.predict.guard.hand_over import in_words, load_settings
from esi_triage.predict.guard.known_words import packed, word_bits
from esi_triage.predict.model import Model, Probabilities, Reply, no_reply, one_by_one

CHEST = "54 y/o M, chest pain radiating to left arm, sweating. HR 104, RR 20, BP 150/90, SpO2 96%, T 37.0"
ANKLE = "22 y/o F, twisted ankle, walking. HR 70, RR 14, SpO2 99%, BP 120/70, T 36.8"
SURE: dict[int, Any] = {level: tuple(0.96 if k == level else 0.01 for k in range(1, 6)) for level in range(1, 6)}


def fit(limit: float | None, **changed: Any) -> Fitted:
    plain: dict[str, Any] = {"temperature": 1, "brier_before": 0.5, "brier_after": 0.5, "limits": {}}
    plain["limits"] = {"0.90": (limit,) * 5, "0.95": (limit,) * 5}
    return Fitted(**{**plain, **changed})


def calibration(limit: float | None = 0.5, words: str = f"{CHEST} {ANKLE}", **changed: Any) -> Calibration:
    known: dict[str, Any] = {"cases": "t", "cases_sha256": "b" * 64, "n": 50, "by_level": (10,) * 5}
    fitted = fit(limit, **changed)
    return Calibration(
        **(known | {"model": "m", "model_sha256": "a" * 64}),
        **{"alone": fitted, "with_rules": fitted, "findings_sha256": "c" * 64},
        **{"unlike_above": 0.3, "words": packed(word_bits([words]))},
    )


def saying(probabilities: Probabilities | None, level: int | None = None, text: str = "") -> Model:
    answered = level or (probabilities and probabilities.index(max(probabilities)) + 1)
    return one_by_one("made", lambda _: Reply(answered, text, False, probabilities))


def guarded(model: Model, note: str, made: Calibration | None = None, **settings: Any) -> Reply:
    (reply,) = ask(guard_model(model, made, **settings), [text_case(note)])
    return reply


def test_where_rules_and_model_agree_and_are_sure_the_answer_stands() -> None:
    reply = guarded(saying(SURE[2]), CHEST, calibration())
    assert (reply.level, reply.level_set, reply.hand_over) == (2, (2,), ())
    assert reply.possible is not None
    assert reply.probabilities == pytest.approx(SURE[2], abs=1e-6)
    assert parse(reply.text).level == 2
    assert "chest pain" in reply.text


FLAT: Probabilities = (0.2, 0.2, 0.2, 0.2, 0.2)
NO_PULSE = "54 y/o M, abdominal pain and vomiting, BP 120/80"


@pytest.mark.parametrize(
    ("model", "note", "made", "code"),
    [
        (saying(FLAT), CHEST, calibration(0.9), "wide-set"),
        (saying((0.05, 0.6, 0.25, 0.05, 0.05)), CHEST, calibration(), "unsure"),
        (saying((0.15, 0.05, 0.7, 0.05, 0.05)), ANKLE, calibration(0.9), "urgent-not-excluded"),
        (saying(SURE[5]), CHEST, calibration(), "model-outside-rules"),
        (saying(SURE[3]), f"{ANKLE}. {'zzyzx qwerty plugh foo ' * 12}", calibration(), "unread-text"),
        (saying((0.01, 0.1, 0.87, 0.01, 0.01)), NO_PULSE, calibration(), "vitals-missing"),
        (saying(SURE[2]), CHEST, calibration(words="nothing"), "unlike-training-data"),
        (saying(SURE[2]), CHEST, None, "uncalibrated"),
        (saying(None, 2), CHEST, calibration(), "uncalibrated"),
        (saying(None), CHEST, calibration(), "no-level"),
    ],
)
def test_each_reason_hands_over(model: Model, note: str, made: Calibration | None, code: str) -> None:
    reply = guarded(model, note, made)
    assert code in reply.hand_over
    assert reply.level in (1, 2, 3, 4, 5)


def test_the_level_of_least_cost_is_not_excluded_by_the_set() -> None:
    reply = guarded(saying((0.05, 0.4, 0.55, 0.0, 0.0)), CHEST, calibration(0.5))
    assert (reply.level, reply.level_set) == (2, (2, 3))  # a missed ESI 2 costs twice as much


def test_a_model_without_probabilities_is_not_said_to_leave_an_urgent_level_open() -> None:
    reply = guarded(saying(None, 4), ANKLE, calibration())
    assert reply.hand_over == ("uncalibrated",)


def test_the_case_is_handed_over_where_the_rules_exclude_the_models_level_or_the_answer() -> None:
    likely, answered = (0.01, 0.45, 0.0, 0.01, 0.53), (0.0, 0.0, 0.45, 0.01, 0.54)  # answered by cost: 2, and 5
    assert "model-outside-rules" in guarded(saying(likely), CHEST, calibration()).hand_over
    assert "model-outside-rules" in guarded(saying(answered), CHEST, calibration()).hand_over


def test_missing_vital_signs_do_not_matter_where_an_urgent_level_is_very_improbable() -> None:
    assert "vitals-missing" not in guarded(saying(SURE[3]), NO_PULSE, calibration()).hand_over


def test_what_the_findings_have_meant_is_weighed_beside_the_model() -> None:
    ankle, arrest = "22 F twisted ankle, walking, no swelling", "65 M found pulseless, CPR in progress, asystole"
    by_findings = calibration(1.0, rules_findings=2.0)
    assert (guarded(saying(FLAT), ankle, by_findings).level or 0) >= 4
    assert guarded(saying(FLAT), arrest, by_findings).level == 1
    of_a_hospital = text_case(arrest).model_copy(update={"scale": "us-5-level"})
    (reply,) = ask(guard_model(saying(SURE[3]), by_findings), [of_a_hospital])
    assert reply.probabilities == pytest.approx(SURE[3], abs=1e-6), "its level is not the handbook's"


@pytest.mark.parametrize(("least", "unsure"), [(0.55, False), (0.65, True)])
def test_an_answer_stands_from_the_least_probability_on(least: float, unsure: bool) -> None:
    settings = load_settings()
    limits = settings.hand_over.model_copy(update={"least_probability": least})
    set_so = settings.model_copy(update={"hand_over": limits})
    reply = guarded(saying((0.05, 0.6, 0.25, 0.05, 0.05)), CHEST, calibration(), settings=set_so)
    assert ("unsure" in reply.hand_over) is unsure


def test_the_guard_says_that_it_judges_itself_and_a_model_alone_does_not() -> None:
    alone = calibrated_model(saying(SURE[2]), calibration())
    assert [model.judges for model in (guard_model(alone), alone)] == [True, False]


def test_steps_that_the_note_contradicts_hand_over() -> None:
    told = (
        "EXTRACTION:\n- Chief complaint: chest pain\n- Vital signs: HR 188\n- Red flags: none\n\nESI ALGORITHM:\n"
        "- Step A (lifesaving): no\n- Step B (high-risk): no\n- Step C (resources): 1\n- Step D (vitals): no\n\n"
        "ANSWER: ESI 2"
    )
    assert "steps-contradicted" in guarded(saying(SURE[2], text=told), CHEST, calibration()).hand_over


def test_a_high_risk_for_the_level_hands_over() -> None:
    risky = guarded(saying(SURE[4]), ANKLE, calibration(), risk=lambda cases: [0.9] * len(cases))
    calm = guarded(saying(SURE[4]), ANKLE, calibration(), risk=lambda cases: [0.001] * len(cases))
    assert "risk-high" in risky.hand_over
    assert "risk-high" not in calm.hand_over


def test_a_reason_can_be_turned_off() -> None:
    settings = load_settings()
    off = settings.model_copy(update={"hand_over": settings.hand_over.model_copy(update={"off": ("wide-set",)})})
    assert "wide-set" not in guarded(saying(FLAT), CHEST, calibration(0.9), settings=off).hand_over


def test_without_calibration_the_likeliest_level_that_the_rules_leave_possible_is_the_answer() -> None:
    reply = guarded(saying((0.0, 0.1, 0.0, 0.0, 0.9)), CHEST)
    assert reply.possible is not None
    assert reply.level in reply.possible
    assert {"uncalibrated", "model-outside-rules"} <= set(reply.hand_over)


def test_missing_an_urgent_patient_costs_more_than_a_level_too_urgent() -> None:
    assert load_settings().cheapest((0.0, 0.4, 0.6, 0.0, 0.0)) == 2
    assert load_settings().cheapest((0.0, 0.0, 0.4, 0.6, 0.0)) == 4


def test_what_the_model_warns_of_is_told() -> None:
    warned = one_by_one("made", lambda _: Reply(2, "", False, SURE[2], warnings=("read in two parts",)))
    assert "read in two parts" in guarded(warned, CHEST, calibration()).warnings


def test_no_note_gets_no_level_and_a_failure_keeps_its_error() -> None:
    assert guarded(saying(SURE[3]), "hello can you help me", calibration()).level is None
    failed = one_by_one("made", lambda _: no_reply("HTTP 500"))
    assert guarded(failed, CHEST, calibration()).error == "HTTP 500"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("widest_set = 9", r"hand_over.widest_set = 9"),
        ("coverage = 0.8", r"give 0.90 or 0.95"),
        ('off = ["nonsense"]', "unknown reason 'nonsense'"),
        ("colour = 1", "unknown key 'hand_over.colour'"),
    ],
)
def test_settings_that_cannot_be_are_named(tmp_path: Path, line: str, says: str) -> None:
    shipped = (Path(load.__file__).parent / "guard" / "guard.toml").read_text()
    name = line.split(" ")[0]
    kept = [each for each in shipped.splitlines() if not each.startswith(f"{name} =")]
    kept.insert(kept.index("[hand_over]") + 1, line)
    file = tmp_path / "guard.toml"
    file.write_text("\n".join(kept))
    with pytest.raises(InputError, match=says):
        load_settings(file)


def test_every_reason_that_the_guard_gives_is_said_in_words() -> None:
    codes = guarded(saying(FLAT), CHEST, calibration(0.9, words="nothing")).hand_over
    assert all(said not in codes for said in in_words(codes))


def test_the_cost_of_a_reason_by_hand() -> None:
    cases = [text_case("x").model_copy(update={"gold": gold}) for gold in (1, 2, 3, 4)]
    told = [(3, ("wide-set",)), (2, ()), (3, ()), (3, ("wide-set",))]
    replies = [Reply(level, "", False, SURE[3], hand_over=why) for level, why in told]
    rows = {row.name: row for row in cost_of_reasons(cases, replies, ["wide-set", "uncalibrated"])}
    assert (rows[EVERYTHING].n, rows[EVERYTHING].right, rows[EVERYTHING].missed) == (4, 2, 1)
    assert (rows["wide-set"].n, rows["wide-set"].right, rows["wide-set"].missed) == (2, 2, 0)
    assert "uncalibrated" not in rows


def run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception:
        raise done.exception
    return done.output


def test_without_the_reader_the_guard_says_what_answers_and_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "minilm_missing", lambda: "its base weights are missing: run `make reader`")
    said = run("triage", CHEST, "--model", "guard")
    assert "run `make reader`; the model findings answered in its place" in said
    (reply,) = ask(load_model("guard"), [text_case(CHEST)])
    assert (reply.level, "uncalibrated" in reply.hand_over) == (2, False)
    for name in ("reader", "guard:reader:survey"):  # which findings cannot stand for
        with pytest.raises(InputError, match="make reader"):
            load_model(name)
    with pytest.raises(InputError, match="for a model that cannot answer: its base weights are missing"):
        load_model("guard", calibration=Path("mine.json"))


def test_a_folder_called_findings_does_not_stand_in_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(load, "minilm_missing", lambda: "its base weights are missing")
    monkeypatch.chdir(tmp_path)
    Path("findings").mkdir()
    (reply,) = ask(load_model("guard"), [text_case(CHEST)])
    assert reply.level == 2


def test_findings_answer_a_note_and_nothing_else() -> None:
    chest, none = ask(load_model("findings"), [text_case(CHEST), text_case("hello can you help me")])
    assert (chest.level, none.level) == (2, None)
    assert chest.probabilities is not None
    of_a_hospital = text_case("54 M, seen for a check-up").model_copy(update={"scale": "us-5-level"})
    told, by_rules = (ask(load_model(name), [of_a_hospital])[0] for name in ("findings", "rules"))
    assert (told.level, told.probabilities) == (by_rules.level, None)
    with pytest.raises(InputError, match="predicts an outcome and no level"):
        load_model("risk")


def test_guard_takes_the_reader_its_calibration_and_risk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def by_note(case: Case) -> Reply:
        level = 4 if case.narrative == ANKLE else 2
        return Reply(level, "", False, SURE[level])

    made = replace(one_by_one("made", by_note), settings={"sha256": "r" * 64})
    monkeypatch.setattr(load, "minilm_missing", lambda: None)
    monkeypatch.setattr(reader, "find_reader", lambda spec: replace(made, name=spec))
    monkeypatch.setattr(reader, "risk_of", lambda cases: [0.99 if cases[0].narrative == ANKLE else 0.0] * len(cases))
    monkeypatch.setattr(load, "shipped_models", lambda: {"risk": None})
    monkeypatch.setattr(load, "calibration_beside", lambda *_: None)
    (reply,) = ask(load_model("guard"), [text_case(CHEST)])
    assert (reply.level, reply.hand_over) == (2, ("uncalibrated",))
    (risky,) = ask(load_model("guard"), [text_case(ANKLE)])
    assert risky.hand_over == ("uncalibrated", "risk-high")
    assert load_model("guard:reader").name == "guard:reader"
    notes = [{"case_id": str(i), "narrative": CHEST, "gold": 2 + i % 2, "split": "tuning"} for i in range(30)]
    source = tmp_path / "t.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in notes))
    run("calibrate", "--model", "guard", "--cases", source, "-o", tmp_path / "c.json")
    (reply,) = ask(load_model("guard", calibration=tmp_path / "c.json"), [text_case(CHEST)])
    assert reply.level_set is not None


def test_models_that_ship_are_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "made-v1"
    folder.mkdir()
    values = {"name": "made-v1", "kind": "language-model", "base": "smollm2", "trained_on": "notes"}
    (folder / "model.json").write_text(json.dumps(values | {"reached": {"notes": {"exact": 0.5, "n": 10}}}))
    monkeypatch.setattr(model_files, "shipped_folder", lambda: tmp_path)
    model_files.shipped_models.cache_clear()
    try:
        said = run("models")
        assert "made-v1: language-model on smollm2, not calibrated\n  trained on  notes\n" in said
        assert "notes:\n    exact 0.5, n 10" in said
        assert json.loads(run("models", "--format", "json"))["made-v1"]["base"] == "smollm2"
        (folder / "model.json").write_text('{"name": "made-v1"}')
        model_files.shipped_models.cache_clear()
        with pytest.raises(InputError, match=r"model\.json"):
            run("models")
    finally:
        model_files.shipped_models.cache_clear()
