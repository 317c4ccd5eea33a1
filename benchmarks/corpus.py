"""How fast the open corpus streams, and whether it teaches: a plain classifier that has seen nothing but the corpus.

    python benchmarks/corpus.py HANDBOOK.jsonl [--cases 25000] [--seed 0]

HANDBOOK.jsonl has `narrative`, `gold` and perhaps `alt_gold` (levels that are right too); no word of it is trained on.
The classifier is TF-IDF of words (1 to 2) and of characters within words (2 to 5) with logistic regression. Bars: at
least 2,000 narratives a second; at least 55 % exact and 90 % within one level.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any


def streamed(n: int) -> float:
    """Narratives a second of processor time."""
    from esi_triage.data.open_corpus import open_cases

    list(open_cases(10))  # the files are read once
    started = time.process_time()
    for _ in open_cases(n, seed=1):
        pass
    return n / (time.process_time() - started)


def classifier(n: int, seed: int) -> Any:
    """Fitted on `n` narratives of the full corpus; C was chosen on the corpus' own held-out presentations."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    from esi_triage.data.open_corpus import open_cases

    cases = list(open_cases(n, seed))
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, max_features=60_000)
    model = make_pipeline(make_union(words, letters), LogisticRegression(C=1, max_iter=200))
    return model.fit([case.narrative for case in cases], [case.gold for case in cases])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("handbook", type=Path)
    parser.add_argument("--cases", type=int, default=25_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"streamed: {streamed(5_000):.0f} narratives a second (bar: 2,000)")
    tests = [json.loads(line) for line in args.handbook.read_text(encoding="utf-8").splitlines()]
    golds = [{test["gold"], *test.get("alt_gold", [])} for test in tests]
    started = time.perf_counter()
    shares = classifier(args.cases, args.seed).predict_proba([test["narrative"] for test in tests])  # (n, 5)
    print(
        f"taught by {args.cases} notes in {time.perf_counter() - started:.0f} s, n = {len(tests)} (bars: 55 and 90 %)"
    )
    for name, guesses in (
        ("likeliest level", 1 + shares.argmax(axis=1)),
        ("median level", 1 + (shares.cumsum(axis=1) < 0.5).sum(axis=1)),
    ):
        pairs = list(zip(guesses.tolist(), golds, strict=True))
        exact = sum(guess in gold for guess, gold in pairs) / len(pairs)
        near = sum(min(abs(guess - level) for level in gold) <= 1 for guess, gold in pairs) / len(pairs)
        print(
            f"  {name}: exact {100 * exact:.1f} %, within one {100 * near:.1f} %, answered {Counter(guesses.tolist())}"
        )


if __name__ == "__main__":
    main()
