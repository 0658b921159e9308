"""Corpora by name: a Hugging Face dataset, streamed into one file a language of an input folder.

A dataset is fetched once and then is an input like any other: `<role>/<language>/<name>.jsonl.zst`
holds its records as they are, with the revision they came from, and `<role>/_fetched/<name>.json`
what was fetched. Nothing is seen before all of it is there; a killed fetch is simply started again.
`datasets` is an optional extra and is imported only here.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sized
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from filelock import FileLock

from compass_core.config.text import Corpus
from compass_core.corpora.declared import declared_tag
from compass_core.corpora.files import file_digest, find_languages
from compass_core.corpora.formats import ALLOWED, format_of, packing_of
from compass_core.corpora.mapping import look_up
from compass_core.corpora.readers import read_lines
from compass_core.errors import InputError
from compass_core.hashing import version_of
from compass_core.progress import EVERY_S, Progress

Report = Callable[[str], None]
Record = dict[str, Any]
UNROUTED = "_unrouted"
_FETCHED = "_fetched"
_LOADERS = {"parquet": "parquet", "jsonl": "json", "json": "json", "csv": "csv"}  # of `datasets`
INSTALL = "pip install 'compass-assets[datasets]'"


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought. `rows` by language; `unrouted` rows name no language that is known."""

    name: str
    dataset: str
    revision: str
    request: str
    rows: dict[str, int] = field(default_factory=dict)
    unrouted: int = 0
    not_asked_for: int = 0


def is_fetched(corpus: Corpus, folder: Path, directory: Path) -> bool:
    """Whether the entry's dataset is in the role's `folder` as it is asked for now.

    Costs a small file and, for local copies, a listing; never a look at the network.
    """
    made = fetched(corpus, folder)
    return made is not None and made.request == _request(corpus, directory)


