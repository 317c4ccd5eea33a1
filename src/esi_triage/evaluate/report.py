"""Pages that open offline: one HTML file, styles and figures inside, no row text of patients."""

import base64
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from ..files import write_text
from ..notice import NOTICE
from .figures import confusion_figure
from .metrics import Proportion


def write_report(model: str, measured: dict[str, Any], file: Path, bad: list[dict[str, Any]]) -> None:
    """The page of one evaluation."""
    write_page(
        "evaluation.html",
        file,
        model=model,
        m=measured,
        bad=bad,
        confusion=confusion_figure(measured["confusion"], model),
    )


def write_page(template: str, file: Path, **values: Any) -> None:
    """Render a template of this room into one self-contained HTML file."""
    write_text(file, _environment().get_template(template).render(notice=NOTICE, **values))


def percent(value: float | None) -> str:
    """`77.8 %`, or a dash where there is nothing to divide by."""
    return "–" if value is None else f"{100 * value:.1f} %"


def interval(p: Proportion) -> str:
    """`77.8 % (62 to 88)`: a proportion with its 95 % interval in per cent."""
    if p["value"] is None or p["low"] is None or p["high"] is None:
        return "–"
    return f"{percent(p['value'])} ({100 * p['low']:.0f} to {100 * p['high']:.0f})"


@cache
def _environment() -> Environment:
    folder = resources.files("esi_triage.evaluate") / "templates"
    loader = FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8"))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    environment.filters["interval"] = interval
    environment.filters["image"] = lambda data: "data:image/png;base64," + base64.b64encode(data).decode()
    return environment
