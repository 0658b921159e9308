"""The three ways the graph is cut: target language, pool language, language and day of the log."""

from collections.abc import Iterable

import dagster as dg

from compass_core.config.schema import Project

POOLS = "auxiliary_language"
DAYS = "usage_day"

pool_partitions = dg.DynamicPartitionsDefinition(name=POOLS)
day_partitions = dg.DynamicPartitionsDefinition(name=DAYS)


def language_partitions(project: Project) -> dg.StaticPartitionsDefinition:
    """One partition a target language of the project file."""
    return dg.StaticPartitionsDefinition(project.languages.targets)


def usage_partitions(project: Project) -> dg.MultiPartitionsDefinition:
    """Target language by UTC day. Days are dynamic: logs are sparse, late and back-dated."""
    return dg.MultiPartitionsDefinition(
        {"day": day_partitions, "language": language_partitions(project)}
    )


def usage_key(day: str, language: str) -> dg.MultiPartitionKey:
    return dg.MultiPartitionKey({"day": day, "language": language})


def add_days(instance: dg.DagsterInstance, days: Iterable[str]) -> None:
    """Register days (ISO); those that are there already are left as they are.

    Languages are ingested at the same time and often have the same days. Dagster looks which are
    missing and then inserts them, so of two runs one can fail on what the other has just put in.
    Raises what the storage raised when a second try fails too.
    """
    wanted = list(days)
    try:
        instance.add_dynamic_partitions(DAYS, wanted)
    except Exception:  # sqlite3's, SQLAlchemy's or a server's: each storage has its own
        instance.add_dynamic_partitions(DAYS, wanted)


def language_of_day() -> dg.MultiToSingleDimensionPartitionMapping:
    """All days of a language, as the one partition that they roll up into."""
    return dg.MultiToSingleDimensionPartitionMapping("language")
