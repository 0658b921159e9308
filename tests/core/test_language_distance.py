from pathlib import Path

import numpy as np
import polars as pl
import pytest

from compass_core.language_distance import KINDS, distances, similarity, uriel_code

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "uriel_distances.parquet"


def test_relatives_are_nearer_than_strangers_and_a_language_is_itself():
    found = distances("hi", ["hi", "bn", "ja"])
    for kind in KINDS:
        same, near, far = found[kind]
        assert same == 0
        assert 0 < near < far <= 1
    assert similarity("hi", ["hi"])[0] == pytest.approx([1.0])


def test_tags_find_the_variety_that_people_mean():
    assert [uriel_code(tag) for tag in ("sw", "ar", "zh-Hant", "fa", "ms")] == [
        "swh",
        "arb",
        "cmn",
        "pes",
        "zsm",
    ]
    assert similarity("zh", ["zh-Hant", "sr"])[0][0] == 1


@pytest.mark.parametrize(("tag", "kin"), [("nn", "da"), ("tw", "ak"), ("ltg", "lt")])
def test_a_variety_without_a_family_of_its_own_has_that_of_its_kin(tag, kin):
    near, far = distances(tag, [kin, "ja"])["genetic"]
    assert near < 0.5
    assert far == 1


def test_languages_that_uriel_does_not_know_are_neither_favoured_nor_left_out():
    values, unknown = similarity("sw", ["en", "hi", "tok"])
    assert unknown == ["tok"]
    assert values[2] == pytest.approx(values[:2].mean())
    values, unknown = similarity("tok", ["en", "hi"])
    assert values.tolist() == [1, 1]
    assert "tok" in unknown


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not here")
def test_distances_are_those_of_an_independent_computation():
    table = pl.read_parquet(SHARED)
    for one, other, a, b in (("arb", "eng", "ar", "en"), ("ind", "jpn", "id", "ja")):
        mine = (pl.col("iso_a") == one) & (pl.col("iso_b") == other)
        row = table.filter(mine).row(0, named=True)
        found = distances(a, [b])
        assert [float(found[k][0]) for k in KINDS] == pytest.approx(
            [row[k] for k in KINDS], abs=1e-4
        )
    assert np.isnan(distances("en", ["tok"])["genetic"][0])
