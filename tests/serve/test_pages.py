"""The pages without a browser: forms as a browser without JavaScript sends them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from served import CHEST_PAIN, Served, serving

from esi_triage.esi import Evidence, Step
from esi_triage.predict.model import one_by_one
from esi_triage.predict.rules_model import rules_reply
from esi_triage.serve.web.log_figures import stability_index
from esi_triage.serve.web.marked_note import marked_note


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("pages")) as running:
        yield running


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"the page has no field {name}"
    return found[1]


def sent(served: Served, path: str = "/", **fields: str) -> httpx.Response:
    token = hidden(served.client.get("/").text, "token")
    return served.client.post(path, data={"token": token, **fields})


def test_the_own_level_comes_first_and_the_advice_after(served: Served) -> None:
    start = served.client.get("/").text
    assert "Your level, before you see the advice" in start
    unsaid = sent(served, narrative=CHEST_PAIN)
    assert unsaid.status_code == 422
    assert "Choose your own level" in unsaid.text
    assert "Advice: ESI" not in unsaid.text
    page = sent(served, narrative=CHEST_PAIN, own_level="3").text
    assert "Advice: ESI 2" in page
    assert "it differs from the advice" in page
    row = served.service.log.get(hidden(page, "record"))
    assert row is not None
    assert (row.body["own_level"], row.body["source"]) == (3, "page")


def test_nothing_has_to_be_typed_twice(served: Served) -> None:
    wrong = sent(served, narrative=CHEST_PAIN, own_level="4", temperature_c="101", heart_rate="104")
    assert wrong.status_code == 422
    assert "Is it in °F?" in wrong.text
    assert CHEST_PAIN in wrong.text
    assert 'value="104"' in wrong.text
    assert re.search(r'value="4" checked', wrong.text)


def test_a_comma_is_a_decimal_point(served: Served) -> None:
    page = sent(served, narrative=CHEST_PAIN, own_level="2", temperature_c="36,8").text
    assert "T 36.8 °C" in page


def test_agreeing_and_overriding_are_rows_of_the_log(served: Served) -> None:
    record = hidden(sent(served, narrative=CHEST_PAIN, own_level="2").text, "record")
    assert "Recorded: ESI 2" in sent(served, "/decision", record=record, agree="2", narrative=CHEST_PAIN).text
    unexplained = sent(served, "/decision", record=record, level="4", narrative=CHEST_PAIN)
    assert unexplained.status_code == 422
    explained = sent(served, "/decision", record=record, level="4", reason="misread", narrative=CHEST_PAIN).text
    assert "The note was misread" in explained
    rows = served.service.log.search(id=record)
    assert sorted(row.body["level"] for row in rows if row.kind == "decision") == [2, 4]


def test_triage_again_is_a_linked_record(served: Served) -> None:
    first = sent(served, narrative=CHEST_PAIN, own_level="2").text
    record = hidden(first, "previous")
    assert record == hidden(first, "record")
    again = sent(served, narrative=CHEST_PAIN + " Now drowsy.", own_level="1", previous=record).text
    assert f"follows record {record}" in again
    assert sent(served, narrative=CHEST_PAIN, own_level="1", previous="made-up").status_code == 422


def test_a_forged_form_records_nothing(served: Served) -> None:
    before = served.service.log.head()
    response = served.client.post("/", data={"token": "0" * 64, "narrative": CHEST_PAIN, "own_level": "2"})
    assert response.status_code == 403
    assert CHEST_PAIN in response.text
    assert served.service.log.head() == before
    assert served.client.post("/", content=b"\xff\xfe=1").status_code == 422


INJECTED = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>&{{12345*6789}}[a](javascript:alert(3))"


@pytest.mark.parametrize("field", ["narrative", "own_level", "heart_rate", "previous", "record", "comment", "reason"])
@pytest.mark.parametrize("path", ["/", "/decision"])
def test_no_field_renders_as_html(served: Served, field: str, path: str) -> None:
    fields = {"narrative": CHEST_PAIN, "own_level": "2", "level": "2", "record": "x"}
    given = f"{CHEST_PAIN} {INJECTED}" if field == "narrative" else INJECTED
    page = sent(served, path, **{**fields, field: given}).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<b>&" not in page
    assert str(12345 * 6789) not in page


def test_a_level_that_is_only_unlikely_is_not_shown_as_impossible(tmp_path: Path) -> None:
    unsure = one_by_one(
        "unsure", lambda case: replace(rules_reply(case), probabilities=(0.996, 0.003, 0.001, 0.0, 0.0))
    )
    with serving(tmp_path, unsure) as running:
        page = sent(running, narrative=CHEST_PAIN, own_level="2").text
    told = re.findall(r'class="chance">\s*(\S+ %)', page)
    assert told == ["&gt;99 %", "&lt;1 %", "&lt;1 %", "0 %", "0 %"]


def test_the_log_page_searches_and_escapes(served: Served) -> None:
    record = hidden(sent(served, narrative=CHEST_PAIN, own_level="2").text, "record")
    found = served.client.get("/log", params={"id": record}).text
    assert record[:8] in found
    assert "no row like that" in served.client.get("/log", params={"until": "2000-01-01"}).text
    assert "write a date such as" in served.client.get("/log", params={"since": "yesterday"}).text
    assert "<script>alert" not in served.client.get("/log", params={"id": INJECTED, "since": INJECTED}).text


TYPED = ["%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%S", "%Y-%m-%dT%H:%M:%S+00:00"]


@pytest.mark.parametrize("form", TYPED)
def test_the_log_page_compares_times_however_they_are_typed(served: Served, form: str) -> None:
    record = served.triage(CHEST_PAIN).json()["record"]
    row = served.service.log.get(record)
    assert row is not None
    after = (datetime.fromisoformat(row.time) + timedelta(seconds=1)).strftime(form)
    found = [served.client.get("/log", params={"id": record, name: after}).text for name in ("until", "since")]
    assert ["no row like that" in page for page in found] == [False, True]
    east = datetime.fromisoformat(row.time).astimezone(timezone(timedelta(hours=14))).isoformat()
    assert "no row like that" not in served.client.get("/log", params={"id": record, "since": east}).text


def test_no_page_names_another_machine(served: Served) -> None:
    pages = [served.client.get(path).text for path in ("/", "/log", "/docs", "/static/page.css", "/static/page.js")]
    pages.append(sent(served, narrative=CHEST_PAIN, own_level="2").text)
    for page in pages:
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//|url\(|@import", page)
    assert served.client.get("/static/../pages.py").status_code == 404


def test_the_marked_note_is_the_note() -> None:
    text = "chest pain, sweating. Pain 8/10"
    steps = (
        Step("A", "no", "", ()),
        Step("B", "yes", "", (Evidence(0, 10, text[:10]), Evidence(0, 5, text[:5]), Evidence(6, 10, text[6:10]))),
        Step("D", "yes", "", (Evidence(6, 20, text[6:20]),)),
    )
    pieces = marked_note(text, steps)
    assert "".join(piece.text for piece in pieces) == text
    assert [(piece.text, piece.points) for piece in pieces][:2] == [("chest ", ("B",)), ("pain", ("B", "D"))]


def test_the_stability_index_is_nought_for_equal_shares_and_grows() -> None:
    assert stability_index([10, 20, 40, 20, 10], [0.1, 0.2, 0.4, 0.2, 0.1]) == pytest.approx(0)
    assert stability_index([50, 20, 10, 10, 10], [0.1, 0.2, 0.4, 0.2, 0.1]) > 0.25
