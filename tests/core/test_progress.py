from compass_core.progress import Progress, megabytes


def test_it_says_how_far_and_how_long_now_and_then_and_at_the_end():
    seconds = iter([0.0, 2.0, 6.0, 8.0, 40.0])
    said: list[str] = []
    progress = Progress(said.append, "base model", 8, "items", clock=lambda: next(seconds))
    for done in (1, 2, 3, 8):
        progress.at(done, "0.5 right")
    assert said == [
        "base model: 2 of 8 items, 0.5 right, 18 s left",
        "base model: 8 of 8 items, 0.5 right",
    ]


def test_long_times_are_in_minutes_and_hours():
    seconds = iter([0.0, 60.0, 3600.0])
    said: list[str] = []
    progress = Progress(said.append, "x", 100, "rows", clock=lambda: next(seconds))
    progress.at(10)
    progress.at(20)
    assert said == ["x: 10 of 100 rows, 9 min left", "x: 20 of 100 rows, 4.0 h left"]


def test_bytes_are_shown_as_megabytes():
    seconds = iter([0.0, 60.0])
    said: list[str] = []
    progress = Progress(
        said.append, "sw", 400_000_000, "MB read", clock=lambda: next(seconds), show=megabytes
    )
    progress.at(100_000_000, "9 rows")
    assert said == ["sw: 100.0 of 400.0 MB read, 9 rows, 3 min left"]
