"""The command as a user types it: exit codes, one sentence for bad input, help that is fast."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from in_process import run_esi as esi

from esi_triage.cli.main import COMMANDS, _Commands

ESI = Path(sys.executable).with_name("esi")


def test_help_names_every_verb_and_says_what_this_is() -> None:
    found = esi("--help")
    assert found.returncode == 0
    for verb in ("data", "reward", "train", "reproduce", "evaluate", "score", "triage", "explain", "doctor"):
        assert verb in found.stdout
    assert "Not a medical device" in " ".join(found.stdout.split())


@pytest.mark.parametrize(
    "verb",
    [
        *("data build", "reward show", "reward score", "train", "reproduce"),
        *("evaluate", "score", "triage", "explain", "doctor"),
    ],
)
def test_every_verb_has_help(verb: str) -> None:
    found = esi(*verb.split(), "--help")
    assert found.returncode == 0
    assert verb == "doctor" or "Example" in found.stdout


def test_the_version_is_told() -> None:
    from importlib.metadata import version

    assert esi("--version").stdout == f"esi-triage {version('esi-triage')}\n"


def test_the_public_names_are_there_and_loaded_at_first_use() -> None:
    code = (
        "import sys, esi_triage\n"
        "heavy = [name for name in ('pydantic', 'spacy', 'torch', 'pyarrow') if name in sys.modules]\n"
        "print(heavy, [name for name in esi_triage.__all__ if not getattr(esi_triage, name)])\n"
        "print(esi_triage.triage('Apneic and pulseless, CPR in progress').level, esi_triage.score.__module__)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["[] []", "1 esi_triage.reward.score"]


HEAVY = (
    *("torch", "transformers", "trl", "peft", "datasets", "ray", "spacy", "sklearn", "scipy", "numpy", "pandas"),
    *("pyarrow", "duckdb", "matplotlib", "statsmodels", "fastapi", "httpx", "jinja2", "pydantic", "rich"),
)


@pytest.mark.parametrize(
    "code",
    [
        "import esi_triage",
        "from esi_triage.cli.main import main; sys.argv = ['esi', '--help']; main()",
        "from esi_triage.cli.main import main; sys.argv = ['esi', '--version']; main()",
    ],
)
def test_the_start_imports_nothing_heavy(code: str) -> None:
    program = f"import sys\ntry:\n    {code}\nexcept SystemExit: pass\nprint([n for n in {HEAVY} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"


def test_help_lists_every_command_with_a_whole_sentence() -> None:
    listed = esi("--help").stdout.partition("Commands:\n")[2]
    assert re.findall(r"^  (\S+)", listed, re.MULTILINE) == list(COMMANDS)
    assert "..." not in listed


def test_reward_show_json_is_the_design() -> None:
    shown = json.loads(esi("reward", "show", "v46", "--format", "json").stdout)
    assert shown["name"] == "v46"
    assert shown["table"][0] == [3.0, -1.0, -2.0, -2.0, -2.0]
    assert (shown["no_parse"], shown["format_bonus"], shown["length_bonus"]) == (-0.5, 0.1, 0.3)
    assert shown["oversample"] == {"1": 5.0, "2": 3.0, "3": 1.0, "4": 1.0, "5": 1.0}


def test_reward_score_reads_a_file_or_standard_input(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ANSWER: ESI 3", encoding="utf-8")
    by_file = json.loads(esi("reward", "score", "v46", "--gold", "2", "--text", tmp_path / "a.txt").stdout)
    piped = json.loads(esi("reward", "score", "v46", "--gold", "2", "--text", "-", stdin="ANSWER: ESI 3").stdout)
    assert by_file == piped
    assert set(piped) == {"level", "strict", "answer", "format", "length", "total"}
    assert (piped["level"], piped["answer"], piped["format"]) == (3, 0.0, 0.0)
    assert piped["total"] == pytest.approx(0.3 * (1 - 4 / 300))


def test_triage_shows_the_answer_and_the_notice() -> None:
    found = esi("triage", "Unresponsive, apneic, being bagged by EMS")
    assert found.returncode == 0
    assert "ANSWER: ESI 1" in found.stdout
    assert "Not a medical device" in found.stdout


def test_triage_json_is_for_machines() -> None:
    found = json.loads(esi("triage", "-", "--format", "json", stdin="Unresponsive, apneic, being bagged by EMS").stdout)
    assert found["level"] == 1
    assert found["steps"]["step_a"].startswith("yes")
    assert "Not a medical device" in found["notice"]


def test_explain_shows_what_counts_and_what_does_not() -> None:
    found = esi("explain", "Seizure in 2019. Now ankle pain after a twist. No chest pain.")
    assert found.returncode == 0
    assert "past" in found.stdout
    assert "absent" in found.stdout
    assert "ESI 4 (v5)" in found.stdout
    assert "Not a medical device" in found.stdout


def test_explain_json_has_spans_into_the_narrative() -> None:
    note = "Needs a refill of insulin. No fever."
    found = json.loads(esi("explain", note, "--format", "json", "--version", "v4").stdout)
    assert found["decision"]["version"] == "v4"
    spans = [span for item in found["findings"]["items"] for span in item["evidence"]]
    assert spans
    assert all(note[span["start"] : span["end"]] == span["text"] for span in spans)


def test_score_names_bad_rows_and_scores_the_rest(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"case_id": "a", "narrative": "cough"}\n{"case_id": "b", "narrative": ""}\n')
    found = esi("score", "--model", "constant:4", "--input", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    assert found.returncode == 0
    assert "row 2 (b)" in found.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["case_id"], row["level"]) for row in rows] == [("a", 4), ("b", None)]


def test_evaluate_writes_metrics_with_intervals(tmp_path: Path) -> None:
    rows = [{"case_id": str(i), "narrative": "n", "gold": gold} for i, gold in enumerate([2, 2, 3, 5, None])]
    rows.append({"case_id": "bad", "narrative": "n", "gold": 9})
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    output = tmp_path / "out"
    found = esi("evaluate", "--model", "constant:2", "--cases", tmp_path / "cases.jsonl", "--output", output)
    assert found.returncode == 0
    assert "bad row 6 (bad): gold: " in found.stderr  # no value: the row does not say that it is open
    measured = json.loads((output / "metrics.json").read_text())
    assert measured["n"] == 4
    assert measured["rows"] == {"in": 6, "evaluated": 4, "without_gold": 1, "bad": 1, "other_split": 0}
    for name, value in {"exact": 0.5, "within_one": 0.75, "no_parse": 0.0}.items():
        assert measured[name]["value"] == value
        assert measured[name]["n"] == 4
        assert measured[name]["low"] <= value <= measured[name]["high"]
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "Not a medical device" in page
    assert "http" not in page.replace("http-equiv", "")  # opens offline


BAD_INPUT = [
    (["reward", "show", "v99"], "v99"),
    (["reward", "score", "v46", "--gold", "6", "--text", "-"], "6"),
    (["reward", "score", "v46", "--gold", "2", "--text", "nowhere.txt"], "nowhere.txt"),
    (["triage", "  "], "empty"),
    (["triage", "x", "--model", "gpt"], "gpt"),
    (["explain", ""], "empty"),
    (["score", "--model", "rules", "--input", "nowhere.jsonl", "--output", "o.jsonl"], "nowhere.jsonl"),
    (["evaluate", "--model", "rules", "--cases", "nowhere.parquet", "--output", "o"], "nowhere.parquet"),
    (["data", "build", "mimic-iv-ed", "--input", "nowhere", "--output", "o.parquet"], "nowhere"),
    (["data", "build", "mimic-iv-ed", "--output", "o.parquet"], "--input"),
    (["data", "build", "mimic-v", "--output", "o.parquet"], "mimic-v"),
    (["data", "build", "open", "--output", "o.csv"], "o.csv"),
    (["train", "v99"], "v99"),
    (["train", "v46", "--profile", "huge"], "huge"),
    (["train", "v46", "--output", "runs/v46"], "v43"),
    (["train", "v43", "--parent", "runs/other"], "--parent runs/other"),
    (["train", "reader", "--parent", "runs/other"], "--parent runs/other"),
    (["train", "reader", "--profile", "gpu80"], "--profile gpu80"),
    (["train", "risk", "--profile", "smoke"], "--profile smoke"),
    (["train", "findings", "--parent", "runs/other"], "--parent runs/other"),
    (["train", "findings", "--data", "visits.parquet"], "--data"),
    (["reproduce", "--series", "v43,v99"], "v99"),
]


WITH_FORMAT = (
    *("triage", "explain", "decide", "score", "evaluate", "compare", "models", "plan", "doctor"),
    *("data build", "data check", "log verify", "reward show", "reward audit"),
)


@pytest.mark.parametrize("verb", WITH_FORMAT)
def test_format_is_text_or_json_in_every_verb_that_has_a_result(verb: str) -> None:
    told = " ".join(esi(*verb.split(), "--format", "xml").stderr.split())
    assert "Invalid value for '--format'" in told
    assert "json" in told
    assert "text" in told


def test_every_command_has_quiet() -> None:
    for name in COMMANDS:
        command = _Commands().get_command(None, name)
        for verb in getattr(command, "commands", {name: command}).values():
            assert any("--quiet" in option.opts for option in verb.params), f"{name} {verb.name}"


def test_quiet_leaves_out_what_is_not_the_result_and_every_progress_bar(tmp_path: Path) -> None:
    note = "Unresponsive, apneic, being bagged by EMS"
    first, *_, last = esi("triage", note, "--model", "rules", "--quiet").stdout.splitlines()
    assert first.startswith("ESI 1: ")
    assert "Not a medical device" in last
    assert "EXTRACTION" in esi("triage", note, "--model", "rules").stdout
    (tmp_path / "cases.jsonl").write_text('{"case_id": "a", "narrative": "ankle sprain", "gold": 4}\n')
    command = [ESI, "evaluate", "--model", "rules", "--cases", "cases.jsonl", "--output", "out", "--format", "json"]
    found = subprocess.run([*command, "-q"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stderr == ""
    told = json.loads(found.stdout)
    assert (told["n"], told["exact"]["value"], told["report"]) == (1, 1.0, "out/report.html")


def test_the_level_is_the_first_line_of_triage_explain_and_decide(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"findings": [{"name": "cough", "text": "cough"}]}')
    for command in (["triage", "ankle sprain"], ["explain", "ankle sprain"], ["decide", "--findings", "f.json"]):
        assert re.match(r"ESI \d|A PERSON DECIDES", esi(*command, cwd=tmp_path).stdout)


EXIT_CODES = [
    (["--version"], 0),
    (["triage", "hello can you help me", "--model", "rules"], 0),
    (["reward", "audit", "v45c", "--fail-on", "error"], 1),
    (["triage", "x", "--model", "gpt"], 2),
    (["triage", "x", "--format", "xml"], 2),
    (["explain", "x", "--version", "v6"], 2),
    (["no-such-command"], 2),
]


@pytest.mark.parametrize(("arguments", "code"), EXIT_CODES)
def test_exit_codes_are_those_of_the_page(arguments: list[str], code: int) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert esi(*arguments).returncode == code
    assert f"| {code} |" in page


@pytest.mark.parametrize(("arguments", "named"), BAD_INPUT)
def test_bad_input_is_one_sentence_and_exit_2(tmp_path: Path, arguments: list[str], named: str) -> None:
    found = esi(*arguments, stdin="", cwd=tmp_path)
    assert found.returncode == 2
    assert named in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("*.*"))  # nothing half-written


def test_a_base_that_is_not_here_is_named(tmp_path: Path) -> None:
    found = esi("train", "v43", "--base", "nobody/no-such-model", "--profile", "smoke", cwd=tmp_path)
    assert found.returncode == 2, found.stderr
    assert "nobody/no-such-model" in found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "runs").exists()


def test_a_reader_that_stops_reading_is_no_error() -> None:
    found = subprocess.run(f"{ESI} reward show v46 | head -1", shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in found.stderr
