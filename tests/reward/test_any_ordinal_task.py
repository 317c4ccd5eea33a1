"""docs/any-ordinal-task.md: seven levels from an empty file to a trained model, as the page says."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

from esi_triage.errors import InputError
from esi_triage.reward import Design, Watch, audit, load_design, reward_functions
from esi_triage.reward.new_design import new_design

PAGE = (Path(__file__).parents[2] / "docs" / "any-ordinal-task.md").read_text(encoding="utf-8")
GRADES = "ABCDEFG"


def block(language: str) -> str:
    [found] = re.findall(f"```{language}\n(.+?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def grades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Design:
    (tmp_path / "grades.toml").write_text(block("toml"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return load_design("grades.toml")


def last_grade(text: str) -> str | None:
    return text[-1] if text[-1:] in set(GRADES) else None


def test_every_level_of_seven_is_read_and_scored(grades: Design) -> None:
    answer, *_ = reward_functions(grades, read=last_grade)
    texts = [f"grade: {grade}" for grade in GRADES]
    for gold, row in zip(GRADES, grades.table, strict=True):
        assert answer(completions=texts, completion_ids=[[0]] * 7, gold=[gold] * 7) == list(row)
    assert answer(completions=["?"], completion_ids=[[0]], gold=["A"]) == [grades.no_parse]


def test_gold_from_0_to_6(grades: Design) -> None:
    counted = grades.model_copy(update={"labels": tuple("0123456")})
    answer, *_ = reward_functions(counted, read=lambda text: int(text))
    assert answer(completions=["0", "6"], completion_ids=[[0]] * 2, gold=[0, 0]) == [1.0, -1.2]
    with pytest.raises(InputError, match="column 'gold' holds 7"):
        answer(completions=["0"], completion_ids=[[0]], gold=[7])


def test_more_than_five_levels_are_refused_without_a_reader(grades: Design) -> None:
    for use in (reward_functions, Watch):
        with pytest.raises(InputError, match="7 levels, and without a reader only ESI 1 to 5 is read"):
            use(grades)


@pytest.mark.parametrize("levels", [2, 5, 7, 10])
def test_a_new_design_loads_and_has_nothing_to_warn_of(levels: int, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(new_design(levels), encoding="utf-8")
    design = load_design(str(tmp_path / "mine.toml"))
    assert len(design.table) == levels
    assert not audit(design, np.full(levels, 1 / levels), group_size=4).reaches("warning")


def test_the_trainer_script_of_the_page_runs(grades: Design, tmp_path: Path) -> None:
    words = ["<pad>", "<eos>", "essay", *(f"grade: {grade}" for grade in GRADES)]
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<pad>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="<eos>", padding_side="left"
    )
    set_seed(0)
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=32, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    settings = {
        "output_dir": str(tmp_path), "max_steps": 2, "per_device_train_batch_size": 8, "num_generations": 4,
        "max_completion_length": 2, "logging_steps": 1, "bf16": False, "use_cpu": True, "report_to": "none",
        "gradient_checkpointing": False, "disable_tqdm": True,
    }  # fmt: skip
    rows = [{"prompt": "essay", "gold": grade} for grade in GRADES]
    given: dict[str, Any] = {
        "model": LlamaForCausalLM(config),
        "tokenizer": tokenizer,
        "settings": settings,
        "rows": rows,
    }
    exec(block("python"), given)
    logged = [row for row in given["trainer"].state.log_history if "watch/answered_7" in row]
    assert len(logged) == 2
    assert all(-1.6 <= row["rewards/answer/mean"] <= 1.0 for row in logged)
