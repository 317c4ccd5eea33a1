"""A time that a person typed, as the log writes times, so that texts compare as times do."""

from datetime import UTC, datetime


def as_logged(typed: str) -> str:
    """A date or time in ISO 8601, UTC where it names no zone, in the log's form. ValueError for what is none."""
    try:
        found = datetime.fromisoformat(typed)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError:
        raise ValueError(f"{typed}: beyond the years 1 to 9999") from None
