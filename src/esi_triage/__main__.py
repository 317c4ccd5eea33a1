"""`python -m esi_triage` is the command `esi`."""

from .cli.main import main

main()
