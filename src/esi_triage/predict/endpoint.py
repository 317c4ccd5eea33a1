"""A model behind an OpenAI-compatible endpoint, asked with the same prompt as a model on this machine."""

import hashlib
import json
from collections.abc import Generator, Sequence
from multiprocessing.pool import ThreadPool

from ..answer import load_prompt, messages
from ..data.credentialed import is_loopback, refuse_remote
from ..endpoint import Endpoint, EndpointError, Pace, complete, open_client
from ..esi import Case
from .model import Model, Reply, no_reply, reply_of, streaming_model


def endpoint_model(endpoint: Endpoint, agreement: str | None = None) -> Model:
    """The model at `endpoint`. Each case is one request; one that fails for good is a reply with its `error`.

    Raises InputError, before anything is sent, where a case is credentialed, the endpoint is not on this machine and no
    `agreement` is named.
    """
    prompt = load_prompt()
    settings = {
        "endpoint": endpoint.url,
        "model": endpoint.model,
        "prompt": prompt.name,
        "prompt_sha256": prompt.sha256,
        "decoding": dict(endpoint.parameters),
    }
    identity = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def stream(cases: Sequence[Case]) -> Generator[list[tuple[int, Reply]], None, None]:
        refuse_remote([case.licence for case in cases], endpoint.url, agreement)
        pace = Pace(endpoint.rate)

        def reply_to(place: int) -> list[tuple[int, Reply]]:
            try:
                found = complete(client, endpoint, messages(cases[place].narrative, prompt), pace)
            except EndpointError as failure:
                return [(place, no_reply(str(failure)))]
            return [(place, reply_of(*found))]

        with open_client(endpoint, not is_loopback(endpoint.url)) as client, ThreadPool(endpoint.parallel) as pool:
            yield from pool.imap_unordered(reply_to, range(len(cases)))

    return streaming_model(endpoint.model, stream, identity, {**settings, "agreement": agreement})
