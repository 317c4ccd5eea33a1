"""A run that was cut short goes on: no case is asked twice, none is lost, and nothing of another run is taken up."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
from stub_endpoint import Stub, answer_to, level_of

from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.evaluate.evaluation import evaluate_file
from esi_triage.predict import Model, Reply
from esi_triage.predict.model import no_reply, one_by_one, reply_of
from esi_triage.predict.score_file import score_file
from esi_triage.resume_cache import cache_of


class Slow:
    """A model that says `answer_to(narrative)` in batches of three, and is stopped after so many batches."""

    def __init__(self, batches: int = 10**6, identity: str = "one", fails: Sequence[str] = ()) -> None:
        self.batches, self.fails = batches, fails
        self.asked: Counter[str] = Counter()
        self.model = Model("slow", self.stream, identity)

    def stream(self, cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        backwards = list(enumerate(cases))[::-1]
        for n, start in enumerate(range(0, len(cases), 3)):
            if n == self.batches:
                raise KeyboardInterrupt
            batch = backwards[start : start + 3]
            self.asked.update(case.narrative for _, case in batch)
            yield [(i, no_reply("HTTP 500") if case.narrative in self.fails else self.reply(case)) for i, case in batch]

    def reply(self, case: Case) -> Reply:
        return reply_of(answer_to(case.narrative), 4, True, (0.1, 0.2, 0.3, 0.2, 0.2))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "in.jsonl"
    rows = [
        {"case_id": f"c{i}", "narrative": f"note {i}", "licence": "open", "gold": level_of(f"note {i}")}
        for i in range(20)
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def levels_in(file: Path) -> list[int | None]:
    """The levels of the whole lines of a file; none where there is no file yet."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(line)["level"] for line in text[: text.rfind("\n") + 1].splitlines()]


ALL = [level_of(f"note {i}") for i in range(20)]


def test_a_stopped_run_goes_on(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    first, second, whole = Slow(batches=4), Slow(), Slow()
    with pytest.raises(KeyboardInterrupt):
        score_file(first.model, source, out)
    assert not out.exists()
    score_file(second.model, source, out)
    assert first.asked + second.asked == Counter(f"note {i}" for i in range(20))
    assert len(second.asked) == 8
    score_file(whole.model, source, tmp_path / "whole.jsonl")
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl", "whole.jsonl"]


def test_an_evaluation_goes_on_too(source: Path, tmp_path: Path) -> None:
    first, second = Slow(batches=2), Slow()
    with pytest.raises(KeyboardInterrupt):
        evaluate_file(first.model, source, tmp_path / "out")
    result, _, _ = evaluate_file(second.model, source, tmp_path / "out")
    assert first.asked + second.asked == Counter(f"note {i}" for i in range(20))
    assert result.metrics["exact"]["value"] == 1
    assert result.replies[0].probabilities == (0.1, 0.2, 0.3, 0.2, 0.2)
    assert result.replies[0].truncated
    assert not list((tmp_path / "out").glob("*.resume.jsonl"))


@pytest.mark.parametrize("change", ["identity", "narrative", "case_id"])
def test_another_model_or_case_is_asked_anew(source: Path, tmp_path: Path, change: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        score_file(Slow(batches=6).model, source, tmp_path / "out.jsonl")
    if change == "narrative":
        source.write_text(source.read_text().replace("note 7", "NOTE 7"))
    if change == "case_id":
        source.write_text(source.read_text().replace('"c7"', '"d7"'))
    second = Slow(identity="two" if change == "identity" else "one")
    score_file(second.model, source, tmp_path / "out.jsonl")
    asked = {"identity": 20, "narrative": 3, "case_id": 3}[change]  # two were left, and the changed one
    assert sum(second.asked.values()) == asked


def test_a_torn_line_is_a_reply_that_was_not_kept(source: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        score_file(Slow(batches=5).model, source, tmp_path / "out.jsonl")
    kept = tmp_path / "out.jsonl.resume.jsonl"
    kept.write_bytes(kept.read_bytes()[:-9])
    second = Slow(batches=1)
    with pytest.raises(KeyboardInterrupt):  # and what is kept after the torn line can be read
        score_file(second.model, source, tmp_path / "out.jsonl")
    third = Slow()
    score_file(third.model, source, tmp_path / "out.jsonl")
    assert (sum(second.asked.values()), sum(third.asked.values())) == (3, 3)
    assert levels_in(tmp_path / "out.jsonl") == ALL


def test_what_failed_is_asked_again_by_the_same_command(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    found = score_file(Slow(fails=("note 3", "note 11")).model, source, out)
    assert found.failed == ["HTTP 500", "HTTP 500"]
    assert levels_in(out) == [None if i in (3, 11) else level for i, level in enumerate(ALL)]
    second = Slow()
    assert score_file(second.model, source, out).failed == []
    assert second.asked == Counter(["note 3", "note 11"])
    assert levels_in(out) == ALL
    assert not list(tmp_path.glob("*.resume.jsonl"))


def test_a_model_of_a_moment_keeps_nothing(source: Path, tmp_path: Path) -> None:
    def reply_to(case: Case) -> Reply:
        assert not list(tmp_path.glob("*.resume.jsonl"))
        return reply_of(answer_to(case.narrative))

    score_file(one_by_one("quick", reply_to), source, tmp_path / "out.jsonl")
    assert levels_in(tmp_path / "out.jsonl") == ALL


def test_where_nothing_can_be_kept_nothing_is_asked(source: Path, tmp_path: Path) -> None:
    slow = Slow()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="another output"):
        score_file(slow.model, source, tmp_path / "file" / "out.jsonl")
    assert not slow.asked


@pytest.mark.parametrize("parallel", [1, 4])
def test_killed_at_an_endpoint_the_same_command_goes_on(
    stub: Stub, source: Path, tmp_path: Path, parallel: int
) -> None:
    """SIGKILL, several times over: what was answered and kept is not asked again; only what was under way is."""
    out = tmp_path / "out.jsonl"
    command = [
        *(sys.executable, "-m", "esi_triage.cli.main", "score", "--endpoint", stub.url, "--model", "stub"),
        *("--input", str(source), "--output", str(out), "--parallel", str(parallel)),
    ]
    kept = kills = 0
    while kept < 15:
        kills += 1
        stub.answers = stub.asked.total() + 5  # all later requests are held, so it cannot end before it is killed
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        # a request of the one that was killed before may arrive now and take one of the five: then four are all
        until = time.monotonic() + 30
        while len(levels_in(cache_of(out))) < kept + 5 and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not out.exists()
        before, kept = kept, len(levels_in(cache_of(out)))
        assert kept > before
    stub.answers = None
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "20 rows, 20 scored, 0 bad, 0 failed" in done.stdout
    assert levels_in(out) == ALL
    assert set(stub.asked) == {f"note {i}" for i in range(20)}
    assert stub.asked.total() <= 20 + kills * parallel
