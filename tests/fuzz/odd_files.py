"""Seeded makers of odd files: each takes a generator, the file's usual content and where it goes."""

import gzip
import json
import os
import string
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import broken
import pyarrow as pa
import pyarrow.parquet as pq

LINES = (
    b'{"case_id": "x", "narrative": "chest pain", "gold": 1e400}',
    b'{"case_id": "x", "narrative": "chest pain", "heart_rate": "88"}',
    b'{"case_id": "x", "narrative": "chest pain",}',
    b'{"case_id": "x", "narrative": "chest pain", "gold": 2, "gold": 3}',
    b'{"case_id": "x", "narrative": "\\ud800 pain"}',
    b'{"case_id": "x", "narrative": "a\\u0000b"}',
    b'{"case_id": 1.0, "narrative": "chest pain", "age_years": ' + b"9" * 5000 + b"}",
    b'{"case_id": "x", "narrative": ' + b"[" * 70 + b"]" * 70 + b"}",
    b'{"case_id": true, "narrative": "chest pain"}',
    b'{"case_id": "x", "narrative": "chest pain", "gold": "2"}',
    b'{"case_id": "x", "narrative": "chest pain", "gold": 2.0}',
    b'{"case_id": "x", "narrative": "chest pain", "gold": 2.5}',
    b'{"case_id": "x", "narrative": "chest pain", "gold": true}',
    b'{"case_id": "x", "narrative": "chest pain", "weight": -1}',
    b'{"case_id": "x", "narrative": "chest pain", "probabilities": [NaN, 0, 0, 0, 1]}',
    b'{"case_id": "x", "narrative": "chest pain", "split": "Train", "licence": "OPEN"}',
    b"null",
    b"[]",
    b"\xef\xbb\xbf{}",
    b"'single'",
    b"// comment",
    b"{} {}",
    b"\0",
    b"-",
    b"Infinity",
)
TOML_VALUES = (
    *("nan", "-inf", "1e308", "-0.0", "0x7fffffffffffffff", "9223372036854775808", "1_000", "true", "1979-05-27"),
    *('""', '" "', '"\\u0000"', '"\\uD7FF"', '"../../x"', '"/dev/zero"', '"~"', "'''\n'''", "[]", "[[]]", "{}", "[{}]"),
    *("[1, 'a', [2]]", '{a.b.c = 1, "" = 2}', "07:32:00", "1979-05-27T07:32:00Z", '"é"', '"' + "x" * 70_000 + '"'),
    *("-1", "0", "1e-320", "0.1", '"1"', "5", "1000000007", "[nan, inf]", "[-1, -1, -1, -1, -1]", "[0, 0, 0, 0, 0]"),
)


def lines(rng: Random, data: bytes) -> bytes:
    """JSON lines with odd ones between, of odd line ends, doubled, or of another encoding."""
    rows = data.splitlines()[: rng.choice([0, 1, 5, 40])]
    for _ in range(rng.randrange(1, 4)):
        rows.insert(rng.randrange(len(rows) + 1), rng.choice(LINES))
    if rows and rng.randrange(3) == 0:
        rows.append(_changed_object(rng, rows[0]))
    found = rng.choice([b"\n", b"\r\n", b"\n\n"]).join(rows) + rng.choice([b"", b"\n", b"\r", b"\n \n"])
    return rng.choice([found, found, found, b"\xef\xbb\xbf" + found, found.decode("latin-1").encode("utf-16")])


def _changed_object(rng: Random, line: bytes) -> bytes:
    try:
        row = json.loads(line)
    except ValueError:
        return line
    if not isinstance(row, dict) or not row:
        return line
    row[rng.choice([*row])] = broken.value(rng)
    return json.dumps(row).encode()


def json_file(rng: Random, data: bytes) -> bytes:
    """A JSON file with one value changed at any depth, a key doubled or left out, or damaged."""
    try:
        value = json.loads(data)
    except ValueError:
        return broken.damaged(rng, data)
    place = value
    while isinstance(place, (dict, list)) and place:
        key: Any = rng.choice([*place]) if isinstance(place, dict) else rng.randrange(len(place))
        if rng.randrange(3) == 0 or not isinstance(place[key], (dict, list)):
            place[key] = broken.value(rng)
            break
        place = place[key]
    found = json.dumps(value).encode()
    return rng.choice([found, found, found[:-1] + b', "a": 1, "a": 2}', b"[" + found + b"]", found + b"x", b""])


