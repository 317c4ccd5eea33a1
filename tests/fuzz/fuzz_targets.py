"""What is fuzzed: every reader of files and text, each with the rules that what it accepts must keep."""

import gzip
import json
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import broken
import pyarrow as pa
import pyarrow.parquet as pq
from faulty_server import FAULTS
from runner import Target, esi

from esi_triage.atomic_files import quarantine_of
from esi_triage.chat_endpoint import Endpoint, EndpointError, Pace, complete, open_client
from esi_triage.data.case_table import read_cases, read_rows
from esi_triage.data.hospital.column_map import load_map
from esi_triage.data.hospital.guessed_map import guess_map
from esi_triage.data.outcomes import read_outcomes
from esi_triage.data.teacher_targets import read_targets
from esi_triage.esi import VITALS_BY_NAME
from esi_triage.evaluate.gate import read_gate
from esi_triage.evaluate.linked_tables import read_columns, read_group_columns
from esi_triage.evaluate.report.card.checklist import read_author
from esi_triage.evaluate.run_comparison import read_scored
from esi_triage.evaluate.scoring_log import read_log
from esi_triage.predict.predictions_file import predictions_model
from esi_triage.reward import load_design
from esi_triage.reward.policy import read_confusion
from esi_triage.train.experiment import load_experiment

ROWS = [
    {"case_id": "a", "narrative": broken.NOTES[0], "licence": "open", "gold": 2, "heart_rate": 104, "spo2": 96},
    {"case_id": "b", "narrative": broken.NOTES[1], "licence": "open", "gold": 3, "temperature_c": 39.5, "pain": None},
    {"case_id": "c", "narrative": broken.NOTES[2], "gold": 4, "subject_id": 17, "age_years": 30, "tags": ["x"]},
]
_COLUMNS = (
    "case_id",
    "narrative",
    "licence",
    "gold",
    "subject_id",
    "age_years",
    "sex",
    "tags",
    "quality",
    "weight",
    "x",
)


def triage_text(rng: Random, folder: Path) -> str | None:
    """The text verbs, from standard input."""
    data = broken.note(rng).encode("utf-8", "surrogatepass")
    data = broken.damaged(rng, data) if rng.randrange(4) == 0 else data
    verb = rng.choice([["triage", "-"], ["triage", "-", "--format", "json"], ["explain", "-", "--format", "json"]])
    found = esi(*verb, stdin=data)
    if found.code:
        return None if found.code == 2 and found.err.startswith("error: ") else f"exit code {found.code}"
    if "json" not in verb:
        return None
    told = json.loads(found.out)
    level = told["level"] if verb[0] == "triage" else told["decision"]["level"]
    vitals = {} if verb[0] == "triage" else told["findings"]["vitals"]
    return _impossible(vitals) or (None if level in (None, 1, 2, 3, 4, 5) else f"level {level!r}")


def answer_text(rng: Random, folder: Path) -> str | None:
    """An answer that is scored."""
    data = broken.damaged(
        rng, broken.changed_text(rng, "ANSWER: ESI 2" * rng.choice([1, 9000])).encode("utf-8", "ignore")
    )
    found = esi("reward", "score", "v46", "--gold", rng.choice([1, 5, 6, -1]), stdin=data)
    if found.code:
        return None if found.code == 2 and "rror" in found.err else f"exit code {found.code}"
    return None if json.loads(found.out)["level"] in (None, 1, 2, 3, 4, 5) else found.out


def findings_json(rng: Random, folder: Path) -> str | None:
    """Findings that somebody else read."""
    given: dict[str, Any] = {"age_years": 54, "vitals": {"heart_rate": 88}, "findings": [{"name": "chest-pain"}]}
    place = rng.choice(["age_years", "vitals", "findings", "gcs", "unread", "sex", "odd"])
    given[place] = broken.value(rng)
    if isinstance(given.get("vitals"), dict) and rng.randrange(2):
        given["vitals"] = {rng.choice([*VITALS_BY_NAME]): rng.choice(broken.ODD_NUMBERS)}
    found = esi("decide", "--findings", "-", "--format", "json", stdin=broken.damaged(rng, json.dumps(given).encode()))
    if found.code:
        return None if found.code == 2 and found.err.startswith("error: ") else f"exit code {found.code}"
    return None if json.loads(found.out)["decision"]["level"] in (1, 2, 3, 4, 5) else found.out


