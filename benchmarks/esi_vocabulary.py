"""How large the vocabulary of the rules is, and which of its phrases earn their place.

    python benchmarks/esi_vocabulary.py FILE [FILE ...] [--unused]

A file is a case table (parquet) or JSON lines with `narrative`: notes of the train split, never of the test split. A
phrase of three words or more that fires on none of them is no standard term until somebody says so: `--unused` lists
them. Phrases that differ only by articles, plurals or spelling count once, and so does `{5..42} weeks`.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from esi_triage.esi.read.tokens import gist, tokens_of
from esi_triage.esi.read.typos import mended
from esi_triage.esi.read.vocabulary import gist_of, places_in, tree_of, vocabulary

Phrase = tuple[str, tuple[str, ...]]
"""The name of an entry or word group, and the words of a phrase."""


def phrases() -> dict[Phrase, str]:
    """Every phrase of the vocabulary with one way to write it."""
    return {(name, gist_of(said)): said for name, all_said in vocabulary().items() for said in all_said}


def narratives(path: Path) -> Iterator[str]:
    """The narratives of a file."""
    if path.suffix == ".parquet":
        from esi_triage.data.case_table import read_cases

        yield from (case.narrative for case in read_cases(path)[0])
    else:
        yield from (json.loads(line)["narrative"] for line in path.read_text(encoding="utf-8").splitlines())


def fired(known: Iterable[Phrase], texts: Iterable[str]) -> Counter[Phrase]:
    """In how many texts each phrase is met."""
    by_key = {f"{name}|{' '.join(words)}": (name, words) for name, words in known}
    tree = tree_of({key: [" ".join(words)] for key, (_, words) in by_key.items()}, str.split)
    found: Counter[Phrase] = Counter()
    for text in texts:
        words = [word for _, word in gist([mended(token.text) for token in tokens_of(text)])]
        found.update(by_key[key] for key in {name for _, _, name in places_in(words, tree)})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--unused", action="store_true", help="list phrases of three words or more that never fire")
    chosen = parser.parse_args()
    known = phrases()
    met = fired(known, (text for path in chosen.files for text in narratives(path)))
    print(f"{len(known)} phrases, {len({words for _, words in known})} different ones")
    for length in range(1, max(len(words) for _, words in known) + 1):
        among = [phrase for phrase in known if len(phrase[1]) == length]
        print(f"  {length} words: {len(among):6}, of them met {sum(phrase in met for phrase in among):6}")
    if chosen.unused:
        for phrase, said in sorted(known.items()):
            if len(phrase[1]) >= 3 and phrase not in met:
                print(f"{phrase[0]}: {said}")


if __name__ == "__main__":
    main()
