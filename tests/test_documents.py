"""Every measured figure that README and docs quote is the one that its command wrote into docs/figures.json."""

import json
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

from esi_triage.data.case_table import read_cases, write_cases
from esi_triage.data.corpus.nurse_notes import nurse_notes
from esi_triage.esi import findings_schema

ROOT = Path(__file__).parents[1]
FIGURES = json.loads((ROOT / "docs" / "figures.json").read_text(encoding="utf-8"))
MARKED = re.compile(r"<!-- figure: (\S+) -->(.*?)<!-- / -->", re.DOTALL)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_quoted_figure_is_the_measured_one(file):
    text = file.read_text(encoding="utf-8")
    for name, quoted in MARKED.findall(text):
        assert name in FIGURES, f"{file.name} quotes {name}, which docs/figures.json does not have"
        assert quoted == FIGURES[name]["text"], f"{file.name}: {name}; run python benchmarks/document_figures.py"
    assert text.count("<!-- figure: ") == len(MARKED.findall(text)) == text.count("<!-- / -->"), "a mark is not closed"


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_no_line_begins_with_a_mark(file):
    """A comment at the beginning of a line ends the paragraph before it."""
    begun = [line for line in file.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith("<!-- figure:")]
    assert begun == []


def test_the_rules_figures_are_quoted_by_mark_in_readme_and_engine_page():
    for name in ("README.md", "docs/esi-engine.md"):
        quoted = {mark for mark, _ in MARKED.findall((ROOT / name).read_text(encoding="utf-8"))}
        assert {"rules.unseen.exact", "rules.unseen.sensitivity_1_2", "rules.unseen.under_triage"} <= quoted, name


def test_the_guard_s_figures_are_quoted_by_mark_in_the_readme():
    quoted = {mark for mark, _ in MARKED.findall((ROOT / "README.md").read_text(encoding="utf-8"))}
    assert {f"guard.notes.{name}" for name in ("exact", "sensitivity_1_2", "handed_over", "kept_exact")} <= quoted


def test_the_tables_of_results_are_those_of_their_files():
    script = runpy.run_path(str(ROOT / "benchmarks" / "result_tables.py"))
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert page == script["with_tables"](page), "run python benchmarks/result_tables.py"
    assert page.count("<!-- table: ") == len(list(script["KEPT"].glob("*.json"))) > 0


def _block(page: str, language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)[0]


def test_the_schema_on_the_page_is_that_of_the_code():
    schema = findings_schema()
    del schema["$defs"]["FindingInput"]["properties"]["name"]["enum"]
    assert json.loads(_block("findings-schema.md", "json")) == schema


def test_the_benchmark_page_s_loader_gives_a_file_of_one_split(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="datasets comes with the training extra")
    notes = [case for i, case in enumerate(nurse_notes()) if i % 40 == 0]
    write_cases(notes, tmp_path / "notes.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    exec(_block("nurse-notes.md", "python"), {})
    tuning, bad = read_cases(tmp_path / "tuning.parquet")
    assert (tuning, bad) == ([case for case in notes if case.split == "tuning"], [])
    assert tuning


def test_the_benchmark_page_counts_the_notes():
    counts = Counter(case.split for case in nurse_notes())
    page = (ROOT / "docs" / "nurse-notes.md").read_text(encoding="utf-8")
    for split, n in counts.items():
        assert f"| `{split}` | <!-- figure: corpus.notes.{split} -->{n:,}<!-- / --> |" in page
