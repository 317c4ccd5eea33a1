"""Exports to other engines: one text, one reward, whoever asks; the prompts are those that training draws."""

import asyncio
import importlib.util
import json
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from transformers import (
    AutoTokenizer,
    Qwen3_5Config,
    Qwen3_5ForCausalLM,
    Qwen3_5ForConditionalGeneration,
)

from esi_triage.answer import load_prompt, messages
from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.errors import InputError
from esi_triage.reward import load_design, reward_functions
from esi_triage.train.base_models import load_base
from esi_triage.train.experiment import load_experiment
from esi_triage.train.export.base_export import export_base
from esi_triage.train.export.verifiers_export import export_verifiers
from esi_triage.train.export.verl_export import export_verl, verl_config
from esi_triage.train.rows.drawn_cases import training_cases

V46 = load_experiment("v46", "tiny", "smoke")
ANSWERS = [
    "ANSWER: ESI 2",
    "no idea",
    "</think>\n\nEXTRACTION:\n- x: y\n\nANSWER: ESI 3",
    "word " * 400 + "ANSWER: ESI 1",
]


@pytest.fixture(scope="module")
def verl(v43: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "verl"
    export_verl(V46, v43, folder)
    return folder


def module_of(file: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def trl_s(text: str, gold: int, folder: Path) -> float:
    """The reward that TRL's trainer gets for a completion that ends with the end of the turn."""
    tokenizer = AutoTokenizer.from_pretrained(folder / "adapter")
    ids = [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
    parts = reward_functions(load_design("v46"))
    return sum(part(completions=[text], completion_ids=[ids], gold=[gold])[0] for part in parts)


def test_verl_gets_the_drawn_prompts_and_the_same_reward(verl: Path) -> None:
    rows = pq.read_table(verl / "train.parquet").to_pylist()
    cases = training_cases(V46)
    assert [row["prompt"] for row in rows] == [messages(case.narrative, load_prompt()) for case in cases]
    assert [row["reward_model"]["ground_truth"] for row in rows] == [str(case.gold) for case in cases]
    compute_score = module_of(verl / "reward.py", "verl_reward").compute_score
    for text in ANSWERS:
        for gold in (1, 2, 3):
            found = compute_score("esi", text, str(gold), extra_info=rows[0]["extra_info"])
            assert found == pytest.approx(trl_s(text, gold, verl))


def test_verl_s_configuration_says_what_the_experiment_says(verl: Path) -> None:
    card = load_experiment("v46", "qwen3.5-9b")
    found = verl_config(card, verl)
    actor = found["actor_rollout_ref"]
    assert actor["model"]["path"] == "Qwen/Qwen3.5-9B"
    assert actor["model"]["lora_rank"] == 32
    assert Path(actor["model"]["lora_adapter_path"], "adapter_config.json").is_file()
    assert Path(found["reward"]["custom_reward_function"]["path"]).is_file()
    assert (actor["rollout"]["n"], found["data"]["train_batch_size"]) == (8, 1)
    assert actor["actor"]["optim"]["lr"] == 8e-7
    written = (verl / "config.yaml").read_text()
    assert json.loads(written.split("\n", 1)[1])["trainer"]["experiment_name"] == "v46"


def test_verifiers_loads_the_taskset_and_scores_the_same(v43: Path, tmp_path: Path, monkeypatch: Any) -> None:
    export_verifiers(V46, v43, tmp_path / "out")
    config = (tmp_path / "out" / "prime-rl.toml").read_text(encoding="utf-8")
    for left_out in ("#   beta = 0.0", "#   scale_rewards = 'group'", "#   lr_scheduler_type"):
        assert left_out in config
    assert tomllib.loads(config)["trainer"]["optim"]["lr"] == V46.trainer.learning_rate
    package = tmp_path / "out" / "esi_taskset"
    rows = pq.read_table(package / "train.parquet").to_pylist()
    assert [row["gold"] for row in rows] == [case.gold for case in training_cases(V46)]
    if find_spec("verifiers") is None:
        pytest.skip("verifiers is not installed: it is for those who export to it")
    monkeypatch.syspath_prepend(str(tmp_path / "out"))
    module = importlib.import_module("esi_taskset")
    tasks = list(module.EsiTaskset(module.EsiConfig(id="esi_taskset")))
    assert len(tasks) == len(rows)
    trace = type("Trace", (), {"last_reply": ANSWERS[0]})()
    assert asyncio.run(tasks[0].reward(trace)) == pytest.approx(trl_s(ANSWERS[0], rows[0]["gold"], package))


def test_what_cannot_be_exported_is_named(v43: Path, verl: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is SFT"):
        export_verl(load_experiment("v43", "tiny", "smoke"), v43, tmp_path / "a")
    with pytest.raises(InputError, match="no finished adapter"):
        export_verl(V46, tmp_path / "nothing", tmp_path / "b")
    with pytest.raises(InputError, match="an export already"):
        export_verl(V46, v43, verl)
    assert not (tmp_path / "a").exists()


def test_an_export_of_no_case_is_refused(v43: Path, tmp_path: Path) -> None:
    table = tmp_path / "held_out.parquet"
    write_cases((case for case in open_cases(300) if case.split == "held_out"), table)
    for export in (export_verl, export_verifiers):
        with pytest.raises(InputError, match=r"held_out\.parquet'?: no case with split 'train'"):
            export(load_experiment("v46", "tiny", "smoke", str(table)), v43, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss_type", "dr_grpo"),
        ("importance_sampling_level", "sequence"),
        ("min_p", 0.1),
        ("repetition_penalty", 1.1),
        ("scale_rewards", "batch"),
        ("lr_scheduler_type", "linear"),
        ("mask_truncated_completions", True),
        ("disable_dropout", True),
        ("steps_per_generation", 4),
    ],
)
def test_a_setting_that_verl_cannot_say_is_named(name: str, value: Any, v43: Path, tmp_path: Path) -> None:
    own = V46.model_copy(update={"trainer": V46.trainer.model_copy(update={name: value})})
    with pytest.raises(InputError, match=rf"v46: trainer\.{name} = {value!r}: verl's configuration says"):
        export_verl(own, v43, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_verl_is_told_what_decides_the_loss_and_the_rate(tmp_path: Path) -> None:
    told = {"loss_type": "grpo", "scale_rewards": "none", "lr_scheduler_type": "constant", "warmup_steps": 9}
    found = verl_config(V46.model_copy(update={"trainer": V46.trainer.model_copy(update=told)}), tmp_path)
    actor = found["actor_rollout_ref"]["actor"]
    assert (actor["loss_agg_mode"], found["algorithm"]["norm_adv_by_std_in_grpo"]) == ("seq-mean-token-mean", False)
    assert (actor["optim"]["lr_scheduler_type"], actor["optim"]["lr_warmup_steps"]) == ("constant", 0)


def test_a_vision_language_checkpoint_becomes_a_text_only_base(tmp_path: Path) -> None:
    """A made checkpoint in the hub's layout: text weights under model.language_model, exported under model."""
    _, tokenizer = load_base("tiny", smoke=True)
    text = {"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4}
    text |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}
    text |= {
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 32}
    hub = Qwen3_5ForConditionalGeneration(Qwen3_5Config(text_config=text, vision_config=vision))
    hub.save_pretrained(tmp_path / "hub")
    tokenizer.save_pretrained(tmp_path / "hub")
    export_base(str(tmp_path / "hub"), tmp_path / "text")
    assert json.loads((tmp_path / "text" / "config.json").read_text())["architectures"] == ["Qwen3_5ForCausalLM"]
    model, _ = load_base(str(tmp_path / "text"))
    assert isinstance(model, Qwen3_5ForCausalLM)
    theirs = {name: weight for name, weight in hub.state_dict().items() if "visual" not in name}
    ours = {name.replace("model.", "model.language_model.", 1): weight for name, weight in model.state_dict().items()}
    assert ours.keys() == theirs.keys()
    assert all(weight.equal(theirs[name]) for name, weight in ours.items())
    with pytest.raises(InputError, match="not empty"):
        export_base("tiny", tmp_path / "text")
