"""The three ways the graph is cut: target language, pool language, language and day of the log."""

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


def language_of_day() -> dg.MultiToSingleDimensionPartitionMapping:
    """All days of a language, as the one partition that they roll up into."""
    return dg.MultiToSingleDimensionPartitionMapping("language")
