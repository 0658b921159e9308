import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from compass_core.config.schema import Sampling
from compass_core.errors import InputError
from tests.core.sampling.test_select import HELD, P_USAGE, K, choose, chosen, gap_table, pool_table

BY_CLUSTER = ["gap_waterfill", "gap_then_match", "usage_match", "gap_proportional", "inverse_count"]
TAGS = ("en", "hi", "sw")
LARGEST = 5  # tokens of the largest row


def spent_by(result):
    counted = result.selected.group_by("row_language").agg(pl.col("supervised_tokens").sum())
    return dict(counted.iter_rows())


@st.composite
def limits(draw):
    """Feasible minimum shares and caps for the three languages."""
    least = {tag: draw(st.sampled_from([0.0, 0.1, 0.3])) for tag in TAGS}
    most = {tag: max(least[tag], draw(st.sampled_from([0.2, 0.4, 1.0]))) for tag in TAGS}
    return least, most


@settings(max_examples=60, deadline=None)
@given(limits(), st.integers(0, 350), st.sampled_from([*BY_CLUSTER, "random", "langsim"]))
def test_caps_hold_exactly_and_minimum_shares_to_within_two_rows(bounds, budget, strategy):
    least, most = bounds
    result = choose(
        budget=budget,
        strategy=strategy,
        min_share_per_language=least,
        max_share_per_language=most,
    )
    spent = spent_by(result)
    assert sum(spent.values()) <= budget
    for tag in TAGS:
        assert spent.get(tag, 0) <= most[tag] * budget + 1e-9
    fits = sum(min(1.0, share) for share in most.values()) >= 1
    left = set(result.dropped.filter(pl.col("reason") == "beyond_budget")["row_id"])
    if fits and strategy != "gap_proportional" and left:
        for tag in TAGS:
            mine = pool_table().filter(
                (pl.col("row_language") == tag) & pl.col("row_id").is_in(list(left))
            )
            if mine.height:
                assert spent.get(tag, 0) > least[tag] * budget - 2 * LARGEST


@settings(max_examples=60, deadline=None)
@given(
    limits(),
    st.integers(0, 300),
    st.integers(0, 120),
    st.sampled_from([*BY_CLUSTER, "random", "langsim"]),
    st.sampled_from(["tokens", "rows"]),
)
def test_a_larger_budget_only_adds_rows_under_limits_too(bounds, budget, more, strategy, unit):
    given_ = {
        "strategy": strategy,
        "unit": unit,
        "min_share_per_language": bounds[0],
        "max_share_per_language": bounds[1],
    }
    assert chosen(choose(budget=budget, **given_)) <= chosen(choose(budget=budget + more, **given_))


@settings(max_examples=20, deadline=None)
@given(limits(), st.integers(1, 300), st.randoms(use_true_random=False))
def test_order_does_not_count_under_limits(bounds, budget, random):
    order = list(range(200))
    random.shuffle(order)
    shares = {"min_share_per_language": bounds[0], "max_share_per_language": bounds[1]}
    one = choose(budget=budget, **shares)
    two = choose(pool_table()[order], budget, **shares)
    assert one.selected["row_id"].to_list() == two.selected["row_id"].to_list()


def test_limits_that_do_not_bind_change_nothing():
    plain = choose(budget=150)
    loose = choose(budget=150, min_share_per_language={"en": 0.001}, max_share_per_language=0.99)
    assert chosen(plain) == chosen(loose)


def test_rows_are_spent_to_the_last_where_the_caps_allow_it():
    for budget in (1, 2, 7, 30, 99):
        caps = {"en": 0.5, "hi": 0.5, "sw": 0.5}
        result = choose(budget=budget, unit="rows", max_share_per_language=caps)
        assert result.selected.height in (budget, budget - 1)


def test_what_cannot_be_met_is_said():
    result = choose(budget=100, min_share_per_language={"yo": 0.2, "sw": 0.1})
    assert result.summary["unmet_minimum"] == {"yo": {"short": 20.0}}
    with pytest.raises(InputError, match="at most 1 in all"):
        choose(budget=100, min_share_per_language=0.4)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"min_share_per_language": {"sw": 0.7, "hi": 0.5}}, "sums to 1.2"),
        ({"min_share_per_language": {"sw": 0.5}, "max_share_per_language": 0.4}, "above its cap"),
        ({"min_share_per_language": 0.3, "max_share_per_language": {"en": 0.2}}, "above its cap"),
        ({"min_share_per_language": {"nolang": 0.5}}, "no language tag"),
        ({"min_share_per_language": {"sw": 0.1, "swh": 0.2}}, "named twice: sw"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Sampling(**values)


def test_tags_are_standardised():
    assert Sampling(min_share_per_language={"swh": 0.1}).min_share_per_language == {"sw": 0.1}
    assert np.isclose(Sampling().min_share_per_language, 0)


@settings(max_examples=10, deadline=None)
@given(limits(), st.integers(20, 90))
def test_no_generic_solver_finds_a_better_mix_within_the_limits(bounds, budget):
    """Cells x[cluster, language] under caps and minimum shares, by scipy's SLSQP.

    Every cluster has rows of every language here; where one has not, see docs/sampling.md.
    """
    least, most = (np.array([share[tag] for tag in TAGS]) for share in bounds)
    result = choose(
        budget=budget,
        unit="rows",
        gaps=gap_table(held=[2 * h for h in HELD]),
        min_share_per_language=bounds[0],
        max_share_per_language=bounds[1],
    )
    counted = result.selected.group_by("cluster_id").len()
    added = np.zeros(K)
    for cluster, count in counted.iter_rows():
        added[cluster] = count
    held, p = np.array(HELD, dtype=float), np.array(P_USAGE)
    pool = pool_table().filter(~pl.col("off_target"))
    cells = np.zeros((K, len(TAGS)))
    for cluster, tag, n in pool.group_by("cluster_id", "row_language").len().iter_rows():
        cells[cluster, TAGS.index(tag)] = n
    total = added.sum()

    def loss(x):
        return -float((p * np.log(held + x.reshape(K, -1).sum(axis=1) + 1e-3)).sum())

    constraints = [{"type": "eq", "fun": lambda x: x.sum() - total}]
    constraints += [
        {"type": "ineq", "fun": lambda x: most * budget - x.reshape(K, -1).sum(axis=0)},
        {"type": "ineq", "fun": lambda x: x.reshape(K, -1).sum(axis=0) - least * total + 1},
    ]
    start = cells.ravel() * total / cells.sum()
    bound = [(0, n) for n in cells.ravel()]
    found = minimize(loss, start, bounds=bound, constraints=constraints, method="SLSQP")
    if found.success and total == budget:
        mine = -float((p * np.log(held + added + 1e-3)).sum())
        assert mine <= found.fun + 0.02  # whole rows against fractions of them
