import polars as pl

from compass_core import records
from compass_core.sampling.card import training_card


def test_the_card_counts_by_language_licence_source_and_reason():
    row = dict.fromkeys(records.SELECTIONS) | {"supervised_tokens": 7, "row_id": "a"}
    rows = pl.DataFrame(
        [
            row | {"origin": "training", "row_language": "sw", "license": "CC-BY-4.0"},
            row
            | {
                "origin": "auxiliary",
                "row_language": "en",
                "source": "tldr|pages",
                "revision": "r7",
            },
        ],
        schema=records.SELECTIONS,
    )
    dropped = pl.DataFrame(
        [dict.fromkeys(records.DROPPED) | {"row_id": "b", "reason": "in_benchmark"}],
        schema=records.DROPPED,
    )
    summary = {
        "strategy": "gap_waterfill",
        "spent": 7,
        "budget": 9,
        "unit": "tokens",
        "jsd_bits_before": 0.5,
        "jsd_bits_after": 0.25,
    }
    card = training_card("sw", rows, dropped, summary, {"gap_report": "abc"})
    assert card.startswith('---\nlanguage: ["en", "sw"]\nlicense: "other"\n')
    assert "7 of a budget of 9 tokens" in card
    assert "| training | sw | 1 | 7 |" in card
    assert "| not stated | 1 | 7 |" in card
    assert "| tldr\\|pages | r7 | not stated | 1 | 7 |" in card
    assert "| in_benchmark | 1 |" in card
    assert "| gap_report | abc |" in card
