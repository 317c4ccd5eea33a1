"""The model card and the checklists: filled from the run, complete where they can be, and honest where they cannot."""

import json
import re

import pytest

from esi_triage.data.case_table import write_cases
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.evaluate.evaluation import evaluate_file
from esi_triage.evaluate.report.card import checklist
from esi_triage.evaluate.report.card.card_facts import facts_of, read_experiment, read_metrics
from esi_triage.evaluate.report.card.checklist import AUTHOR, LISTS
from esi_triage.evaluate.report.card.model_card import write_card
from esi_triage.predict import load_model
from esi_triage.train.experiment import load_experiment
from esi_triage.train.run import Run


def _run(folder, name="v46", base="tiny", source=None):
    run = Run(folder)
    folder.mkdir(parents=True)
    load_experiment(name, base, "full", source).save(run.experiment)
    (folder / "environment.json").write_text(
        json.dumps({"packages": {"esi-triage": "0.1.0"}, "device": "cpu", "cores": 2, "system": "Linux x86_64"})
    )
    (folder / "metrics.jsonl").write_text('{"step": 40, "times": {"train_runtime": 300.0}}\n')
    run.adapter.mkdir()
    (run.adapter / "README.md").write_text("PEFT's stub with /home/me/.cache/bases/tiny-0")
    (run.adapter / "adapter_model.safetensors").write_bytes(b"weights")
    cases = [
        Case(
            case_id=str(i),
            source="t",
            licence="open",
            narrative=f"A man with cough {i}.",
            gold=1 + i % 5,
            gold_source="nurse",
        )
        for i in range(50)
    ]
    write_cases(cases, folder.parent / "cases.parquet")
    evaluate_file(load_model("rules"), folder.parent / "cases.parquet", folder, spec=str(folder))
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return _run(tmp_path_factory.mktemp("card") / "v46")


def _lists(run):
    facts = facts_of(run, read_experiment(run), read_metrics(run.folder))
    return {name: checklist.checklist(name, facts) for name in LISTS}


@pytest.mark.parametrize("name", LISTS)
def test_every_item_that_a_run_can_tell_is_filled(run, name):
    for item in _lists(run)[name]:
        assert item.text.strip(" ."), item.id
        if item.automatic:
            assert not item.open, f"{item.id}: {item.text}"
        else:
            assert item.open or item.text.startswith("Not applicable: "), f"{item.id}: {item.text}"


def test_a_supervised_run_fills_them_too(tmp_path):
    lists = _lists(_run(tmp_path / "v43", "v43"))
    assert not [item.id for items in lists.values() for item in items if item.automatic and item.open]
    (alignment,) = [item.text for item in lists["tripod-llm"] if item.id == "6c"]
    assert "no reward" in alignment


def test_what_the_run_does_not_say_is_left_to_the_author_by_name(run):
    facts = facts_of(run, read_experiment(run), read_metrics(run.folder)) | {"hardware": ""}
    (item,) = [item for item in checklist.checklist("tripod-llm", facts) if item.id == "12"]
    assert item.text == f"{AUTHOR} (the run does not say: hardware)"


def test_groups_are_not_counted_as_patients(run, tmp_path):
    known = {"source": "t", "licence": "open", "narrative": "Cough.", "gold": 3}
    cases = [Case(case_id=f"{i}", subject_id=f"p{i // 2}", group=f"h{i % 6}", **known) for i in range(60)]
    write_cases(cases, tmp_path / "visits.parquet")
    evaluate_file(load_model("constant:3"), tmp_path / "visits.parquet", tmp_path / "out")
    said = [facts_of(run, read_experiment(run), read_metrics(f))["test_data"] for f in (tmp_path / "out", run.folder)]
    assert said[0].endswith("60 labelled cases of 30 patients, resampled by 6 groups")
    assert said[1].endswith("50 labelled cases")  # whose cases they are is not known


def test_the_lists_have_all_items_once():
    ids = {name: [row["id"] for row in checklist._read(name)["item"]] for name in LISTS}
    assert ids["mi-clear-llm"] == [str(i) for i in range(1, 7)]
    assert len(set(ids["tripod-llm"])) == len(ids["tripod-llm"])
    assert {re.sub("[a-z]", "", i) for i in ids["tripod-llm"]} == {str(i) for i in range(1, 20)}


