"""MIMIC-IV-ED at full size: a generated clone of the six tables, built to the case table, beside the same in pandas.

    python benchmarks/mimic_scale.py [--stays 425087] [--runs 2]

The clone has the release's row counts, missing rates and dirt (Celsius, pain 13 and "unable", DBP 879, swapped
pressures), no patient. Each build runs in a process of its own, whose wall clock, CPU time and peak memory are printed
for 1/8, 1/2 and all of the stays. The reference is the same cleaning written with pandas' vectorised operations; its
result must be equal, cell by cell.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STAYS = 425_087
# rows of the release for the tables that are only counted
OTHERS = {"vitalsign": 1_564_610, "diagnosis": 899_050, "medrecon": 2_987_342, "pyxis": 1_586_053}

# u(i, salt) is a uniform number from a hash: the same stay has the same values whatever the number of threads.
CLONE = """
CREATE MACRO u(i, salt) AS (hash(i, salt) % 1000003) / 1000003.0;
CREATE MACRO bell(i, salt) AS u(i, salt) + u(i, salt || 'b') + u(i, salt || 'c') - 1.5;
CREATE MACRO pick(i, salt, options) AS options[1 + CAST(floor(u(i, salt) * len(options)) AS INT)];
CREATE TABLE stays AS SELECT
    i, 30000000 + i AS stay_id, 10000000 + CAST(floor(u(i, 'patient') * {stays} * 0.48) AS INT) AS subject_id,
    TIMESTAMP '2110-01-01' + INTERVAL 1 MINUTE * CAST(u(subject_id, 'first') * 45000000 + u(i, 'time') * 4000000 AS INT)
        AS intime,
    CASE WHEN u(i, 'acuity') < 0.0164 THEN NULL WHEN u(i, 'level') < 0.057 THEN 1 WHEN u(i, 'level') < 0.39 THEN 2
         WHEN u(i, 'level') < 0.927 THEN 3 WHEN u(i, 'level') < 0.997 THEN 4 ELSE 5 END AS acuity
FROM range({stays}) t(i);
CREATE MACRO known(i, salt, missing, x) AS CASE WHEN u(i, salt || 'm') >= missing THEN x END;
COPY (SELECT subject_id, CASE WHEN u(i, 'adm') < 0.47 THEN 20000000 + i END AS hadm_id, stay_id, intime,
        intime + INTERVAL 7 HOUR AS outtime, pick(i, 'sex', ['F', 'M']) AS gender,
        pick(i, 'race', ['WHITE', 'BLACK/AFRICAN AMERICAN', 'HISPANIC/LATINO - PUERTO RICAN', 'ASIAN']) AS race,
        CASE WHEN u(i, 'arr') < 0.592 THEN 'WALK IN' WHEN u(i, 'arr') < 0.959 THEN 'AMBULANCE'
             WHEN u(i, 'arr') < 0.995 THEN 'UNKNOWN' WHEN u(i, 'arr') < 0.998 THEN 'OTHER' ELSE 'HELICOPTER' END
            AS arrival_transport,
        pick(i, 'disp', ['HOME', 'ADMITTED', 'TRANSFER', 'LEFT WITHOUT BEING SEEN']) AS disposition
    FROM stays ORDER BY hash(i)) TO '{folder}/ed/edstays.csv.gz' (HEADER);
