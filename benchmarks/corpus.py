"""How fast the open corpus streams, and whether it teaches: a plain classifier that has seen nothing but the corpus.

    python benchmarks/corpus.py HANDBOOK.jsonl [--cases 25000] [--seed 0]
    python benchmarks/corpus.py --choose
    python benchmarks/corpus.py --targets [CASES.parquet]

HANDBOOK.jsonl has `narrative`, `gold` and perhaps `alt_gold` (levels that are right too); no word of it is trained on.
Bars: at least 2,000 narratives a second; at least 55 % exact and 90 % within one level.

The classifier is TF-IDF of words (1 to 2) and of characters within words (3 to 5), every digit read as 0, with logistic
regression of an ordered level: four yes-or-no questions, "less urgent than level k?" for k = 1 to 4. The answer is one
more than the number of questions answered yes: the median of the predicted shares, so the least expected distance. It
was chosen for within one; docs/data-sheet.md says what spoke against it.

`--choose` compares values of C without a handbook case: fitted on the corpus' presentations in train, tried on the
written ones of the other splits. The rule is the smallest C whose mean distance from the gold lies within one standard
error of the best.

`--targets` writes the reference answer of 5,000 notes of the corpus, or of every labelled case of a table, and counts
those that fail a check: format, level, length, numbers, steps, the maximum of the design. Bar: none.
"""

import argparse
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from esi_triage.esi import Case

C = 3


def streamed(n: int) -> float:
    """Narratives a second of processor time."""
    from esi_triage.data.corpus.vignettes import open_cases

    list(open_cases(10))  # the files are read once
    started = time.process_time()
    for _ in open_cases(n, seed=1):
        pass
    return n / (time.process_time() - started)


def plain(narrative: str) -> str:
    """In lower case, and without the values of numbers, which TF-IDF can only learn by heart."""
    return re.sub(r"\d", "0", narrative.lower())


def features() -> Any:
    """TF-IDF of words beside TF-IDF of characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    words = TfidfVectorizer(preprocessor=plain, ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    letters = TfidfVectorizer(
        preprocessor=plain, analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True, max_features=60_000
    )
    return make_union(words, letters)


def answers(taught: Any, golds: list[int], asked: Any, c: float) -> list[int]:
    """Levels for the rows of `asked`; `taught` and `asked` are feature matrices, `golds` the levels of `taught`."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=c, solver="liblinear", tol=0.01, random_state=0)
    yes = [model.fit(taught, [gold > level for gold in golds]).predict(asked).tolist() for level in range(1, 5)]
    return [1 + sum(of_one) for of_one in zip(*yes, strict=True)]


def handbook(file: Path, n: int, seed: int) -> None:
    """Print how near the answers to the handbook's cases are, taught by `n` notes."""
    from esi_triage.data.corpus.vignettes import open_cases
    from esi_triage.evaluate.statistics.intervals import wilson

    tests = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    golds = [{test["gold"], *test.get("alt_gold", [])} for test in tests]
    started, cases, tfidf = time.perf_counter(), list(open_cases(n, seed)), features()
    taught = tfidf.fit_transform([case.narrative for case in cases])
    guesses = answers(
        taught, [case.gold for case in cases if case.gold], tfidf.transform([test["narrative"] for test in tests]), C
    )
    print(f"taught by {n} notes (seed {seed}) in {time.perf_counter() - started:.0f} s, n = {len(tests)}")
    far = [min(abs(guess - level) for level in gold) for guess, gold in zip(guesses, golds, strict=True)]
    for name, most, bar in (("exact", 0, 55), ("within one", 1, 90)):
        right = sum(distance <= most for distance in far)
        low, high = wilson(right / len(far), len(far))
        print(f"  {name}: {100 * right / len(far):.1f} % [{100 * low:.1f}, {100 * high:.1f}] (bar: {bar} %)")
    print(f"  answered {sorted(Counter(guesses).items())}")


def choose(n: int, seed: int) -> None:
    """Print the mean distance from the gold in held-out written presentations, and its standard error, for each C."""
    from esi_triage.data.corpus.presentations import presentations
    from esi_triage.data.corpus.vignettes import open_cases

    cases, tfidf, written = list(open_cases(n, seed)), features(), {p.name for p in presentations()}
    taught = [case for case in cases if case.split == "train"]
    tried = [case for case in cases if case.split != "train" and _presentation(case) in written]
    known = tfidf.fit_transform([case.narrative for case in taught])
    asked = tfidf.transform([case.narrative for case in tried])
    for c in (0.3, 1, 3, 10):
        guesses = answers(known, [case.gold for case in taught if case.gold], asked, c)
        by_presentation = defaultdict(list)
        for guess, case in zip(guesses, tried, strict=True):
            by_presentation[_presentation(case)].append(abs(guess - (case.gold or 0)))
        mean, error = _mean_and_error(by_presentation.values())
        print(f"C = {c}: {mean:.4f} ± {error:.4f} ({len(tried)} notes of {len(by_presentation)} presentations)")


def _presentation(case: Case) -> str:
    return (case.scenario or "").split(":")[0]


def _mean_and_error(clusters: Iterable[list[int]]) -> tuple[float, float]:
    """Mean of all values, and its standard error where values of one cluster go together (ratio estimator)."""
    clusters = list(clusters)
    n = sum(map(len, clusters))
    mean = sum(map(sum, clusters)) / n
    return mean, sum((sum(cluster) - mean * len(cluster)) ** 2 for cluster in clusters) ** 0.5 / n


def targets(file: Path | None, seed: int) -> None:
    """Print how many reference answers fail, and how many rest on the nurse's judgement in a step."""
    from esi_triage.answer import parse
    from esi_triage.data.case_table import read_cases
    from esi_triage.data.corpus.vignettes import open_cases
    from esi_triage.data.targets import judged_steps, reference_answer
    from esi_triage.data.teacher_targets import failing
    from esi_triage.esi import assess
    from esi_triage.reward import load_design, score

    design = load_design("v46")
    cases = [case for case in (read_cases(file)[0] if file else open_cases(5000, seed)) if case.gold]
    failed, judged = [], 0
    for case in cases:
        engine = assess(case.narrative)
        text = reference_answer(case, engine)
        judged += judged_steps(text) > 0
        best = max(design.table[(case.gold or 0) - 1]) + design.format_bonus
        earned = score(parse(text), case.gold or 0, design, tokens=0)
        reason = failing(text, case, engine) or (None if earned.answer + earned.format == best else "not the maximum")
        failed += [f"  {case.case_id}: {reason}"] if reason else []
    print(f"{len(failed)} of {len(cases)} targets fail; {judged} have a step that is the nurse's judgement")
    print("\n".join(failed[:20]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("handbook", type=Path, nargs="?")
    what.add_argument("--choose", action="store_true", help="compare values of C on the corpus' own held-out part")
    what.add_argument("--targets", type=Path, nargs="?", const=False, help="check reference answers", metavar="CASES")
    parser.add_argument("--cases", type=int, default=25_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.choose:
        choose(args.cases, args.seed)
        return
    if args.targets is not None:
        targets(args.targets or None, args.seed)
        return
    print(f"streamed: {streamed(5_000):.0f} narratives a second (bar: 2,000)")
    handbook(args.handbook, args.cases, args.seed)


if __name__ == "__main__":
    main()
