"""Seeded makers of bad and odd material: bytes, texts, JSON values, numbers."""

from random import Random
from typing import Any

ODD_TEXT = [
    *(
        "",
        " ",
        "\0",
        "\x7f",
        "\u200b",
        "\ufeff",
        "\u202e",
        "\x1b[31m",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "=1+1",
    ),
    *(
        "\ud800",
        "\udfff",
        "😀",
        "é",
        "ｃｈｅｓｔ",
        "٣",
        "1_0",
        "١٢",
        "NaN",
        "Infinity",
        "-0",
        "1e400",
        "0x10",
        "null",
        "None",
    ),
    *(
        "a" * 300,
        "(" * 3000,
        "ANSWER: ESI 1",
        "</think>",
        "{n}",
        "{0.__class__}",
        "%s",
        "../../etc/passwd",
        "\r\n",
        "\n\n",
    ),
]
ODD_NUMBERS = [
    *(0, -1, 1, 2.5, 5, 6, 900, -20, 0.98, 98.6, 986, 150, 1e308, -1e308, 1e-308, 2**31, 2**63, 10**30, 10**399),
    *(float("nan"), float("inf"), float("-inf"), True, False),
]
WORDS = [
    "chest",
    "pain",
    "sob",
    "cough",
    "fever",
    "denies",
    "no",
    "hx",
    "of",
    "ankle",
    "fall",
    "bp",
    "120/80",
    "hr",
    "88",
    "rr",
    "18",
    "t",
    "98.6",
    "spo2",
    "97%",
    "ra",
    "54",
    "yo",
    "m",
    "f",
    "since",
    "2",
    "days",
    "vomiting",
    "bleeding",
    "laceration",
    "8/10",
    "and",
    "or",
    ",",
    ".",
    ";",
    ":",
    "(",
    ")",
    "-",
    "/",
    "?",
    "mother",
    "says",
    "she",
    "found",
    "him",
    "unresponsive",
]
NOTES = [
    "54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90, HR 104, SpO2 96 %",
    "3 mo F fever 39.5 C since last night, poor feeding, no cough. RR 48, sats 95% RA",
    "ankle pain 8/10 after a twist, swollen, walking. No chest pain. T 98.6",
]


def note(rng: Random) -> str:
    """A narrative: a plain one, words in any order, one sign very often, or odd characters among words."""
    kind = rng.randrange(6)
    if kind == 0:
        return changed_text(rng, rng.choice(NOTES))
    if kind == 1:
        return rng.choice("()-., \n?/:;=1a\tM'\"") * rng.choice([10, 1000, 19_999, 20_001])
    if kind == 2:
        return " ".join(rng.choices(WORDS, k=rng.choice([1, 20, 400, 3000])))
    if kind == 3:
        return (rng.choice(WORDS) + rng.choice(["", " ", ", ", ". "])) * rng.choice([5, 500, 3000])
    if kind == 4:
        return "".join(chr(rng.choice([rng.randrange(1, 128), rng.randrange(1, 0x3000)])) for _ in range(200))
    return " ".join(rng.choice([*WORDS, *ODD_TEXT]) for _ in range(rng.randrange(1, 30)))


def changed_text(rng: Random, text: str) -> str:
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(ODD_TEXT) + text[place + rng.randrange(3) :]
    return text


def value(rng: Random, depth: int = 3) -> Any:
    """Any JSON value."""
    kind = rng.randrange(7 if depth else 4)
    if kind < 2:
        return rng.choice(ODD_TEXT)
    if kind < 4:
        return rng.choice(ODD_NUMBERS)
    if kind == 4:
        return None
    if kind == 5:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(ODD_TEXT): value(rng, depth - 1) for _ in range(rng.randrange(4))}


def damaged(rng: Random, data: bytes) -> bytes:
    """Cut off, bits flipped, bytes put in or taken out, parts doubled; or as it was."""
    found = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 2, 5, 40])):
        place = rng.randrange(len(found) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            del found[place : place + rng.randrange(20)]
        elif kind == 1:
            found[place:place] = rng.choice(
                [b"\xff\xfe", b"\xe9", b"\0", b'"', b"\n", b"\r", b",", b"[" * 5000, b"\xc3"]
            )
        elif kind == 2 and place < len(found):
            found[place] ^= 1 << rng.randrange(8)
        elif kind == 3:
            found[place:place] = found[place : place + rng.randrange(200)]
        elif rng.randrange(10) == 0:
            del found[place:]
    return bytes(found)