def _row(rng: Random) -> dict[str, Any]:
    row = dict(rng.choice(ROWS))
    for _ in range(rng.randrange(3)):
        name = rng.choice([*_COLUMNS, *VITALS_BY_NAME])
        row[name] = rng.choice([broken.value(rng), rng.choice(broken.ODD_NUMBERS), broken.note(rng)])
    return row


def case_lines(rng: Random, folder: Path) -> str | None:
    """A case table as JSON lines, scored: counts, order, ranges, unique ids."""
    lines = [json.dumps(_row(rng)).encode() for _ in range(rng.randrange(6))]
    lines = [broken.damaged(rng, line).replace(b"\n", b" ") if rng.randrange(4) == 0 else line for line in lines]
    file = folder / "cases.jsonl"
    file.write_bytes(b"\n".join(lines))
    return _scored(file, folder / f"out.{rng.choice(['jsonl', 'parquet'])}", sum(bool(line.strip()) for line in lines))


def case_parquet(rng: Random, folder: Path) -> str | None:
    """A case table as parquet, of odd types and damaged."""
    file = folder / "cases.parquet"
    columns: dict[str, Any] = {"case_id": ["a", "b", "c"], "narrative": broken.NOTES}
    odd = [
        pa.array([2**62, 0, -(2**62)], pa.timestamp("us")),
        pa.array([b"caf\xe9", None, b"\xff"], pa.binary()),
        pa.array([1.5, float("nan"), 900.0]),
        pa.array([{"a": 1}, None, {"a": 2}]),
        pa.array([None, None, None]),
        pa.array([2, 2, 2], pa.int8()),
        pa.array([True, False, None]),
    ]
    columns[rng.choice([*_COLUMNS, *VITALS_BY_NAME, "when"])] = rng.choice(odd)
    pq.write_table(pa.table(columns), file, write_page_checksum=True, row_group_size=rng.choice([1, 2, 10]))
    whole = rng.randrange(3) > 0
    if not whole:
        file.write_bytes(broken.damaged(rng, file.read_bytes()))
    return _scored(file, folder / "out.jsonl", 3 if whole else None)


def _scored(file: Path, output: Path, rows: int | None) -> str | None:
    found = esi("score", "-m", "constant:3", "-i", file, "-o", output)
    if found.code:
        return None if found.code == 2 and found.err.count("error: ") else f"exit code {found.code}"
    written = list(read_rows(output))
    cases, bad = read_cases(file)
    if rows is not None and len(written) != rows:
        return f"{rows} rows in, {len(written)} out"
    named = len(quarantine_of(output).read_text().splitlines()) if quarantine_of(output).exists() else 0
    if len(written) != len(cases) + len(bad) or named != len(bad):
        return f"{len(written)} rows out, {len(cases)} cases, {len(bad)} bad, {named} in quarantine"
    if len({case.case_id for case in cases}) < len(cases):
        return "a case_id twice"
    return next((why for case in cases if (why := _impossible(case.vitals.model_dump()))), None)


def _impossible(vitals: dict[str, Any]) -> str | None:
    wrong = [name for name, value in vitals.items() if value is not None and not VITALS_BY_NAME[name].plausible(value)]
    return f"{wrong[0]} = {vitals[wrong[0]]}" if wrong else None


def predictions(rng: Random, folder: Path) -> str | None:
    """A predictions file of any origin."""
    cases, file = folder / "cases.jsonl", folder / f"p.{rng.choice(['jsonl', 'csv'])}"
    cases.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    odd = [broken.value(rng), rng.choice(broken.ODD_NUMBERS), [0.2] * 5, [0.2, 0.2, 0.2, 0.2, 0.205], [1e308] * 5]
    rows = [{"case_id": row["case_id"], "level": row["gold"], "probabilities": [0.2] * 5} for row in ROWS]
    rng.choice(rows)[rng.choice(["case_id", "level", "probabilities", "answer", "p1", "source_row"])] = rng.choice(odd)
    if file.suffix == ".csv":
        text = "case_id,level,source_row\n" + "".join(f"{r.get('case_id')},{r.get('level')},1\n" for r in rows)
        data = text.encode("utf-8", "surrogatepass")
    else:
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    file.write_bytes(broken.damaged(rng, data) if rng.randrange(3) == 0 else data)
    if rng.randrange(4) == 0:
        return None if read_scored(file, cases).gold else "no case"
    known, _ = read_cases(cases)
    for batch in predictions_model(file, cases).stream(known):
        for _, reply in batch:
            if reply.level not in (None, 1, 2, 3, 4, 5):
                return f"level {reply.level!r}"
            if reply.probabilities and not (abs(sum(reply.probabilities) - 1) < 1e-9 and min(reply.probabilities) >= 0):
                return f"probabilities {reply.probabilities}"
    return None


