"""The source attributes of the model that answers (model_facts.toml); what nobody has looked at says so."""

import tomllib
from functools import cache
from importlib import resources

from ..advice import ModelIdentity
from .messages import Attribute

NOT_ASSESSED = "not assessed"


def attributes(model: ModelIdentity) -> list[Attribute]:
    """All 31, in the order of the regulation. What holds for the rules alone is said of no other model."""
    own = "rules" if model.name == "rules" else "value"
    return [
        Attribute(
            group=item["group"], name=item["name"], value=item.get("value") or item.get(own) or NOT_ASSESSED
        )
        for item in _shipped()
    ]  # fmt: skip


@cache
def _shipped() -> list[dict[str, str]]:
    text = (resources.files("esi_triage.serve.rest") / "model_facts.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["attribute"]
