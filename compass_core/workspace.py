"""A project opened for work: its settings, its input folders, its store and its records."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from compass_core.config.load import LoadedProject
from compass_core.config.schema import Project
from compass_core.corpora.places import Place
from compass_core.graph import code_versions
from compass_core.manifests import Manifests
from compass_core.staleness import Staleness
from compass_core.storage import Store


@dataclass(frozen=True)
class Workspace:
    """`base` is the project file as it stands; `project` is it with this run's overrides.

    Code versions follow `base`: a run with other settings is a person's choice, recorded in the
    manifest, and not a change of the project.
    """

    directory: Path
    base: Project
    project: Project
    store: Store = field(repr=False)

    @classmethod
    def open(cls, loaded: LoadedProject, project: Project | None = None) -> "Workspace":
        used = project or loaded.project
        store = Store(store_root(used, loaded.directory), cache=loaded.directory / "data" / "cache")
        return cls(loaded.directory, loaded.project, used, store)

    @cached_property
    def code_versions(self) -> dict[str, str]:
        return code_versions(self.base, self.directory)

    @property
    def manifests(self) -> Manifests:
        return Manifests(self.store)

    def staleness(self) -> Staleness:
        """A fresh reading of what is stale; valid for the moment it is made."""
        return Staleness(self.manifests, self.code_versions)

    @property
    def targets(self) -> list[str]:
        return list(self.project.languages.targets)

    @property
    def logs_place(self) -> Place:
        """Folder or object-store prefix of the logs."""
        where = self.project.inputs.logs
        return Place(where if "://" in where else (self.directory / where).resolve())

    def input_folder(self, kind: str) -> Path:
        """Local folder of auxiliary, training, logs or benchmarks inputs (logs: see logs_place)."""
        return (self.directory / str(getattr(self.project.inputs, kind))).resolve()


def store_root(project: Project, directory: Path) -> str:
    """Store URI, or the absolute path of a relative one."""
    return project.store if "://" in project.store else str((directory / project.store).resolve())
