"""The verbs as `make fuzz-odd` calls them, and the files that they read."""

import gzip
import os
import shlex
from pathlib import Path

from odd_endings import run

from esi_triage.cli import main as cli
from esi_triage.reading import strict_json

_LINES = {
    "triage": "triage '54 y/o M, chest pain. HR 104' -m rules --format json",
    "explain": "explain '54 y/o M, chest pain. HR 104' --format json",
    "decide": "decide --findings findings.json --format json",
    "score": "score -m rules -i cases.jsonl -o out.jsonl",
    "score parquet": "score -m constant:3 -i cases.parquet -o out.parquet",
    "score parts": "score -m constant:3 -i cases.jsonl -o out.jsonl --parts 20",
    "score baseline": "score -m baseline:fitted/tfidf -i cases.jsonl -o out.jsonl --calibration calibration.json",
    "calibrate": "calibrate -m baseline:fitted/tfidf --cases tuning.parquet -o out.json",
    "models": "models --format json",
    "evaluate": "evaluate -m constant:3 --cases cases.parquet -o out --gate gate.toml --outcomes outcomes.jsonl",
    "evaluate predictions": "evaluate --predictions predictions.csv --cases cases.jsonl -o out",
    "compare": "compare run predictions.jsonl --cases cases.jsonl --resamples 100",
    "train": "train experiment.toml --profile smoke -o out",
    "plan": "plan experiment.toml --format json",
    "export": "export verl experiment.toml -o out --base tiny --profile smoke",
    "card": "card run --author author.toml",
    "doctor": "doctor",
    "base export": "base export tiny -o out",
    "data build open": "data build open --n 20 -o out.parquet --exclude overlap.jsonl",
    "data build notes": "data build notes -o out.jsonl",
    "data build table": "data build table -i visits.csv --map map.toml -o out.jsonl",
    "data build gz": "data build table -i visits.csv.gz --map map.toml -o out.parquet",
    "data build ktas": "data build ktas -i visits.csv -o out.jsonl",
    "data build mimic": "data build mimic-iv-ed -i mimic -o out.jsonl",
    "data build mietic": "data build mietic -i mimic -o out.jsonl",
    "data build nhamcs": "data build nhamcs -i mimic -o out.jsonl",
    "data map": "data map --guess visits.csv",
    "data check": "data check cases.parquet cases.jsonl --format json -o out.jsonl",
    "data agree": "data agree --n 20 -o out.json",
    "data targets": "data targets cases.jsonl -o out.jsonl",
    "baseline fit": "baseline fit --data cases.parquet -o out",
    "reward show": "reward show design.toml --format json",
    "reward audit": "reward audit design.toml --confusion confusion.json --format json",
    "reward score": "reward score design.toml --gold 2 --text answer.txt",
    "reward new": "reward new --levels 4",
    "reward compare": "reward compare design.toml v45c --format json",
    "reward recommend": "reward recommend --costs costs.toml --prior mimic-iv-ed --format json",
    "reward repair": "reward repair design.toml --format json --output out.toml",
    "reward simulate": "reward simulate design.toml --steps 20 --seeds 2 --format json",
    "log verify": "log verify log.sqlite",
    "log head": "log head log.sqlite",
    "log export": "log export log.sqlite -o out.ndjson",
    "serve": "serve --settings settings.toml --port 0 --log log.sqlite",
    "reproduce": "reproduce --profile smoke --cases 20 -o out --data cases.parquet",
}
COMMANDS = {verb: shlex.split(line) for verb, line in _LINES.items()}
RUNS_LONG = ("train", "reproduce", "serve", "export")  # begun is enough: stopped when they have worked for some seconds


