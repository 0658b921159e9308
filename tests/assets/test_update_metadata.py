"""What an adapter's page says of an update."""

import pytest

from compass_assets.promotion import update_metadata

UPDATE = {
    "training_mode": "ecda",
    "replay_rows": 4,
    "replay_tokens": 40,
    "penalty_per_task_loss": 0.3,
    "fisher_scale": 12.0,
    "old_loss_rise": 0.02,
    "final_rise": 0.03,
    "final_surrogate": None,
    "history_rows": 90,
    "continual": {"lambda_": 2.0},
}


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, None),
        ({"fisher_scale": 0.0, "old_loss_rise": -0.01}, "off: the old loss had not risen"),
        ({"fisher_scale": 0.0, "old_loss_rise": None}, None),  # never measured
        ({"fisher_scale": None, "old_loss_rise": None}, None),  # no penalty was asked for
    ],
)
def test_a_penalty_that_had_nothing_to_hold_back_is_said(figures, said):
    shown = update_metadata(UPDATE | figures)
    assert ("penalty" in shown) is (said is not None)
    assert said is None or said in shown["penalty"]
    assert (shown["replay_rows"], shown["final_rise"]) == (4, 0.03)
    assert "final_surrogate" not in shown


def test_a_training_from_zero_has_nothing_to_say():
    assert update_metadata({"training_mode": "full"}) == {}
