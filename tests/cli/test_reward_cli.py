"""`esi reward` as a user types it: text, JSON, exit codes, one sentence for bad input."""

import json
from functools import partial
from pathlib import Path

import pytest
from in_process import run_esi

reward = partial(run_esi, "reward")

THREE = """
name = "three"
table = [[1, -1, -2], [-0.5, 1, -1], [-2, -0.5, 1]]
no_parse = -3
labels = ["red", "amber", "green"]
"""


def test_audit_in_words() -> None:
    found = reward("audit", "v45c")
    assert found.returncode == 1
    assert found.stdout.startswith("v45c: ERROR (1 error, ")
    assert "The\n  class factors are the cause" in found.stdout
    assert found.stderr == ""


def test_audit_as_json() -> None:
    found = json.loads(reward("audit", "v46", "--scale", "none", "--format", "json").stdout)
    assert (found["design"], found["verdict"]) == ("v46", "warning")
    assert {"check", "severity", "message", "numbers"} <= set(found["findings"][0])
    assert found["measured"]["silence"]["margin_of_silence_without_bonuses"] == pytest.approx(-3 / 14, abs=1e-6)
    assert set(found["measured"]) == {"lazy", "collapse", "silence", "hedging", "order", "groups", "bonuses", "drift"}


EXITS = [("v46", "error", 0), ("v46", "warning", 1), ("v46", "note", 1), ("v45c", "error", 1)]


@pytest.mark.parametrize(("design", "fail_on", "code"), EXITS)
def test_exit_code_by_severity(design: str, fail_on: str, code: int) -> None:
    assert reward("audit", design, "--fail-on", fail_on).returncode == code


def test_any_number_of_levels_with_their_own_names(tmp_path: Path) -> None:
    (tmp_path / "three.toml").write_text(THREE, encoding="utf-8")
    shown = reward("show", "three.toml", cwd=tmp_path)
    assert "amber" in shown.stdout
    found = reward("audit", "three.toml", "--prior", "0.2,0.3,0.5", "--skill", "0.8", "--group-size", "4", cwd=tmp_path)
    assert found.returncode == 0
    assert "in deployment  red 20 %  amber 30 %  green 50 %" in found.stdout
    assert "80 % exact" in found.stdout
    assert "always amber" in found.stdout


def test_the_confusion_of_an_evaluated_run(tmp_path: Path) -> None:
    counts = [[5, 5, 0, 0, 0, 0], [0, 10, 0, 0, 0, 0], [0, 0, 10, 0, 0, 0], [0, 0, 0, 10, 0, 0], [0, 0, 0, 0, 8, 2]]
    (tmp_path / "metrics.json").write_text(json.dumps({"confusion": counts}), encoding="utf-8")
    found = json.loads(reward("audit", "v46", "--confusion", tmp_path, "--format", "json").stdout)
    assert found["policy"][0] == [0.5, 0.5, 0, 0, 0, 0]
    assert found["policy"][4] == [0, 0, 0, 0, 0.8, 0.2]
    cut = json.loads(reward("audit", "v46", "--confusion", tmp_path, "--cut", "0.5", "--format", "json").stdout)
    assert cut["policy"][4] == [0, 0, 0, 0, 0.4, 0.6]


def test_score_knows_the_design_s_levels(tmp_path: Path) -> None:
    (tmp_path / "three.toml").write_text(THREE, encoding="utf-8")
    scored = reward("score", "three.toml", "--gold", "3", stdin="ANSWER: ESI 2", cwd=tmp_path)
    assert json.loads(scored.stdout)["total"] == -0.5
    assert reward("score", "three.toml", "--gold", "4", stdin="ANSWER: ESI 2", cwd=tmp_path).returncode == 2


BAD_INPUT = [
    (["v99"], "v99"),
    (["bad.toml"], "square"),
    (["v46", "--prior", "0.5,0.4,0.1"], "3 shares"),
    (["v46", "--prior", "0.5,0.4,0.1,0.1,0.1"], "sum to 1.2"),
    (["v46", "--prior", "0.5,nan,0.1,0.1,0.1"], "0 to 1"),
    (["v46", "--prior", "kings"], "kings"),
    (["three.toml", "--prior", "mimic-iv-ed"], "3"),
    (["v46", "--confusion", "nowhere"], "nowhere"),
    (["v46", "--confusion", "empty.json"], "gold level 5 has no cases"),
    (["v46", "--confusion", "empty.json", "--skill", "0.5"], "--skill"),
    (["v46", "--skill", "1.5"], "1.5"),
    (["v46", "--cut", "1"], "--cut"),
    (["v46", "--group-size", "1"], "--group-size"),
    (["v46", "--group-size", "5000"], "--group-size"),
]


