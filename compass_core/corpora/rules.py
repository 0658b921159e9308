"""The settings that decide what a row becomes, in one object."""

from dataclasses import dataclass, field

from compass_core.config.schema import Project
from compass_core.config.text import Cleaning, Ingest, LanguageId


@dataclass(frozen=True)
class Rules:
    """What ingestion needs of a project's settings."""

    ingest: Ingest = field(default_factory=Ingest)
    cleaning: Cleaning = field(default_factory=Cleaning)
    language_id: LanguageId = field(default_factory=LanguageId)

    @classmethod
    def of(cls, project: Project) -> "Rules":
        return cls(project.ingest, project.cleaning, project.language_id)
