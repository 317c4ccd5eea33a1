"""A language model behind an endpoint reads the note, the rules decide: findings by JSON schema, then the ESI engine.

The model is asked for the findings of `esi decide --schema` (structured output). A finding whose words are not in the
note is dropped and counted. An answer that cannot be used, or in which no finding is left, leaves the case to the
rules' own reading, and says so. What that reading leaves possible stays possible beside the model's.
"""

import hashlib
import json
import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from ..chat_endpoint import Completion, Endpoint, EndpointError, complete_all
from ..data.credentialed import is_loopback, refuse_remote
from ..esi import VITAL_SIGNS, Case, Findings, decide, fahrenheit_to_celsius, findings_from, findings_schema
from ..reading import strict_json
from .model import Model, Reply, no_reply
from .rules_model import decided_reply, rules_reply

_ASKED = """You read emergency department triage notes. Give what the note says as JSON of the schema, and nothing else.
- findings: one entry for each finding that the note mentions; name is one of the schema's names.
- text: the words of the note, copied letter by letter, that say so. A finding without such words is dropped.
- status: absent for what is denied, past for what is over, planned for what is to be done, family for relatives.
- vital signs only as the note gives them, temperature in degrees Celsius. Leave out what is not recorded."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def extract_model(endpoint: Endpoint, agreement: str | None = None) -> Model:
    """The model at `endpoint` as the reader and the rules as the judge.

    A failed request is a reply with its `error`. Raises InputError, before anything is sent, where a case is
    credentialed, the endpoint is not on this machine and no `agreement` is named.
    """
    schema = findings_schema()
    structured = {"type": "json_schema", "json_schema": {"name": "findings", "schema": schema}}
    asked = replace(endpoint, parameters={"response_format": structured, **endpoint.parameters})
    told = {"endpoint": endpoint.url, "model": endpoint.model, "decoding": dict(endpoint.parameters)}

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        refuse_remote([case.licence for case in cases], endpoint.url, agreement)
        chats = [[{"role": "system", "content": _ASKED}, {"role": "user", "content": case.narrative}] for case in cases]
        for place, found in complete_all(asked, chats, not is_loopback(endpoint.url)):
            yield [(place, _reply(cases[place], found))]

    stands_for = json.dumps([told, _ASKED, schema, f"esi-triage {version('esi-triage')}"], sort_keys=True)
    return Model(
        name=f"extract:{endpoint.model}",
        stream=stream,
        identity=hashlib.sha256(stands_for.encode()).hexdigest(),
        settings={**told, "agreement": agreement},
    )


def _reply(case: Case, found: Completion | EndpointError) -> Reply:
    if isinstance(found, EndpointError):
        return no_reply(str(found))
    rules = rules_reply(case)
    try:
        findings, dropped = findings_in(found.text, case.narrative)
        if not findings.items:
            raise ValueError("no finding that has words of the note")
    except ValueError as error:
        problem = "its answer was cut short" if found.truncated else str(error)
        told = f"the model's findings could not be used ({problem}): the rules read the note themselves"
        return replace(rules, warnings=(*rules.warnings, told), tokens=found.tokens, truncated=found.truncated)
    reply = decided_reply(findings, decide(findings))
    warned = [f"dropped, their words are not in the note: {', '.join(dropped)} ({len(dropped)})"] if dropped else []
    possible = tuple(sorted({*(reply.possible or ()), *(rules.possible or ())}))
    return replace(reply, possible=possible, warnings=(*reply.warnings, *warned), tokens=found.tokens)


def findings_in(answer: str, narrative: str) -> tuple[Findings, list[str]]:
    """The findings of a model's answer that the note bears out, and the names of those that it does not.

    Raises ValueError, in one line, for an answer that is no JSON, names unknown findings or has impossible values.
    """
    try:
        values = strict_json(answer)
    except ValueError:
        raise ValueError("no JSON") from None
    if not isinstance(values, dict):
        raise ValueError("no JSON object")
    kept, dropped = _borne_out(values, narrative)
    try:
        return findings_from(kept), dropped
    except ValueError as error:
        raise ValueError(str(error).splitlines()[0]) from None


def _borne_out(values: dict[str, Any], narrative: str) -> tuple[dict[str, Any], list[str]]:
    """The values without what is not in the note: findings by their words, vital signs by their numbers."""
    note, dropped = _plain(narrative), list[str]()
    kept = dict(values)
    if isinstance(given := values.get("findings"), list):
        kept["findings"] = [each for each in given if not _missing_words(each, note)]
        dropped += [str(each["name"]) for each in given if _missing_words(each, note)]
    if isinstance(vitals := values.get("vitals"), dict):
        both = f"{narrative} {narrative.replace(',', '.')}"  # a comma may stand in a number, or between two
        numbers = {float(number) for number in _NUMBER.findall(both)}
        celsius = numbers | {round(fahrenheit_to_celsius(number), 1) for number in numbers}
        invented = [
            sign.name
            for sign in VITAL_SIGNS
            if isinstance(value := vitals.get(sign.name), int | float)
            and round(value, 1) not in {round(n, 1) for n in (celsius if sign.name == "temperature_c" else numbers)}
        ]
        kept["vitals"] = {name: value for name, value in vitals.items() if name not in invented}
        dropped += invented
    return kept, dropped


def _missing_words(finding: Any, note: str) -> bool:
    """Whether the words that a finding rests on are not in the note. What is no finding is left to the schema."""
    if not isinstance(finding, dict) or "name" not in finding:
        return False
    words = finding.get("text")
    return not isinstance(words, str) or not _plain(words) or _plain(words) not in note


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
