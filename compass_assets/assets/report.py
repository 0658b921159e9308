"""The page of a language: everything a person wants to know, in one file."""

import dagster as dg

from compass_assets.automation import FOLLOW
from compass_assets.describe import graph_asset
from compass_assets.partitions import language_partitions
from compass_assets.resources import ProjectResource
from compass_assets.step import Events, Step
from compass_core import layout
from compass_core.config.schema import Project


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    @graph_asset(
        "language_report",
        language_partitions(project),
        code_versions,
        kinds=["html", "plotly"],
        condition=FOLLOW,
        description=(
            "One self-contained HTML file: why stale, what is missing, what was added, did it "
            "help, may it serve; with a map of the clusters to zoom into."
        ),
    )
    def language_report(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        from compass_core.stages.language_report import report_page

        step = Step(context, project, "language_report")
        data, size_bytes, version = report_page(
            step.ws,
            step.partition,
            step.consumed["semantic_clusters"].version,
            {name: consumed.version for name, consumed in step.consumed.items()},
        )
        place = step.ws.store.uri(layout.report(step.partition))
        lines = [f"- **{asset}**: {text}" for asset, text in data.summaries.items()]
        yield step.finish(
            version,
            summary=f"{data.gaps.height} clusters, {data.points.height} texts on the map",
            metadata={
                "summary_of_the_language": dg.MetadataValue.md("\n".join(lines)),
                "size_bytes": size_bytes,
                "path": dg.MetadataValue.path(place),
                **(
                    {"page": dg.MetadataValue.url(f"file://{place}")}
                    if step.ws.store.is_local
                    else {}
                ),
            },
        )

    return [language_report]
