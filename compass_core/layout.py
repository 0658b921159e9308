"""Where everything lies in the store: one function a kind of file, so that no key is spelled twice.

Languages are standard tags by the time they get here, so they are safe parts of a key.
"""

CORPORA_CATALOGUE = "catalogue/corpora"
ADAPTERS_CATALOGUE = "catalogue/adapters"


def corpus(role: str, language: str) -> str:
    """Accepted rows of one corpus; role is auxiliary or training."""
    return f"corpora/{role}/{language}.parquet"


def usage_day(language: str, day: str) -> str:
    """Accepted usage rows of one UTC day (YYYY-MM-DD)."""
    return f"corpora/usage/{language}/{day}.parquet"


def usage_days(language: str) -> str:
    """Book of the days of a language: day -> version and row counts."""
    return f"corpora/usage/{language}/days.json"


def window(language: str) -> str:
    """Manifest of the usage window: which days, at which versions."""
    return f"windows/{language}.json"


def catalogue(language: str) -> str:
    """Manifest of the auxiliary corpora that a target language may sample from."""
    return f"catalogues/{language}.json"


def benchmark(language: str) -> str:
    return f"benchmarks/{language}.parquet"


def other_benchmarks(language: str) -> str:
    """Items in the languages that a target samples from: looked for in rows, never scored."""
    return f"benchmarks/others/{language}.parquet"


def quarantine(asset: str, partition: str) -> str:
    return f"quarantine/{asset}/{partition}.parquet"


def cluster_model(language: str, version: str) -> str:
    """Folder of one immutable cluster model."""
    return f"models/clusters/{language}/{version}"


def clusters(language: str) -> str:
    return f"clusters/{language}.parquet"


def title(content: str) -> str:
    """A cluster's title by a language model, by the hash of what the model was shown."""
    return f"titles/{content}.json"


def assignments(language: str) -> str:
    return f"assignments/{language}.parquet"


def gaps(language: str) -> str:
    return f"gaps/{language}.parquet"


def gaps_history(language: str) -> str:
    """All gap reports of a language, one a usage window."""
    return f"gaps_history/{language}.parquet"


def staleness(language: str) -> str:
    """State of every asset of a language when it was last evaluated."""
    return f"staleness/{language}.parquet"


def selections(language: str) -> str:
    return f"selections/{language}.parquet"


def dropped(language: str) -> str:
    """Rows that are not in the training set, and why."""
    return f"dropped/{language}.parquet"


def training_set(language: str, extension: str) -> str:
    """The training set as `parquet` or `jsonl` (chat messages)."""
    return f"training_sets/{language}/train.{extension}"


def training_card(language: str) -> str:
    """The data card beside the training set."""
    return f"training_sets/{language}/README.md"


def samples(language: str) -> str:
    """One row: how much was sampled, and how near the mix came to usage."""
    return f"samples/{language}.parquet"


def gap_pool(language: str) -> str:
    """Pool rows and tokens by cluster and language."""
    return f"gap_pool/{language}.parquet"


def memory(language: str, version: str) -> str:
    """Folder beside an adapter version: Fisher, theta* and the rows that it has learnt."""
    return f"memory/{language}/{version}"


def retention(language: str, version: str) -> str:
    """Losses on held-out rows of earlier usage, measured when a version is scored."""
    return f"retention/{language}-{version}.parquet"


def promotions(language: str) -> str:
    """History of which version served, and why."""
    return f"promotions/{language}.parquet"


def scores(language: str, version: str) -> str:
    return f"scores/{language}-{version}.parquet"


def comparison(language: str) -> str:
    """Accuracy by sampling strategy, on held-out items."""
    return f"comparisons/{language}.parquet"


def drift(language: str) -> str:
    """History of drift reports, one row an adapter version and day."""
    return f"drift/{language}.parquet"


def report(language: str) -> str:
    """The page of a language: one self-contained HTML file."""
    return f"reports/{language}.html"


def drift_clusters(language: str) -> str:
    """The clusters that moved, by drift report."""
    return f"drift_clusters/{language}.parquet"


def performance(language: str) -> str:
    """History of the performance signal, by drift report."""
    return f"performance/{language}.parquet"


def drift_anchor(language: str, version: str) -> str:
    """Cluster and user of each prompt that an adapter version was trained for."""
    return f"drift_anchors/{language}-{version}.parquet"


def drift_calibration(language: str, version: str) -> str:
    """How often looks at halves of an adapter version's own usage alarm."""
    return f"drift_anchors/{language}-{version}-calibration.json"


def manifest(asset: str, partition: str) -> str:
    return f"manifests/{asset}/{partition}.json"


def corpora_catalogue(asset: str, partition: str) -> str:
    return f"{CORPORA_CATALOGUE}/{asset}-{partition}.parquet"


def adapters_catalogue(language: str) -> str:
    return f"{ADAPTERS_CATALOGUE}/{language}.parquet"
