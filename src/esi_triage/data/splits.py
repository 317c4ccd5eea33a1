"""Who trains and who tests: by patient, so that no patient's visits stand on both sides."""

import hashlib

from ..esi import Split

TUNING_SHARE = 0.1
HELD_OUT_SHARE = 0.1


def split_of(subject_id: str, seed: int = 0) -> Split:
    """The split of a patient: a hash of patient and seed, so it does not depend on which other rows there are."""
    digest = hashlib.sha256(f"{seed}:{subject_id}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < HELD_OUT_SHARE:
        return "held_out"
    return "tuning" if place < HELD_OUT_SHARE + TUNING_SHARE else "train"
