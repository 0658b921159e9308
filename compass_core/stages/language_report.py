"""The page of a language, made from the tables of all other stages."""

from compass_core import layout
from compass_core.hashing import version_of
from compass_core.report.gather import LanguageData, gather
from compass_core.report.page import render
from compass_core.stages.plan import COMPARISON
from compass_core.workspace import Workspace


def report_page(
    ws: Workspace, language: str, model_version: str, made_from: dict[str, str]
) -> tuple[LanguageData, int, str]:
    """Write the page; returns what it shows, its size in bytes and its data version.

    The version is that of what the page was made from: the time of making is no content. Figures
    of the comparison of strategies are on the page where there are any, so they count as well.
    """
    compared = ws.manifests.get(COMPARISON, language)
    if compared is not None:
        made_from = {**made_from, COMPARISON: compared.data_version}
    data = gather(ws, language, model_version)
    text = render(data).encode()
    ws.store.write_bytes(layout.report(language), text)
    return data, len(text), version_of(made_from)
