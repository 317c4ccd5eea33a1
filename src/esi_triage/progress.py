"""One look for all progress bars: what, how far, and how long it will still take; on standard error."""

import sys

from tqdm import tqdm


def bar(label: str, total: int, unit: str, done: int = 0) -> tqdm:
    """A progress bar with time left. In a log file, where nobody watches, it writes a line now and then."""
    watched = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=label,
        unit=unit,
        dynamic_ncols=True,
        mininterval=0.2 if watched else 20,
        maxinterval=1 if watched else 60,
    )
