"""Other harnesses count as we do: the same answers give the same exact count, and credentialed cases stay here."""

import logging
from pathlib import Path
from typing import Any

import pytest

from esi_triage.data.case_table import write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case, Licence
from esi_triage.evaluate import adapters
from esi_triage.evaluate.adapters import SCORES, scores_of
from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.predict.model import reply_of

GOLD = [1, 2, 3, 4, 5, 2, 3, 1, 4, 5]
TEXTS = [
    "ANSWER: ESI 1",
    "ANSWER: ESI 3",
    "the level is 3",  # a last digit is no answer
    "Clearly ESI 4",  # lenient, as the card's protocol reads it
    "<think>ESI 2</think>ANSWER: ESI 5",
    "",
    "ANSWER: ESI 1",
    "ANSWER: ESI 5",
    "<think>ANSWER: ESI 4",  # never ended thinking
    "answer: 5",
]
EXPECTED = metrics(scored(GOLD, [reply_of(text).level for text in TEXTS], resamples=100))


def _file(folder: Path, licence: Licence = "open") -> Path:
    cases = [
        Case(case_id=str(i), source="t", licence=licence, narrative=f"case number {i}.", gold=gold)
        for i, gold in enumerate(GOLD)
    ]
    write_cases(cases, folder / "cases.jsonl")
    return folder / "cases.jsonl"


def test_the_means_of_single_scores_are_our_proportions():
    rows = [scores_of(text, gold) for text, gold in zip(TEXTS, GOLD, strict=True)]
    for name in SCORES:
        assert sum(row[name] for row in rows) == pytest.approx(EXPECTED[name]["value"] * len(GOLD))


def test_a_bad_row_is_an_error_not_a_smaller_denominator(tmp_path):
    file = _file(tmp_path)
    file.write_text(file.read_text() + '{"case_id": "x", "gold": 2}\n')
    with pytest.raises(InputError, match="row 11"):
        adapters.labelled_cases(file)


def _inspect(folder: Path, file: Path, model: str = "mockllm/model", **arguments):
    inspect_ai = pytest.importorskip("inspect_ai", reason="inspect-ai is an optional extra")
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    from esi_triage.evaluate.adapters.inspect_ai import esi_triage

    outputs = [ModelOutput.from_content("mock", text) for text in TEXTS]
    for output in outputs:
        output.usage = ModelUsage()  # else inspect counts tokens, with a tokenizer that it downloads
    mock = get_model(model, custom_outputs=outputs)
    (log,) = inspect_ai.eval(
        esi_triage(str(file), **arguments),
        model=mock,
        log_dir=str(folder / "logs"),
        display="none",
        max_connections=1,
        max_samples=1,
    )
    return log


def test_inspect_ai_counts_as_we_do(tmp_path):
    log = _inspect(tmp_path, _file(tmp_path))
    assert log.status == "success", log.error
    found = {score.name: score.metrics["mean"].value for score in log.results.scores}
    assert found == {name: pytest.approx(EXPECTED[name]["value"]) for name in SCORES}
    assert log.results.total_samples == len(GOLD)
    first = log.samples[0].messages
    assert (first[0].role, first[1].role, first[1].content) == ("system", "user", "case number 0.")


def test_inspect_ai_sends_no_credentialed_case_elsewhere(tmp_path):
    inspect_ai = pytest.importorskip("inspect_ai", reason="inspect-ai is an optional extra")
    from inspect_ai.model import ModelAPI, modelapi

    from esi_triage.evaluate.adapters.inspect_ai import esi_triage

    asked = []

    @modelapi(name="elsewhere")
    class Elsewhere(ModelAPI):
        async def generate(self, input, tools, tool_choice, config):
            asked.append(input)
            raise AssertionError("a credentialed case was sent")

    (log,) = inspect_ai.eval(
        esi_triage(str(_file(tmp_path, "credentialed"))),
        model="elsewhere/m",
        log_dir=str(tmp_path / "logs"),
        display="none",
    )
    assert log.status == "error"
    assert "credentialed" in log.error.message
    assert not asked


def _lm_eval(file: Path, **metadata):
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is an optional extra")
    from lm_eval.api.model import LM
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    asked: list[str] = []

    class Mock(LM):
        def generate_until(self, requests, disable_tqdm=False):
            asked.extend(request.args[0] for request in requests)
            return [TEXTS[int(request.doc["case_id"])] for request in requests]

        def loglikelihood(self, requests, disable_tqdm=False):
            raise NotImplementedError

        def loglikelihood_rolling(self, requests, disable_tqdm=False):
            raise NotImplementedError

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    manager = TaskManager(
        include_path=str(Path(adapters.__file__).parent),
        include_defaults=False,
        metadata={"cases": str(file), **metadata},
    )
    results: Any = simple_evaluate(model=Mock(), tasks=["esi_triage"], task_manager=manager, bootstrap_iters=0)
    return results["results"]["esi_triage"], asked


def test_lm_eval_counts_as_we_do(tmp_path):
    found, asked = _lm_eval(_file(tmp_path))
    assert {name: found[f"{name},none"] for name in SCORES} == {
        name: pytest.approx(EXPECTED[name]["value"]) for name in SCORES
    }
    assert len(asked) == len(GOLD)
    assert asked[0].startswith("You are an expert emergency triage nurse")
    assert asked[0].endswith("case number 0.")


@pytest.mark.parametrize("allowed", [{"local": True}, {"agreement": "our DUA with zero retention"}])
def test_lm_eval_gets_credentialed_cases_only_where_it_is_said_that_it_may(tmp_path, allowed):
    file = _file(tmp_path, "credentialed")
    with pytest.raises(InputError, match="credentialed"):
        _lm_eval(file)
    assert len(_lm_eval(file, **allowed)[1]) == len(GOLD)


def test_lm_eval_without_cases_says_how_to_give_them():
    with pytest.raises(InputError, match="--metadata lacks cases"):
        _lm_eval(Path(), cases=None)
