"""ESI triage as a task of lm-evaluation-harness; what esi_triage.yaml beside this module calls.

lm_eval run --tasks esi_triage --include_path FOLDER_OF_THIS_FILE --apply_chat_template
    --metadata '{"cases": "held_out.parquet", "local": true}' --model hf --model_args pretrained=...
"""

from collections.abc import Sequence
from typing import Any

from datasets import Dataset

from ...answer import load_prompt
from ...data.credentialed import refuse_remote
from ...errors import InputError
from . import labelled_cases, scores_of


def dataset(
    cases: str | None = None, local: bool = False, agreement: str | None = None, **_: Any
) -> dict[str, Dataset]:
    """The labelled cases of a file as the split `test`; the arguments come from --metadata.

    The harness does not say where its model runs: credentialed cases are refused unless `local` says that it is this
    machine, or `agreement` names what lets them leave it.
    """
    if not cases:
        raise InputError("""esi_triage: --metadata lacks cases; give --metadata '{"cases": "held_out.parquet"}'.""")
    found = labelled_cases(cases)
    if not local:
        refuse_remote(
            [case.licence for case in found], 'an lm-eval model without "local": true in --metadata', agreement
        )
    system = load_prompt().system  # with --apply_chat_template it becomes the system turn
    rows = [{"case_id": c.case_id, "system": system, "narrative": c.narrative, "gold": c.gold} for c in found]
    return {"test": Dataset.from_list(rows)}


def process_results(doc: dict[str, Any], results: Sequence[str]) -> dict[str, float]:
    """What one answer scores, by our parser and our table."""
    return scores_of(results[0], doc["gold"])
