"""Groups, scales, weights, reversed groups and a person's level: what a table says of its cases is used."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_models import model_of

from esi_triage.data.case_table import write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.evaluate.clusters import resampled_by
from esi_triage.evaluate.evaluation import Plan, evaluate_file
from esi_triage.evaluate.labelled_cases import read_labelled, score_answers
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.predict.model import constant_model


def _case(i: int, gold: int, **more) -> Case:
    values = {"case_id": f"c{i}", "source": "t", "licence": "open", "narrative": f"Cough, story {i}.", "gold": gold}
    return Case.model_validate(values | more)


def _file(folder, cases):
    write_cases(cases, folder / "cases.parquet")
    return folder / "cases.parquet"


def test_cases_of_one_hospital_are_resampled_together():
    """Hospitals differ: forty visits in each of ten are not four hundred independent visits."""
    apart = [_case(i, 3 if i // 40 % 2 else 2, subject_id=f"p{i}") for i in range(400)]
    grouped = [case.model_copy(update={"group": f"hospital {i // 40}"}) for i, case in enumerate(apart)]
    alone, together = (metrics(score_answers(cases, [3] * 400)) for cases in (apart, grouped))
    assert together["exact"]["value"] == alone["exact"]["value"]
    for name in ("exact", "macro_f1"):
        width = [m[name]["high"] - m[name]["low"] for m in (alone, together)]
        assert width[1] > 3 * width[0], name
    assert (alone["intervals"]["patients"], together["intervals"]["patients"]) == (400, 10)


def test_one_or_two_hospitals_are_not_resampled():
    """A table of one hospital says nothing of others; its patients still vary."""
    cases = [_case(i, 3 if i % 3 else 2, subject_id=f"p{i}", group=f"hospital {i % 2}") for i in range(120)]
    alone = [case.model_copy(update={"group": None}) for case in cases]
    assert metrics(score_answers(cases, [3] * 120)) == metrics(score_answers(alone, [3] * 120))
    assert resampled_by([case.group for case in cases]).startswith(
        "patients; one or two groups (hospitals) are too few"
    )
    assert resampled_by([case.group for case in alone]) == "patients"


def test_survey_weights_count_as_so_many_cases():
    """A case of weight 3 is three cases for the figure, and one for its interval."""
    gold, predicted, weights = [2, 3, 3, 4] * 30, [2, 3, 2, 4] * 30, [3.0, 1.0, 5.0, 1.0] * 30
    cases = [_case(i, level) for i, level in enumerate(gold)]
    answers = score_answers(cases, predicted)
    weighted = metrics(answers.weighted(weights))
    repeated = [i for i, weight in enumerate(weights) for _ in range(int(weight))]
    expected = metrics(score_answers([cases[i] for i in repeated], [predicted[i] for i in repeated]))
    for name in ("exact", "over_triage", "high_acuity_sensitivity", "qwk", "macro_f1", "expected_cost"):
        assert weighted[name]["value"] == pytest.approx(expected[name]["value"]), name
        assert weighted[name]["n"] == metrics(answers)[name]["n"], name
    assert weighted["exact"]["value"] == pytest.approx(0.5)
    width = weighted["exact"]["high"] - weighted["exact"]["low"]
    assert width > metrics(answers)["exact"]["high"] - metrics(answers)["exact"]["low"]


def test_the_weighted_best_constant_is_chosen_by_weight(tmp_path):
    """Six visits of level 3 for six people, four of level 2 for twenty."""
    cases = [_case(i, 3, weight=1.0) if i < 6 else _case(i, 2, weight=5.0) for i in range(10)]
    result, _, _ = evaluate_file(
        constant_model("constant:3"), _file(tmp_path, cases), tmp_path / "out", Plan(weighted=True)
    )
    best = result.metrics["weighted"]["best_constant"]
    assert (best["level"], best["exact"]["value"]) == (2, pytest.approx(20 / 26))
    assert result.metrics["best_constant"]["level"] == 3
    written = (tmp_path / "out" / "report.md").read_text()
    assert "| survey-weighted | constant:3 | always ESI-2 (best constant) |" in written


def test_levels_of_two_scales_are_never_pooled(tmp_path):
    file = _file(tmp_path, [_case(0, 3), _case(1, 3, scale="ktas")])
    with pytest.raises(InputError, match=r"2 scales, esi \(1\), ktas \(1\)"):
        read_labelled(file)


def test_weights_that_are_asked_for_must_be_there(tmp_path):
    file = _file(tmp_path, [_case(0, 3, weight=2.0), _case(1, 3)])
    with pytest.raises(InputError, match=r"1 of 2 labelled cases have no survey weight \(case_id 'c1'"):
        evaluate_file(constant_model("constant:3"), file, tmp_path / "out", Plan(weighted=True))


def test_a_report_says_scale_weights_reversed_groups_human_and_outcomes(tmp_path):
    rng = np.random.default_rng(0)
    cases = [
        _case(
            i,
            int(rng.integers(1, 6)),
            scale="ktas",
            group=f"h{i % 8}",
            weight=1.0 + i % 3,
            human_level=2,
            quality=("reversed-group",) if i % 8 == 0 else (),
        )
        for i in range(160)
    ]
    file = _file(tmp_path, cases)
    ids = [case.case_id for case in cases]
    critical = [int(case.gold == 1) for case in cases]
    pq.write_table(pa.table({"case_id": ids, "critical": critical}), tmp_path / "cases.outcomes.parquet")
    races = ["A" if i % 2 else "B" for i in range(160)]
    pq.write_table(pa.table({"case_id": ids, "race": races}), tmp_path / "cases.groups.parquet")
    model = model_of(lambda case: 3 if case.case_id.endswith("7") else case.gold)
    evaluate_file(model, file, tmp_path / "out", Plan(weighted=True))
    m = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (m["scale"], m["intervals"]["clusters"], m["intervals"]["patients"]) == ("ktas", "groups", 8)
    assert m["without_reversed_groups"]["model"]["n"] == 140
    assert m["baselines"]["human"]["exact"]["value"] == sum(case.gold == 2 for case in cases) / 160
    assert m["outcomes"]["by_outcome"]["critical"]["events"] == sum(critical)
    assert {"rules", "human", "m", "gold level"} == set(m["outcomes"]["by_outcome"]["critical"]["rows"])
    assert {row["name"] for row in m["subgroups"]["rows"] if row["group"] == "race"} == {"A", "B"}
    written = (tmp_path / "out" / "report.md").read_text()
    for said in ("KTAS scale, not ESI", "survey-weighted", "without them", "human (at triage)", "race: A", "AUROC"):
        assert said in written, said
