"""The ranked probability score as a reward: proper, and with GRPO's gradient that of the expected score."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from esi_triage.answer import parse
from esi_triage.cli.main import app
from esi_triage.errors import InputError
from esi_triage.reward import audit, load_design, reward_functions, score
from esi_triage.reward.policy import read_prior
from esi_triage.reward.score.ranked_probability import ranked_probability_reward, ranked_probability_score
from esi_triage.train.experiment import load_experiment
from esi_triage.train.launch import start

CALIBRATED = load_design("calibrated")
LOGITS = st.lists(st.floats(-3, 3), min_size=5, max_size=5)
GOLD = st.integers(1, 5)


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def rewards(p: np.ndarray, gold: int) -> np.ndarray:
    return np.array([ranked_probability_reward(p.tolist(), level, gold, 0.5) for level in range(1, 6)])


def policy_gradient(p: np.ndarray, reward: np.ndarray) -> np.ndarray:
    """The expected gradient of reward x log-probability of the drawn digit, by the logits."""
    return (p * reward) @ (np.eye(5) - p)


@pytest.mark.parametrize(
    ("probabilities", "gold", "value"),
    [
        ([0, 1, 0, 0, 0], 2, 0.0),
        ([0, 1, 0, 0, 0], 5, 3.0),
        ([0, 0.5, 0.5, 0, 0], 2, 0.25),
        ([0.2] * 5, 3, 0.2**2 + 0.4**2 + 0.4**2 + 0.2**2),
    ],
)
def test_the_score_by_hand(probabilities: list[float], gold: int, value: float) -> None:
    assert ranked_probability_score(probabilities, gold) == pytest.approx(value)


@given(LOGITS, GOLD)
def test_the_mean_reward_is_the_score(logits: list[float], gold: int) -> None:
    p = softmax(np.array(logits))
    assert p @ rewards(p, gold) == pytest.approx(-0.5 * ranked_probability_score(p.tolist(), gold))


@given(LOGITS, GOLD)
def test_the_policy_gradient_is_that_of_the_score_and_of_the_score_alone_nothing(
    logits: list[float], gold: int
) -> None:
    z, eps = np.array(logits), 1e-6
    p = softmax(z)
    numeric = [
        -0.5
        * (
            ranked_probability_score(softmax(z + eps * d).tolist(), gold)
            - ranked_probability_score(softmax(z - eps * d).tolist(), gold)
        )
        / (2 * eps)
        for d in np.eye(5)
    ]
    assert policy_gradient(p, rewards(p, gold)) == pytest.approx(np.array(numeric), abs=1e-6)
    alone = np.full(5, -0.5 * ranked_probability_score(p.tolist(), gold))
    assert policy_gradient(p, alone) == pytest.approx(np.zeros(5), abs=1e-9)


def test_learned_probabilities_are_the_true_ones_where_a_table_makes_certain() -> None:
    """A note that is ESI-2 in 7 cases of 10 and ESI-3 in 3, and GRPO's mean update without scaling."""
    true, ends = np.array([0, 0.7, 0.3, 0, 0]), {}
    for name in ("ranked", "table"):
        z = np.zeros(5)
        for _ in range(500):
            p = softmax(z)
            paid = [rewards(p, g) if name == "ranked" else CALIBRATED.rewards[g - 1, :5] for g in range(1, 6)]
            z = z + 4 * sum(share * policy_gradient(p, row) for share, row in zip(true, paid, strict=True))
        ends[name] = softmax(z)
    assert ends["ranked"][1:3] == pytest.approx([0.7, 0.3], abs=0.02)
    assert ends["table"][1] > 0.99


@pytest.mark.parametrize("gold", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_certain_answer_earns_its_cell(gold: int, level: int) -> None:
    answer, certain = parse(f"ANSWER: ESI {level}"), np.eye(5)[level - 1].tolist()
    found = score(answer, gold, CALIBRATED, 10, probabilities=certain)
    assert found.total == pytest.approx(CALIBRATED.table[gold - 1][level - 1])
    assert score(answer, gold, CALIBRATED, 10).total == CALIBRATED.no_parse


def test_trl_functions_ask_for_the_probabilities() -> None:
    answer = reward_functions(CALIBRATED)[0]
    given = {"completions": ["ANSWER: ESI 2", "ANSWER: ESI 2", "none"], "completion_ids": [[0]] * 3, "gold": [2] * 3}
    p = [0.0, 0.5, 0.5, 0.0, 0.0]
    expected = [1 + ranked_probability_reward(p, 2, 2, 0.5), -1.5, -1.5]
    assert answer(**given, level_probabilities=[p, None, None]) == pytest.approx(expected)
    with pytest.raises(InputError, match="needs a column 'level_probabilities'"):
        answer(**given)


@pytest.mark.parametrize(
    "change", ["rollout = 'trl'", "temperature = 0.7", "top_p = 0.9"], ids=["rollout", "temperature", "top_p"]
)
def test_another_rollout_is_refused_before_anything_is_loaded(change: str, tmp_path) -> None:
    key, value = change.split(" = ")
    experiment = load_experiment("calibrated", "tiny", "smoke")
    settings = experiment.trainer.model_copy(update={key: value.strip("'") if key == "rollout" else float(value)})
    with pytest.raises(InputError, match="only rollout = 'shared' reports"):
        start(experiment.model_copy(update={"trainer": settings}), tmp_path / "run", tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"table": [[1.0, 0.0, 0.0, 0.0, 0.0]] * 5}, "every level off costs the same"),
        ({"format_bonus": 0.1, "format_paid": "exact"}, "pay parsed ones"),
    ],
)
def test_a_design_that_would_not_be_proper_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        type(CALIBRATED).model_validate(CALIBRATED.model_dump() | change)


def test_it_is_scored_and_audited_on_the_command_line_as_in_training() -> None:
    command = ["reward", "score", "calibrated", "--gold", "2"]
    told = CliRunner().invoke(app, [*command, "--probabilities", "0,0.5,0.5,0,0"], input="ANSWER: ESI 2")
    assert json.loads(told.stdout)["total"] == pytest.approx(
        1 + ranked_probability_reward([0, 0.5, 0.5, 0, 0], 2, 2, 0.5)
    )
    for extra in ([], ["--probabilities", "0.5,0.5"]):
        assert isinstance(CliRunner().invoke(app, [*command, *extra], input="ANSWER: ESI 2").exception, InputError)
    assert not audit(CALIBRATED, read_prior("mimic-iv-ed", 5), scale="none").reaches("error")


def test_its_experiment_differs_from_audited_s_in_reward_scaling_and_rollout() -> None:
    for base in ("tiny", "smollm2"):
        ours, theirs = (load_experiment(name, base).model_dump() for name in ("calibrated", "audited"))
        assert {key for key in ours if ours[key] != theirs[key]} == {"name", "about", "reward", "seed", "trainer"}
        differs = {key for key in ours["trainer"] if ours["trainer"][key] != theirs["trainer"][key]}
        assert differs == {"scale_rewards"}  # on these bases the rollout is shared anyway
