"""Experiment files: the card's settings word for word, and every mistake named."""

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from esi_triage.data.sampling import class_shares
from esi_triage.errors import InputError
from esi_triage.train.experiment import GrpoSettings, experiment_names, load_experiment
from esi_triage.train.rows.drawn_cases import training_cases
from esi_triage.train.run import Run, begin, find_run

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
    assert parents == {"v43": None, "v47": "v46"} | dict.fromkeys(
        ("v45c", "v46", "v48", "audited", "verified", "calibrated"), "v43"
    )


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


def test_base_and_profile_are_merged() -> None:
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
        ('prompt = "model-card"', 'prompt = "mode-card"', "prompt = 'mode-card'"),
        ("seed = 46", "seed = 46\nbase = 'tiny'", "--base"),
        ("r = 32", "rank = 32", "rank"),
        ("[smoke]", "[smoke]\nsead = 1", "sead"),  # an overlay that is not used now is checked all the same
        ("draws = 320", "drows = 320", "drows"),
        ("[data]", "[data", "TOML"),
        ("seed = 46", "seed = 46\nfull = 3", r"\[full\]"),
        ("adam_beta1 = 0.9", "adam_beta1 = nan", "adam_beta1"),
        ("adam_beta2 = 0.99", "adam_beta2 = inf", "adam_beta2"),
        ("adam_beta2 = 0.99", "adam_beta2 = 1.0", "adam_beta2"),
        ("top_p = 1.0", "top_p = nan", "top_p"),
        ("top_p = 1.0", "top_p = 1.5", "top_p"),
        ("epsilon = 0.2", "epsilon = inf", "epsilon"),
        ("epsilon_high = 0.2", "epsilon_high = nan", "epsilon_high"),
        ("temperature = 1.0", "temperature = inf", "temperature"),
        ("temperature = 0.1", "temperature = nan", "temperature"),
        ("learning_rate = 8e-7", "learning_rate = inf", "learning_rate"),
        ("beta = 0.0", "beta = nan", "beta"),
        ('scale_rewards = "group"', 'scale_rewards = "groups"', "'group', 'batch' or 'none'"),
        ('loss_type = "dapo"', 'loss_type = "ppo"', "loss_type"),
        ('lr_scheduler_type = "cosine"', 'lr_scheduler_type = "cosin"', "lr_scheduler_type"),
        ('optim = "adamw_8bit"', 'optim = "adam"', "optim"),
        ('importance_sampling_level = "token"', 'importance_sampling_level = "tokens"', "importance_sampling_level"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        load_experiment(mine(tmp_path, old, new))
    assert "mine.toml" in str(caught.value)


def test_known_keys_are_those_of_the_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"in \[lora\]: unknown key 'rank' .*Known keys: r, alpha, dropout, targets\."):
        load_experiment(mine(tmp_path, "r = 32", "rank = 32"))


def test_an_old_name_of_the_prompt_is_read_with_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = mine(tmp_path, 'prompt = "model-card"', 'prompt = "seed"')
    assert load_experiment(file).prompt == "model-card"
    assert capsys.readouterr().err == f"note: {file}: prompt = 'seed' is called 'model-card' now\n"


def test_a_base_may_have_a_table_of_its_own(tmp_path: Path) -> None:
    file = mine(tmp_path, "[lab]", '["qwen3.5-9b"]\ndata.draws = 7\n\n[lab]')
    assert load_experiment(file, "qwen3.5-9b").data.draws == 7
    assert load_experiment(file, "smollm2").data.draws == 64


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError, match="v43, v45c, v46, v47, v48"):
        load_experiment("v99")
    with pytest.raises(InputError, match="full, lab, smoke"):
        load_experiment("v46", "tiny", "huge")


def test_a_run_on_a_table_that_has_changed_is_not_taken_over(tmp_path: Path) -> None:
    table = tmp_path / "cases.jsonl"
    table.write_text("{}\n")
    experiment = load_experiment("v43", "tiny", "smoke", str(table))
    experiment.save(tmp_path / "run" / "experiment.toml")
    assert find_run(tmp_path / "run", experiment).folder == tmp_path / "run"
    table.write_text("{}\n{}\n")
    with pytest.raises(InputError, match=r"cases\.jsonl as it was before; the file has changed"):
        find_run(tmp_path / "run", experiment)
    table.unlink()  # a finished run can be used without its data
    assert find_run(tmp_path / "run", experiment).folder == tmp_path / "run"


