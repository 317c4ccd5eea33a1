"""A model behind an OpenAI-compatible endpoint, asked with the same prompt as a model on this machine.

`fast`: it is given the beginning "ANSWER: ESI", and its probabilities of the five digits are the answer. That takes a
server that continues a message and tells log probabilities: vLLM's protocol.
"""

import hashlib
import json
import math
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.pool import ThreadPool

import httpx

from ..answer import Prompt, load_prompt, messages
from ..chat_endpoint import Completion, Endpoint, EndpointError, Pace, complete, find_endpoint, open_client
from ..data.credentialed import is_loopback, refuse_remote
from ..errors import InputError
from ..esi import Case
from .model import Model, Reply, no_reply, reply_of

_BEGINNING = "ANSWER: ESI"
_AT_ONCE = {
    "max_tokens": 3,  # a blank may be a token of its own
    "temperature": 0,  # of what is written; the log probabilities are the model's own
    "logprobs": True,
    "top_logprobs": 20,
    "continue_final_message": True,
    "add_generation_prompt": False,
}
_LEAST_MASS = 0.5  # of the five digits together; with less, the model was about to write something else
_ENOUGH_MASS = 0.9


def endpoint_model(endpoint: Endpoint, agreement: str | None = None, sample: int = 0, fast: bool = False) -> Model:
    """The model at `endpoint`. Each case is one request; one that fails for good is a reply with its `error`.

    `sample` counts how often the same was asked before: a seed among the parameters moves on by it.
    Raises InputError, before anything is sent, where a case is credentialed, the endpoint is not on this machine and no
    `agreement` is named.
    """
    prompt = load_prompt()
    parameters = dict(endpoint.parameters)
    if isinstance(parameters.get("seed"), int):
        parameters["seed"] += sample
    parameters |= _AT_ONCE if fast else {}
    asked = replace(endpoint, parameters=parameters)
    settings = {
        "endpoint": endpoint.url,
        "model": endpoint.model,
        "prompt": prompt.name,
        "prompt_sha256": prompt.sha256,
        "decoding": {**parameters, "begun": _BEGINNING} if fast else parameters,
    }
    told = json.dumps(settings, sort_keys=True) + f" sample {sample}" * (sample > 0)
    return Model(
        name=f"{endpoint.model} (fast)" if fast else endpoint.model,
        stream=partial(_replies, asked, prompt, agreement, fast),
        identity=hashlib.sha256(told.encode()).hexdigest(),
        settings={**settings, "agreement": agreement},
        again=None if fast else lambda k: endpoint_model(endpoint, agreement, sample + k),
    )


def _replies(
    endpoint: Endpoint, prompt: Prompt, agreement: str | None, fast: bool, cases: Sequence[Case]
) -> Generator[list[tuple[int, Reply]], None, None]:
    refuse_remote([case.licence for case in cases], endpoint.url, agreement)
    pace = Pace(endpoint.rate)
    begun = [{"role": "assistant", "content": _BEGINNING}] if fast else []

    def reply_to(place: int) -> list[tuple[int, Reply]]:
        try:
            found = complete(client, endpoint, [*messages(cases[place].narrative, prompt), *begun], pace)
        except EndpointError as failure:
            return [(place, no_reply(str(failure)))]
        return [(place, _at_once(found) if fast else reply_of(found.text, found.tokens, found.truncated))]

    with open_client(endpoint, not is_loopback(endpoint.url)) as client, ThreadPool(endpoint.parallel) as pool:
        yield from pool.imap_unordered(reply_to, range(len(cases)))


def _at_once(found: Completion) -> Reply:
    """The reply from the probabilities of the digits, at the first token that is no blank."""
    written = next((row for row in found.likely if max(row, key=row.__getitem__).strip()), {})
    mass = [sum(math.exp(p) for token, p in written.items() if token.strip() == digit) for digit in "12345"]
    if not found.likely:
        return no_reply("it tells no log probabilities; leave --fast out")
    if sum(mass) < _LEAST_MASS:
        return no_reply(f"it did not go on with a level after {_BEGINNING!r}; leave --fast out")
    one, two, three, four, five = (each / sum(mass) for each in mass)
    level = 1 + mass.index(max(mass))
    reply = reply_of(f"{_BEGINNING} {level}", found.tokens, probabilities=(one, two, three, four, five))
    if sum(mass) >= _ENOUGH_MASS:
        return reply
    return replace(reply, warnings=(f"the five levels have {sum(mass):.0%} of the model's probability",))


def only_model(url: str) -> str:
    """The name of the one model that an endpoint serves. Raises InputError where it serves another number of them."""
    endpoint = find_endpoint(url, "", timeout=30)
    try:
        with open_client(endpoint, not is_loopback(endpoint.url)) as client:
            names = [str(each["id"]) for each in client.get(f"{endpoint.url}/models").raise_for_status().json()["data"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"endpoint {endpoint.url}: it does not say which models it serves ({type(error).__name__}); is it running? "
            f"Else name one: --model guard:NAME --endpoint {endpoint.url}."
        ) from None
    if len(names) != 1:
        raise InputError(
            f"endpoint {endpoint.url}: it serves {len(names)} models ({', '.join(names[:5])}); give one: "
            f"--model guard:NAME --endpoint {endpoint.url}."
        )
    return names[0]
