"""`audited`, the design of our own: what it promises, in every world it promises it for, and where it does not."""

from pathlib import Path

import numpy as np
import pytest

from esi_triage.reward import audit, design_names, load_design
from esi_triage.reward.policy import read_prior, warm_start
from esi_triage.reward.repair import design_as_toml
from esi_triage.reward.simulate import Regime, collapsed, simulate
from esi_triage.train.experiment import load_experiment

AUDITED = load_design("audited")
TABLE = np.array(AUDITED.table)
PRIORS = {
    "mimic-iv-ed": read_prior("mimic-iv-ed", 5),
    "uniform": read_prior("uniform", 5),
    "open corpus": np.array([0.10, 0.30, 0.34, 0.16, 0.10]),
}
WORLDS = [(name, round(0.5 + k / 50, 2)) for name in PRIORS for k in range(21)]
# 53.7 % of MIMIC-IV-ED's patients have ESI-3: calling everybody so is better than a warm start that is right in less.
BELOW_A_CONSTANT = {("mimic-iv-ed", skill) for skill in (0.5, 0.52)}
# At these, what it calls ESI-2 or ESI-4 is about as probably ESI-3: any asymmetry decides against the likelier one.
TOO_CLOSE_SCALED = {("mimic-iv-ed", skill) for skill in (0.56, 0.58)}
# Without the group's scaling the asymmetry between rows counts too, and the stretch is wider.
TOO_CLOSE = {("mimic-iv-ed", skill) for skill in (0.52, 0.54, 0.56, 0.58)}


@pytest.mark.parametrize(("prior", "skill"), WORLDS)
def test_audited_has_no_finding_above_a_note(prior: str, skill: float) -> None:
    found = audit(AUDITED, PRIORS[prior], warm_start(PRIORS[prior], skill))
    above = {finding.check for finding in found.findings if finding.severity != "note"}
    expected = {"lazy"} if (prior, skill) in BELOW_A_CONSTANT else set()
    assert above == (expected | {"hedging"} if (prior, skill) in TOO_CLOSE_SCALED else expected)


def test_without_scaling_audited_warns_where_it_is_the_safety_asymmetry_and_any_would() -> None:
    """The more urgent level is taken although it is a little less probable, never the other way."""
    prior = PRIORS["mimic-iv-ed"]
    for _, skill in TOO_CLOSE:
        result = audit(AUDITED, prior, warm_start(prior, skill), scale="none")
        assert "hedging" in {finding.check for finding in result.findings if finding.severity == "warning"}
        shifted = [row for row in result.measured["hedging"]["held"] if row["best_act"] != row["most_probable"]]
        assert [row["direction"] for row in shifted] == ["urgent"]
        gap = shifted[0]["belief"][shifted[0]["most_probable"]] / shifted[0]["belief"][shifted[0]["best_act"]]
        assert 1 < gap < 1.25


def test_audited_keeps_the_safety_asymmetry() -> None:
    exact, wrong = TABLE.diagonal(), ~np.eye(5, dtype=bool)
    loss = exact[:, None] - TABLE
    pairs = [(grave, mild) for grave in range(5) for mild in range(grave + 1, 5)]
    assert all(loss[grave, mild] > loss[mild, grave] for grave, mild in pairs)  # a miss costs more than its false alarm
    for gold in range(5):
        for step in range(1, 5):
            if gold - step >= 0 and gold + step < 5:
                assert TABLE[gold, gold + step] < TABLE[gold, gold - step]  # and more than over-triage of that patient
    assert TABLE[wrong].min() == TABLE[0, 4]  # the worst of all: the critical sent to wait
    steps = [loss[gold, gold + 1] for gold in range(4)]
    assert steps == sorted(steps, reverse=True)  # the graver the patient, the dearer the first step


def test_audited_puts_silence_below_every_answer_and_pays_bonuses_to_exact_ones_only() -> None:
    assert AUDITED.no_parse < TABLE.min()
    assert AUDITED.bonus("wrong", 0) == AUDITED.bonus("no answer", 0) == 0.0


@pytest.mark.parametrize("cut", [0.0, 0.9])
def test_audited_collapses_in_no_seed(cut: float) -> None:
    [course] = simulate([(AUDITED, Regime(shared=0.5, cut=cut))], PRIORS["mimic-iv-ed"], seeds=20, every=750)
    assert not collapsed(course).any()
    assert course.deployment.shares[-1, :, -1].max() < 0.05  # and no seed abstains


def test_its_experiment_differs_from_v46_s_in_the_reward_only() -> None:
    for base in ("qwen3.5-9b", "smollm2", "tiny"):
        ours, theirs = (load_experiment(name, base).model_dump() for name in ("audited", "v46"))
        different = {key for key in ours if ours[key] != theirs[key]}
        assert different <= {"name", "about", "reward", "seed", "sha256"}
        assert ours["reward"] == "audited"


@pytest.mark.parametrize("name", design_names())
def test_a_design_that_is_written_is_the_design_that_is_read(name: str, tmp_path: Path) -> None:
    """What `esi reward repair --output` writes pays for steps and probabilities as the design did."""
    (tmp_path / "it.toml").write_text(design_as_toml(load_design(name)), encoding="utf-8")
    assert load_design(str(tmp_path / "it.toml")) == load_design(name)
