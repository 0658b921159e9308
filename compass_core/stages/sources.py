"""Which input folders differ from what was last read, without reading any text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from compass_core.corpora.files import (
    SourceFile,
    find_languages,
    list_files,
    not_read,
    source_files,
)
from compass_core.corpora.mapping import readings
from compass_core.hashing import version_of
from compass_core.stages.screening import copied_folders, other_languages
from compass_core.workspace import Workspace


@dataclass(frozen=True)
class ChangedSource:
    """One partition whose files changed. `batch` names their present content."""

    asset: str
    partition: str
    files: int
    batch: str


def changed_sources(ws: Workspace) -> tuple[list[ChangedSource], list[str]]:
    """Partitions of the three corpora whose files are new, changed or gone; and problems seen.

    Digests of files with unchanged size and time are taken from the last manifest, so that an
    unchanged folder costs a listing.
    """
    changed: list[ChangedSource] = []
    problems: list[str] = []
    for asset, kind in (("auxiliary_corpus", "auxiliary"), ("training_corpus", "training")):
        names, strange = find_languages(ws.input_folder(kind))
        problems += strange
        wanted = sorted(names) if asset == "auxiliary_corpus" else ws.targets
        if asset == "auxiliary_corpus":
            wanted = sorted({*wanted, *ws.manifests.partitions(asset)})
        for language in wanted:
            folder = ws.input_folder(kind) / names.get(language, language)
            problems += not_read(folder)
            changed += _compare(ws, asset, language, [(folder, "")], role=kind)
    for language in ws.targets:
        folders = []
        for suite in ws.project.benchmarks.suites:
            if suite.kind != "local":
                continue
            root = ws.input_folder("benchmarks") / suite.name
            names, strange = find_languages(root)
            problems += strange
            for tag in (language, *other_languages(ws, language)):
                name = names.get(tag, tag)
                problems += not_read(root / name)
                folders.append((root / name, f"{suite.name}/{name}/"))
        folders += [(folder, prefix) for _, _, folder, prefix in copied_folders(ws, language)]
        changed += _compare(ws, "benchmark_items", language, folders)
    return changed, sorted(set(problems))


def in_order(changed: Iterable[ChangedSource]) -> list[ChangedSource]:
    """Training corpora before pools, each by tag: as one is compared with those before it."""
    return sorted(
        changed, key=lambda source: (source.asset == "auxiliary_corpus", source.partition)
    )


def beyond_targets(ws: Workspace) -> list[str]:
    """Languages with training data that are no targets: no problem, they may become ones."""
    names, _ = find_languages(ws.input_folder("training"))
    return sorted(set(names) - set(ws.targets))


def _compare(
    ws: Workspace, asset: str, partition: str, folders: list[tuple[Path, str]], role: str = ""
) -> Iterator[ChangedSource]:
    made = ws.manifests.get(asset, partition)
    known = {f["path"]: SourceFile(**f) for f in made.facts["sources"]} if made else {}
    now = []
    for folder, prefix in folders:
        names = [name for name, _, _ in list_files(folder)] if ws.project.corpora else []
        read_as = readings(names, ws.project.corpora, role)
        now += source_files(folder, known, prefix, read_as)
    content = sorted((file.path, file.digest) for file in now)
    if made is not None and content == sorted((f.path, f.digest) for f in known.values()):
        return
    if made is None and not now and asset == "auxiliary_corpus":
        return
    yield ChangedSource(asset, partition, len(now), version_of([asset, partition, content]))
