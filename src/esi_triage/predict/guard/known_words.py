"""Whether a note is like those that a model was calibrated on: the share of its words that none of them has.

The words are kept as bits at their hash (CRC-32), so that a calibration file holds no text of any patient.
"""

import base64
import re
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BITS = 1 << 17  # 16 KB; at 6,000 words, one unknown word in 20 is taken for a known one
_WORD = re.compile(r"[^\W\d_]{2,}")


def word_bits(narratives: Sequence[str]) -> NDArray[np.bool_]:
    """(_BITS,): where a word of the narratives falls."""
    bits = np.zeros(_BITS, dtype=bool)
    for narrative in narratives:
        bits[_places(narrative)] = True
    return bits


def unknown_share(narrative: str, bits: NDArray[np.bool_]) -> float:
    """The share of the narrative's different words that are not among the known ones; 0 where it has no words."""
    places = sorted(set(_places(narrative)))
    return float((~bits[places]).mean()) if places else 0.0


def unknown_shares_apart(narratives: Sequence[str], groups: Sequence[object]) -> NDArray[np.float64]:
    """(n,): each narrative's share of unknown words, where the words of its own group do not count as known."""
    places = [set(_places(narrative)) for narrative in narratives]
    own: dict[object, set[int]] = {}
    for group, found in zip(groups, places, strict=True):
        own.setdefault(group, set()).update(found)
    seen_by = Counter(place for found in own.values() for place in found)
    alone = [sum(seen_by[p] == 1 for p in found) for found in places]  # words that no other group has
    return np.array([count / max(1, len(found)) for count, found in zip(alone, places, strict=True)])


def packed(bits: NDArray[np.bool_]) -> str:
    """The bits as text, compressed."""
    return base64.b64encode(zlib.compress(np.packbits(bits).tobytes(), 9)).decode("ascii")


def unpacked(text: str) -> NDArray[np.bool_]:
    """The bits of `packed` text. ValueError where it is none."""
    try:
        found = np.unpackbits(np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)).astype(bool)
    except zlib.error as error:
        raise ValueError(f"damaged words ({error})") from None
    if len(found) != _BITS:
        raise ValueError(f"{len(found)} bits of words, expected {_BITS}")
    return found


def _places(narrative: str) -> list[int]:
    return [zlib.crc32(word.encode()) % _BITS for word in _WORD.findall(narrative.lower())]
