import os

import pytest

from compass_core.corpora.files import find_languages, list_files, not_read, source_files
from compass_core.corpora.formats import format_of


def test_folders_are_languages_or_problems(tmp_path):
    for name in ("swh_Latn", "hi", "xx-nolang", "sw", ".hidden", "_notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "file.txt").write_text("x")
    outside = tmp_path.parent / "outside"
    outside.mkdir(exist_ok=True)
    (tmp_path / "th").symlink_to(outside)
    names, problems = find_languages(tmp_path)
    assert names == {"sw": "sw", "hi": "hi"}
    assert len(problems) == 3
    assert any("swh_Latn: swh_Latn is sw too" in text for text in problems)
    assert any("xx-nolang" in text for text in problems)
    assert any("th: a link out of the input folder" in text for text in problems)
    assert find_languages(tmp_path / "none") == ({}, [])


def test_unfinished_hidden_and_strange_files_are_no_sources(tmp_path):
    for name in ("a.jsonl", "b.jsonl.part", ".c.jsonl", "d.txt", "e.jsonl.tmp", "sub/f.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert [file.path for file in source_files(tmp_path)] == ["a.jsonl", "sub/f.csv"]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    secret = tmp_path.parent / "secret.jsonl"
    secret.write_text("x")
    (tmp_path / "link.jsonl").symlink_to(secret)
    assert source_files(tmp_path) == []


def test_digests_are_kept_while_size_and_time_are_the_same(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("one")
    first = source_files(tmp_path)[0]
    stat = path.stat()
    path.write_text("two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert source_files(tmp_path, {"a.jsonl": first})[0].digest == first.digest
    assert source_files(tmp_path)[0].digest != first.digest


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.JSONL", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.Ndjson.GZ", "jsonl"),
        ("x.y/a.jsonl.zst", "jsonl"),
        ("2026.01.05/chatcmpl-1", "json"),
        ("a.CSV", "csv"),
        ("a.csv.gz", None),
        ("a.jsonl.bz2", None),
        ("a.txt", None),
    ],
)
def test_endings_say_the_format_in_capitals_or_not(name, kind):
    assert format_of(name) == kind


def test_files_that_nothing_reads_are_named_but_not_those_that_nobody_means(tmp_path):
    for name in ("a.jsonl", "README.md", "LICENSE", "_SUCCESS", "b.jsonl.part", ".hidden.txt"):
        (tmp_path / name).write_text("x")
    assert not_read(tmp_path) == []
    for name in ("a.txt", "b.tsv", "c.csv.gz", "sub/d.jsonl.bz2", "bare"):
        (tmp_path / "sub").mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (problem,) = not_read(tmp_path)
    assert f"{tmp_path.name}: 5 files are not read (a.txt, b.tsv, bare, …)" in problem
    assert ".ndjson" in problem
    (problem,) = not_read(tmp_path, bare=True)
    assert "4 files are not read (a.txt, b.tsv, c.csv.gz, …)" in problem
    assert [name for name, _, _ in list_files(tmp_path, bare=True)] == ["a.jsonl", "bare"]


def test_names_that_are_no_text_are_named_and_not_read(tmp_path):
    for name in ("a.jsonl", os.fsdecode(b"caf\xe9.jsonl"), os.fsdecode(b"caf\xe9.txt")):
        (tmp_path / name).write_text('{"prompt": "a", "response": "b"}\n')
    (tmp_path / os.fsdecode(b"sw\xe9")).mkdir()
    assert [name for name, _, _ in list_files(tmp_path)] == ["a.jsonl"]
    problems = [*not_read(tmp_path), *find_languages(tmp_path)[1]]
    assert r"2 files are not read (caf\udce9.jsonl, caf\udce9.txt); allowed: names" in problems[0]
    for problem in problems:
        problem.encode()
