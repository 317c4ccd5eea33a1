"""Watch: what it measures, when it warns, and that it stops real GRPO runs of a model built in a second."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainerControl, TrainerState, set_seed
from trl import GRPOConfig, GRPOTrainer
from trl.scripts.grpo import main, make_parser

from esi_triage.answer import parse
from esi_triage.errors import InputError
from esi_triage.reward import approximate_tokens, load_design, reward_functions, score
from esi_triage.reward.design import Design
from esi_triage.reward.run_findings import Limits, watch_findings, window_means
from esi_triage.reward.watch import Watch

V46 = load_design("v46")
QUIET = {"none": 0.0, "exact": 0.7, "wrong": 0.3, "by_one": 0.2, "hedge": 0.6}
SHARES = {1: 0.06, 2: 0.33, 3: 0.53, 4: 0.07, 5: 0.01}


def measured(given: dict[int, float] | None = None, **changed: float) -> dict[str, float]:
    """Measures of a healthy run, with changes."""
    shares = {f"level_{k}": share for k, share in (SHARES | (given or {})).items()}
    return QUIET | shares | {f"gold_{k}": share for k, share in SHARES.items()} | changed


SIGNS = [
    (measured(), None, ""),
    (measured({1: 0.17}), None, ""),  # nearly three times as often
    (measured({1: 0.19}), "collapse", "level 1 is given in 19% of cases and right in 6%"),
    (measured({5: 0.05}), None, ""),  # five times as often, and still rare
    (measured({5: 0.12}), "collapse", "level 5"),
    (measured({3: 0.89}), None, ""),
    (measured({3: 0.91}), "collapse", "level 3"),
    (measured(none=0.2), None, ""),
    (measured(none=0.21), "silence", "21% of completions give no answer"),
    (measured() | {"completions/clipped_ratio": 0.5}, None, ""),
    (measured() | {"completions/clipped_ratio": 0.92}, "truncation", "92%"),
    (measured() | {"frac_reward_zero_std": 0.9}, None, ""),
    (measured() | {"frac_reward_zero_std": 0.95}, "no signal", "95% of groups"),
    (measured(exact=0.5, hedge=0.79), None, ""),  # exact falls, errors of all sizes
    (measured(exact=0.51, hedge=0.9), None, ""),
    (measured(exact=0.49, hedge=0.9), "hedging", "exact fell from 70% to 49%"),
]


@pytest.mark.parametrize(("now", "name", "said"), SIGNS)
def test_a_finding_is_named_with_its_figures(now: dict[str, float], name: str | None, said: str) -> None:
    found = watch_findings(now, measured(), Limits(), range(1, 6))
    assert list(found) == ([name] if name else [])
    assert said in "".join(found.values())


def look(watch: Watch, texts: list[str], golds: list[int]) -> dict[str, float]:
    logged: dict[str, float] = {}
    assert watch.look(completions=texts, log_metric=logged.__setitem__, **{watch.gold: golds}) == [0.0] * len(texts)
    return logged


def test_what_is_logged_of_a_batch() -> None:
    texts = ["ANSWER: ESI 1", "ANSWER: ESI 2", "ANSWER: ESI 2", "nothing", "ANSWER: ESI 4"]
    logged = look(Watch(V46), texts, [1, 1, 2, 3, 1])
    assert logged["watch/none"] == 0.2
    assert (logged["watch/exact"], logged["watch/wrong"], logged["watch/by_one"]) == (0.4, 0.4, 0.2)
    assert logged["watch/hedge"] == 0.5
    assert logged["watch/entropy"] == pytest.approx(0.5 * math.log(2) + 2 * 0.25 * math.log(4))
    # v46 draws ESI-1 five times as often, ESI-2 three times: each case counts for a fifth, a third
    assert logged["watch/gold_1"] == pytest.approx((3 / 5) / 5)
    assert logged["watch/level_2"] == pytest.approx((1 / 5 + 1 / 3) / 5)
    assert logged["watch/level_5"] == 0


def test_oversampling_is_undone() -> None:
    """A policy that is always right looks balanced, however its cases were drawn."""
    golds = [1] * 10 + [2] * 6 + [3] * 4  # natural shares 2 : 2 : 4
    now = window_means([look(Watch(V46), [f"ANSWER: ESI {gold}" for gold in golds], golds)], range(1, 6))
    assert [now[f"level_{k}"] for k in range(1, 6)] == pytest.approx([0.25, 0.25, 0.5, 0, 0])
    assert [now[f"gold_{k}"] for k in range(1, 6)] == pytest.approx([0.25, 0.25, 0.5, 0, 0])
    assert (now["exact"], now["hedge"]) == (1.0, 0.0)


def test_v45c_s_collapse_shows_though_its_training_is_mostly_level_1() -> None:
    """11 of 20 cases are ESI-1, and 15 of 20 are called so; of natural cases that is a quarter."""
    golds = [1] * 11 + [2] * 4 + [3] * 5
    given = [1] * 11 + [1] * 4 + [3] * 5
    now = window_means([look(Watch(load_design("v45c")), [f"ANSWER: ESI {k}" for k in given], golds)], range(1, 6))
    assert now["gold_1"] == pytest.approx(0.55 / 9.55)
    assert now["level_1"] == pytest.approx(4.55 / 9.55)
    assert "collapse" in watch_findings(now, now, Limits(), range(1, 6))


def step(watch: Watch, at: int, **logs: Any) -> bool:
    """One logged row; whether training is to stop."""
    control = TrainerControl()
    state = TrainerState(global_step=at, is_world_process_zero=True)
    watch.on_log(args=None, state=state, control=control, logs=logs)  # pyright: ignore[reportArgumentType]
    return control.should_training_stop


def row(texts: list[str], golds: list[int], **more: float) -> dict[str, float]:
    return look(Watch(), texts, golds) | more


RIGHT = row([f"ANSWER: ESI {k}" for k in (1, 2, 3, 4, 5)], [1, 2, 3, 4, 5])
SILENT = row(["?"] * 5, [1, 2, 3, 4, 5])


def test_one_odd_step_is_no_finding_and_a_lasting_change_is(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(stop=True, limits=Limits(window=10))
    rows = [SILENT] + [RIGHT] * 12 + [SILENT] * 3
    stopped = [step(watch, at, **logs) for at, logs in enumerate(rows, start=1)]
    assert stopped == [False] * 15 + [True]
    assert watch.measured["none"] == pytest.approx(0.3)
    assert capsys.readouterr().err == (
        "warning: step 16: abstention: 30% of completions give no answer. Training stops here.\n"
    )


def test_a_finding_is_told_once_and_training_goes_on_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(limits=Limits(window=2))
    assert not any(step(watch, at, **SILENT) for at in range(1, 9))
    assert capsys.readouterr().err.count("abstention") == 1
    assert list(watch.found) == ["silence"]


def test_the_window_is_counted_in_steps_and_rows_of_others_are_left_out() -> None:
    watch = Watch(stop=True, limits=Limits(window=20))
    assert not step(watch, 10, **SILENT)  # logging_steps = 10
    assert not step(watch, 15, loss=1.0, train_runtime=3.0)
    assert not step(watch, 16, **{f"eval_{key}": value for key, value in SILENT.items()})
    assert step(watch, 20, **SILENT)


def test_hedging_is_measured_against_the_first_window() -> None:
    watch = Watch(limits=Limits(window=2))
    golds = [1, 2, 3, 4, 5]
    for at, given in enumerate(([1, 2, 3, 4, 1], [1, 2, 3, 4, 5], [1, 2, 3, 5, 4], [1, 2, 2, 5, 4], [2, 2, 2, 5, 4])):
        step(watch, at + 1, **row([f"ANSWER: ESI {k}" for k in given], golds))
    assert watch.found["hedging"] == (
        "hedging: since the first window exact fell from 90% to 50%, while errors by one level rose from 0% to 100% of "
        "all errors."
    )


def interrupted(folder: Path, rows: list[dict[str, float]], after: int) -> Watch:
    """A watch over `rows`, killed after so many steps and resumed from the checkpoint by another process."""
    args = GRPOConfig(output_dir=str(folder), bf16=False, use_cpu=True)
    begun, resumed = (Watch(limits=Limits(window=4)) for _ in range(2))
    for at in range(1, after + 1):
        step(begun, at, **rows[at - 1])
    state = TrainerState(global_step=after, is_world_process_zero=True)
    begun.on_save(args, state, TrainerControl())
    resumed.on_train_begin(args, state, TrainerControl())
    for at in range(after + 1, len(rows) + 1):
        step(resumed, at, **rows[at - 1])
    return resumed


@pytest.mark.parametrize("after", range(1, 13))
def test_a_resumed_run_finds_what_an_uninterrupted_one_does(after: int, tmp_path: Path) -> None:
    """Abstention passes in steps 3 to 6 and cannot be found again; hedging is measured against the first window."""
    hedged = row(["ANSWER: ESI 2"] * 3 + ["ANSWER: ESI 5", "ANSWER: ESI 4"], [1, 2, 3, 4, 5])
    rows = [RIGHT] * 2 + [SILENT] * 3 + [RIGHT] * 2 + [hedged] * 6
    whole = Watch(limits=Limits(window=4))
    for at, logs in enumerate(rows, start=1):
        step(whole, at, **logs)
    resumed = interrupted(tmp_path, rows, after)
    assert resumed.found == whole.found
    assert resumed.measured == whole.measured
    assert {"silence", "hedging"} <= resumed.found.keys()


@pytest.mark.parametrize(
    ("columns", "named"), [({"label": [1]}, "no column 'gold'"), ({"gold": [6]}, "holds 6; levels are 1 to 5")]
)
def test_rows_that_cannot_be_watched_are_named(columns: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        Watch().look(completions=["ANSWER: ESI 1"], log_metric=lambda name, value: None, **columns)


WORDS = ["<pad>", "<eos>", "case", *"123", "ANSWER: ESI 1", "ANSWER: ESI 2", "ANSWER: ESI 3", "well"]


def tiny() -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """A random model of a few thousand weights whose words are whole answers."""
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="<eos>", padding_side="left"
    )
    set_seed(0)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=32,
        pad_token_id=0,
        eos_token_id=1,
    )
    return LlamaForCausalLM(config), tokenizer


def train(
    watch: Watch, rewards: list[Any], folder: Path, steps: int, gold: str = "gold", resume: str | None = None
) -> GRPOTrainer:
    """A real GRPO run on the tiny model: eight prompts a step, eight completions of two words each."""
    model, tokenizer = tiny()
    golds = [1 + i % 3 for i in range(60)]
    rows = Dataset.from_dict({"prompt": [f"case {k}" for k in golds], gold: golds})
    args = GRPOConfig(
        output_dir=str(folder),
        max_steps=steps,
        learning_rate=0.05,
        per_device_train_batch_size=64,
        num_generations=8,
        max_completion_length=2,
        logging_steps=1,
        save_strategy="steps",
        save_steps=3,
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        report_to="none",
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(model, rewards, args=args, train_dataset=rows, processing_class=tokenizer, callbacks=[watch])
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def read_grade(text: str) -> int | None:
    """The last digit of a text."""
    return next((int(sign) for sign in reversed(text) if sign.isdigit()), None)


def pays_level_1(completions: list[str], **_: Any) -> list[float]:
    """A broken reward: level 1 is paid whatever the case."""
    return [float(read_grade(text) == 1) for text in completions]


def test_a_real_run_under_a_broken_reward_is_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(
        levels=3, read=read_grade, gold="grade", stop=True, limits=Limits(window=5, silence=1.0, truncation=1.0)
    )
    trainer = train(watch, [pays_level_1, watch.look], tmp_path, steps=100, gold="grade")
    assert 5 <= trainer.state.global_step < 100
    assert set(watch.found) == {"collapse"}
    assert watch.measured["level_1"] > 0.9
    assert watch.measured["entropy"] < 0.4
    assert f"step {trainer.state.global_step}: collapse: level 1 is given in" in capsys.readouterr().err


def test_a_real_run_with_a_design_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(V46, limits=Limits(window=2))
    trainer = train(watch, [*reward_functions(V46), watch.look], tmp_path, steps=3)
    assert trainer.state.global_step == 3
    logged = [row for row in trainer.state.log_history if "watch/none" in row]
    assert [row["step"] for row in logged] == [1, 2, 3]
    assert all(row["rewards/look/mean"] == 0 for row in logged)
    for key in ("watch/none", "rewards/answer/mean", "rewards/length/mean", "completions/clipped_ratio"):
        mean = sum(row[key] for row in logged[1:]) / 2
        assert watch.measured[key.removeprefix("watch/")] == pytest.approx(mean)
    assert watch.measured["exact"] > 0
    assert watch.measured["frac_reward_zero_std"] < 1
    assert "truncation" in watch.found  # two words are not enough for an end
    assert "warning: step 2: truncation:" in capsys.readouterr().err


def test_a_real_run_keeps_its_findings_when_it_is_resumed(tmp_path: Path) -> None:
    """Under limits that nothing can pass, what the resumed watch knows can only come from the checkpoint."""
    begun = Watch(V46, limits=Limits(window=2))
    train(begun, [*reward_functions(V46), begun.look], tmp_path, steps=3)
    assert "truncation" in begun.found
    never = Limits(window=2, collapse=99.0, top=1.0, silence=1.0, truncation=1.0, no_signal=1.0, hedging=1.0)
    resumed = Watch(V46, limits=never)
    last = str(tmp_path / "checkpoint-3")
    trainer = train(resumed, [*reward_functions(V46), resumed.look], tmp_path, steps=4, resume=last)
    assert trainer.state.global_step == 4
    assert resumed.found == begun.found
    assert sorted(resumed.rows) == [3, 4]


def test_the_designs_are_plain_reward_functions_for_trl_s_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`trl grpo --reward_funcs my_rewards.answer …` with a module of two lines."""
    (tmp_path / "my_rewards.py").write_text(
        "from esi_triage.reward import load_design, reward_functions\n"
        'answer, format, length = reward_functions(load_design("v46"))\n'
    )
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "train.jsonl").write_text('{"prompt": "case 1", "gold": 1}\n{"prompt": "case 2", "gold": 2}\n')
    for part in tiny():
        part.save_pretrained(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    command = "--model_name_or_path model --dataset_name rows --output_dir run --max_steps 1 --num_generations 4"
    command += " --per_device_train_batch_size 4 --max_completion_length 2 --use_cpu --bf16 false --report_to none"
    command += (
        " --reward_funcs my_rewards.answer my_rewards.format my_rewards.length --logging_steps 1 --disable_tqdm true"
    )
    main(*make_parser().parse_args_and_config(command.split(), fail_with_unknown_args=True))
    state = json.loads((tmp_path / "run" / "checkpoint-1" / "trainer_state.json").read_text(encoding="utf-8"))
    logged = state["log_history"][0]
    assert -2.0 <= logged["rewards/answer/mean"] <= 3.0
    assert logged["reward"] == pytest.approx(
        sum(logged[f"rewards/{part}/mean"] for part in ("answer", "format", "length"))
    )


def test_a_design_scores_one_text_for_other_libraries() -> None:
    """What a rubric of `verifiers` takes: a function of a completion and the label."""

    def esi(completion: list[dict[str, str]], answer: str, **_: Any) -> float:
        text = completion[-1]["content"]
        return score(parse(text), int(answer), V46, approximate_tokens(text)).total

    assert esi([{"role": "assistant", "content": "ANSWER: ESI 2"}], "2") == pytest.approx(2.0 + 0.3 * (1 - 4 / 300))
    assert esi([{"role": "assistant", "content": "I cannot say"}], "2") == -0.5


def test_a_design_with_other_grades_brings_its_own_levels() -> None:
    table = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    watch = Watch(Design(name="essay", table=table, no_parse=-1.0), read=read_grade)  # pyright: ignore[reportCallIssue]
    logged = look(watch, ["grade 3", "well"], [3, 1])
    assert (logged["watch/level_3"], logged["watch/exact"], logged["watch/none"]) == (0.5, 0.5, 0.5)
    assert "watch/level_4" not in logged
