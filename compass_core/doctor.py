"""Is everything there that a project needs? Findings with what to do about them."""

import importlib.metadata
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from compass_core.config.load import load_project
from compass_core.config.text import PUBLIC_SALT
from compass_core.corpora.benchmark_items import SPLITS
from compass_core.corpora.files import find_languages, list_files, not_read
from compass_core.corpora.places import Place
from compass_core.errors import CompassError
from compass_core.workspace import Workspace

Level = Literal["ok", "warn", "error"]
LOW_DISK_GIB, LOW_MEMORY_GIB = 5, 2
PACKAGE = "compass-assets"
SHORT_SALT = 12  # characters; whoever tries all shorter ones can try ids against the hashes


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `advice` is empty when nothing is to be done."""

    level: Level
    subject: str
    found: str
    advice: str = ""


def examine(project_file: Path) -> list[Finding]:
    """Look at versions, machine, configuration, store, models and inputs."""
    findings = [*_versions(), *_machine(project_file.parent)]
    try:
        loaded = load_project(project_file)
    except CompassError as error:
        return [*findings, Finding("error", "configuration", str(error), "edit compass.yaml")]
    findings.append(Finding("ok", "configuration", f"{project_file} is valid"))
    ws = Workspace.open(loaded)
    models = _models(ws)
    findings += [*_instance(ws), _store(ws), *models, *_inputs(ws), _salt(ws), *_trackers(ws)]
    if any(finding.level == "error" for finding in models):
        return findings  # without a model there is no preset and no size, and one message is enough
    return [*findings, *_preset(ws), _memory(ws)]


def _versions() -> list[Finding]:
    from packaging.requirements import Requirement

    findings = [Finding("ok", "python", sys.version.split()[0])]
    try:
        wanted = importlib.metadata.requires(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return [*findings, Finding("error", PACKAGE, "not installed", "pip install -e .")]
    for text in wanted:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            findings.append(Finding("error", requirement.name, "missing", f"pip install '{text}'"))
            continue
        if version.split("+")[0] not in requirement.specifier:
            findings.append(
                Finding("error", requirement.name, version, f"pip install '{requirement}'")
            )
    if len(findings) == 1:
        findings.append(Finding("ok", "libraries", f"{len(wanted)} requirements are met"))
    return findings


def _machine(directory: Path) -> list[Finding]:
    free = shutil.disk_usage(directory).free / 2**30
    memory = psutil.virtual_memory().available / 2**30
    gpu = shutil.which("nvidia-smi") is not None
    return [
        Finding(
            "warn" if free < LOW_DISK_GIB else "ok",
            "disk",
            f"{free:.0f} GiB free",
            "make room: models and vectors need it" if free < LOW_DISK_GIB else "",
        ),
        Finding(
            "warn" if memory < LOW_MEMORY_GIB else "ok",
            "memory",
            f"{memory:.0f} GiB free",
            "close something, or use a smaller model" if memory < LOW_MEMORY_GIB else "",
        ),
        Finding("ok", "gpu", "NVIDIA driver found" if gpu else "none; the CPU is used"),
    ]


def _instance(ws: Workspace) -> list[Finding]:
    """Without its file Dagster keeps its runs elsewhere, and forgets limits and monitoring."""
    if (ws.directory / "dagster.yaml").is_file():
        return []
    advice = "copy dagster.yaml from the backup, or from a new project (compass init)"
    return [Finding("warn", "dagster", "no dagster.yaml beside compass.yaml", advice)]


def _store(ws: Workspace) -> Finding:
    try:
        ws.store.write_bytes("tmp/doctor", b"x")
        ws.store.delete("tmp/doctor")
    except Exception as error:  # whatever a file system or an object store may raise
        return Finding(
            "error", "store", f"{ws.store.root}: {error}", "check `store` and its rights"
        )
    return Finding("ok", "store", f"{ws.store.root} can be written")


def _models(ws: Workspace) -> list[Finding]:
    from compass_core.embeddings.fingerprint import local_folder

    findings = []
    for subject, model in (
        ("embedder", ws.project.embedder.model),
        ("base model", ws.project.base_model.model),
    ):
        try:
            folder = local_folder(model, ws.directory)
        except CompassError as error:
            findings.append(Finding("error", subject, str(error), "fix the path or make the model"))
            continue
        where = "a local folder" if folder else "a Hub id, fetched when it is first used"
        findings.append(Finding("ok", subject, f"{model}, {where}"))
    return findings


def _inputs(ws: Workspace) -> list[Finding]:
    """Files by language, not only folders: an empty folder is as good as none."""
    findings = []
    for kind in ("auxiliary", "training", "logs"):
        place = ws.logs_place if kind == "logs" else Place(ws.input_folder(kind))
        names, problems = find_languages(place)
        bare = kind == "logs"
        files = {
            tag: len(list_files(place / name, bare=bare)) for tag, name in sorted(names.items())
        }
        for name in names.values():
            problems += not_read(place / name, bare=bare)
        spared = kind == "logs" and ws.project.usage.source == "proxy"  # dev items stand in
        needed = list(files) if kind == "auxiliary" else [] if spared else ws.targets
        missing = [tag for tag in needed if not files.get(tag)]
        advice = [*problems, *(f"no files for {t}: put some into {place / t}" for t in missing)]
        if not any(files.values()) and not missing and not spared:
            advice.append(f"put files into {place}, a folder a language")
        found = ", ".join(f"{tag} {count}" for tag, count in files.items()) or "nothing"
        level: Level = "warn" if advice else "ok"
        findings.append(Finding(level, f"input {kind}", f"files: {found}", "; ".join(advice)))
    for suite in ws.project.benchmarks.suites:
        if suite.kind == "local":
            findings.append(_suite(ws, suite.name))
    findings += _unlisted(ws)
    return findings


def _unlisted(ws: Workspace) -> list[Finding]:
    """Folders of benchmark items that no suite names: what is in them is never scored."""
    named = {suite.name for suite in ws.project.benchmarks.suites}
    folders = Place(ws.input_folder("benchmarks")).folders()
    spare = sorted(f.name for f in folders if f.name not in named and f.name[0] not in "._")
    if not spare:
        return []
    entries = ", ".join(f"{{name: {name}}}" for name in spare)
    return [
        Finding(
            "warn",
            "benchmark folders",
            f"in no suite: {', '.join(spare)}",
            f"add to benchmarks.suites in compass.yaml: {entries}",
        )
    ]


def _suite(ws: Workspace, suite: str) -> Finding:
    """Both splits of every target language: one is scored, the other may stand in for usage."""
    place = Place(ws.input_folder("benchmarks")) / suite
    names, advice = find_languages(place)
    found, wanted = [], sorted(set(SPLITS.values()))
    for tag in ws.targets:
        advice += not_read(place / names[tag]) if tag in names else []
        files = list_files(place / names[tag]) if tag in names else []
        starts = [re.split(r"[-.]", Path(name).name)[0] for name, size, _ in files if size]
        have = {SPLITS.get(start) for start in starts}
        found.append(f"{tag} {' and '.join(s for s in wanted if s in have) or 'nothing'}")
        lacking = [f"{split}.jsonl" for split in wanted if split not in have]
        if lacking:
            folder = place / names.get(tag, tag)
            advice.append(f"no items for {tag}: put {' and '.join(lacking)} into {folder}")
    level: Level = "warn" if advice else "ok"
    return Finding(level, f"benchmark {suite}", ", ".join(found), "; ".join(advice))


def _salt(ws: Workspace) -> Finding:
    salt = ws.project.ingest.user_salt
    if salt != PUBLIC_SALT and len(salt) >= SHORT_SALT:
        return Finding("ok", "user ids", "hashed with a salt of your own")
    advice = (
        "set ingest.user_salt to a secret of your own, before there are logs: a new salt reads all "
        "log files again, and every user counts as a new one"
    )
    what = f"the public salt {salt!r}" if salt == PUBLIC_SALT else "a salt that can be guessed"
    return Finding("warn", "user ids", f"hashed with {what}", advice)


def _trackers(ws: Workspace) -> list[Finding]:
    from compass_core.adapters.tracking import check_trackers

    names = ws.project.tracking.trackers
    if not names:
        return []
    try:
        check_trackers(ws.project.tracking)
    except CompassError as error:
        return [Finding("error", "trackers", str(error), "install it, or edit compass.yaml")]
    return [Finding("ok", "trackers", ", ".join(names))]


def _memory(ws: Workspace) -> Finding:
    """Estimated memory of a training against what this machine has; a few seconds."""
    from compass_core.adapters.memory import GB, estimate, room, ways_out

    settings = (ws.project.adapter, ws.project.base_model, ws.project.execution, ws.directory)
    try:
        needed = estimate(*settings)
        here = room(ws.project.execution)
    except CompassError as error:
        return Finding("error", "training memory", str(error), "edit compass.yaml")
    if needed is None:
        return Finding("ok", "training memory", "unknown until the base model is fetched")
    found = f"{needed}; {here / GB:.1f} GB here"
    if needed.total <= here:
        return Finding("ok", "training memory", found)
    ways = ways_out(*settings, limit=here)
    advice = "use " + ("; or ".join(ways[:3]) or "a smaller base model, or a larger machine")
    level: Level = "error" if ws.project.execution.memory_check == "refuse" else "warn"
    return Finding(level, "training memory", found, advice)


def _preset(ws: Workspace) -> list[Finding]:
    from compass_core.adapters.presets import GENERIC, longest_sequence, model_type, preset_of

    try:
        preset = preset_of(ws.project.base_model, ws.directory)
    except CompassError as error:
        return [Finding("error", "preset", str(error), "edit compass.yaml")]
    if model_type(ws.project.base_model, ws.directory) is None:
        text = "known once the base model is fetched" if preset is GENERIC else preset.name
        return [Finding("ok", "preset", text)]
    found = [Finding("ok", "preset", f"{preset.name}: {'; '.join(preset.notes)}")]
    limit = longest_sequence(ws.project.base_model, ws.directory)
    asked = ws.project.adapter.max_tokens
    if limit is not None and asked > limit[0]:
        text = f"adapter.max_tokens is {asked}, and {limit[1]}"
        advice = f"set adapter.max_tokens to at most {limit[0]}"
        found.append(Finding("warn", "length", text, advice))
    return found
