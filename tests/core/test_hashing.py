import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compass_core.hashing import (
    seeded_generator,
    text_hash,
    unit_key,
    version_of,
    version_of_bytes,
    version_of_set,
)


def test_text_hash_tells_missing_from_empty_and_parts_from_their_join():
    assert text_hash(None) != text_hash("")
    assert text_hash("ab", "c") != text_hash("a", "bc")
    assert text_hash("habari") == text_hash("habari")


@given(st.lists(st.text(max_size=5), max_size=20))
def test_version_of_set_does_not_see_order(items):
    assert version_of_set(items) == version_of_set(list(reversed(items)))


def test_version_of_set_sees_repeats():
    assert version_of_set(["a", "a"]) != version_of_set(["a"])


def test_version_of_ignores_key_order_only():
    assert version_of({"a": 1, "b": [1, 2]}) == version_of({"b": [1, 2], "a": 1})
    assert version_of({"a": [1, 2]}) != version_of({"a": [2, 1]})


def test_version_of_bytes_sees_where_blobs_end():
    assert version_of_bytes(b"ab", b"c") != version_of_bytes(b"a", b"bc")


def test_unit_keys_are_uniform_and_belong_to_row_and_seed():
    keys = np.array([unit_key(f"row-{i}", seed=3) for i in range(4000)])
    assert keys.min() >= 0
    assert keys.max() < 1
    counts, _ = np.histogram(keys, bins=10, range=(0, 1))
    assert counts.min() > 320  # 400 expected, five standard deviations below
    assert unit_key("row-1", 3) == keys[1]
    assert unit_key("row-1", 4) != keys[1]


def test_generators_of_one_label_do_not_depend_on_others():
    first = seeded_generator(7, "clusters", "sw").random(3)
    seeded_generator(7, "clusters", "hi").random(100)
    again = seeded_generator(7, "clusters", "sw").random(3)
    assert np.array_equal(first, again)


def test_a_version_of_many_lines_is_that_of_all_of_them():
    import polars as pl

    from compass_core.hashing import version_of_lines

    lines = pl.Series([f"row-{i:06d}" for i in range(250_001)])
    assert version_of_lines(lines) == version_of_lines(lines.clone())
    changed = lines.to_list()
    changed[-1] = "other"
    assert version_of_lines(pl.Series(changed)) != version_of_lines(lines)
    assert version_of_lines(lines[:-1]) != version_of_lines(lines)
