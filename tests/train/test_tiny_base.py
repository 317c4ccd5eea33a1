"""The tiny base that ships: its shape is that of the recipe, and its weights are those that its card names."""

import json
from pathlib import Path

import pytest
import torch

from esi_triage.atomic_files import sha256_of
from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.errors import InputError
from esi_triage.train.base_models import load_base
from esi_triage.train.plan.shape import config_of
from esi_triage.train.tiny.tiny_base import SHIPPED, make_tiny_base
from esi_triage.train.tiny.tiny_corpus import TEMPLATE, base_texts, text_of, tiny_recipe


def test_the_weights_are_those_that_folder_and_card_name() -> None:
    found = sha256_of(SHIPPED / "model.safetensors")
    assert SHIPPED.name == f"tiny-{found[:12]}"
    assert found in (SHIPPED / "README.md").read_text(encoding="utf-8")


def test_the_architecture_and_the_template_are_those_of_the_recipe() -> None:
    config = json.loads((SHIPPED / "config.json").read_text(encoding="utf-8"))
    assert {key: config[key] for key in tiny_recipe(False)["architecture"]} == tiny_recipe(False)["architecture"]
    assert (SHIPPED / "chat_template.jinja").read_text(encoding="utf-8").strip() == text_of(TEMPLATE).strip()


def test_it_loads_in_single_precision_and_its_tokenizer_ends_turns() -> None:
    model, tokenizer = load_base("tiny")
    assert len(tokenizer) == model.config.vocab_size == config_of("tiny").vocab_size
    if not torch.cuda.is_available():
        assert {str(weight.dtype) for weight in model.parameters()} == {"torch.float32"}
    assert 2e6 < sum(weight.numel() for weight in model.parameters()) < 3e6
    assert tokenizer.eos_token == "<|im_end|>"


def test_its_text_holds_the_share_of_visits_and_each_once() -> None:
    visits = list(open_cases(40, seed=5, core=True))  # any cases will do
    recipe = tiny_recipe(False) | {"visits": 0.5, "with_system_prompt": 0.0}
    texts = list(base_texts(recipe, 60, visits))
    told = [case.case_id for case in visits if any(case.narrative in text for text in texts)]
    assert len(texts) == 60
    assert len(told) == 30


def test_a_table_with_too_few_visits_is_refused(tmp_path: Path) -> None:
    case = next(iter(open_cases(1, seed=5))).model_copy(update={"split": "train", "scale": "us-5-level"})
    write_cases([case], tmp_path / "visits.parquet")
    with pytest.raises(InputError, match="has 1 visits of the split train"):
        make_tiny_base(tmp_path / "visits.parquet", tmp_path / "base")
    assert not (tmp_path / "base").exists()