def test_the_card_is_read_by_the_hub_and_says_the_measured_figures(run):
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub comes with the training extra")
    (card, _, adapters_card) = write_card(run.folder)
    assert adapters_card.read_text() == card.read_text()
    data = hub.ModelCard.load(card).data
    measured = read_metrics(run.folder)
    assert (data.library_name, data.license, data.pipeline_tag) == ("peft", "apache-2.0", "text-generation")
    found = {result.metric_type: result.metric_value for result in data.eval_results}
    assert found["accuracy"] == pytest.approx(measured["exact"]["value"], abs=1e-4)
    assert found["quadratic_weighted_kappa"] == pytest.approx(measured["qwk"]["value"], abs=1e-4)
    assert {"grpo", "research-only"} <= set(data.tags)


def test_the_card_names_findings_in_words_and_not_by_their_codes(run):
    reward = write_card(run.folder)[0].read_text().partition("### Reward")[2].partition("## Results")[0]
    found = re.findall(r"^- (Error|Warning|Note), (.+?): [A-Z0-9].*\.$", reward, re.MULTILINE)
    assert {title for _, title in found} >= {"abstention", "hedging", "prior shift"}
    assert len(found) == len(re.findall("^- ", reward, re.MULTILINE))
    assert not re.search(r"\b(lazy|collapse|silence|drift|groups):", reward)


def test_the_card_holds_reward_verdict_limits_and_no_path_of_this_machine(run):
    text = write_card(run.folder)[0].read_text()
    assert "| ESI-1 | +3 | -1 | -2 | -2 | -2 | -0.5 |" in text
    assert "Verdict of the audit: **warning**" in text
    assert "Not a medical device" in text
    assert "Open fracture: not tested, no case has it" in text
    assert str(run.folder.parent) not in text
    assert "/home/me" not in (run.adapter / "README.md").read_text()


@pytest.mark.parametrize(
    ("base", "hub"),
    [("qwen3.5-9b", "Qwen/Qwen3.5-9B"), ("smollm2", "HuggingFaceTB/SmolLM2-135M-Instruct"), ("tiny", None)],
)
def test_the_base_is_named_where_the_hub_has_it(tmp_path, base, hub):
    text = write_card(_run(tmp_path / "run", base=base).folder)[0].read_text()
    assert (f'base_model: "{hub}"' in text) == bool(hub)
    assert ("is not on the hub" in text) == (hub is None)


def test_a_run_on_credentialed_rows_says_so(tmp_path):
    source = tmp_path / "train.jsonl"
    source.write_text('{"case_id": "1", "narrative": "x", "licence": "credentialed", "gold": 2, "split": "train"}\n')
    text = write_card(_run(tmp_path / "run", source=str(source)).folder)[0].read_text()
    assert 'license: "other"' in text
    assert "Tier: **Credentialed" in text
    assert "train.jsonl, split train" in text
    assert str(tmp_path) not in text


def test_a_table_that_is_gone_counts_as_credentialed(tmp_path):
    text = write_card(_run(tmp_path / "run", source="elsewhere/train.parquet").folder)[0].read_text()
    assert "Tier: **Credentialed" in text


def test_what_the_author_says_takes_the_items_place(run, tmp_path):
    file = tmp_path / "author.toml"
    file.write_text('[tripod-llm]\n"14a" = "Funded by nobody | really"\n')
    text = write_card(run.folder, author=file)[1].read_text()
    assert "| 14a | Funding | Funded by nobody / really |" in text
    assert "| 14b | Conflicts of interest | AUTHOR MUST COMPLETE |" in text
    assert not re.search(r"complete: [^(]*\b14a\b", text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[tripod]\n"14a" = "x"', "is no checklist; known: tripod-llm, mi-clear-llm"),
        ('[tripod-llm]\n"99" = "x"', "has no item '99'"),
        ('[tripod-llm]\n"14a" = ""', "an answer is a text"),
        ("[tripod-llm", "not a TOML file"),
    ],
)
def test_an_authors_file_that_does_not_fit_is_an_error(run, tmp_path, text, message):
    file = tmp_path / "author.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        write_card(run.folder, author=file)


def test_a_folder_that_is_no_evaluated_run_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no experiment\.toml here"):
        write_card(tmp_path)
    run = Run(tmp_path / "v46")
    load_experiment("v46").save(run.experiment)
    with pytest.raises(InputError, match=r"no metrics\.json here; evaluate first: esi evaluate"):
        write_card(run.folder)
    (run.folder / "metrics.json").write_text('{"exact": {}}')
    with pytest.raises(InputError, match="it lacks baselines, slices"):
        write_card(run.folder)