def toml(rng: Random, data: bytes) -> bytes:
    """A TOML file with values changed, lines doubled, left out or put into another table, or other bytes."""
    rows = data.decode().splitlines()
    for _ in range(rng.randrange(1, 4)):
        place, kind = rng.randrange(len(rows)), rng.randrange(8)
        name, equals, _ = rows[place].partition("=")
        if kind < 5 and equals:
            rows[place] = f"{name}= {rng.choice(TOML_VALUES)}"
        elif kind == 5:
            rows.insert(rng.randrange(len(rows)), rows[place])
        elif kind == 6:
            del rows[place]
            rows = rows or [""]
        else:
            rows.insert(place, rng.choice([f"odd = {rng.choice(TOML_VALUES)}", "[odd]", "[[odd]]", "[a.b]", '"" = 1']))
    found = "\n".join(rows).encode("utf-8", "surrogatepass")
    return rng.choice(
        [found] * 6 + [b"\xef\xbb\xbf" + found, found.replace(b"\n", b"\r\n"), found.decode().encode("utf-16")]
    )


def table_text(rng: Random, data: bytes) -> bytes:
    """A CSV with a mark, another encoding, mixed line ends, doubled or endless headers, ragged rows, open quotes."""
    rows = data.splitlines()
    head, body = rows[0], rows[1:]
    kind = rng.randrange(13)
    if kind == 0:
        head += b"," + head
    elif kind == 1:
        head += b"," + b",".join(b"c%d" % i for i in range(20_000))
    elif kind == 2:
        head += b"," + b"h" * 100_000
    elif kind == 3:
        body.insert(0, b'1,"open')
    elif kind == 4:
        body += [b"1", b"1,2,3,4,5,6,7,8,9,10,11", b",,,,", b'"', b'""""', b'a"b"c']
    elif kind == 5:
        body.append(body[0].replace(b",", b"\0,", 1))
    elif kind == 6:
        head = head.upper() + b"," + head.lower()
    elif kind == 7:
        head, body = b"", []
    elif kind == 8:
        head = head.replace(b",", rng.choice([b";", b"\t", b"|", b" ", b", "]))
    elif kind == 9:
        body = body * 300
    ends = [b"\n", b"\r\n", b"\r"]
    found = head + b"\n" + b"".join(row + (rng.choice(ends) if kind == 10 else b"\n") for row in body)
    if kind == 11:
        return found.decode().encode(rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig"]))
    return found.replace(b"pain", b"p\xe9in") if kind == 12 else found


def columns(rng: Random, n: int) -> pa.Array:
    """A parquet column of an odd type, `n` rows."""
    texts = [rng.choice(["", "x", "2", "é", "\0", None]) for _ in range(n)]
    numbers = [rng.choice([None, 0, 1, 2, 5, 6]) for _ in range(n)]
    kinds = [
        lambda: pa.array([None if v is None else Decimal(v) for v in numbers], pa.decimal128(38, 10)),
        lambda: pa.array([None if v is None else Decimal(v) for v in numbers], pa.decimal256(60, 2)),
        lambda: pa.array(texts, pa.large_string()),
        lambda: pa.array(texts).dictionary_encode(),
        lambda: pa.array([[v] for v in texts], pa.list_(pa.string())),
        lambda: pa.array([[v, v] for v in numbers], pa.list_(pa.int8(), 2)),
        lambda: pa.array([{"a": v, "b": [v]} for v in numbers]),
        lambda: pa.array([[("k", v)] for v in numbers], pa.map_(pa.string(), pa.int64())),
        lambda: pa.array(numbers, pa.timestamp("ns", "America/St_Johns")),
        lambda: pa.array(numbers, pa.timestamp("s", "+14:00")),
        lambda: pa.array([2**61] * n, pa.timestamp("s")),
        lambda: pa.array(numbers, pa.duration("us")),
        lambda: pa.array(numbers, pa.time32("s")),
        lambda: pa.array(numbers, pa.date32()),
        lambda: pa.array([2**64 - 1] * n, pa.uint64()),
        lambda: pa.array([-128] * n, pa.int8()),
        lambda: pa.array([v and v > 1 for v in numbers], pa.bool_()),
        lambda: pa.array([rng.choice([0.5, 2.0, float("nan"), float("inf"), None]) for _ in range(n)], pa.float32()),
        lambda: pa.array([b"\xff" * (v or 0) for v in numbers], pa.binary()),
        lambda: pa.array([b"ab"] * n, pa.binary(2)),
        lambda: pa.nulls(n),
        lambda: pa.array(["x" * 30_000] * n),
        lambda: pa.array(numbers, pa.float16() if hasattr(pa, "float16") else pa.float32()),
    ]  # fmt: skip
    return rng.choice(kinds)()


def parquet(rng: Random, file: Path) -> None:
    """Change a parquet file in place: a column of an odd type, none, or two of one name; no rows; damaged."""
    table = pq.read_table(file)
    names = table.column_names
    kind = rng.randrange(12)
    if kind < 8:
        name = rng.choice([*names[:8], *names, "odd", "é", "", "a.b", "source_row"])
        try:
            made = columns(rng, len(table))
        except (pa.ArrowException, TypeError, ValueError):
            return
        table = table.set_column(names.index(name), name, made) if name in names else table.append_column(name, made)
    elif kind == 8:
        table = table.append_column(rng.choice(names), table.column(0))
    elif kind == 9:
        table = table.slice(0, 0)
    elif kind == 10:
        table = table.drop_columns([rng.choice(names)])
    try:
        pq.write_table(
            table, file, row_group_size=rng.choice([1, 7, 1000]), compression=rng.choice(["none", "zstd", "gzip"])
        )
    except (pa.ArrowException, NotImplementedError):
        return
    if kind == 11:
        file.write_bytes(broken.damaged(rng, file.read_bytes()))


def gzipped(rng: Random, data: bytes) -> bytes:
    """A gzip that is damaged, cut off, joined from two, empty, packed twice, or no gzip at all."""
    packed = gzip.compress(data, mtime=0)
    return rng.choice(
        [
            packed,
            packed[: rng.randrange(len(packed))],
            packed + gzip.compress(b"", mtime=0),
            packed + packed,
            packed + b"trailing",
            gzip.compress(packed, mtime=0),
            data,
            b"",
            broken.damaged(rng, packed),
        ]
    )


def odd_place(rng: Random, place: Path) -> None:
    """Put something that is no plain file where a file is expected."""
    if place.is_dir() and not place.is_symlink():
        return
    place.unlink(missing_ok=True)
    kind = rng.randrange(8)
    if kind == 0:
        place.mkdir()
    elif kind == 1:
        os.mkfifo(place)
    elif kind == 2:
        place.symlink_to(place.name)
    elif kind == 3:
        place.symlink_to("nowhere")
    elif kind in (4, 5):
        place.symlink_to(
            rng.choice(["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/proc/self/mem", "/proc/1/environ"])
        )
    elif kind == 6:
        place.write_bytes(b"")
    else:
        place.write_bytes(
            rng.choice([b"\0" * 5000, b"\n" * 5000, b" ", os.urandom(3000), b"PK\x03\x04", b"SQLite format 3\0"])
        )


NUMBERS = (
    *("nan", "inf", "-inf", "-1", "0", "-0", "1e308", "1e-320", "1e400", "0.5", "2", "7", "100000000000000000000"),
    *("9" * 400, "1_0", "٣", "0x10", " 1", "1e3", "+5", "", "true", "1,5", "NaN"),
)
TEXTS = (
    *("", " ", "-", "--", "x", "é", "\udcff\udcfe", "a" * 300, "a" * 100_000, "../..", ".", "/", "~", "*", "[x]", "\n"),
    *(
        "\x1b[31m",
        "{}",
        "%s",
        "a,b",
        "1,2,3,4,5",
        "0.2,0.2,0.2,0.2,0.2",
        "nan,nan,nan,nan,nan",
        "0,0,0,0,1",
        "v46",
        "rules",
    ),
    *(
        "constant:9",
        "constant:",
        "constant:٣",
        "guard:",
        "reader:x",
        "baseline:",
        "baseline:/",
        "extract:x",
        "json",
        "html",
    ),
    *(
        "http://",
        "http://[::1",
        "http://127.0.0.1:1/v1",
        "file:///etc/passwd",
        "/dev/null",
        "/dev/full",
        "/proc/self/mem",
    ),
    *(
        "no-such/file.jsonl",
        "no-such/file.parquet",
        "cases.jsonl",
        "cases.parquet",
        "design.toml",
        "runs",
        string.printable,
    ),
)
