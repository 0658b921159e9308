"""Digests of settings: what a model or a result was made with."""

from compass_core.config.schema import Project
from compass_core.graph import setting
from compass_core.hashing import version_of


def settings_digest(project: Project, *keys: str) -> str:
    """Hash of the values of sections or dotted keys; the order of keys does not count."""
    return version_of({key: setting(project, key) for key in keys})
