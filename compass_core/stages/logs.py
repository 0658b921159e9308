"""Taking the waiting log files of one language into day partitions."""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from compass_core.corpora.files import find_languages
from compass_core.corpora.log_ledger import Ledger, PendingFiles
from compass_core.corpora.places import Place
from compass_core.corpora.rules import Rules
from compass_core.stages.usage_days import publish_days
from compass_core.workspace import Workspace


def pending_logs(ws: Workspace, language: str, now_s: float | None = None) -> PendingFiles:
    """What waits in the language's log folder; a missing folder means nothing waits."""
    now = time.time() if now_s is None else now_s
    return Ledger(ws.store, language).pending(log_folder(ws, language), now, Rules.of(ws.project))


def log_folder(ws: Workspace, language: str) -> Place:
    """Where a language's logs lie, in whatever way its folder spells the language."""
    names, _ = find_languages(ws.logs_place)
    return ws.logs_place / names.get(language, language)


def ingest_pending(
    ws: Workspace,
    language: str,
    *,
    also: set[date] | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> dict[date, dict[str, Any]]:
    """Take every complete waiting file, publish each affected day (and `also`); facts by day."""
    folder, rules = log_folder(ws, language), Rules.of(ws.project)
    ledger = Ledger(ws.store, language)
    pending = ledger.pending(folder, time.time(), rules)
    report(f"{language}: {len(pending.complete)} files to take, {len(pending.waiting)} waiting")
    for problem in pending.problems:
        report(f"problem: {problem}")
    days = ledger.take(folder, pending.complete, rules, report)
    return publish_days(ws.store, ledger, language, days | (also or set()), report)
