"""The `rollout_func` of TRL's GRPOTrainer: a group shares its prompt's prefill, and the adapter is merged meanwhile."""

from collections.abc import Callable
from typing import Any

from ...errors import InputError
from ..base_models import multiplies_bfloat16
from ..experiment import GrpoSettings
from .completions import Sampling, complete_prompts
from .digits import level_probabilities, level_tokens
from .merged import writing


def shared_rollout(settings: GrpoSettings, probabilities: bool = False) -> Callable[[list[str], Any], dict[str, Any]]:
    """A function from (prompts, trainer) to prompt_ids, completion_ids and logprobs, as TRL 1.16 asks for it.

    The prompts come as text, each repeated for its group already. `logprobs` are None: TRL needs them where the engine
    that samples is not the model that learns, and takes the learner's own here. With `probabilities` each completion
    has `level_probabilities` too, which TRL hands to the reward functions.
    """
    sampling = Sampling(
        settings.max_completion_length, settings.temperature, settings.top_k, settings.top_p, settings.min_p
    )

    def rollout(prompts: list[str], trainer: Any) -> dict[str, Any]:
        tokenizer = trainer.processing_class
        prompt_ids = tokenizer(text=prompts)["input_ids"]
        digits = _digits(tokenizer) if probabilities else []
        with writing(trainer.accelerator.unwrap_model(trainer.model), settings.bf16 and multiplies_bfloat16()) as model:
            written = complete_prompts(model, tokenizer, prompt_ids, sampling, digits)
        found = {
            "prompt_ids": prompt_ids,
            "completion_ids": [completion.ids for completion in written],
            "logprobs": None,
        }
        if probabilities:
            found["level_probabilities"] = [level_probabilities(tokenizer, *completion) for completion in written]
        return found

    return rollout


def _digits(tokenizer: Any) -> list[int]:
    digits = level_tokens(tokenizer)
    if not digits:
        raise InputError(
            "the base's tokenizer has no single tokens for the digits 1 to 5, so no probabilities are read."
        )
    return digits
