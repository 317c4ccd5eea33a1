"""The reader's experiment file: everything that decides its training, in TOML; unknown keys are errors."""

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from ...errors import InputError, validated
from ...reading import read_json, read_toml
from ..experiment import LoraSettings, StrictTable, check_profile
from ..processes import one_process

Question = Literal["survey", "handbook"]
QUESTIONS: tuple[Question, ...] = get_args(Question)
"""The level that a US triage nurse gave in practice, and the level that the ESI handbook gives."""


class ReaderData(StrictTable, frozen=True):
    """How many texts of each source are read, in all."""

    visits: int = Field(
        ge=0, description="real visits drawn without repetition from the train years of the visits table"
    )
    note_passes: int = Field(ge=1, description="how often each nurse note of the train voices is read")
    notes: int | None = Field(
        default=None, gt=0, description="nurse notes of the train voices, at most; all unless given"
    )
    vignettes: int = Field(ge=0, description="vignettes of the open corpus, train split")
    also_ok: float = Field(ge=0, le=0.5, description="weight of the levels that a colleague could defend, shared out")


class ReaderTrainer(StrictTable, frozen=True):
    """Optimisation (AdamW, linear warm-up and decay)."""

    batch_size: int = Field(gt=0)
    learning_rate: float = Field(gt=0, description="of the LoRA")
    head_learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    warmup_share: float = Field(ge=0, lt=1)
    max_grad_norm: float = Field(gt=0)
    ranked_weight: float = Field(ge=0, description="weight of the ranked probability score beside the cross-entropy")
    masked: float = Field(ge=0, lt=1, description="share of a text's words and numbers hidden each time it is read")
    max_tokens: int = Field(gt=8, le=512, description="longer notes are cut in training, read in windows afterwards")
    save_steps: int = Field(gt=0)


class ReaderExperiment(StrictTable, frozen=True):
    """A reader: LoRA on the encoder, one hidden layer, one head for each question."""

    name: str
    about: str = ""
    method: Literal["reader"]
    seed: int
    hidden: int = Field(gt=0)
    data: ReaderData
    lora: LoraSettings
    trainer: ReaderTrainer

    @property
    def sha256(self) -> str:
        """The hash of everything in the experiment."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()


def is_reader(name_or_file: str) -> bool:
    """True where an experiment, by its shipped name or as a file, trains a reader (`method = "reader"`)."""
    if name_or_file == "reader":
        return True
    file = Path(name_or_file)
    try:
        return file.suffix == ".toml" and read_toml(file).get("method") == "reader"
    except InputError:
        return False  # whoever loads the file says what is wrong with it


def load_reader_experiment(name_or_file: str = "reader", profile: str = "full") -> ReaderExperiment:
    """The shipped experiment `reader`, or a file; its table [smoke] is merged in for that profile.

    Raises InputError naming file, key and value.
    """
    check_profile(profile)
    shipped = resources.files("esi_triage") / "experiments" / "reader.toml"
    values = read_toml(shipped if name_or_file == "reader" else Path(name_or_file))
    smoke = values.pop("smoke", {})
    if profile == "smoke":
        for table, changed in smoke.items():
            values[table] = {**values[table], **changed}
    return validated(ReaderExperiment, values, name_or_file)


def check_options(experiment: str, profile: str, base: str, parent: Path | None, log_to: str | None) -> None:
    """Raises InputError for options that `esi train` cannot take for `reader`, `risk` or `findings`; also for several
    processes."""
    one_process(f"esi train {experiment}")
    profiles = ("full",) if experiment == "risk" else ("full", "smoke")  # risk has the settings of its reader
    if profile not in profiles:
        raise InputError(f"--profile {profile}: {experiment} takes --profile {' or '.join(profiles)}.")
    if base not in ("tiny", "minilm"):  # the option's default, and the base that there is
        raise InputError(f"--base {base}: {experiment} takes no base of your choice; leave --base out.")
    if parent is not None and experiment != "risk":
        raise InputError(f"--parent {parent}: {experiment} goes on from no run; leave --parent out.")
    if log_to is not None:
        raise InputError(f"--log-to {log_to}: {experiment} writes metrics.jsonl and no tracker; leave --log-to out.")


def settings_of(reader: Path) -> ReaderExperiment:
    """The experiment that trained the reader in the folder `reader`, by the hash in reader.json.

    It lies beside the folder; a reader that ships has the shipped one. Raises InputError where there is no reader, and
    where its experiment is not to be found.
    """
    about, beside = reader / "reader.json", reader.parent / "experiment.json"
    if not about.is_file():
        raise InputError(
            f"{reader}: there is no trained reader. Run `esi train reader --data visits.parquet` first, or give "
            "--parent."
        )
    values = read_json(beside) if beside.is_file() else load_reader_experiment().model_dump()
    named = {name: value for name, value in values.items() if name != "data_sha256"} if isinstance(values, dict) else {}
    found = validated(ReaderExperiment, named, beside)
    if found.sha256 != read_json(about).get("experiment_sha256"):
        raise InputError(f"{beside}: not the experiment that trained {reader}. Give the run folder as it was written.")
    return found
