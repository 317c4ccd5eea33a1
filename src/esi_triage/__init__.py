"""Emergency Severity Index triage with language models. Research software, not a medical device.

from esi_triage import load_model, triage
triage("54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90, HR 104").level
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .esi import Case, Decision, Level, decide
    from .predict import Model, Reply, load_model
    from .reward import load_design, score

__all__ = ["Case", "Decision", "Level", "decide", "load_design", "load_model", "score", "triage"]

_ROOMS = {
    **dict.fromkeys(("Case", "Decision", "Level", "decide"), "esi"),
    "load_model": "predict",
    **dict.fromkeys(("load_design", "score"), "reward"),
}


def triage(narrative: str, model: "str | Model" = "rules") -> "Reply":
    """One narrative's ESI level with the answer it was read from. `model` as in `load_model`, or a loaded model."""
    from .predict import ask, load_model, text_case

    loaded = load_model(model) if isinstance(model, str) else model
    return ask(loaded, [text_case(narrative)])[0]


def __getattr__(name: str) -> Any:
    """The other public names, loaded at first use, so that `import esi_triage` stays light."""
    if name in _ROOMS:
        return getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    raise AttributeError(f"module 'esi_triage' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
