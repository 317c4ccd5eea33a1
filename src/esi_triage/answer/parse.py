"""From what a model wrote to an ESI level. The only place where text becomes a level."""

import re
from dataclasses import dataclass

# The model card's evaluation protocol, word for word: this pattern, else the second one. First match wins, case counts.
_ANSWER = re.compile(r"ANSWER:\s*ESI\s*([1-5])")
_FALLBACK = re.compile(r"ESI\s+([1-5])\b")

_STRICT = re.compile(
    r"EXTRACTION:\s*\n"
    r"- Chief complaint: \S[^\n]*\n"
    r"- Vital signs: \S[^\n]*\n"
    r"- Red flags: \S[^\n]*\n"
    r"\s*ESI ALGORITHM:\s*\n"
    r"- Step A \(lifesaving\): \S[^\n]*\n"
    r"- Step B \(high-risk\): \S[^\n]*\n"
    r"- Step C \(resources\): \S[^\n]*\n"
    r"- Step D \(vitals\): \S[^\n]*\n"
    r"\s*ANSWER: ESI [1-5]"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed answer.

    `level` is the model card's lenient reading, 1 to 5, or None where it finds none. `strict` says that the text is the
    full format with exactly one ANSWER and nothing after it. `sections` says that the three headings stand in order,
    which is what the card's format bonus names. `text` is the answer without any thinking. `span` is where the level's
    digit stands in the completion that was parsed: `completion[span[0] : span[1]]` (characters, half open).
    """

    level: int | None
    strict: bool
    sections: bool
    text: str
    span: tuple[int, int] | None = None


def parse(completion: str) -> Answer:
    """Read a completion. Never raises; a text without a level gives `level=None`.

    Thinking is not answering: what stands before the last `</think>` is dropped, whether `<think>` was opened in the
    completion or already in the prompt; thinking that never ends leaves no answer.
    """
    thought, closed, after = completion.rpartition("</think>")
    begins = len(thought) + len(closed) + len(after) - len(after.lstrip())  # where `text` does, in the completion
    text = after.strip()
    opened = text.find("<think>")
    if opened >= 0:
        text = text[:opened].rstrip()
    found = _ANSWER.search(text) or _FALLBACK.search(text)
    if found is None:
        return Answer(None, False, False, text)
    sections = found.re is _ANSWER and _headings_in_order(text)
    strict = sections and _STRICT.fullmatch(text) is not None and len(_ANSWER.findall(text)) == 1
    return Answer(int(found[1]), strict, sections, text, (begins + found.start(1), begins + found.end(1)))


def _headings_in_order(text: str) -> bool:
    # str.find instead of one pattern with `.*?`: that one is cubic on a text made of nothing but headings
    extraction = text.find("EXTRACTION:")
    algorithm = text.find("ALGORITHM:", extraction) if extraction >= 0 else -1
    return algorithm >= 0 and _ANSWER.search(text, algorithm) is not None
