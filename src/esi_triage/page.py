"""Pages that open offline: one HTML file with styles and figures inside, the research notice on top."""

import base64
import io
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from .atomic_files import write_text
from .notice import NOTICE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_page(room: str, template: str, file: Path, **values: Any) -> None:
    """Render a template of a room (`esi_triage.evaluate`, its templates/ folder) into one self-contained HTML file."""
    write_text(file, _environment(room).get_template(template).render(notice=NOTICE, **values))


def png(figure: "Figure") -> bytes:
    """The figure as PNG; it is closed."""
    from matplotlib import pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def percent(value: float | None) -> str:
    """`77.8 %`, or a dash where there is nothing to divide by."""
    return "–" if value is None else f"{100 * value:.1f} %"


def probability_text(probability: float) -> str:
    """`61 %`: a probability in whole per cent; 0 and 100 only where it is exactly that."""
    return "<1 %" if 0 < probability < 0.005 else ">99 %" if 0.995 < probability < 1 else f"{100 * probability:.0f} %"


def interval(p: Any) -> str:
    """`77.8 % (62 to 88)`: a proportion (`value`, `low`, `high`) with its 95 % interval in per cent."""
    if p["value"] is None or p["low"] is None or p["high"] is None:
        return "–"
    return f"{percent(p['value'])} ({100 * p['low']:.0f} to {100 * p['high']:.0f})"


def _image(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


@cache
def _environment(room: str) -> Environment:
    def source(name: str) -> str:
        """`page.html`, which all pages extend, lies beside this module."""
        folder = resources.files("esi_triage") if name == "page.html" else resources.files(room) / "templates"
        return (folder / name).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(percent=percent, interval=interval, image=_image)
    return environment
