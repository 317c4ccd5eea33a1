"""`esi plan` is the arithmetic of the 9B on paper, and counts what a pass really keeps."""

import json
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from typer.testing import CliRunner

from esi_triage.errors import InputError
from esi_triage.train.adapter import new_adapter
from esi_triage.train.experiment import Experiment, load_experiment
from esi_triage.train.plan.arithmetic import Device, find_device, memory, step_time, work_of
from esi_triage.train.plan.plan import plan
from esi_triage.train.plan.shape import Shape, config_of, saved_bytes, shape_of

CARD, FAST = (load_experiment("v46", "qwen3.5-9b", profile) for profile in ("full", "gpu80"))


def changed(experiment: Experiment, **settings: Any) -> Experiment:
    return experiment.model_copy(update={"trainer": experiment.trainer.model_copy(update=settings)})


@pytest.fixture(scope="module")
def nine() -> Shape:
    return shape_of("qwen3.5-9b", CARD.lora, rows=1, tokens=768, gpu=True)


def needed(shape: Shape, experiment: Experiment) -> dict[str, float]:
    return memory(shape, experiment, work_of(experiment, find_device("1xH100"), 256))


def test_the_9b_s_sizes(nine: Shape) -> None:
    """Counted on the class itself; the figures are those of the architecture's own description."""
    assert nine.parameters == 8_953_803_264
    assert nine.adapter == 58_195_968
    assert nine.kv_per_token * nine.value_bytes == 32 * 1024
    assert nine.state_per_row * 4 == pytest.approx(50e6, rel=0.01)


def test_the_9b_s_memory(nine: Shape) -> None:
    """GB for 8 x 512 after 256, rank 32 (arithmetic: 17.9 + 17.9, 0.23, 0.23, 0.47 or 0.12, 0.2, 0.4, about 4)."""
    found = needed(nine, changed(FAST, optim="adamw_torch"))
    expected = {"weights": 17.9, "weights_vllm": 17.9, "adapter": 0.23, "gradients": 0.23, "optimizer": 0.47}
    expected |= {"kv_cache": 0.2, "recurrent_state": 0.4}
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=0.02, abs=0.005)
    assert needed(nine, FAST)["optimizer"] == pytest.approx(0.12, abs=0.005)
    assert found["peak"] == pytest.approx(45, rel=0.1)
    assert needed(nine, CARD)["weights_vllm"] == 0


def test_the_9b_s_activations(nine: Shape) -> None:
    """0.26 MB a token and layer inputs with checkpointing; without, some 10 MB a token and more."""
    per_token = nine.saved_bytes / nine.tokens / 1e6
    assert 9 < per_token < 16
    checkpointed = needed(nine, FAST)["activations"] * 1e9
    one_layer = per_token * 1e6 * 8 * 768 / 32
    assert (checkpointed - one_layer) / (8 * 768) / 1e6 == pytest.approx(0.26, rel=0.02)


@pytest.mark.parametrize(
    ("experiment", "gpus", "item", "seconds"),
    [
        (FAST, "1xH100", "generation", 3.4),
        (FAST, "1xGB10", "generation", 39),
        (FAST, "1xH100", "step", 5.25),
        (FAST, "1xGB10", "step", 48),
        (CARD, "1xH100", "step", 28),
    ],
)
def test_the_9b_s_step(nine: Shape, experiment: Experiment, gpus: str, item: str, seconds: float) -> None:
    device = find_device(gpus)
    assert step_time(nine, experiment, work_of(experiment, device, 256), device)[item] == pytest.approx(
        seconds, rel=0.1
    )


def test_learning_is_4n_and_2n_for_each_more_pass(nine: Shape) -> None:
    device = Device("h100", 1, 80, 3350, 1 / 0.4)  # one TFLOP a second, after the share that is got
    work = work_of(CARD, device, 256)
    learned = {
        name: step_time(nine, changed(CARD, **settings), work, device)["learning"]
        for name, settings in {
            "plain": {"gradient_checkpointing": False},
            "checkpointed": {},
            "both": {"use_vllm": True},
        }.items()
    }
    assert learned == pytest.approx({"plain": 195, "checkpointed": 195 + 97, "both": 195 + 97 + 97}, rel=0.01)


@pytest.mark.parametrize("base", ["tiny", "smollm2"])
def test_what_is_counted_is_what_autograd_keeps(base: str) -> None:
    lora, config = CARD.lora, config_of(base)
    if base == "smollm2":
        config = type(config)(**{**config.to_dict(), "num_hidden_layers": 2, "vocab_size": 100})
    model = new_adapter(AutoModelForCausalLM.from_config(config, dtype=torch.float32), lora)
    real = saved_bytes(model, 2, 128)
    if base == "tiny":
        assert shape_of("tiny", lora, 2, 128, gpu=False).saved_bytes == pytest.approx(real, rel=0.05)
    else:
        counted = shape_of("smollm2", lora, 2, 128, gpu=False)
        assert counted.saved_bytes / counted.layers == pytest.approx(real / 2, rel=0.05)
        assert counted.parameters == pytest.approx(134.5e6, rel=0.01)


def test_devices_are_named_or_refused() -> None:
    assert find_device("8xh100")[:2] == ("h100", 8)
    assert work_of(FAST, find_device("8xH100"), 256).rows == 1
    for spec in ("0xH100", "00xH100", "1xTPU", "assumptions", ""):
        with pytest.raises(InputError, match="--gpus"):
            find_device(spec)
    with pytest.raises(InputError, match="8 rows"):
        plan(FAST, "3xH100")


def test_the_command_prints_json() -> None:
    from esi_triage.cli.main import app

    result = CliRunner().invoke(app, ["plan", "v46", "--base", "tiny", "--gpus", "cpu", "--format", "json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output[result.output.index("{") :])
    assert found["memory_gb"]["peak"] > 0
    assert found["assumptions"]["prompt_tokens"] == 256
