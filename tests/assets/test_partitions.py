"""Days that two runs register at the same time."""

import sqlite3

import dagster as dg
import pytest

from compass_assets.partitions import DAYS, add_days


class Hasty:
    """An instance whose first insertions meet another run's."""

    def __init__(self, instance: dg.DagsterInstance, failures: int) -> None:
        self.instance, self.failures = instance, failures

    def add_dynamic_partitions(self, name: str, keys: list[str]) -> None:
        if self.failures:
            self.failures -= 1
            self.instance.add_dynamic_partitions(name, keys[:1])  # the other run
            raise sqlite3.IntegrityError("UNIQUE constraint failed")
        self.instance.add_dynamic_partitions(name, keys)


def test_a_day_that_another_run_has_just_registered_is_no_failure() -> None:
    with dg.instance_for_test() as instance:
        add_days(Hasty(instance, 1), ["2026-01-02", "2026-01-03"])  # type: ignore[arg-type]
        assert set(instance.get_dynamic_partitions(DAYS)) == {"2026-01-02", "2026-01-03"}


def test_a_storage_that_goes_on_failing_is_not_hidden() -> None:
    with dg.instance_for_test() as instance, pytest.raises(sqlite3.IntegrityError):
        add_days(Hasty(instance, 2), ["2026-01-02"])  # type: ignore[arg-type]