@pytest.mark.parametrize(("arguments", "named"), BAD_INPUT)
def test_bad_input_is_one_sentence_and_exit_2(tmp_path: Path, arguments: list[str], named: str) -> None:
    (tmp_path / "three.toml").write_text(THREE, encoding="utf-8")
    (tmp_path / "bad.toml").write_text('name = "bad"\nno_parse = 0\ntable = [[1, 0], [0]]', encoding="utf-8")
    (tmp_path / "empty.json").write_text(json.dumps([[1] * 5] * 4 + [[0] * 5]), encoding="utf-8")
    found = reward("audit", *arguments, cwd=tmp_path)
    assert found.returncode == 2
    assert named in found.stderr
    assert found.stdout == ""
    assert len(found.stderr.strip().splitlines()) == 1


# --- repair, compare, simulate, pages


def test_repair_prints_the_diff_and_writes_a_design_that_passes(tmp_path: Path) -> None:
    rewards = ["--factors", "1,1,1,1,1", "--scale", "none"]
    found = reward("repair", "v46", *rewards, "--freeze", "1,1", "--output", "mine.toml", cwd=tmp_path)
    assert found.returncode == 0
    assert "ESI-3 called ESI-2       0.0 -> -0.4" in found.stdout
    assert "Audited again: note." in found.stdout
    assert reward("audit", "mine.toml", "--scale", "none", "--fail-on", "warning", cwd=tmp_path).returncode == 0


def test_repair_says_what_cannot_be(tmp_path: Path) -> None:
    found = reward("repair", "v46", "--output", "mine.toml", cwd=tmp_path)
    assert found.returncode == 1
    assert "ESI-3 is best where nothing is known, most probable in deployment" in found.stdout
    assert not (tmp_path / "mine.toml").exists()
    as_json = json.loads(reward("repair", "v46", "--format", "json").stdout)
    assert (as_json["feasible"], as_json["repaired"]) == (False, None)


def test_repair_holds_in_every_world_that_is_named() -> None:
    worlds = ["--prior", "mimic-iv-ed", "--prior", "uniform", "--skill", "0.6", "--skill", "0.8"]
    assert reward("repair", "audited", *worlds).stdout.startswith("audited: nothing of severity warning")
    assert "cells move" in reward("repair", "v46", "--factors", "1,1,1,1,1", "--scale", "none", *worlds).stdout


def test_compare_in_words_as_json_and_as_a_page(tmp_path: Path) -> None:
    assert "WARNING" in reward("compare", "v46", "audited").stdout
    found = json.loads(reward("compare", "v46", "audited", "--format", "json").stdout)
    assert [design["design"] for design in found["designs"]] == ["v46", "audited"]
    assert reward("compare", "v46", "--format", "html", "--output", "page.html", cwd=tmp_path).stdout == ""
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("<img") == 4


def test_the_page_of_an_audit_keeps_its_exit_code(tmp_path: Path) -> None:
    found = reward("audit", "v45c", "--format", "html", "--output", "page.html", cwd=tmp_path)
    assert found.returncode == 1
    assert "class factors are the cause" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_simulate_is_a_verb() -> None:
    found = reward("simulate", "v46", "--steps", "10", "--seeds", "2", "--format", "json")
    assert json.loads(found.stdout)["courses"][0]["design"] == "v46"


MORE_BAD_INPUT = [
    (["repair", "v46", "--freeze", "9,1"], "--freeze 9,1"),
    (["repair", "v46", "--freeze", "all"], "--freeze all"),
    (["repair", "v46", "--factors", "1,2"], "--factors 1,2"),
    (["repair", "v46", "--margin", "0"], "--margin"),
    (["recommend", "--prior", "0.2,0.8"], "--costs FILE with a table of 2 rows"),
    (["compare", "v46", "v99"], "v99"),
    (["compare", "v46", "three.toml"], "3 levels"),
    (["compare", "v46", "--format", "html"], "--output"),
    (["audit", "v46", "--format", "html"], "--output"),
]


@pytest.mark.parametrize(("arguments", "named"), MORE_BAD_INPUT)
def test_other_verbs_name_bad_input(tmp_path: Path, arguments: list[str], named: str) -> None:
    (tmp_path / "three.toml").write_text(THREE, encoding="utf-8")
    found = reward(*arguments, cwd=tmp_path)
    assert (found.returncode, found.stdout) == (2, "")
    assert named in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


CHOICES = [
    (["audit", "v46", "--fail-on", "never"], "'note', 'warning', 'error'"),
    (["audit", "v46", "--format", "xml"], "'text', 'json', 'html'"),
    (["repair", "v46", "--severity", "bad"], "'note', 'warning', 'error'"),
    (["repair", "v46", "--format", "html"], "'text', 'json'"),
    (["simulate", "v46", "--format", "html"], "'text', 'json'"),
]


@pytest.mark.parametrize(("arguments", "choices"), CHOICES)
def test_a_wrong_choice_names_those_that_there_are(arguments: list[str], choices: str) -> None:
    found = reward(*arguments)
    assert (found.returncode, found.stdout) == (2, "")
    assert choices in " ".join(found.stderr.replace("│", " ").split())
