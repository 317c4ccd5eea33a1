"""DuckDB is given patterns; a user gives a file."""

from pathlib import Path


def literal_path(file: Path) -> str:
    """The pattern that matches this file alone.

    DuckDB expands `[ ] * ?` without looking for a file of that very name, takes `~` for the home folder, and reads
    columns out of folder names such as `split=train` unless `hive_partitioning` is off.
    """
    return "".join(f"[{sign}]" if sign in "[*?" else sign for sign in str(file.absolute()))
