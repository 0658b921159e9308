from compass_core.adapters.terms import PENALTY, REPLAY, TASK, loss_terms


def test_the_three_terms_stand_as_they_do_in_the_loss():
    log = {"losses": [2.0, 1.0], "penalties": [0.0, 0.2], "replay_losses": [1.0, 3.0]}
    assert loss_terms(log, 0.1) == {TASK: [2.0, 1.0], PENALTY: [0.0, 0.2], REPLAY: [0.1, 0.3]}


def test_a_training_from_zero_has_one_term():
    assert loss_terms({"losses": [2.0], "penalties": [], "replay_losses": []}, None) == {
        TASK: [2.0]
    }
    assert loss_terms({"losses": [2.0]}, None) == {TASK: [2.0]}  # a log from before there were more
