"""The page of one evaluation; it holds no row text of patients."""

from pathlib import Path
from typing import Any

from ..page import write_page
from .figures import confusion_figure

ROOM = "esi_triage.evaluate"


def write_report(model: str, measured: dict[str, Any], file: Path, bad: list[dict[str, Any]]) -> None:
    """The page of one evaluation."""
    write_page(
        ROOM,
        "evaluation.html",
        file,
        model=model,
        m=measured,
        bad=bad,
        confusion=confusion_figure(measured["confusion"], model),
    )
