"""Taking the waiting log files of one language into day partitions."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from compass_core.corpora.files import find_languages
from compass_core.corpora.log_ledger import Ledger, PendingFiles
from compass_core.stages.usage_days import publish_days
from compass_core.workspace import Workspace


def pending_logs(ws: Workspace, language: str, now_s: float | None = None) -> PendingFiles:
    """What waits in the language's log folder; a missing folder means nothing waits."""
    names, _ = find_languages(ws.input_folder("logs"))
    folder = ws.input_folder("logs") / names.get(language, language)
    now = time.time() if now_s is None else now_s
    return Ledger(ws.store, language).pending(folder, now, ws.project.ingest)


def ingest_pending(
    ws: Workspace,
    language: str,
    *,
    also: set[date] | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> dict[date, dict[str, Any]]:
    """Take every complete waiting file, publish each affected day (and `also`); facts by day."""
    names, _ = find_languages(ws.input_folder("logs"))
    folder = ws.input_folder("logs") / names.get(language, language)
    ledger = Ledger(ws.store, language)
    pending = ledger.pending(folder, time.time(), ws.project.ingest)
    report(f"{language}: {len(pending.complete)} files to take, {len(pending.waiting)} waiting")
    days = ledger.take(folder, pending.complete, ws.project.ingest, report)
    return publish_days(ws.store, ledger, language, days | (also or set()), report)