def toml_file(rng: Random, folder: Path) -> str | None:
    """Every TOML that a user may write: designs, experiments, gates, maps, an author's answers."""
    kind = rng.choice([*_TOML])
    text = _TOML[kind]
    lines = text.splitlines()
    for _ in range(rng.randrange(3)):
        place = rng.randrange(len(lines))
        name, equals, _ = lines[place].partition("=")
        if equals:
            lines[place] = f"{name}= {rng.choice(_TOML_VALUES)}"
    data = "\n".join(lines).encode()
    file = folder / f"{kind}.toml"
    file.write_bytes(broken.damaged(rng, data) if rng.randrange(2) else data)
    return _toml_problem(kind, file)


def _toml_problem(kind: str, file: Path) -> str | None:
    if kind == "design":
        design = load_design(str(file))
        cells = [*design.rewards.ravel(), design.format_bonus, design.length_bonus]
        return None if all(abs(cell) <= 1e6 for cell in cells) else "an infinite reward"
    if kind == "experiment":
        found = load_experiment(str(file)).model_dump()
        return "NaN or infinity" if any(word in repr(found) for word in ("nan,", "inf,", "nan}", "inf}")) else None
    if kind == "gate":
        return None if all(abs(limit) < 1e301 for _, _, limit in read_gate(file)) else "an infinite limit"
    (load_map if kind == "map" else read_author)(file)
    return None


_TOML_VALUES = [
    *("nan", "inf", "-inf", "1e308", "-1", "0", "true", '""', '"x"', "[]", "{}", "[[1]]", "1979-05-27", "[nan]"),
    *("9" * 400, "9" * 5000, "[" * 3000 + "]" * 3000, "{a=" * 500 + "1" + "}" * 500, '"\\ud800"', "'''", '"\x7f"'),
]
_TOML = {
    "design": (resources.files("esi_triage.reward") / "designs" / "v46.toml").read_text(encoding="utf-8"),
    "experiment": (resources.files("esi_triage") / "experiments" / "v46.toml").read_text(encoding="utf-8"),
    "gate": '[at_least]\n"exact.low" = 0.5\nn = 36\n[at_most]\n"no_parse.value" = 0.01\n',
    "map": 'source = "t"\nlicence = "open"\n[columns]\nstay_id = "id"\nchief_complaint = "cc"\nheart_rate = "hr"\n'
    '[units]\ntemperature = "F"\n[codes.gold]\n"1" = ["red"]\n[groups]\nrace = "r"\n[outcomes]\ndied = "d"\n',
    "author": '[tripod-llm]\n"14a" = "Funded by nobody"\n',
}


def small_files(rng: Random, folder: Path) -> str | None:
    """Files beside the tables: outcomes, groups, targets, confusions, scoring logs."""
    kind = rng.randrange(5)
    file = folder / ("x.csv" if kind == 0 else "x.jsonl")
    rows = [
        {"case_id": c, "died": rng.choice([0, 1, None, broken.value(rng)]), "target": "ANSWER: ESI 2"} for c in "abc"
    ]
    rng.choice(rows)[rng.choice(["case_id", "died", "target", "x"])] = broken.value(rng)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if kind == 0:
        text = "case_id,died\n" + "".join(f"{r.get('case_id')},{r.get('died')}\n" for r in rows)
    data = text.encode("utf-8", "surrogatepass")
    file.write_bytes(broken.damaged(rng, data) if rng.randrange(2) else data)
    if kind <= 1:
        found = [read(file, ["a", "b", "c"]).values() for read in (read_group_columns, read_columns)]
        return None if all(len(values) == 3 for columns in found for values in columns) else "values without a case"
    if kind == 2:
        read_targets(file)
    elif kind == 3:
        file.write_bytes(broken.damaged(rng, json.dumps([[5, 1, 0, 0, 0]] * 5).encode()))
        found = read_confusion(file, 5)
        return None if abs(found.sum() - 5) < 1e-9 and (found >= 0).all() else "no shares"
    else:
        log = folder / "c.parquet.scoring_log.jsonl"
        log.write_bytes(broken.damaged(rng, b'{"when": "x", "cases_sha256": "s", "model": "m", "n": 1}\n'))
        read_log(folder / "c.parquet")
    return None


