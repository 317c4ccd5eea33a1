"""A model behind an OpenAI-compatible endpoint, asked with the same prompt as a model on this machine."""

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from multiprocessing.pool import ThreadPool

from ..answer import load_prompt, messages
from ..data.credentialed import is_loopback, refuse_remote
from ..endpoint import Endpoint, EndpointError, Pace, complete, open_client
from ..esi import Case
from .model import Model, Reply, no_reply, reply_of, streaming_model


def endpoint_model(endpoint: Endpoint, agreement: str | None = None, sample: int = 0) -> Model:
    """The model at `endpoint`. Each case is one request; one that fails for good is a reply with its `error`.

    `sample` counts how often the same was asked before: a seed among the parameters moves on by it.
    Raises InputError, before anything is sent, where a case is credentialed, the endpoint is not on this machine and no
    `agreement` is named.
    """
    prompt = load_prompt()
    parameters = dict(endpoint.parameters)
    if isinstance(parameters.get("seed"), int):
        parameters["seed"] += sample
    asked = replace(endpoint, parameters=parameters)
    settings = {
        "endpoint": endpoint.url,
        "model": endpoint.model,
        "prompt": prompt.name,
        "prompt_sha256": prompt.sha256,
        "decoding": parameters,
    }
    told = json.dumps(settings, sort_keys=True) + f" sample {sample}" * (sample > 0)
    identity = hashlib.sha256(told.encode()).hexdigest()

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        refuse_remote([case.licence for case in cases], endpoint.url, agreement)
        pace = Pace(endpoint.rate)

        def reply_to(place: int) -> list[tuple[int, Reply]]:
            try:
                found = complete(client, asked, messages(cases[place].narrative, prompt), pace)
            except EndpointError as failure:
                return [(place, no_reply(str(failure)))]
            return [(place, reply_of(*found))]

        with open_client(endpoint, not is_loopback(endpoint.url)) as client, ThreadPool(endpoint.parallel) as pool:
            yield from pool.imap_unordered(reply_to, range(len(cases)))

    def again(k: int) -> Model:
        return endpoint_model(endpoint, agreement, sample + k)

    return streaming_model(endpoint.model, stream, identity, {**settings, "agreement": agreement}, again)
