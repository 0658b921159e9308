"""Quarantined log lines come back corrected, records of a batch too, as the same user's."""

import json

import pytest

from compass_core.corpora.corrections import apply_corrections, export_quarantine
from compass_core.corpora.files import CORRECTIONS, source_files
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.logs import parse_log_file
from compass_core.corpora.rules import Rules
from compass_core.errors import InputError
from tests.core.corpora.log_records import NANOS, OTEL_SPAN, SHAPES, parsed


def corrected(folder, first, fix):
    """The quarantined rows, each text put right by `fix`, taken as corrections; how many."""
    sheet = folder.parent / f"fix-{folder.name}.jsonl"
    export_quarantine(first.quarantined, sheet)
    rows = [json.loads(text) for text in sheet.read_text().splitlines()]
    fixed = [{**row, "fixed": fix(row["fixed"])} for row in rows]
    sheet.write_text("".join(json.dumps(row) + "\n" for row in fixed))
    return apply_corrections(sheet, folder)


def test_a_corrected_line_keeps_its_user(tmp_path):
    broken = json.dumps({**SHAPES["plain"], "timestamp": "2026-01-35"})
    (tmp_path / "a.jsonl").write_text(f"{broken}\n{json.dumps(SHAPES['litellm'])}\n")
    file = source_files(tmp_path)[0]
    first = parse_log_file(tmp_path, file, "sw", Rules())
    assert corrected(tmp_path, first, lambda text: text.replace("01-35", "01-25")) == 1
    again = parse_log_file(tmp_path, file, "sw", Rules()).accepted
    assert again.height == 2
    assert again["user_hash"].n_unique() == 1


def test_a_record_of_a_batch_is_corrected_and_the_others_stay(tmp_path):
    spans = [{**OTEL_SPAN, "spanId": "1"}, {**OTEL_SPAN, "spanId": "2"}]
    spans[1]["startTimeUnixNano"] = "never"
    result = parsed(tmp_path, {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    assert (result.rows_read, result.reasons) == (2, {"bad_timestamp": 1})
    assert corrected(tmp_path, result, lambda text: text.replace("never", str(NANOS))) == 1
    again = parse_log_file(tmp_path, result.files[0], "sw", Rules())
    assert (again.rows_read, again.accepted.height, again.reasons) == (2, 2, {})
    assert again.accepted["user_hash"].n_unique() == 1


def test_a_user_by_number_may_be_in_a_corrected_attribute(tmp_path):
    user = {"key": "user.id", "value": {"intValue": "88123456"}}
    span = {**OTEL_SPAN, "attributes": [*OTEL_SPAN["attributes"][:2], user]}
    result = parsed(tmp_path, span, {**span, "spanId": "2", "startTimeUnixNano": "never"})
    assert corrected(tmp_path, result, lambda text: text.replace("never", str(NANOS))) == 1
    again = parse_log_file(tmp_path, result.files[0], "sw", Rules())
    assert (again.accepted.height, again.accepted["user_hash"].n_unique()) == (2, 1)


def test_a_batch_that_was_cut_is_corrected_as_a_whole(tmp_path):
    batch = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [OTEL_SPAN, OTEL_SPAN]}]}]})
    (tmp_path / "a.jsonl").write_text(batch[:-1] + "\n")
    result = parse_log_file(tmp_path, source_files(tmp_path)[0], "sw", Rules())
    assert result.reasons == {"bad_json": 1}
    assert corrected(tmp_path, result, lambda text: text + "}") == 1
    again = parse_log_file(tmp_path, result.files[0], "sw", Rules())
    assert (again.accepted.height, again.reasons) == (1, {"duplicate_row": 1})
    (tmp_path / "whole").mkdir()
    whole = parsed(tmp_path / "whole", json.loads(batch)).accepted
    assert again.accepted["user_hash"].to_list() == whole["user_hash"].to_list()


def test_a_line_that_was_shown_cut_has_to_be_given_whole(tmp_path):
    first = parsed(tmp_path, {"timestamp": "never", "text": "neno " * 900})
    with pytest.raises(InputError, match=r"fix-.*:1: `fixed` ends .* cut; .* from a.jsonl:1"):
        corrected(tmp_path, first, lambda text: text.replace("never", "2026-01-05"))
    assert not (tmp_path / CORRECTIONS).exists()
    whole = json.dumps({"timestamp": "2026-01-05", "text": "neno " * 900})
    assert corrected(tmp_path, first, lambda text: whole) == 1
    assert parse_log_file(tmp_path, first.files[0], "sw", Rules()).accepted.height == 1


def test_rows_set_aside_as_cleaned_text_say_that_they_are_not_corrected_here(tmp_path):
    rows = [{"prompt": "a", "response": "b", "id": number} for number in (1, 2)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    first = ingest_text(tmp_path, "sw", Rules())
    assert first.reasons == {"exact_duplicate": 1}
    with pytest.raises(InputError, match=r"set aside as exact_duplicate .* change a\.jsonl:"):
        corrected(tmp_path, first, lambda text: json.dumps({**rows[1], "prompt": "c"}))
    again = {**SHAPES["plain"], "id": "1"}
    late = parsed(tmp_path, again, {**again, "text": "Mvua?", "timestamp": "2026-01-04"})
    assert late.reasons == {"duplicate_id": 1}  # never accepted, so it is shown as its line
    assert corrected(tmp_path, late, lambda text: text.replace('"id": "1"', '"id": "2"')) == 1
    assert parse_log_file(tmp_path, late.files[0], "sw", Rules()).accepted.height == 2
