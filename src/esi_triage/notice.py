"""What this software is not. Shown wherever a person meets it."""

NOTICE = (
    "Research software. Not a medical device, not approved for clinical use: it must not be used to make triage "
    "decisions for patients."
)
