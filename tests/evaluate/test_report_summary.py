"""The top of a report answers what is asked first, and reads well on a phone and a desk, by day and by night."""

import json
import re
from pathlib import Path

import pytest
from made_models import model_of

from esi_triage.data.case_table import write_cases
from esi_triage.esi import Case, Split
from esi_triage.evaluate.evaluation import evaluate_file
from esi_triage.evaluate.identity import NOT_KNOWN, trained_on
from esi_triage.notice import NOTICE
from esi_triage.page import interval
from esi_triage.predict import load_model
from esi_triage.train.experiment import load_experiment

CHROMIUM = Path("/usr/bin/chromium")
SPLITS: list[Split] = ["train", "held_out"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """An evaluation of a model that always says ESI 2, on cases with a nurse's level beside an expert's."""
    place = tmp_path_factory.mktemp("summary")
    rows = [
        Case(
            case_id=str(i),
            source="made",
            licence="open",
            narrative=f"A man with a swollen ankle, story {i}.",
            gold=(1, 2, 3, 3, 3, 4, 5)[i % 7],
            gold_source="expert-consensus",
            human_level=3,
            split=SPLITS[i % 2],
        )
        for i in range(42)
    ]
    write_cases(rows, place / "cases.parquet")
    evaluate_file(model_of(lambda _: 2, "two"), place / "cases.parquet", place / "out")
    return place / "out"


@pytest.fixture(scope="module")
def top(folder: Path) -> str:
    """The first section of report.md, and what stands before it."""
    return (folder / "report.md").read_text(encoding="utf-8").partition("\n## A.")[0]


def test_the_main_figures_stand_at_the_top_beside_the_baselines(folder, top):
    m = json.loads((folder / "metrics.json").read_text())
    rows = {"two": m, "always ESI-3": m["baselines"]["constant:3"], "chance": m["baselines"]["random"]}
    rows |= {"rules": m["baselines"]["rules"], "nurse at triage": m["baselines"]["human"]}
    for name, row in rows.items():
        assert f"| {name} | {interval(row['exact'])} | {interval(row['high_acuity_sensitivity'])} |" in top
    assert top.count("always ESI-") == 2  # in the sentence and in the table: one constant, the best


def test_it_says_what_was_evaluated_on_what_by_whom_it_was_labelled_and_what_to_beware_of(top):
    for said in (
        NOTICE,
        "| evaluated | two |",
        f"| trained on | {NOT_KNOWN} |",
        "42 of cases.parquet",
        "| source | made |",
        "a consensus of experts (42)",
        "21 cases are of the split train",
        "once, now",
    ):
        assert said in top, said


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("rules", "nothing; written from the ESI handbook"),
        ("constant:3", "nothing; the same level"),
        ("reader", "visits of NHAMCS"),
        ("guard", "written from the ESI handbook, version 5; findings: 13,148 nurse notes"),
        ("gpt-at-an-endpoint", NOT_KNOWN),
        ("guard:gpt-at-an-endpoint", f"gpt-at-an-endpoint: {NOT_KNOWN}"),
        ("baseline:none/tfidf", NOT_KNOWN),
    ],
)
def test_what_a_model_learned_from_is_told(spec, said):
    assert said in trained_on(spec)


def test_what_a_run_a_reader_and_a_baseline_learned_from_is_read_from_their_folders(tmp_path):
    load_experiment("v46").save(tmp_path / "v46" / "experiment.toml")
    told = trained_on(str(tmp_path / "v46"))
    assert re.search(r"^the open corpus \(\d+ cases\), split train, .*; GRPO from v43, base tiny$", told)
    (tmp_path / "mine").mkdir()
    about = {"lessons": 12, "data_sha256": "0123456789abcdef", "counted": {"handbook": 5, "survey": 6}}
    (tmp_path / "mine" / "reader.json").write_text(json.dumps(about))
    assert trained_on(f"reader:{tmp_path / 'mine'}") == "12 examples, sha256 0123456789ab; words counted in 11 texts"
    (tmp_path / "baselines.json").write_text('{"cases": 7, "licence": "open", "data_sha256": "0123456789abcdef"}')
    assert trained_on(f"baseline:{tmp_path / 'tfidf'}").startswith("7 cases of the split train (open)")


def test_a_model_that_is_the_best_constant_is_not_said_to_be_better(tmp_path):
    rows = [
        Case(case_id=str(i), source="t", licence="open", narrative=f"Cough {i}.", gold=3 + i % 2) for i in range(20)
    ]
    write_cases(rows, tmp_path / "cases.jsonl")
    evaluate_file(load_model("constant:3"), tmp_path / "cases.jsonl", tmp_path / "out")
    assert "not shown to differ from always ESI-3" in (tmp_path / "out" / "report.md").read_text()


@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed (apt-get install chromium)")
def test_the_page_fits_a_phone_and_a_desk_by_day_and_by_night(folder):
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install 'esi-triage[browser]'")
    axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install 'esi-triage[browser]'")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for width, scheme in ((390, "dark"), (1280, "light")):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            page.goto((folder / "report.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator("table").first.bounding_box()["width"] <= width
            found = axe_api.Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
        browser.close()
