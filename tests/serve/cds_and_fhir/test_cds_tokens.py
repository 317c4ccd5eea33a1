"""Who may call CDS Hooks: tokens of clients on the list, each once."""

import json
import time
import uuid
from typing import Any

import jwt
import pytest
from cds_requests import client_of, refused, request
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from esi_triage.errors import InputError
from esi_triage.serve.cds_hooks import CdsClient, CdsSettings, router

EC_KEY, RSA_KEY = ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)
BASE = "https://triage.example.org"


@pytest.fixture
def guarded(service, tmp_path):
    elliptic = json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key())) | {"kid": "one", "alg": "ES384"}
    plain = json.loads(RSAAlgorithm.to_jwk(RSA_KEY.public_key())) | {"kid": "two", "alg": "RS384"}
    file = tmp_path / "ehr.jwks.json"
    file.write_text(json.dumps({"keys": [elliptic, plain]}))
    ehr = CdsClient(iss="https://ehr.example", jwks_file=str(file), jku="https://ehr.example/jwks.json")
    return client_of(service, CdsSettings(public_url=f"{BASE}/", clients=[ehr]))


def token(path="/cds-services", key: Any = EC_KEY, algorithm="ES384", kid="one", jku=None, **claims):
    now = int(time.time())
    given = {
        "iss": "https://ehr.example",
        "aud": f"{BASE}{path}",
        "exp": now + 300,
        "iat": now,
        "jti": str(uuid.uuid4()),
    } | claims
    head = {"kid": kid, "typ": "JWT"} | ({"jku": jku} if jku else {})
    kept = {name: value for name, value in given.items() if value is not ...}
    return {"Authorization": f"Bearer {jwt.encode(kept, key, algorithm=algorithm, headers=head)}"}


def test_a_client_on_the_list_may_call_each_endpoint(guarded):
    assert guarded.get("/cds-services", headers=token(jku="https://ehr.example/jwks.json")).status_code == 200
    start = "/cds-services/esi-triage-start"
    rs384 = token(start, key=RSA_KEY, algorithm="RS384", kid="two")
    answer = guarded.post(start, json=request(), headers=rs384)
    assert answer.status_code == 200
    item = {"card": answer.json()["cards"][0]["uuid"], "outcome": "overridden"}
    feedback = f"{start}/feedback"
    assert guarded.post(feedback, json={"feedback": [item]}, headers=token(feedback)).status_code == 200


FORGED = {
    "another audience": {"path": "/cds-services/esi-triage-start"},
    "a trailing slash": {"path": "/cds-services/"},
    "audience as a list": {"aud": [f"{BASE}/cds-services"]},
    "another issuer": {"iss": "https://sandbox.cds-hooks.org"},
    "another key set": {"jku": "https://evil.example/jwks.json"},
    "expired": {"exp": 1_700_000_000},
    "from the future": {"iat": 4_000_000_000, "exp": 4_000_000_100},
    "long life": {"exp": int(time.time()) + 90_000},
    "no exp": {"exp": ...},
    "no iat": {"iat": ...},
    "no jti": {"jti": ...},
    "no aud": {"aud": ...},
    "no iss": {"iss": ...},
    "unknown key id": {"kid": "three"},
    "signed by another": {"key": ec.generate_private_key(ec.SECP384R1())},
    "shared secret": {"key": "x" * 48, "algorithm": "HS384"},
    "weaker curve": {"key": ec.generate_private_key(ec.SECP256R1()), "algorithm": "ES256"},
    "not signed": {"key": None, "algorithm": "none"},
    "another kind of key": {"key": RSA_KEY, "algorithm": "RS384"},
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(guarded, name):
    refused(guarded.get("/cds-services", headers=token(**FORGED[name])), 401)


def test_without_a_token_or_with_a_used_one_nobody_may_call(guarded, log):
    for headers in (
        {},
        {"Authorization": "Basic eA=="},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer a.b.c"},
    ):
        refused(guarded.get("/cds-services", headers=headers), 401)
    once = token()
    assert guarded.get("/cds-services", headers=once).status_code == 200
    refused(guarded.get("/cds-services", headers=once), 401, "used before")
    refused(guarded.post("/cds-services/esi-triage-start", json=request()), 401)
    assert log.head() is None


def test_settings_that_cannot_work_are_refused_at_the_start(service, tmp_path):
    file = tmp_path / "keys.json"
    file.write_text("{}")
    ehr = CdsClient(iss="https://ehr.example", jwks_file=str(file))
    with pytest.raises(InputError, match="public_url"):
        router(service, CdsSettings(clients=[ehr]))
    with pytest.raises(InputError, match="no JSON Web Key Set"):
        router(service, CdsSettings(public_url=BASE, clients=[ehr]))
    with pytest.raises(InputError, match="cannot be read"):
        router(service, CdsSettings(public_url=BASE, clients=[CdsClient(iss="x", jwks_file=str(tmp_path / "none"))]))


def test_tokens_without_a_public_url_name_the_setting(service, tmp_path):
    ehr = CdsClient(iss="https://ehr.example", jwks_file=str(tmp_path / "ehr.jwks.json"))
    with pytest.raises(InputError, match=r"^server\.public_url: "):
        router(service, CdsSettings(clients=[ehr]))
