"""What an audit assumes: priors, the assumed warm start, and measured confusions; what does not fit is named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esi_triage.errors import InputError
from esi_triage.reward import load_design
from esi_triage.reward.policy import cut_off, default_prior, read_confusion, read_prior, training_shares, warm_start


def test_priors() -> None:
    assert read_prior("mimic-iv-ed", 5) == pytest.approx([0.0575, 0.3334, 0.5368, 0.0696, 0.0027], abs=5e-5)
    assert read_prior("uniform", 4).tolist() == [0.25] * 4
    assert read_prior("0.2, 0.8", 2).tolist() == [0.2, 0.8]
    assert [default_prior(n) for n in (3, 5, 7)] == ["uniform", "mimic-iv-ed", "uniform"]


BAD_PRIORS = [
    ("0.5,0.4", "sum to 0.9"),
    ("0.5,0.5,0", "2 levels"),
    ("1", "2 levels"),
    ("-0.5,1.5", "0 to 1"),
    ("nan,1", "0 to 1"),
    ("mimic", "mimic-iv-ed, uniform"),
    ("", "mimic-iv-ed, uniform"),
    ("mimic-iv-ed", "has 5 levels, the table has 2"),
]


@pytest.mark.parametrize(("text", "named"), BAD_PRIORS)
def test_bad_priors_are_named(text: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        read_prior(text, 2)


def test_oversampling_multiplies_and_sums_to_one() -> None:
    shares = training_shares(np.array([0.1, 0.2, 0.3, 0.3, 0.1]), load_design("v46"))  # ×5, ×3
    assert shares == pytest.approx(np.array([0.5, 0.6, 0.3, 0.3, 0.1]) / 1.8)


@given(st.integers(2, 7), st.floats(0.05, 1.0), st.data())
def test_the_assumed_warm_start_is_exact_as_often_as_said_and_errs_nearby(
    n: int, skill: float, data: st.DataObject
) -> None:
    weights = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n).filter(any)), dtype=float)
    policy = warm_start(weights / weights.sum(), skill)
    assert policy.sum(axis=1) == pytest.approx(np.ones(n))
    assert policy[:, :n].diagonal() == pytest.approx(np.full(n, skill))
    assert not policy[:, n].any()


def test_errors_of_the_warm_start_fall_by_distance_and_by_how_common_a_level_is() -> None:
    uniform = warm_start(np.full(4, 0.25), 0.5)
    assert uniform[0, 1:4] == pytest.approx(0.5 * np.array([16, 4, 1]) / 21)
    rare = warm_start(np.array([0.1, 0.8, 0.1]), 0.5)
    assert rare[1, 0] == rare[1, 2] == 0.25
    assert rare[0, 1] == pytest.approx(0.5 * 0.2 / (0.2 + 0.1 / 16))


@pytest.mark.parametrize("skill", [0, -1, 1.01, float("nan")])
def test_skill_is_a_share(skill: float) -> None:
    with pytest.raises(InputError, match="skill"):
        warm_start(np.full(2, 0.5), skill)


def test_cut_answers_are_no_answers() -> None:
    assert cut_off(np.array([[0.5, 0.3, 0.2]]), 0.5).tolist() == [[0.25, 0.15, 0.6]]
    for share in (1.0, -0.1, float("nan")):
        with pytest.raises(InputError, match="cut"):
            cut_off(np.eye(3), share)


FIVE = [[8, 2, 0, 0, 0, 0], [1, 7, 1, 0, 0, 1], [0, 1, 8, 1, 0, 0], [0, 0, 2, 8, 0, 0], [0, 0, 0, 5, 5, 0]]


@pytest.mark.parametrize("place", ["metrics.json", "evaluation/metrics.json"])
def test_a_run_folder_s_confusion(tmp_path: Path, place: str) -> None:
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"n": 50, "confusion": FIVE}), encoding="utf-8")
    assert read_confusion(tmp_path, 5) == pytest.approx(np.array(FIVE) / 10)
    assert read_confusion(file, 5) == pytest.approx(np.array(FIVE) / 10)


def test_counts_without_abstention(tmp_path: Path) -> None:
    file = tmp_path / "counts.json"
    file.write_text("[[3, 1], [2, 2]]", encoding="utf-8")
    assert read_confusion(file, 2).tolist() == [[0.75, 0.25, 0], [0.5, 0.5, 0]]


BAD_CONFUSIONS = [
    ([[3, 1], [0, 0]], "gold level 2 has no cases"),
    ([[3, 1]], "2 rows"),
    ([[3, 1], [1]], "2 rows"),
    ([[3, 1, 0, 0], [1, 3, 0, 0]], "2 rows"),
    ([[3, -1], [1, 3]], "at least 0"),
    ([[3, "x"], [1, 3]], "2 rows"),
    ({"accuracy": 1}, "2 rows"),
    (None, "2 rows"),
]


@pytest.mark.parametrize(("counts", "named"), BAD_CONFUSIONS)
def test_bad_confusions_are_named(tmp_path: Path, counts: Any, named: str) -> None:
    file = tmp_path / "counts.json"
    file.write_text(json.dumps(counts), encoding="utf-8")
    with pytest.raises(InputError, match=named) as caught:
        read_confusion(file, 2)
    assert "counts.json" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"), [("[[1, NaN], [1, 1]]", "NaN is no JSON number"), ("[[", "JSON file"), ("\xff", "not UTF-8")]
)
def test_bad_files_are_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "counts.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=named):
        read_confusion(file, 2)


def test_places_without_a_confusion_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no metrics\.json"):
        read_confusion(tmp_path, 5)
    with pytest.raises(InputError, match="nowhere"):
        read_confusion(tmp_path / "nowhere.json", 5)
