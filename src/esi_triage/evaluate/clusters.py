"""What is resampled together: the cases of a group (the visits of a hospital in a year), else those of a patient.

One or two groups cannot tell how far groups differ: then patients are resampled, and the intervals speak of these
groups alone.
"""

from collections.abc import Sequence

_FEWEST_GROUPS = 3  # Student's t asks for 12.7 standard errors with two groups, and for 4.3 with three


def clusters_of(subjects: Sequence[str | None], groups: Sequence[str | None]) -> list[object]:
    """By case, its group where it has one and there are enough, else its patient; null where neither is known."""
    too_few = _too_few(groups)
    return [_cluster(subject, None if too_few else group) for subject, group in zip(subjects, groups, strict=True)]


def resampled_by(groups: Sequence[str | None]) -> str:
    """What `clusters_of` makes clusters of, in words."""
    if _too_few(groups):
        return "patients; one or two groups (hospitals) are too few to resample, so nothing is said of others"
    grouped = sum(group is not None for group in groups)
    return "patients" if not grouped else "groups" if grouped == len(groups) else "groups, else patients"


def _too_few(groups: Sequence[str | None]) -> bool:
    return 0 < len({*groups} - {None}) < _FEWEST_GROUPS


def _cluster(subject: str | None, group: str | None) -> object:
    if group is not None:
        return ("group", group)
    return None if subject is None else ("patient", subject)
