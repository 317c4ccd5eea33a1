"""What the ESI engine reads in each narrative, once, for everybody who asks: slices, steps and the rules baseline."""

from collections.abc import Sequence

from ..predict.model import Reading
from ..predict.rules_model import reading_of
from ..progress import bar


def read_all(narratives: Sequence[str]) -> list[Reading]:
    """A reading of each narrative, in order."""
    readings = []
    with bar("the engine reads", len(narratives), "case") as shown:
        for narrative in narratives:
            readings.append(reading_of(narrative))
            shown.update()
    return readings
