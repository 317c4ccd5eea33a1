"""Train the reader. An interrupted training goes on at its last save and ends in the same weights."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ...atomic_files import held, whole, write_json
from ...errors import InputError
from ...progress import bar
from ..base_models import quiet
from ..run import keep_rows
from .minilm import NAME, WEIGHTS_SHA256, minilm
from .network import Inputs, ReaderNetwork, fast_arithmetic, loss_of, trainable_state
from .settings import ReaderExperiment
from .texts import Lesson, batches, lessons
from .words import counted_texts, train_words


def train_reader(experiment: ReaderExperiment, visits: Path | None, folder: Path) -> Path:
    """Train in `folder` and return `folder/reader`: adapter in PEFT layout, head and words.safetensors, reader.json.

    Raises InputError where the folder holds another experiment's training or another process is at work in it, where
    base or visits are missing, and for visits of which one is bad or that are too few: all before the encoder learns.
    """
    quiet()
    base = minilm()
    taught = lessons(experiment.data, visits, experiment.seed)
    counted = counted_texts(experiment.data, visits, experiment.seed)
    data_hash = _hash_of(taught)
    with held(folder):
        _claim(folder, experiment, data_hash)
        if (folder / "reader" / "reader.json").is_file():
            return folder / "reader"
        torch.manual_seed(experiment.seed)
        network = ReaderNetwork(base, experiment)
        _teach(network, experiment, taught, Inputs(base, experiment.trainer.max_tokens), folder)
        facts = {"data_sha256": data_hash, "lessons": len(taught), "counted": train_words(counted, folder / "reader")}
        return _save(network, experiment, folder, facts)


def _claim(folder: Path, experiment: ReaderExperiment, data_hash: str) -> None:
    file, wanted = folder / "experiment.json", {**experiment.model_dump(), "data_sha256": data_hash}
    wanted = json.loads(json.dumps(wanted))
    if file.is_file() and json.loads(file.read_text(encoding="utf-8")) != wanted:
        raise InputError(f"{folder}: it holds a reader of other settings or data. Give another --output, or remove it.")
    write_json(file, wanted)


def _hash_of(taught: list[Lesson]) -> str:
    digest = hashlib.sha256()
    for lesson in taught:
        digest.update(json.dumps([lesson.narrative, lesson.question, lesson.target]).encode())
    return digest.hexdigest()


def _teach(
    network: ReaderNetwork, experiment: ReaderExperiment, taught: list[Lesson], inputs: Inputs, folder: Path
) -> None:
    settings = experiment.trainer
    steps = batches(taught, settings.batch_size, experiment.seed)
    optimizer = _optimizer(network, experiment)
    begun = _resume(network, optimizer, folder / "state.safetensors")
    keep_rows(folder / "metrics.jsonl", begun)
    progress = bar("reader learns", len(steps), "step", begun)
    arithmetic = fast_arithmetic(network)
    network.train()
    for step in range(begun, len(steps)):
        # what is hidden does not depend on where training was resumed
        torch.manual_seed(experiment.seed * 1_000_003 + step)
        scale = min((step + 1) / max(1, settings.warmup_share * len(steps)), 1.0) * (1 - step / len(steps))
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * scale
        ids, mask, numbers = inputs.of([lesson.narrative for lesson in steps[step]])
        with arithmetic:
            logits = network(inputs.masked(ids, settings.masked), mask, numbers)
        loss = loss_of(logits, steps[step], settings.ranked_weight)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable_state(network).values(), settings.max_grad_norm)
        optimizer.step()
        progress.update(1)
        with (folder / "metrics.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": step + 1, "loss": round(loss.item(), 5)}) + "\n")
        if (step + 1) % settings.save_steps == 0:
            _keep(network, optimizer, step + 1, folder / "state.safetensors")
    progress.close()


def _optimizer(network: ReaderNetwork, experiment: ReaderExperiment) -> torch.optim.AdamW:
    settings, state = experiment.trainer, trainable_state(network)
    rates = {True: settings.learning_rate, False: settings.head_learning_rate}
    groups = [
        {"params": [w for name, w in state.items() if ("lora_" in name) == lora], "lr": rate, "initial_lr": rate}
        for lora, rate in rates.items()
    ]
    return torch.optim.AdamW(groups, weight_decay=settings.weight_decay)


def _keep(network: ReaderNetwork, optimizer: torch.optim.AdamW, step: int, file: Path) -> None:
    tensors: dict[str, torch.Tensor] = {}
    for name, weight in trainable_state(network).items():
        moments = optimizer.state[weight]
        tensors |= {name: weight.data.clone(), f"{name}:1": moments["exp_avg"], f"{name}:2": moments["exp_avg_sq"]}
    with whole(file) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, {"step": str(step)})


def _resume(network: ReaderNetwork, optimizer: torch.optim.AdamW, file: Path) -> int:
    if not file.is_file():
        return 0
    tensors = load_file(file)
    with safe_open(file, "pt") as opened:
        step = int(opened.metadata()["step"])
    for name, weight in trainable_state(network).items():
        weight.data.copy_(tensors[name])
        optimizer.state[weight] = {
            "step": torch.tensor(float(step)),
            "exp_avg": tensors[f"{name}:1"],
            "exp_avg_sq": tensors[f"{name}:2"],
        }
    return step


def _save(network: ReaderNetwork, experiment: ReaderExperiment, folder: Path, facts: dict[str, Any]) -> Path:
    place = folder / "reader"
    adapter: Any = network.encoder.peft_config["default"]
    adapter.base_model_name_or_path = NAME
    adapter.target_modules = sorted(adapter.target_modules)  # as a set its order would change with the hash seed
    head = {n: w.data.clone() for n, w in trainable_state(network).items() if "lora_" not in n}
    network.encoder.half().save_pretrained(str(place))
    save_file(head, place / "head.safetensors")
    write_json(
        place / "reader.json",
        {"name": experiment.name, "experiment_sha256": experiment.sha256, "base": NAME, "base_sha256": WEIGHTS_SHA256}
        | facts,
    )
    return place
