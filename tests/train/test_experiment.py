"""Experiment files: the card's settings word for word, and every mistake named."""

from pathlib import Path

import pytest

from esi_triage.data.sampling import class_shares
from esi_triage.errors import InputError
from esi_triage.train.examples import training_cases
from esi_triage.train.experiment import experiment_names, load_experiment

SEVEN = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
CARD = {
    **{"max_steps": 750, "num_generations": 8, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 8},
    **{"learning_rate": 8e-7, "lr_scheduler_type": "cosine", "max_completion_length": 512, "optim": "adamw_8bit"},
    **{"adam_beta1": 0.9, "adam_beta2": 0.99, "weight_decay": 0.1, "max_grad_norm": 0.1, "beta": 0.0},
}


@pytest.mark.parametrize("name", ["v45c", "v46", "v47", "v48"])
def test_on_the_card_s_base_the_card_s_settings_hold(name: str) -> None:
    experiment = load_experiment(name, base="qwen3.5-9b")
    assert {key: getattr(experiment.trainer, key) for key in CARD} == CARD
    assert (experiment.lora.r, experiment.lora.alpha, experiment.lora.targets) == (32, 32, SEVEN)
    assert experiment.data.oversample
    assert experiment.reward == name
    assert (experiment.evaluate.max_new_tokens, experiment.evaluate.temperature) == (1024, 0.1)
    assert experiment.evaluate.do_sample


def test_parents() -> None:
    parents = {name: load_experiment(name).parent for name in experiment_names()}
    assert parents == {"v43": None, "v45c": "v43", "v46": "v43", "v47": "v46", "v48": "v43", "audited": "v43"}


def test_audited_differs_from_v46_in_its_reward_alone() -> None:
    ours, card = load_experiment("audited"), load_experiment("v46")
    named = {"name", "about", "reward", "seed"}
    assert ours.model_dump(exclude=named) == card.model_dump(exclude=named)
    assert ours.reward == "audited"


def test_levels_can_be_drawn_by_a_temperature(tmp_path: Path) -> None:
    file = mine(tmp_path, "oversample = true", "oversample = false\ntemperature = 3.0")
    drawn = class_shares(training_cases(load_experiment(file)))
    asis = class_shares(training_cases(load_experiment(mine(tmp_path, "oversample = true", "oversample = false"))))
    assert max(drawn.values()) - min(drawn.values()) < max(asis.values()) - min(asis.values())


def test_base_and_profile_are_laid_on() -> None:
    full, tiny, smoke = (load_experiment("v46", *where) for where in (("qwen3.5-9b",), ("tiny",), ("tiny", "smoke")))
    assert tiny.trainer.learning_rate > full.trainer.learning_rate
    assert tiny.trainer.adam_beta2 == full.trainer.adam_beta2  # what the overlay does not name stays the card's
    assert smoke.trainer.max_steps < tiny.trainer.max_steps
    assert len({e.sha256 for e in (full, tiny, smoke)}) == 3
    assert load_experiment("v46", "tiny").sha256 == tiny.sha256


def test_a_saved_experiment_has_everything_and_its_hash(tmp_path: Path) -> None:
    import tomllib

    experiment = load_experiment("v46")
    experiment.save(tmp_path / "experiment.toml")
    text = (tmp_path / "experiment.toml").read_text(encoding="utf-8")
    assert experiment.sha256 in text.splitlines()[0]
    values = tomllib.loads(text)
    assert values["trainer"]["learning_rate"] == experiment.trainer.learning_rate
    assert values["base"] == "tiny"


def mine(tmp_path: Path, old: str, new: str) -> str:
    import esi_triage

    text = (Path(esi_triage.__file__).parent / "experiments" / "v46.toml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("learning_rate = 8e-7", 'learning_rate = "fast"', "learning_rate"),
        ("learning_rate = 8e-7", "learning_rat = 8e-7", "learning_rat"),
        ("num_generations = 8", "", "num_generations"),
        ('method = "grpo"', 'method = "ppo"', "ppo"),
        ('reward = "v46"', "", "reward"),
        ("seed = 46", "seed = 46\nbase = 'tiny'", "--base"),
        ("r = 32", "rank = 32", "rank"),
        ("[smoke]", "[smoke]\nsead = 1", "sead"),  # an overlay that is not used now is checked all the same
        ("draws = 320", "drows = 320", "drows"),
        ("[data]", "[data", "TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        load_experiment(mine(tmp_path, old, new))
    assert "mine.toml" in str(caught.value)


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError, match="v43, v45c, v46, v47, v48"):
        load_experiment("v99")
    with pytest.raises(InputError, match="full, lab, smoke"):
        load_experiment("v46", "tiny", "huge")


@pytest.mark.parametrize("name", experiment_names())
def test_trl_knows_every_setting(name: str) -> None:
    from dataclasses import fields

    from trl import GRPOConfig, SFTConfig

    experiment = load_experiment(name)
    config = SFTConfig if experiment.method == "sft" else GRPOConfig
    assert set(type(experiment.trainer).model_fields) <= {field.name for field in fields(config)}
