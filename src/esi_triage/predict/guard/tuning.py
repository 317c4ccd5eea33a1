"""From a table of tuning cases to a model's calibration file, and to what the guard's reasons cost on it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ...data.case_table import read_cases
from ...errors import InputError
from ...resume_cache import close
from ..calibration import Calibration, fit_calibration, write_calibration
from ..load import guarded_url, learned_name, sole_model
from ..model import Model, Reply, ask
from ..score_file import replies_to
from .cost_of_reasons import Kept, cost_of_reasons
from .guarding import guard_model
from .hand_over import load_settings
from .weighed_rules import weighed_rules


class Tuned(NamedTuple):
    """What came of it; `left_out` rows had another split, no gold level, or could not be used."""

    calibration: Calibration
    costs: list[Kept]
    left_out: int


def calibrate_file(
    spec: str,
    file: Path,
    output: Path,
    seed: int | None = None,
    fast: bool = False,
    endpoint: str | None = None,
    agreement: str | None = None,
    parameters: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Tuned:
    """Fit the calibration of the model that `spec` names on the tuning rows of `file`, write it to `output`.

    A table without splits is taken as it is. `guard:MODEL` means MODEL: its file holds what the guard needs, too.
    Raises InputError for a table without labels, of several scales, or too small (`fit_calibration`).
    """
    if endpoint and (not fast or spec.startswith("extract:")):  # before a server is asked thousands of times
        raise InputError("a model at an endpoint gives probabilities with --fast alone, and extract:NAME gives none.")
    if guarded_url(spec):
        raise InputError(f"--model {spec}: name the model, and give its URL: --model NAME --endpoint URL --fast.")
    model, sha256 = sole_model(learned_name(spec), seed, fast, endpoint, agreement, parameters, options or {})
    rows, bad = read_cases(file)[:2]
    cases = [case for case in rows if case.gold and case.split in ("tuning", None)]
    if not cases:
        raise InputError(
            f"{file}: no row has a gold level and the split 'tuning' (or no split); calibration needs labelled cases "
            "that the model was not trained on. Build the table with `esi data build`."
        )
    if len(scales := {case.scale for case in cases}) > 1:
        raise InputError(f"{file}: levels of the scales {', '.join(sorted(scales))}; give a table of one scale.")
    replies = replies_to(model, cases, f"{model.name} on {file.name}", output)
    made = fit_calibration(model.name, sha256, file, cases, replies, ask(weighed_rules(), cases))
    write_calibration(made, output)
    close(output, replies)
    settings = load_settings()
    guarded = ask(guard_model(said(model, replies), made, settings), cases)
    costs = cost_of_reasons(cases, guarded, list(settings.reasons))
    return Tuned(made, costs, len(rows) + len(bad) - len(cases))


def said(model: Model, replies: Sequence[Reply]) -> Model:
    """The model, saying again what it has said: it is not asked twice."""
    return replace(model, stream=lambda _: (batch for batch in [list(enumerate(replies))]), again=None)
