"""The decision log: what was advised and decided, on the disk before the answer leaves (docs/decision-log.md)."""

from .chain import Record
from .durable_log import RETENTION_DAYS, DecisionLog, open_log
from .log_archive import archive_of
from .log_rows import newest_row, rows_of, rows_with_archive
from .log_schema import LogUnavailable
from .log_time import as_logged
from .verification import Verdict, verify_log

__all__ = [
    "RETENTION_DAYS",
    "DecisionLog",
    "LogUnavailable",
    "Record",
    "Verdict",
    "archive_of",
    "as_logged",
    "newest_row",
    "open_log",
    "rows_of",
    "rows_with_archive",
    "verify_log",
]
