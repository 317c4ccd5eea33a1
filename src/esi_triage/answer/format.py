"""The answer format of the model card: written for training, taken apart for showing and checking."""

from dataclasses import dataclass

# label in the text -> name in code, in the order of the format
LABELS: dict[str, str] = {
    "Chief complaint": "chief_complaint",
    "Vital signs": "vital_signs",
    "Red flags": "red_flags",
    "Step A (lifesaving)": "step_a",
    "Step B (high-risk)": "step_b",
    "Step C (resources)": "step_c",
    "Step D (vitals)": "step_d",
}


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The seven lines of an answer, each one line of text."""

    chief_complaint: str
    vital_signs: str
    red_flags: str
    step_a: str
    step_b: str
    step_c: str
    step_d: str


def write(reasoning: Reasoning, level: int) -> str:
    """A reference answer in the format: it parses strictly and to `level`.

    Raises ValueError for a level outside 1 to 5 and for a line that is empty, has a line break or an ANSWER of its own.
    """
    if level not in range(1, 6):
        raise ValueError(f"level must be 1 to 5, not {level!r}")
    for name in LABELS.values():
        line = getattr(reasoning, name)
        if not line.strip() or "\n" in line or "ANSWER:" in line:
            raise ValueError(f"{name} must be one line of text without an ANSWER, not {line!r}")
    lines = [f"- {label}: {getattr(reasoning, name).strip()}" for label, name in LABELS.items()]
    extraction, algorithm = "\n".join(lines[:3]), "\n".join(lines[3:])
    return f"EXTRACTION:\n{extraction}\n\nESI ALGORITHM:\n{algorithm}\n\nANSWER: ESI {level}"


def lines_of(text: str) -> dict[str, str]:
    """The labelled lines that an answer has, by name (`chief_complaint` ... `step_d`); what is absent is left out."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        label, colon, value = line.strip().removeprefix("- ").partition(":")
        name = LABELS.get(label.strip())
        if colon and name and name not in found and value.strip():
            found[name] = value.strip()
    return found
