"""`esi base export`: a base as a text-only folder, which vLLM, verl and TRL's weight sync take as it is.

The hub's Qwen3.5 checkpoints are vision-language models whose text weights have other names (`model.language_model.*`)
than the causal LM that is trained (`model.*`): weights that a trainer hands over would not be found.
"""

from pathlib import Path

from ...errors import InputError
from ..base_models import load_base


def export_base(base: str, output: Path) -> Path:
    """Write the text-only causal LM of `base` with its tokenizer. Raises InputError where it cannot be."""
    if output.exists() and any(output.iterdir()):
        raise InputError(f"{output}: it is not empty; give another --output.")
    model, tokenizer = load_base(base)
    model.save_pretrained(str(output))
    tokenizer.save_pretrained(str(output))
    return output