def fetched(corpus: Corpus, folder: Path) -> Fetched | None:
    """What was fetched last for the entry, or None."""
    path = folder / _FETCHED / f"{corpus.name}.json"
    return Fetched(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def fetch_corpus(
    corpus: Corpus, folder: Path, directory: Path, report: Report = lambda text: None
) -> Fetched:
    """Stream the entry's dataset into `folder`, replacing what an earlier fetch of it left there.

    `directory`: where a relative local path starts. Memory is bounded by one record and a buffer a
    language. Raises InputError, naming the entry and the way out, where `datasets` is not
    installed, the dataset cannot be opened, or no row names a language.
    """
    marker = folder / _FETCHED / f"{corpus.name}.json"
    marker.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(marker.with_suffix(".lock")):
        request = _request(corpus, directory)
        records, revision = open_dataset(corpus, directory)
        scratch = folder / f"_fetching-{corpus.name}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        counts, skipped = _route(corpus, records, revision, scratch, report)
        unrouted = counts.pop(UNROUTED, 0)
        if not counts:
            shutil.rmtree(scratch)
            raise InputError(
                f"corpora: {corpus.name}: {unrouted} rows name no known language and {skipped} "
                "none that is asked for; set `language`, or `columns: {language: ...}`"
            )
        made = Fetched(
            corpus.name, str(corpus.dataset), revision, request, counts, unrouted, skipped
        )
        _publish(corpus, folder, scratch)
        _write(marker, json.dumps(asdict(made), ensure_ascii=False, indent=1))
    report(f"{corpus.name}: {sum(counts.values())} rows in {len(counts)} languages, {revision}")
    return made


def open_dataset(corpus: Corpus, directory: Path) -> tuple[Iterable[Record], str]:
    """Records of the entry's dataset, streamed, and the revision that they are of.

    A Hub name is pinned to the commit that its revision stands for now. A local copy is what
    `save_to_disk` left, a folder laid out like a Hub repository, or one file; its revision is the
    entry's, else a digest of its files.
    """
    try:
        import datasets
    except ImportError:
        raise InputError(f"corpora: {corpus.name}: `dataset` needs: {INSTALL}") from None
    local = _local(corpus, directory)
    try:
        if local is None:
            return _from_hub(corpus, datasets)
        revision = corpus.revision or f"files-{_content(local)}"
        if (local / "dataset_dict.json").is_file():
            return datasets.load_from_disk(str(local))[corpus.split], revision
        if (local / "dataset_info.json").is_file() and (local / "state.json").is_file():
            return datasets.load_from_disk(str(local)), revision
        if local.is_file():
            return _from_file(corpus, local, datasets), revision
        stream = datasets.load_dataset(
            str(local), name=corpus.config, split=corpus.split, streaming=True
        )
        return stream, revision
    except (ValueError, KeyError, OSError, ConnectionError) as error:
        raise InputError(
            f"corpora: {corpus.name}: {corpus.dataset} (config {corpus.config}, split "
            f"{corpus.split}, revision {corpus.revision}) cannot be opened: {str(error)[:300]}; "
            "check the names, or give `dataset` a local copy"
        ) from None


def _from_file(corpus: Corpus, local: Path, datasets: Any) -> Iterable[Record]:
    kind = format_of(local.name) if local.suffix else None
    if kind is None:
        raise ValueError(f"format {local.suffix!r}; allowed: {ALLOWED}")
    if packing_of(local.name):
        return _packed(corpus, local)  # `datasets` needs one more library for zstd
    stream: Iterable[Record] = datasets.load_dataset(
        _LOADERS[kind], data_files=str(local), split="train", streaming=True
    )
    return stream


def _packed(corpus: Corpus, local: Path) -> Iterable[Record]:
    for line in read_lines(local):
        if line.record is None:
            raise InputError(
                f"corpora: {corpus.name}: {local}:{line.number}: {line.reason}: {line.detail}; "
                "correct the file, or put it into the corpus folder, where bad rows are set aside"
            )
        yield line.record


def _from_hub(corpus: Corpus, datasets: Any) -> tuple[Iterable[Record], str]:
    from huggingface_hub import HfApi

    name = str(corpus.dataset)
    sha = str(HfApi().dataset_info(name, revision=corpus.revision).sha)
    stream: Iterable[Record] = datasets.load_dataset(
        name, name=corpus.config, split=corpus.split, revision=sha, streaming=True
    )
    return stream, sha


def _route(
    corpus: Corpus, records: Iterable[Record], revision: str, scratch: Path, report: Report
) -> tuple[dict[str, int], int]:
    """Write each record to its language's file; counts by language, and rows not asked for."""
    import pyarrow as pa

    counts: dict[str, int] = {}
    skipped = 0
    total = row_count(records, corpus.split)
    progress = Progress(report, corpus.name, total, "rows", EVERY_S) if total else None
    with ExitStack() as stack:
        outputs: dict[str, IO[bytes]] = {}
        for number, record in enumerate(records, start=1):
            if progress and total and number < total:  # the end is said once it is all written
                progress.at(number)
            elif number % 50_000 == 0:
                report(f"{corpus.name}: {number} rows")
            tag = _language_of(record, corpus)
            if corpus.languages and tag != UNROUTED and tag not in corpus.languages:
                skipped += 1
                continue
            if tag not in outputs:
                path = scratch / f"{tag}.jsonl.zst"
                raw = stack.enter_context(path.open("wb"))
                packed = stack.enter_context(pa.CompressedOutputStream(raw, "zstd"))
                outputs[tag] = cast(IO[bytes], packed)
            row = {**record, "revision": record.get("revision") or revision}
            line = json.dumps(row, ensure_ascii=False, default=str) + "\n"
            outputs[tag].write(line.encode("utf-8", "surrogatepass"))
            counts[tag] = counts.get(tag, 0) + 1
    return dict(sorted(counts.items())), skipped


def row_count(records: Iterable[Record], split: str) -> int | None:
    """How many rows there will be, where the dataset says so: a stream often does not."""
    if isinstance(records, Sized):
        return len(records)
    known = getattr(getattr(records, "info", None), "splits", None) or {}
    said = getattr(known.get(split), "num_examples", None)
    return int(said) if said else None


def _language_of(record: Record, corpus: Corpus) -> str:
    if corpus.language:
        return corpus.language
    named = corpus.columns.get("language")
    try:
        return declared_tag({"language": look_up(record, named)} if named else record) or UNROUTED
    except ValueError:
        return UNROUTED


def _publish(corpus: Corpus, folder: Path, scratch: Path) -> None:
    names, _ = find_languages(folder)
    kept = set()
    for path in sorted(scratch.iterdir()):
        tag = path.name.removesuffix(".jsonl.zst")
        target = folder / names.get(tag, tag) / f"{corpus.name}.jsonl.zst"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
        kept.add(target)
    for old in folder.glob(f"*/{corpus.name}.jsonl.zst"):
        if old not in kept:
            old.unlink()  # a language that the dataset no longer has
    shutil.rmtree(scratch)


def _request(corpus: Corpus, directory: Path) -> str:
    """What a fetch depends on; for a local copy also how its files look from outside."""
    local = _local(corpus, directory)
    looks = []
    if local is not None:
        for path in _files(local):
            stat = path.stat()
            looks.append((path.name, stat.st_size, stat.st_mtime_ns))
    asked = [corpus.dataset, corpus.config, corpus.split, corpus.revision, corpus.language]
    return version_of([asked, corpus.languages, corpus.columns.get("language"), looks])


def _local(corpus: Corpus, directory: Path) -> Path | None:
    path = (directory / str(corpus.dataset)).expanduser()
    return path if path.exists() else None


def _content(local: Path) -> str:
    return version_of([(path.name, file_digest(path)) for path in _files(local)])


def _files(local: Path) -> list[Path]:
    if local.is_file():
        return [local]
    return sorted(path for path in local.rglob("*") if path.is_file())


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