def test_a_run_on_a_reward_file_that_has_changed_is_not_taken_over(tmp_path: Path) -> None:
    design = tmp_path / "own-reward.toml"
    shipped = resources.files("esi_triage.reward").joinpath("designs/v46.toml").read_text(encoding="utf-8")
    design.write_text(shipped, encoding="utf-8")
    experiment = load_experiment(mine(tmp_path, 'reward = "v46"', f'reward = "{design}"'))
    begin(Run(tmp_path / "run"), experiment, {})
    assert find_run(tmp_path / "run", experiment).folder == tmp_path / "run"
    design.write_text(f"{shipped}\n# another table\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"own-reward\.toml as it was before; the file has changed"):
        find_run(tmp_path / "run", experiment)


def trained(folder: Path, weights: str) -> Path:
    """A finished run as its children see it."""
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "adapter_config.json").write_text("{}")
    (folder / "adapter" / "adapter_model.safetensors").write_text(weights)
    return folder


def test_a_run_from_another_parent_is_not_taken_over(tmp_path: Path) -> None:
    experiment, run = load_experiment("v46", "tiny", "smoke"), tmp_path / "v46"
    one, same, other = (trained(tmp_path / name, name[0]) for name in ("a", "a-again", "b"))
    begin(Run(run), experiment, {}, one)
    for parent in (one, same, tmp_path / "gone", None):
        assert find_run(run, experiment, parent).folder == run
    with pytest.raises(InputError, match=r"v46: .*from another v43 than the one in .*/b\. Give its own --parent"):
        find_run(run, experiment, other)
    experiment.save(run / "experiment.toml")  # as versions wrote it that did not say
    assert find_run(run, experiment, other).folder == run


@pytest.mark.parametrize("name", experiment_names())
def test_trl_knows_every_setting(name: str) -> None:
    from dataclasses import fields

    from trl import GRPOConfig, SFTConfig

    experiment = load_experiment(name)
    config = SFTConfig if experiment.method == "sft" else GRPOConfig
    ours = {"rollout"}  # says who generates; TRL is not told
    assert set(type(experiment.trainer).model_fields) - ours <= {field.name for field in fields(config)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("num_iterations = 3", r"save_steps = 50: .* must be a multiple of .* \(24\)"),
        ("steps_per_generation = 64", r"save_steps x gradient_accumulation_steps \(400\) .* \(64\)"),
        ("vllm_max_model_length = 512", r"vllm_max_model_length = 512: it must hold a prompt and the 512 tokens"),
        ('rollout = "shared"\nuse_vllm = true', "rollout = 'shared' goes neither with use_vllm"),
        ("num_generations = 3", r"num_generations = 3: .* \(8\), must be a multiple of it"),
        ("steps_per_generation = 4\nnum_generations = 8", r"num_generations = 8: .* \(4\), must be a multiple of it"),
    ],
)
def test_settings_of_generation_that_do_not_go_together(tmp_path: Path, change: str, said: str) -> None:
    names = [line.split(" = ")[0] for line in change.splitlines()]
    text = resources.files("esi_triage").joinpath("experiments/v46.toml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if line.split(" = ")[0] not in names]
    own = "\n".join(kept).split("\n[tiny]")[0].replace("[trainer]\n", f"[trainer]\n{change}\n")
    (tmp_path / "own.toml").write_text(own)
    with pytest.raises(InputError, match=said):
        load_experiment(str(tmp_path / "own.toml"))


@pytest.mark.parametrize("profile", ["gpu80", "gpu128"])
@pytest.mark.parametrize("name", ["v45c", "v46", "v47", "v48", "audited"])
def test_a_gpu_s_profile_learns_from_the_same_batch(name: str, profile: str) -> None:
    def batch(trainer: Any) -> int:
        return trainer.per_device_train_batch_size * trainer.gradient_accumulation_steps

    card, fast = (load_experiment(name, "qwen3.5-9b", p).trainer for p in ("full", profile))
    assert batch(fast) == batch(card)
    assert isinstance(fast, GrpoSettings)
    assert fast.use_vllm
