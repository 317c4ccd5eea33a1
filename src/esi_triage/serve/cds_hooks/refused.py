"""A request of a CDS client that gets no cards."""


class Refused(Exception):  # noqa: N818  it is the client's request that is refused
    """Why: the HTTP status, the code of FHIR's issue types, and what it says."""

    def __init__(self, status: int, code: str, says: str) -> None:
        super().__init__(says)
        self.status, self.code = status, code
