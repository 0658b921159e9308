"""The job that fetches the corpora which the project file names."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from compass_assets.resources import ProjectResource
from compass_assets.step import tell
from compass_core.stages.fetch import fetch_corpora as fetch


@dg.op(description="Stream the waiting datasets of `corpora` into the input folders.")
def fetch_corpora_op(
    context: dg.OpExecutionContext, project: ProjectResource
) -> Iterator[dg.Output[Any]]:
    ws = project.workspace()
    made = fetch(ws, report=context.log.info)
    for one in made:
        tell("corpora", one.name, f"{sum(one.rows.values())} rows fetched at {one.revision}")
    yield dg.Output(
        None,
        metadata={
            one.name: dg.MetadataValue.json(
                {"revision": one.revision, "rows": one.rows, "unrouted": one.unrouted}
            )
            for one in made
        },
    )


@dg.job(name="fetch_corpora", description="Fetch the datasets that compass.yaml names.")
def fetch_corpora() -> None:
    fetch_corpora_op()
