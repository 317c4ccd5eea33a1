"""The note in pieces, so that the page can mark what each decision point rests on."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, pairwise

from ...esi import Step


@dataclass(frozen=True)
class Piece:
    """A stretch of the note and the points (A to D) that quote it; none where nothing does."""

    text: str
    points: tuple[str, ...]


def marked_note(text: str, steps: Iterable[Step]) -> list[Piece]:
    """`text` cut where a quotation begins or ends; the pieces joined are `text`."""
    spans = [(span.start, span.end, step.point) for step in steps for span in step.evidence]
    cuts = sorted({0, len(text), *(place for start, end, _ in spans for place in (start, end))})
    cut = [
        (text[a:b], tuple(sorted({p for start, end, p in spans if start <= a and b <= end}))) for a, b in pairwise(cuts)
    ]
    alike = groupby(_with_gaps(cut), key=lambda piece: piece[1])
    return [Piece("".join(part for part, _ in parts), points) for points, parts in alike]


def _with_gaps(cut: list[tuple[str, tuple[str, ...]]]) -> list[tuple[str, tuple[str, ...]]]:
    """Blanks between two quotations of the same points belong to them, so that they are marked as one."""
    around = [(), *(points for _, points in cut), ()]
    return [
        (part, around[i] if not part.strip() and around[i] == around[i + 2] else points)
        for i, (part, points) in enumerate(cut)
    ]
