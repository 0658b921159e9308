import numpy as np

from compass_core.clusters.describe import describe_clusters
from compass_core.clusters.language_split import language_split


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


def test_unsegmented_titles_read_like_words():
    texts = ["ราคาข้าวโพดวันนี้", "ราคาข้าวโพดพรุ่งนี้", "ฝนจะตกที่เชียงใหม่", "ฝนจะตกที่ภูเก็ต"]
    frame = describe_clusters(
        np.array([0, 0, 1, 1]), texts, ["th"] * 4, np.ones(4), title_language="th"
    )
    titles = dict(frame.select("cluster_id", "title").iter_rows())
    assert "ข้าวโพด" in titles[0].split(" · ")
    assert "ฝน" in titles[1] or "ตก" in titles[1]


def test_no_word_is_said_twice_in_any_language_or_cluster():
    rng = np.random.default_rng(0)
    vocabulary = [f"word{i}" for i in range(60)]
    texts, ids = [], []
    for cluster in range(6):
        mine = [*vocabulary[cluster * 10 : cluster * 10 + 10], *vocabulary[:5]]
        for _ in range(20):
            texts.append(" ".join(rng.choice(mine, 6)))
            ids.append(cluster)
    languages = [["en", "id", "pt"][i % 3] for i in range(len(texts))]
    frame = describe_clusters(np.array(ids), texts, languages, np.ones(len(ids)))
    by_language = {}
    for keywords in frame["keywords"]:
        said = [word for line in keywords for word in line.split(": ")[1].split()]
        assert said
        assert len(said) == len(set(said))  # within a cluster: in one language only
        for line in keywords:
            by_language.setdefault(line.split(": ")[0], []).extend(line.split(": ")[1].split())
    for found in by_language.values():
        assert len(found) == len(set(found))  # within a language: in one cluster only
    assert frame["title"].n_unique() == frame.height


def test_a_split_by_language_is_warned_of():
    ids = np.array([0, 0, 1, 1] * 20)
    assert language_split(ids, ["sw", "sw", "hi", "hi"] * 20).warning is not None
    assert language_split(ids, ["sw", "hi", "sw", "hi"] * 20).warning is None
    assert language_split(ids, ["sw"] * 80).value == 0


def test_many_small_clusters_do_not_look_split_and_many_pure_ones_do():
    rng = np.random.default_rng(2)
    languages = [["sw", "hi", "en"][i] for i in rng.integers(0, 3, 600)]
    by_chance = language_split(rng.integers(0, 120, 600), languages)
    assert by_chance.value < 0.05  # unadjusted it would be 0.2
    places = {"sw": 0, "hi": 40, "en": 80}
    pure = np.array([places[name] + rng.integers(40) for name in languages])
    assert language_split(pure, languages).value > 0.95
