"""Narratives that say nearly the same: found by MinHash LSH, then measured exactly.

1. A narrative is the set of its word 5-grams, case and punctuation aside; numbers count as words.
2. The smaller side (test) goes into an LSH index; the larger (train) is streamed past it.
3. Each candidate's Jaccard similarity is computed from the two sets; only what reaches the threshold is yielded.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import tee
from typing import NamedTuple, cast

from ...errors import InputError

THRESHOLD = 0.8
_N = 5
_PERMUTATIONS = 128
_MISSED = 1e-3  # share of the pairs exactly at the threshold that the index may miss; of closer pairs it misses less
_WORD = re.compile(r"\w+")


class Match(NamedTuple):
    """Two narratives, by id, and the Jaccard similarity of their 5-grams (0 to 1)."""

    train: str
    test: str
    similarity: float


def near_duplicates(
    train: Iterable[tuple[str, str]], test: Iterable[tuple[str, str]], threshold: float = THRESHOLD
) -> Iterator[Match]:
    """Pairs at least as similar as `threshold`, in the order of `train`. Each side gives (id, narrative).

    `test` is held in memory, `train` is streamed. Raises InputError for a threshold outside 0.1 to 1.
    """
    from datasketch import MinHash, MinHashLSH

    rows = _rows_of_a_band(threshold)
    index = MinHashLSH(num_perm=_PERMUTATIONS, params=(_PERMUTATIONS // rows, rows))
    grams = [(key, found) for key, text in test if (found := shingles(text))]
    hashes = MinHash.generator((found for _, found in grams), num_perm=_PERMUTATIONS)
    for place, minhash in enumerate(hashes):
        index.insert(place, minhash)
    # two readers of one stream, in step: the sets themselves, and their hashes, whose permutations are drawn once
    kept, hashed = tee((key, found) for key, text in train if (found := shingles(text)))
    hashes = MinHash.generator((found for _, found in hashed), num_perm=_PERMUTATIONS)
    for minhash, (key, found) in zip(hashes, kept, strict=True):
        for place in sorted(cast("list[int]", index.query(minhash))):
            test_key, test_found = grams[place]
            similarity = jaccard(found, test_found)
            if similarity >= threshold:
                yield Match(key, test_key, similarity)


def shingles(text: str) -> set[bytes]:
    """The word 5-grams of a text; of a shorter one all its words together; of none the empty set."""
    words = _WORD.findall(text.casefold())
    if not words:
        return set()
    return {" ".join(words[i : i + _N]).encode(errors="replace") for i in range(max(1, len(words) - _N + 1))}


def jaccard(a: set[bytes], b: set[bytes]) -> float:
    """Size of the intersection over size of the union; 0 where both are empty."""
    union = len(a | b)
    return len(a & b) / union if union else 0.0


def _rows_of_a_band(threshold: float) -> int:
    """The most rows a band of the index may have: more rows, fewer candidates, more pairs missed."""
    if not 0.1 <= threshold <= 1:
        raise InputError(f"threshold {threshold:g}: a similarity is between 0.1 and 1.")
    fits = (r for r in range(1, 33) if (1 - threshold**r) ** (_PERMUTATIONS // r) <= _MISSED)
    return max(fits, default=1)
