"""Baselines: fitted on the training split alone, the same when read back, and nothing in their folder runs code."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict import Model, ask, load_model, text_case
from esi_triage.predict.baselines.case_columns import columns_of, complaint_words
from esi_triage.predict.baselines.fitted import fit_baselines
from esi_triage.predict.baselines.trees import arrays_of, tree_scores
from esi_triage.predict.score_file import replies_to

CASES = list(open_cases(360, seed=21, core=True))
TRAIN = [case for case in CASES if case.split == "train"]
OTHERS = [case for case in CASES if case.split != "train"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baselines")
    write_cases(CASES, folder / "cases.parquet")
    fit_baselines(folder / "cases.parquet", folder / "fitted", seed=5)
    return folder / "fitted"


def levels(model: Model, cases: list[Case]) -> list[int | None]:
    return [reply.level for reply in replies_to(model, cases, "test")]


def share_right(model: Model, cases: list[Case]) -> float:
    return float(np.mean([level == case.gold for level, case in zip(levels(model, cases), cases, strict=True)]))


@pytest.mark.parametrize("name", ["tfidf", "boosting", "random"])
def test_it_answers_with_probabilities(fitted: Path, name: str) -> None:
    replies = replies_to(load_model(f"baseline:{fitted / name}"), OTHERS, "test")
    odds = np.array([reply.probabilities for reply in replies])
    assert odds.shape == (len(OTHERS), 5)
    assert odds.sum(axis=1) == pytest.approx(np.ones(len(OTHERS)))
    assert {reply.text for reply in replies} <= {f"ANSWER: ESI {level}" for level in range(1, 6)}
    if name != "random":
        assert [reply.level for reply in replies] == (odds.argmax(axis=1) + 1).tolist()


def test_it_has_learned_more_than_the_commonest_level(fitted: Path) -> None:
    golds = [case.gold for case in OTHERS]
    constant = max(golds.count(level) for level in range(1, 6)) / len(golds)
    assert share_right(load_model(f"baseline:{fitted / 'tfidf'}"), OTHERS) > constant + 0.1
    assert share_right(load_model(f"baseline:{fitted / 'boosting'}"), TRAIN) > constant + 0.2


def test_only_the_training_split_is_learned_from(fitted: Path, tmp_path: Path) -> None:
    turned = [case if case.split == "train" else case.model_copy(update={"gold": 1}) for case in CASES]
    write_cases([*turned, TRAIN[0].model_copy(update={"case_id": "x", "gold": None})], tmp_path / "cases.parquet")
    about = fit_baselines(tmp_path / "cases.parquet", tmp_path / "fitted", seed=5)
    assert about["cases"] == len(TRAIN)
    for file in ("tfidf.npz", "boosting.npz"):
        first, second = np.load(fitted / file), np.load(tmp_path / "fitted" / file)
        assert all(np.array_equal(first[name], second[name]) for name in first.files)
    assert (fitted / "tfidf.json").read_bytes() == (tmp_path / "fitted" / "tfidf.json").read_bytes()


def test_trees_as_arrays_say_what_scikit_learn_says() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    words = complaint_words(TRAIN)
    columns, gold = columns_of(TRAIN, words), [case.gold for case in TRAIN]
    sklearns = HistGradientBoostingClassifier(max_iter=4, random_state=0).fit(columns, gold)
    unseen = columns_of(OTHERS, words)
    unseen[np.random.default_rng(0).random(unseen.shape) < 0.3] = np.nan
    ours = softmax(tree_scores(arrays_of(sklearns), unseen), axis=1)
    assert np.abs(ours - sklearns.predict_proba(unseen)).max() < 1e-12


def test_tfidf_reads_the_narrative_and_boosting_the_columns(fitted: Path) -> None:
    blank = [case.model_copy(update={"narrative": "note"}) for case in OTHERS]
    bare = [Case(**{**case.model_dump(include={"case_id", "source", "licence", "narrative"})}) for case in OTHERS]
    tfidf, boosting = (load_model(f"baseline:{fitted / name}") for name in ("tfidf", "boosting"))
    assert levels(boosting, blank) == levels(boosting, OTHERS)
    assert levels(tfidf, bare) == levels(tfidf, OTHERS)
    assert len(set(levels(boosting, bare))) == len(set(levels(tfidf, blank))) == 1


def test_random_draws_by_the_shares_and_by_case(fitted: Path) -> None:
    model = load_model(f"baseline:{fitted / 'random'}")
    many = [OTHERS[0].model_copy(update={"case_id": f"c{i}"}) for i in range(4000)]
    drawn = levels(model, many)
    shares = json.loads((fitted / "baselines.json").read_text())["shares"]
    assert [drawn.count(level) / 4000 for level in range(1, 6)] == pytest.approx(shares, abs=0.03)
    assert levels(model, many[::-1]) == drawn[::-1]
    assert ask(model, [text_case("a note")])[0].level in range(1, 6)


def test_a_level_that_training_lacks_is_never_given(tmp_path: Path) -> None:
    write_cases([case for case in TRAIN if case.gold not in (2, 5)][:150], tmp_path / "cases.parquet")
    fit_baselines(tmp_path / "cases.parquet", tmp_path / "fitted")
    for name in ("tfidf", "boosting", "random"):
        replies = replies_to(load_model(f"baseline:{tmp_path / 'fitted' / name}"), OTHERS, "test")
        assert {reply.level for reply in replies} == {1, 3, 4}
        assert all(reply.probabilities and reply.probabilities[1] == reply.probabilities[4] == 0 for reply in replies)


def test_a_table_without_ages_or_arrivals_is_fitted(tmp_path: Path) -> None:
    """MIMIC-IV-ED alone has no ages; a hospital's own table may lack any column."""
    bare = [case.model_copy(update={"age_years": None, "arrival": None, "sex": None}) for case in CASES]
    write_cases(bare, tmp_path / "bare.parquet")
    fit_baselines(tmp_path / "bare.parquet", tmp_path / "fitted")
    model = load_model(f"baseline:{tmp_path / 'fitted' / 'boosting'}")
    assert levels(model, bare) == levels(model, CASES)  # what was never there in training decides nothing


