"""The reader's network while it is trained: encoder with LoRA, the mean of its tokens, the note's numbers, one hidden
layer, one head for each question.

`predict.reader` computes the same from the saved weights without PyTorch.
"""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertModel

from ..base_models import multiplies_bfloat16
from .note_numbers import NUMBERS, numbers_of
from .settings import QUESTIONS, ReaderExperiment
from .texts import Lesson

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class ReaderNetwork(torch.nn.Module):
    """Token ids and numbers in, five logits for each question out."""

    def __init__(self, base: Path, experiment: ReaderExperiment) -> None:
        super().__init__()
        lora = experiment.lora
        # Without dropout: drawing its random numbers takes longer than the products do where a processor has bfloat16.
        # Words are hidden instead (`masked`). "sdpa" is slower backwards than "eager".
        undropped = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "attn_implementation": "eager"}
        self.encoder: PeftModel = get_peft_model(  # pyright: ignore[reportAttributeAccessIssue]
            BertModel.from_pretrained(base, add_pooling_layer=False, **undropped),
            LoraConfig(r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=list(lora.targets)),
        )
        width = self.encoder.config.hidden_size + NUMBERS
        self.hidden = torch.nn.Linear(width, experiment.hidden)
        self.heads = torch.nn.ModuleDict({name: torch.nn.Linear(experiment.hidden, 5) for name in QUESTIONS})

    def vectors(self, ids: torch.Tensor, mask: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """(batch, width): the mean of the encoder's token states, and the note's numbers."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].to(states.dtype)
        return torch.cat([(states * weights).sum(1) / weights.sum(1), numbers], dim=1)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, numbers: torch.Tensor) -> dict[str, torch.Tensor]:
        """(batch, 5) logits by question."""
        seen = torch.nn.functional.gelu(self.hidden(self.vectors(ids, mask, numbers)))
        return {name: head(seen) for name, head in self.heads.items()}


def fast_arithmetic(network: ReaderNetwork) -> torch.autocast:
    """The context in which the network computes in bfloat16 where the processor multiplies that itself (else slower;
    benchmarks/reader_training.py).

    Its frozen matrices are converted here, once and for good, instead of in every step.
    """
    fast = multiplies_bfloat16()
    for layer in network.encoder.modules():
        if fast and isinstance(layer, torch.nn.Linear) and not layer.weight.requires_grad:
            layer.to(torch.bfloat16)
    return torch.autocast("cpu", torch.bfloat16, enabled=fast)


class Inputs:
    """Lessons to tensors, padded to a few lengths (each new shape costs a kernel). A text's numbers are read once."""

    def __init__(self, base: Path, max_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.enable_padding(pad_to_multiple_of=32)
        special = self._tokenizer.get_vocab()
        self._mask_id, self._words_from = special["[MASK]"], max(special[name] for name in _SPECIAL) + 1
        self._numbers: dict[str, list[float]] = {}

    def masked(self, ids: torch.Tensor, share: float) -> torch.Tensor:
        """`ids` with a random share of the words and numbers hidden."""
        hidden = (torch.rand(ids.shape) < share) & (ids >= self._words_from)
        return ids.masked_fill(hidden, self._mask_id)

    def of(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Token ids, mask and numbers of a batch."""
        read = self._tokenizer.encode_batch(texts)
        for text in texts:
            if text not in self._numbers:
                self._numbers[text] = numbers_of(text)
        return (
            torch.tensor([found.ids for found in read]),
            torch.tensor([found.attention_mask for found in read]),
            torch.tensor([self._numbers[text] for text in texts]),
        )


def loss_of(logits: dict[str, torch.Tensor], batch: list[Lesson], ranked_weight: float) -> torch.Tensor:
    """Cross-entropy plus `ranked_weight` times the ranked probability score, each text by the head of its question."""
    target = torch.tensor([lesson.target for lesson in batch])
    asked = torch.tensor([QUESTIONS.index(lesson.question) for lesson in batch])
    stacked = torch.stack([logits[name].float() for name in QUESTIONS])
    answers = stacked[asked, torch.arange(len(batch))]
    entropy = torch.nn.functional.cross_entropy(answers, target)
    ranked = (answers.softmax(-1).cumsum(-1) - target.cumsum(-1))[:, :-1].square().sum(-1).mean()
    return entropy + ranked_weight * ranked


def trainable_state(network: ReaderNetwork) -> dict[str, Any]:
    """The weights that training changes, by name."""
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}


def load_trained(network: ReaderNetwork, folder: Path) -> None:
    """Put the saved weights of the reader in `folder` into `network`."""
    from peft import load_peft_weights, set_peft_model_state_dict

    set_peft_model_state_dict(network.encoder, load_peft_weights(str(folder), device="cpu"))
    network.load_state_dict(load_file(folder / "head.safetensors"), strict=False)
