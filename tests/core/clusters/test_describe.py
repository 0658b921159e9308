import numpy as np

from compass_core.clusters.describe import describe_clusters, terms
from compass_core.clusters.language_split import language_split


def test_words_stay_whole_in_scripts_with_vowel_signs():
    assert terms("किसान मक्का बेचता है।", "hi") == ["किसान", "मक्का", "बेचता", "है"]
    assert terms("Bei ya mahindi, 2026!", "sw") == ["bei", "ya", "mahindi"]


def test_unsegmented_scripts_are_cut_into_runs_that_keep_their_marks():
    assert terms("น้ำฝน", "th") == ["น้ำฝ", "ฝน", "น้ำฝน"]
    assert "天気" in terms("今日の天気", "ja")


def test_clusters_get_telling_words_in_the_asked_language():
    texts = [
        "bei ya mahindi leo",
        "bei ya mahindi kesho",
        "mvua ya leo",
        "mvua ya kesho",
        "price of maize",
        "rain today",
    ]
    languages = ["sw"] * 4 + ["en"] * 2
    ids = np.array([0, 0, 1, 1, 0, 1])
    frame = describe_clusters(ids, texts, languages, np.ones(6, np.float32), title_language="sw")
    titles = dict(frame.select("cluster_id", "title").iter_rows())
    assert "mahindi" in titles[0]
    assert titles[1].startswith("mvua")
    assert " ya" not in titles[0]  # in both clusters: it tells nothing
    keywords = dict(frame.select("cluster_id", "keywords").iter_rows())
    assert [text.split(":")[0] for text in keywords[0]] == ["sw", "en"]
    assert frame["exemplars"].to_list()[0] == ["bei ya mahindi leo", "bei ya mahindi kesho"]


def test_noise_has_no_description():
    frame = describe_clusters(np.array([-1, -2, 3]), ["a b", "c d", "e f"], ["sw"] * 3, np.ones(3))
    assert frame["cluster_id"].to_list() == [3]


def test_a_split_by_language_is_warned_of():
    ids = np.array([0, 0, 1, 1])
    assert language_split(ids, ["sw", "sw", "hi", "hi"]).warning is not None
    assert language_split(ids, ["sw", "hi", "sw", "hi"]).warning is None
    assert language_split(ids, ["sw"] * 4).value == 0