def test_missing_is_missing() -> None:
    case = Case(case_id="a", source="s", licence="open", narrative="n", sex="F", arrival="ambulance", pain=0)
    row = columns_of([case], ["chest", "pain"])[0]
    assert row[:7].tolist() == pytest.approx([np.nan] * 7, nan_ok=True)
    assert row[7:].tolist() == [0, 1, 0, 1, 0, 0, 0, 0]
    named = case.model_copy(update={"chief_complaint": "Chest-PAIN, chest"})
    assert columns_of([named], ["chest", "pain"])[0, -2:].tolist() == [1, 1]


@pytest.mark.parametrize(
    "spec", ["baseline:", "baseline:nowhere/tfidf", "baseline:{fitted}/forest", "baseline:{fitted}"]
)
def test_a_baseline_that_is_not_there_is_named(fitted: Path, spec: str) -> None:
    with pytest.raises(InputError, match="tfidf, boosting, random"):
        load_model(f"baseline:{spec.format(fitted=fitted)}")


def test_a_table_without_a_training_split_is_refused(tmp_path: Path) -> None:
    write_cases([case.model_copy(update={"split": None}) for case in CASES[:50]], tmp_path / "cases.parquet")
    with pytest.raises(InputError, match="split 'train'"):
        fit_baselines(tmp_path / "cases.parquet", tmp_path / "fitted")
    assert not (tmp_path / "fitted").exists()


def test_the_folder_says_whether_it_is_private(fitted: Path, tmp_path: Path) -> None:
    assert json.loads((fitted / "baselines.json").read_text())["licence"] == "open"
    secret = [*TRAIN[:80], TRAIN[80].model_copy(update={"licence": "credentialed"})]
    write_cases(secret, tmp_path / "cases.parquet")
    assert fit_baselines(tmp_path / "cases.parquet", tmp_path / "fitted")["licence"] == "credentialed"
