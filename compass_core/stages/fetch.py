"""Fetching the corpora that the project file names and the input folders do not hold yet."""

from collections.abc import Callable, Collection

from compass_core.config.text import Corpus
from compass_core.corpora.hub import Fetched, fetch_corpus, is_fetched
from compass_core.errors import ConfigError
from compass_core.workspace import Workspace


def waiting_corpora(ws: Workspace) -> list[Corpus]:
    """Entries with a dataset that is not there as it is asked for now. Opens no network."""
    return [
        corpus
        for corpus in ws.project.corpora
        if corpus.dataset is not None
        and not is_fetched(_asked(ws, corpus), ws.input_folder(corpus.role), ws.directory)
    ]


def fetch_corpora(
    ws: Workspace,
    names: Collection[str] = (),
    report: Callable[[str], None] = lambda text: None,
) -> list[Fetched]:
    """Fetch the named entries, or all that wait. Raises ConfigError for a name that is none."""
    known = {corpus.name for corpus in ws.project.corpora if corpus.dataset is not None}
    strange = sorted(set(names) - known)
    if strange:
        allowed = ", ".join(sorted(known)) or "none; `corpora` in compass.yaml names no dataset"
        raise ConfigError(f"NAME: received {strange[0]!r}; allowed: {allowed}")
    chosen = [c for c in ws.project.corpora if c.name in names] if names else waiting_corpora(ws)
    return [
        fetch_corpus(_asked(ws, corpus), ws.input_folder(corpus.role), ws.directory, report)
        for corpus in chosen
    ]


def _asked(ws: Workspace, corpus: Corpus) -> Corpus:
    """Training data is of use in target languages only, so nothing else is fetched for it."""
    if corpus.role == "training" and corpus.languages is None:
        return corpus.model_copy(update={"languages": ws.targets})
    return corpus
