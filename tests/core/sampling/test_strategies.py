"""What each strategy asks for, by hand, through the same select_rows as always."""

import numpy as np
import polars as pl
import pytest

from compass_core.errors import InputError
from compass_core.sampling.langrank import features, rank_languages, words_of
from compass_core.sampling.scene import Target
from compass_core.sampling.strategies import STRATEGIES
from tests.core.sampling.test_select import HELD, P_USAGE, K, choose, gap_table, pool_table
from tests.core.sampling.test_select import unit_vectors as vectors_of


def tokens_by(result, column):
    counted = result.selected.group_by(column).agg(pl.col("supervised_tokens").sum())
    return dict(counted.iter_rows())


def share_by_cluster(result):
    tokens = tokens_by(result, "cluster_id")
    added = np.array([tokens.get(c, 0) for c in range(K)], dtype=float)
    return added


def test_half_by_usage_and_half_into_the_gaps():
    """Budget 100: 50 by usage (20, 15, 10, 5) and 50 of water over 40, 0, 0, 10 held."""
    added = share_by_cluster(choose(strategy="gap_then_match", budget=100))
    # water at level v: 0.3 v + 0.2 v = 50 (v = 100 leaves clusters 0 and 3 dry)
    assert added == pytest.approx([20, 15 + 30, 10 + 20, 5], abs=4)


@pytest.mark.parametrize(("share", "same"), [(0.0, "gap_waterfill"), (1.0, "usage_match")])
def test_its_ends_are_the_two_strategies_it_blends(share, same):
    blend = choose(strategy="gap_then_match", match_share=share, budget=170)
    assert blend.selected["row_id"].to_list() == (
        choose(strategy=same, budget=170).selected["row_id"].to_list()
    )


def test_usage_match_does_not_look_at_what_is_held():
    added = share_by_cluster(choose(strategy="usage_match", budget=200))
    assert added / added.sum() == pytest.approx(P_USAGE, abs=0.03)
    assert HELD[0] > 0


def test_nearest_mean_takes_what_is_nearest_to_the_mean_of_the_target():
    pool, vectors = pool_table(), vectors_of(200)
    points = vectors[[3, 4]]
    result = choose(
        pool, 5, "nearest_mean", unit="rows", vectors=vectors, target=Target(np.zeros(2), points)
    )
    usable = np.flatnonzero(~pool["off_target"].to_numpy())
    best = usable[np.argsort(-(vectors[usable] @ points.mean(axis=0)))[:5]]
    assert set(result.selected["row_id"]) == {f"r{i:04d}" for i in best}
    with pytest.raises(InputError, match="nearest_mean"):
        choose(pool, 5, "nearest_mean", vectors=None)


def test_langsim_gives_languages_amounts_in_proportion_to_their_similarity():
    result = choose(pool_table(3000), 900, "langsim", unit="rows")
    rows = dict(result.selected.group_by("row_language").len().iter_rows())
    similar = result.summary["uriel_similarity"]
    assert similar["sw"] == 1 > similar["hi"]
    total = sum(similar.values())
    for tag, count in rows.items():
        assert count == pytest.approx(900 * similar[tag] / total, abs=2)


def test_langrank_takes_the_three_best_languages_first():
    pool = pool_table(400, languages=("en", "sw", "hi", "ja"))
    texts = {"en": "the price of maize", "sw": "bei ya mahindi", "hi": "मक्का का दाम", "ja": "値段"}
    prompts = [texts[tag] for tag in pool["row_language"]]
    more = {
        "vectors": None,
        "target": Target(np.zeros(1), None, ["bei ya mahindi ni ngapi"]),
        "texts": lambda rows: [prompts[i] for i in rows],
    }
    result = choose(pool, 90, "langrank", unit="rows", **more)
    rows = dict(result.selected.group_by("row_language").len().iter_rows())
    ranks = {tag: found["rank"] for tag, found in result.summary["langrank"].items()}
    assert ranks["sw"] == 0
    assert rows == {tag: 30 for tag, rank in ranks.items() if rank < 3}
    everything = choose(pool, 310, "langrank", unit="rows", **more)
    last = next(tag for tag, rank in ranks.items() if rank == 3)
    assert everything.selected.filter(pl.col("row_language") == last).height == 10


def test_langranks_features_by_hand():
    found = features("sw", ["bei ya mahindi"], ["en", "sw"], np.array([9, 4]), [["maize"], ["bei"]])
    assert found["size"].tolist() == [9, 4]
    assert found["word_overlap"].tolist() == [0, 1 / 4]
    assert found["ttr_distance"].tolist() == [0, 0]
    assert rank_languages(found, ["en", "sw"]).tolist() == [1, 0]
    assert words_of(["日本の首都 Tokyo"]) == ["日本", "本の", "の首", "首都", "tokyo"]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_chosen_row_says_why(strategy):
    result = choose(strategy=strategy)
    assert result.selected["why"].null_count() == 0
    assert all(why.startswith(strategy) for why in result.selected["why"])


def test_the_reason_names_the_figures_it_rests_on():
    row = choose(budget=5, unit="rows").selected.row(0, named=True)
    cluster = row["cluster_id"]
    assert f"cluster {cluster} is {100 * P_USAGE[cluster]:.1f} % of usage" in row["why"]
    assert f"gap {gap_table()['gap'][cluster]:.1f}" in row["why"]