COPY (SELECT subject_id, stay_id,
        known(i, 't', 0.055, CASE WHEN u(i, 'C') < 0.002 THEN round(36.9 + bell(i, 't'), 1)
                                  WHEN u(i, 'C') < 0.003 THEN 6.5 ELSE round(98.4 + 1.6 * bell(i, 't'), 1) END)
            AS temperature,
        known(i, 'h', 0.040, CASE WHEN u(i, 'h0') < 0.0002 THEN 0 WHEN u(i, 'h0') < 0.0003 THEN 892
                                  ELSE round(85 + 35 * bell(i, 'h')) END) AS heartrate,
        known(i, 'r', 0.048, CASE WHEN u(i, 'r0') < 0.0002 THEN 0 ELSE round(17.5 + 4 * bell(i, 'r')) END) AS resprate,
        known(i, 'o', 0.048, CASE WHEN u(i, 'o0') < 0.0002 THEN 986 ELSE least(100, round(98 + 3 * bell(i, 'o'))) END)
            AS o2sat,
        known(i, 's', 0.043, CASE WHEN u(i, 'swap') < 0.001 THEN 71 ELSE round(135 + 40 * bell(i, 's')) END) AS sbp,
        known(i, 's', 0.043, CASE WHEN u(i, 'swap') < 0.001 THEN 128 WHEN u(i, 'd0') < 0.001 THEN 879
                                  ELSE round(78 + 18 * bell(i, 'd')) END) AS dbp,
        CASE WHEN u(i, 'p') < 0.05 THEN NULL WHEN u(i, 'p') < 0.076 THEN '13'
             WHEN u(i, 'p') < 0.12 THEN pick(i, 'pt', ['unable', 'UA', 'uta', 'Critical', 'o', 'ett', '7-8', '8/10'])
             ELSE CAST(CAST(floor(u(i, 'pain') * 11) AS INT) AS VARCHAR) END AS pain,
        acuity,
        concat_ws(', ', pick(i, 'c1', ['Abd pain', 'Chest pain', 'Dyspnea', 's/p Fall', 'N/V', 'SOB', 'Weakness',
            'ETOH', 'Headache', 'SI', 'Cough', 'L Leg pain', 'BRBPR', 'Altered mental status', 'Wound eval', 'MVC',
            'Syncope', 'FEVER', 'Back pain', 'Dizziness', 'Seizure', '"Found down"', 'Palpitations', 'Rash',
            'Sore throat']),
            CASE WHEN u(i, 'c2') < 0.35 THEN pick(i, 'c3', ['Transfer', 'Fever', 'Vomiting', '___', 'Neck pain']) END)
            AS chiefcomplaint
    FROM stays ORDER BY hash(i, 1)) TO '{folder}/ed/triage.csv.gz' (HEADER);
COPY (SELECT s.subject_id, s.stay_id, s.intime + INTERVAL 1 HOUR AS charttime, 98.1 AS temperature, 80 AS heartrate,
        18 AS resprate, 98 AS o2sat, 128 AS sbp, 74 AS dbp, 'Normal Sinus Rhythm' AS rhythm, '4' AS pain
    FROM range({vitalsign}) r(n) JOIN stays s ON s.i = n % {stays})
    TO '{folder}/ed/vitalsign.csv.gz' (HEADER);
COPY (SELECT s.subject_id, s.stay_id, 1 + n // {stays} AS seq_num, 'R' || (1000 + n % 8999) AS icd_code,
        10 AS icd_version, 'UNSPECIFIED ABDOMINAL PAIN' AS icd_title
    FROM range({diagnosis}) r(n) JOIN stays s ON s.i = n % {stays})
    TO '{folder}/ed/diagnosis.csv.gz' (HEADER);
COPY (SELECT s.subject_id, s.stay_id, s.intime AS charttime, 'atorvastatin' AS name, 10000 + n % 70000 AS gsn,
        50000000000 + n % 999999 AS ndc, 1 AS etc_rn, n % 6000 AS etccode,
        'Antihyperlipidemic - HMG CoA Reductase Inhibitors (statins)' AS etcdescription
    FROM range({medrecon}) r(n) JOIN stays s ON s.i = n % {stays})
    TO '{folder}/ed/medrecon.csv.gz' (HEADER);
COPY (SELECT s.subject_id, s.stay_id, s.intime AS charttime, 1 + n % 9 AS med_rn, 'Ondansetron' AS name, 1 AS gsn_rn,
        10000 + n % 70000 AS gsn
    FROM range({pyxis}) r(n) JOIN stays s ON s.i = n % {stays})
    TO '{folder}/ed/pyxis.csv.gz' (HEADER);
COPY (SELECT subject_id, any_value(gender) AS gender, CASE WHEN u(subject_id, 'old') < 0.05 THEN 91
        ELSE 18 + CAST(floor(u(subject_id, 'age') * 72) AS INT) END AS anchor_age,
        year(min(intime)) AS anchor_year, '2011 - 2013' AS anchor_year_group, NULL AS dod
    FROM (SELECT *, pick(i, 'sex', ['F', 'M']) AS gender FROM stays) GROUP BY subject_id ORDER BY subject_id)
    TO '{folder}/hosp/patients.csv.gz' (HEADER);