def made_inputs(folder: Path) -> None:
    """Every file that the commands read, made by the commands where there is one."""
    folder.mkdir(parents=True)
    designs, experiments = (
        Path(cli.__file__).parents[1] / "reward" / "designs",
        Path(cli.__file__).parents[1] / "experiments",
    )
    texts = {
        "design.toml": (designs / "v46.toml").read_text(),
        "experiment.toml": (experiments / "v43.toml").read_text(),
        "costs.toml": "table = [[0, 5, 9, 9, 9], [1, 0, 5, 9, 9], [2, 1, 0, 5, 9], [3, 2, 1, 0, 5], [4, 3, 2, 1, 0]]\n",
        "gate.toml": '[at_least]\n"exact.low" = 0.01\n[at_most]\n"no_parse.value" = 0.9\n',
        "author.toml": '[tripod-llm]\n"14a" = "Funded by nobody"\n',
        "map.toml": 'source = "t"\nlicence = "open"\n[columns]\nstay_id = "id"\nchief_complaint = "cc"\n'
        'heart_rate = "hr"\n'
        'temperature = "temp"\ngold = "g"\nsex = "sex"\narrival_time = "at"\nbirth_date = "born"\n'
        '[units]\ntemperature = "F"\n[codes.sex]\nM = ["man"]\n[groups]\nrace = "sex"\n[outcomes]\ndied = "d"\n',
        "visits.csv": "id,cc,hr,temp,g,sex,at,born,d\n"
        + "".join(
            f"{i},chest pain,{60 + i},98.{i % 10},{1 + i % 5},man,"
            f"2020-01-0{1 + i % 9} 10:00,1970-0{1 + i % 9}-01,{i % 2}\n"
            for i in range(30)
        ),
        "findings.json": '{"age_years": 54, "vitals": {"heart_rate": 88}, "findings": [{"name": "chest-pain"}]}',
        "confusion.json": "[[5, 1, 0, 0, 0], [1, 5, 1, 0, 0], [0, 1, 5, 1, 0], [0, 0, 1, 5, 1], [0, 0, 0, 1, 5]]",
        "answer.txt": "A: no\nANSWER: ESI 2",
        "overlap.jsonl": "",
        "settings.toml": (Path(cli.__file__).parents[1] / "serve" / "settings.toml").read_text(),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "visits.csv.gz").write_bytes(gzip.compress(texts["visits.csv"].encode(), mtime=0))
    for argv in (
        ["data", "build", "open", "--n", "150", "-o", "cases.parquet"],
        ["data", "build", "open", "--n", "500", "-o", "tuning.parquet"],
        ["data", "build", "open", "--n", "60", "-o", "cases.jsonl"],
        ["score", "-m", "rules", "-i", "cases.jsonl", "-o", "predictions.jsonl"],
        ["baseline", "fit", "--data", "cases.parquet", "-o", "fitted"],
        ["calibrate", "-m", "baseline:fitted/tfidf", "--cases", "tuning.parquet", "-o", "calibration.json"],
        ["evaluate", "-m", "constant:3", "--cases", "cases.jsonl", "-o", "run"],
    ):
        status, _ = run(argv, folder, seconds=200)
        if status:
            raise SystemExit(f"{argv}: {(folder.parent / 'err.txt').read_text()}")
    predictions = [strict_json(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    (folder / "predictions.csv").write_text(
        "case_id,level\n" + "".join(f"{p['case_id']},{p['level'] or ''}\n" for p in predictions)
    )
    known = [strict_json(line)["case_id"] for line in (folder / "cases.jsonl").read_text().splitlines()]
    (folder / "outcomes.jsonl").write_text(
        "".join(f'{{"case_id": "{id}", "died": {i % 2}}}\n' for i, id in enumerate(known))
    )
    (folder / "overlap.jsonl").write_text("".join(f'{{"case_id": "{id}"}}\n' for id in known[:3]))
    made_log(folder / "log.sqlite")
    (folder / "mimic" / "ed").mkdir(parents=True)
    for name in ("ed/triage.csv", "ed/edstays.csv", "MIETIC.csv", "ed2020_sas.csv"):
        (folder / "mimic" / name).write_text(
            "subject_id,stay_id,acuity,chiefcomplaint,intime\n1,2,3,pain,2020-01-01 00:00:00\n"
        )


def made_log(file: Path) -> None:
    """A decision log of a few rows."""
    child = os.fork()
    if child == 0:
        from esi_triage.serve.decision_log import open_log

        log = open_log(file)
        rows = [log.append("advice", {"level": 2, "model": {"name": "rules"}}, "chest pain") for _ in range(5)]
        log.append("decision", {"level": 2, "advised": 2}, None, rows[0].id)
        log.close()
        os._exit(0)
    os.waitpid(child, 0)