def outcomes_parquet(rng: Random, folder: Path) -> str | None:
    """Outcomes as parquet, damaged or of odd types."""
    file = folder / "c.outcomes.parquet"
    died = rng.choice([[True, False, None], [1, 0, 7], ["yes", "no", None], [0.5, float("nan"), 1.0]])
    pq.write_table(pa.table({"case_id": rng.choice([["a", "b", "c"], ["a", "a", None]]), "died": died}), file)
    file.write_bytes(broken.damaged(rng, file.read_bytes()) if rng.randrange(2) else file.read_bytes())
    found = read_outcomes(file)
    return None if len(found) <= 3 and None not in found else "a case_id twice"


_NAMES = (
    "visits.csv",
    "visits[1].csv",
    "a*b.csv",
    "q?.csv",
    "split=train.csv",
    "é.csv",
    "a b.csv",
    "v.csv.gz",
    "v.tsv",
)
_CELLS = [*broken.ODD_TEXT[:24], "88", "37 °C", "1_0", "nan", "98 %", "120/80", "900", "-20", '"', '"a\nb"', "a,b", "0"]


def hospital_table(rng: Random, folder: Path) -> str | None:
    """A hospital's CSV: built to a case table, or a map guessed for it."""
    file, map_file, output = folder / rng.choice(_NAMES), folder / "m.toml", folder / "out.jsonl"
    map_file.write_text(_TOML["map"].split("[units]")[0])
    header = (
        ["id", "cc", "hr"] if rng.randrange(5) else ["id", "cc", "hr", rng.choice(["source_row", "a\x7fb", "HR", ""])]
    )
    rows = [[str(i), rng.choice(broken.WORDS), rng.choice(_CELLS), "x"][: len(header)] for i in range(rng.randrange(8))]
    sign = "\t" if file.suffix == ".tsv" else ","
    data = "\n".join(sign.join(row) for row in [header, *rows]).encode("utf-8", "surrogatepass")
    data = broken.damaged(rng, data) if rng.randrange(3) == 0 else data
    packed = gzip.compress(data, mtime=0) if file.suffix == ".gz" else data
    file.write_bytes(broken.damaged(rng, packed) if file.suffix == ".gz" else packed)
    if rng.randrange(4) == 0:
        (folder / "g.toml").write_text(guess_map(file), encoding="utf-8")
        load_map(folder / "g.toml")  # a proposal is at least TOML with known keys, or is refused in words
        return None
    found = esi("data", "build", "table", "-i", file, "--map", map_file, "-o", output)
    if found.code:
        return None if found.code == 2 and "error: " in found.err else f"exit code {found.code}"
    cases, bad = read_cases(output)
    sheet = json.loads((folder / "out.dataset.json").read_text())
    if bad or sheet["rows_in"] != len(cases) + sheet["quarantined"]:
        return f"{sheet['rows_in']} rows in, {len(cases)} cases, {sheet['quarantined']} in quarantine, {len(bad)} bad"
    return next((why for case in cases if (why := _impossible(case.vitals.model_dump()))), None)


def endpoint(url: str, fault: str | None = None) -> Target:
    """One request to the server that misbehaves, in any way or in this one, by a client that waits 0.15 seconds."""

    def target(rng: Random, folder: Path) -> str | None:
        asked = Endpoint(url, "m", timeout=0.15, patience=0.001, parallel=1)
        said = [{"role": "system", "content": "s"}, {"role": "user", "content": f"note {fault or rng.choice(FAULTS)} "}]
        with open_client(asked, proxies=False) as client:
            try:
                found = complete(client, asked, said, Pace(None))
            except EndpointError:
                return None
        found.text.encode()
        return None if 0 <= found.tokens < 1 << 31 else f"{found.tokens} tokens"

    return target


TARGETS: dict[str, tuple[Target, int]] = {
    "text verbs": (triage_text, 1800),
    "answers": (answer_text, 800),
    "findings (JSON)": (findings_json, 900),
    "case tables (JSON lines)": (case_lines, 2000),
    "case tables (parquet)": (case_parquet, 700),
    "predictions": (predictions, 1300),
    "TOML": (toml_file, 1500),
    "small files": (small_files, 700),
    "outcomes (parquet)": (outcomes_parquet, 200),
    "hospital tables": (hospital_table, 350),
}
"""Each target with its number of cases in the long run; 150 requests to the faulty endpoint come on top."""
ENDPOINT_CASES = 150
