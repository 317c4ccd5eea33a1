"""Completions with shared prefills and dropped rows are what `generate` writes; the adapter's merge leaves no trace."""

from typing import Any

import pytest
import torch
from scipy.stats import chi2_contingency
from transformers import LlamaConfig, LlamaForCausalLM, Qwen3_5ForCausalLM, Qwen3_5TextConfig

from esi_triage.train.adapter import new_adapter
from esi_triage.train.experiment import LoraSettings
from esi_triage.train.rollouts.completions import Sampling, _drawn, complete_prompts
from esi_triage.train.rollouts.merged import writing

END, PAD = 1, 0
PROMPTS = [[5, 6, 7, 8, 9, 10], [11, 12], [5, 6, 7, 8, 9, 10], [13, 14, 15, 16], [11, 12], [5, 6, 7, 8, 9, 10]]


class Tokenizer:
    pad_token_id, eos_token_id = PAD, END


TOKENIZER: Any = Tokenizer()


def small_model(kind: str, words: int = 24) -> Any:
    """A random model with an adapter that says something, of either architecture, ending a turn now and then."""
    torch.manual_seed(3)
    sizes: dict[str, Any] = {"vocab_size": words, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4}
    heads: dict[str, Any] = {
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "pad_token_id": PAD,
        "eos_token_id": END,
    }
    linear: dict[str, Any] = {
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
    }
    base = (
        LlamaForCausalLM(LlamaConfig(**sizes, **heads, initializer_range=0.3))
        if kind == "llama"
        else Qwen3_5ForCausalLM(Qwen3_5TextConfig(**sizes, **heads, **linear, initializer_range=0.3))
    )
    lora = LoraSettings(r=4, alpha=8, dropout=0.0, targets=("q_proj", "v_proj", "o_proj", "down_proj"))
    model = new_adapter(base, lora)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    return model.eval()


def by_generate(model: Any, prompts: list[list[int]], sampling: Sampling) -> list[list[int]]:
    """What `generate` writes after each prompt, up to the end of the turn."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[PAD] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    sampled = {"temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p}
    found = model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=sampling.max_new_tokens,
        do_sample=sampling.temperature is not None,
        pad_token_id=PAD,
        eos_token_id=END,
        **(sampled if sampling.temperature else {}),
    )
    rows = found[:, longest:].tolist()
    return [row[: row.index(END) + 1] if END in row else row for row in rows]


@pytest.mark.parametrize("kind", ["qwen3.5", "llama"])
def test_greedy_it_is_generate_token_by_token(kind: str) -> None:
    model, sampling = small_model(kind), Sampling(24, None)
    prompts = [*PROMPTS, *([i, i + 1, i + 2] for i in range(2, 20, 2))]
    expected = by_generate(model, prompts, sampling)
    assert len({len(row) for row in expected}) > 2  # some end early, and are dropped
    with writing(model) as inner:
        found = complete_prompts(inner, TOKENIZER, prompts, sampling, watched=[2, 3])
        assert [completion.ids for completion in found] == expected
        ids = torch.tensor([prompts[-1] + found[-1].ids])
        logits = inner(input_ids=ids).logits[0, len(prompts[-1]) - 1 : -1]
    assert torch.allclose(found[-1].watched, logits[:, [2, 3]], atol=1e-2)  # the recurrent and the chunked rule differ


@pytest.mark.parametrize("sampling", [Sampling(3, 1.0), Sampling(3, 0.7, top_p=0.8, top_k=6)], ids=["plain", "warped"])
def test_samples_have_the_distribution_of_generate(sampling: Sampling) -> None:
    model, n = small_model("qwen3.5", words=8), 1500
    prompts = [[5, 6, 7]] * n
    torch.manual_seed(1)
    theirs = by_generate(model, prompts, sampling)
    with writing(model) as inner:
        ours = [completion.ids for completion in complete_prompts(inner, TOKENIZER, prompts, sampling)]
    for place in range(3):
        counts = [
            [sum(len(row) > place and row[place] == token for row in rows) for token in range(8)]
            for rows in (ours, theirs)
        ]
        used = [pair for pair in zip(*counts, strict=True) if sum(pair) >= 20]
        assert len(used) > 1
        found: Any = chi2_contingency(list(zip(*used, strict=True)))
        assert found.pvalue > 1e-4


@pytest.mark.parametrize("bf16", [False, True])
def test_merging_leaves_no_trace(bf16: bool) -> None:
    model = small_model("llama").train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    ids = torch.tensor([PROMPTS[0]])
    expected = model(input_ids=ids).logits
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    hooked = [weight.expand_as(weight).grad_fn.next_functions[0][0] for weight in trained]  # where DDP's hooks sit
    with writing(model, bf16) as inner:
        assert not inner.training
        frozen = {weight.dtype for weight in inner.parameters() if not weight.requires_grad}
        assert frozen == {torch.bfloat16 if bf16 else torch.float32}
        assert torch.allclose(inner(input_ids=ids).logits.float(), expected, atol=0.2 if bf16 else 1e-4)
        assert any(not torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert model.training
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert torch.equal(model(input_ids=ids).logits, expected)
    assert [weight.expand_as(weight).grad_fn.next_functions[0][0] for weight in trained] == hooked


def test_a_token_of_probability_0_is_never_drawn() -> None:
    scores = torch.full((4000, 6), float("-inf"))
    scores[:, 2], scores[:, 4] = 0.0, 1.0
    drawn = _drawn(scores)
    assert set(drawn.tolist()) == {2, 4}
    assert float((drawn == 4).float().mean()) == pytest.approx(0.731, abs=0.04)  # 1 / (1 + 1/e)
