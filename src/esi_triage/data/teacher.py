"""Training targets written by a teacher model behind an OpenAI-compatible endpoint, kept only where they pass.

The teacher is told the level and asked for the reasoning. What it writes must pass every check that our own reference
answers pass; where it does not, the reference answer is taken. Credentialed rows go to this machine's own address only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from ..answer import load_prompt, messages, parse, verify
from ..errors import InputError
from ..esi import Case, Decision, triage
from .credentialed import refuse_remote
from .rationale import reference_answer

LONGEST = 150  # words
_TOLD = "(The level assigned by the triage nurse is ESI {gold}. Write the full format, and reach this level.)"


@dataclass(frozen=True, slots=True)
class Target:
    """A training target and whether the teacher wrote it; `why_not` says what its text failed."""

    text: str
    taught: bool
    why_not: str | None = None


def failing(text: str, case: Case, engine: Decision) -> str | None:
    """What keeps a text from being a training target for this case, or null: format, level, length, consistency."""
    answer = parse(text)
    if not answer.strict:
        return "not the format"
    if answer.level != case.gold:
        return f"level {answer.level}, not {case.gold}"
    if len(text.split()) >= LONGEST:
        return f"{LONGEST} words or more"
    found = verify(case.narrative, answer, engine)
    if found.unsupported:
        return f"numbers that the note lacks: {', '.join(found.unsupported)}"
    if found.follows != "agree":
        return "the level does not follow from the steps"
    wrong = [name for name, verdict in found.steps.items() if verdict == "disagree"]
    return f"the engine disagrees at {', '.join(wrong)}" if wrong else None


def taught_targets(cases: Sequence[Case], endpoint: str, model: str, key: str = "") -> list[Target]:
    """One target a labelled case, in order. `endpoint` is the base URL that `/chat/completions` is added to.

    Raises InputError before anything is sent where a row is credentialed and the endpoint is not on this machine, and
    where the endpoint does not answer as an OpenAI-compatible one does.
    """
    refuse_remote([case.licence for case in cases], endpoint)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=endpoint.rstrip("/"), headers=headers, timeout=120, trust_env=False) as client:
        return [_target(case, model, client) for case in cases]


def _target(case: Case, model: str, client: httpx.Client) -> Target:
    engine = triage(case.narrative)
    text = _asked(case, model, client).strip()
    why_not = failing(text, case, engine)
    return Target(text, True) if why_not is None else Target(reference_answer(case, engine), False, why_not)


def _asked(case: Case, model: str, client: httpx.Client) -> str:
    chat = messages(f"{case.narrative}\n\n{_TOLD.format(gold=case.gold)}", load_prompt())
    try:
        reply = _post(client, {"model": model, "messages": chat, "temperature": 0, "max_tokens": 512})
        return str(reply.json()["choices"][0]["message"]["content"])
    except (httpx.HTTPError, KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"teacher {client.base_url}: case {case.case_id}: no answer ({type(error).__name__}: {error}). "
            "Give the base URL of an OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1."
        ) from None


@retry(
    retry=retry_if_exception_type(httpx.TransportError),
    stop=stop_after_attempt(3),
    wait=wait_exponential(multiplier=0.2),
    reraise=True,
)
def _post(client: httpx.Client, body: dict[str, object]) -> httpx.Response:
    return client.post("/chat/completions", json=body).raise_for_status()