"""


def make_clone(folder: Path, stays: int) -> None:
    """Write the six tables and hosp/patients with `stays` visits; the same bytes each time."""
    import duckdb

    for name in ("ed", "hosp"):
        (folder / name).mkdir(parents=True)
    others = {name: rows * stays // STAYS for name, rows in OTHERS.items()}
    with duckdb.connect() as database:
        for statement in CLONE.split(";\n"):
            database.execute(statement.format(folder=folder, stays=stays, **others))


def build(folder: Path) -> dict[str, Any]:
    """The whole build, as the command line runs it."""
    from esi_triage.data.build import build_mimic

    return {"cases": build_mimic(folder, folder / "cases.parquet", seed=0)["cases"]}


def clean(folder: Path) -> Any:
    """The part that pandas does, too: triage, edstays and patients to cleaned columns, in memory."""
    import duckdb

    from esi_triage.data.mimic_iv_ed.mimic_cases import clean as clean_tables
    from esi_triage.data.mimic_iv_ed.release import READ, find_tables, load

    with duckdb.connect() as database:
        for name, file in find_tables(folder).items():
            if name in READ:
                load(database, name, file)
        clean_tables(database)
        columns = ", ".join(CLEANED)
        return database.sql(f"SELECT {columns} FROM visits WHERE problem IS NULL ORDER BY source_row").to_arrow_table()


def read_alone(folder: Path) -> int:
    """The floor: DuckDB unzips and parses the columns of the three files, and nothing else."""
    import duckdb

    with duckdb.connect() as database:
        for name in ("ed/triage", "ed/edstays", "hosp/patients"):
            file = f"read_csv('{folder / name}.csv.gz', all_varchar=true)"
            database.sql(f"SELECT max(COLUMNS(*)) FROM {file}").fetchall()
    return 0


CLEANED = (
    *("stay_id", "subject_id", "chief_complaint", "age_years", "sex", "arrival", "temperature_c", "heart_rate"),
    *("resp_rate", "spo2", "sbp", "dbp", "pain", "pain_raw", "gold"),
)


def clean_in_pandas(folder: Path) -> Any:
    """The rules of sql/mimic_iv_ed in pandas, column by column (no loop over rows, nothing but the rules)."""
    import pandas as pd

    from esi_triage.esi import VITALS_BY_NAME

    def read(name: str, columns: list[str]) -> Any:
        return pd.read_csv(folder / f"{name}.csv.gz", dtype=str, keep_default_na=False, na_values=[""], usecols=columns)

    def ranged(values: Any, name: str) -> Any:
        sign = VITALS_BY_NAME[name]
        return values.where(values.between(sign.low, sign.high))

    triage = pd.read_csv(folder / "ed" / "triage.csv.gz", dtype=str, keep_default_na=False, na_values=[""])
    stays = read("ed/edstays", ["subject_id", "stay_id", "intime", "gender", "arrival_transport"])
    people = read("hosp/patients", ["subject_id", "anchor_age", "anchor_year"])
    stays = stays.drop_duplicates("stay_id").merge(people.drop_duplicates("subject_id"), on="subject_id", how="left")
    arrivals = {"WALK IN": "walk-in", "AMBULANCE": "ambulance", "HELICOPTER": "helicopter", "OTHER": "other"}
    years = pd.to_datetime(stays["intime"], errors="coerce").dt.year - pd.to_numeric(stays["anchor_year"], "coerce")
    age = years + pd.to_numeric(stays["anchor_age"], "coerce")
    stays = pd.DataFrame(
        {
            "stay_id": stays["stay_id"].str.strip(),
            "sex": stays["gender"].str.strip().str.upper().where(lambda sex: sex.isin(["F", "M"])),
            "arrival": stays["arrival_transport"].str.strip().str.upper().map(arrivals),
            "age_years": age.where(age.between(0, 125)),
        }
    )
    number: dict[str, Any] = {
        name: pd.to_numeric(triage[name], errors="coerce")
        for name in ("temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp", "acuity")
    }
    celsius = ((number["temperature"] - 32) / 1.8).round(1)
    typed_celsius = ranged(number["temperature"], "temperature_c")
    sbp, dbp = ranged(number["sbp"], "sbp"), ranged(number["dbp"], "dbp")
    swapped = dbp >= sbp
    pain_raw = triage["pain"].str.strip()
    word = pain_raw.str.lower().str.replace(r"[\s.]+$", "", regex=True)
    of_ten = word.str.extract(r"^(\d+(?:\.\d+)?)\s*/\s*10$")[0]
    plain = ranged(pd.to_numeric(word.where(of_ten.isna(), of_ten), errors="coerce"), "pain")
    span = word.str.extract(r"^(\d{1,3})\s*-\s*(\d{1,3})$").apply(pd.to_numeric, errors="coerce")
    low, high = ranged(span[0], "pain"), ranged(span[1], "pain")
    cleaned: Any = pd.DataFrame(
        {
            "stay_id": triage["stay_id"].str.strip(),
            "subject_id": triage["subject_id"].str.strip(),
            "chief_complaint": triage["chiefcomplaint"].str.replace(r"\s+", " ", regex=True).str.strip(),
            "temperature_c": typed_celsius.fillna(ranged(celsius, "temperature_c")),
            "heart_rate": ranged(number["heartrate"], "heart_rate"),
            "resp_rate": ranged(number["resprate"], "resp_rate"),
            "spo2": ranged(number["o2sat"], "spo2"),
            "sbp": sbp.mask(swapped),
            "dbp": dbp.mask(swapped),
            "pain": plain.fillna((low + high) / 2).mask(word == "o", 0.0),
            "pain_raw": pain_raw,
            "gold": number["acuity"],
            "acuity_is_wrong": triage["acuity"].notna() & ~number["acuity"].isin([1, 2, 3, 4, 5]),
            "too_long": (triage["chiefcomplaint"].str.len() > 255) | (pain_raw.str.len() > 255),
        }
    )
    cleaned = cleaned[~cleaned["acuity_is_wrong"] & ~cleaned["too_long"]].drop_duplicates("stay_id")
    cleaned = cleaned.merge(stays, on="stay_id", how="left")
    return cleaned[list(CLEANED)]


def differences(folder: Path) -> int:
    """Cells that differ between the two ways of cleaning."""
    ours, theirs = clean(folder).to_pandas(), clean_in_pandas(folder).reset_index(drop=True)
    if len(ours) != len(theirs):
        return abs(len(ours) - len(theirs)) * len(CLEANED)
    different = 0
    for name in CLEANED:
        a, b = ours[name].reset_index(drop=True), theirs[name]
        different += int(((a != b) & ~(a.isna() & b.isna())).sum())
    return different


WORK: dict[str, Callable[[Path], Any]] = {
    **{"build": build, "clean": clean, "pandas": clean_in_pandas, "differences": differences, "read": read_alone},
}


def measured(what: str, folder: Path, runs: int = 1) -> dict[str, float]:
    """The best of `runs` processes: wall clock and CPU seconds without imports, and peak memory in GB with them."""
    found = []
    for _ in range(runs):
        command = [sys.executable, __file__, "--work", what, "--folder", str(folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        found.append(json.loads(done.stdout))
    return {name: min(run[name] for run in found) for name in found[0]}


def work(what: str, folder: Path) -> None:
    """One measurement, in this process."""
    import duckdb
    import pandas
    import pyarrow.parquet

    import esi_triage.data.build  # noqa: F401  (imports are not measured)

    del duckdb, pandas, pyarrow
    wall, cpu = time.perf_counter(), time.process_time()
    result = WORK[what](folder)
    found = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps(found | {"result": result if isinstance(result, int) else len(result)}))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stays", type=int, default=STAYS)
    parser.add_argument("--runs", type=int, default=2, help="the best of so many is taken")
    parser.add_argument("--work", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options.work, options.folder)
    with tempfile.TemporaryDirectory() as place:
        for stays in (options.stays // 8, options.stays // 2, options.stays):
            folder = Path(place) / str(stays)
            make_clone(folder, stays)
            of = measured("build", folder, options.runs)
            print(
                f"build {stays:>9,} stays  {of['wall']:6.1f} s, CPU {of['cpu']:5.1f} s "
                f"({of['cpu'] / stays * 1e6:.0f} µs a stay), {of['memory']:.2f} GB",
                flush=True,
            )
        floor, sql, pandas = (measured(what, folder, options.runs) for what in ("read", "clean", "pandas"))
        print(f"read alone, SQL         {floor['wall']:6.2f} s, CPU {floor['cpu']:5.2f} s")
        print(f"read and clean, SQL     {sql['wall']:6.2f} s, CPU {sql['cpu']:5.2f} s")
        print(f"read and clean, pandas  {pandas['wall']:6.2f} s, CPU {pandas['cpu']:5.2f} s")
        print(
            f"pandas takes {pandas['wall'] / sql['wall']:.1f} times as long ({pandas['cpu'] / sql['cpu']:.1f} in CPU)"
        )
        print(f"cells that differ between the two: {measured('differences', folder)['result']:.0f}")
    return None


if __name__ == "__main__":
    main()
