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
        kinds=["plotly"],
        condition=FOLLOW,
        description=(
            "One self-contained HTML file: why stale, what is missing, what was added, did it "
            "help, may it serve; with a map of the clusters to zoom into."
        ),
    )
    def language_report(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        from compass_assets.plots.cluster_map import map_of
        from compass_assets.plots.coverage import coverage_plot
        from compass_assets.plots.scores import scores_plot
        from compass_core.benchmarks.baselines import baselines
        from compass_core.stages.language_report import report_page

        step = Step(context, project, "language_report")
        data, size_bytes, version = report_page(
            step.ws,
            step.partition,
            step.consumed["semantic_clusters"].version,
            {name: consumed.version for name, consumed in step.consumed.items()},
        )
        beside = baselines(data.scores, data.comparisons, data.versions["version"].to_list())
        lines = [f"- **{asset}**: {text}" for asset, text in data.summaries.items()]
        yield step.finish(
            version,
            summary=f"{data.gaps.height} clusters, {data.points.height} texts on the map",
            pictures={
                "map": map_of(
                    data.cluster_map.select("x", "y").to_numpy(),
                    data.cluster_map["cluster_id"].to_numpy(),
                    data.gaps,
                ),
                "before_and_after": coverage_plot(data.gaps, data.selections, data.unit),
                "scores": scores_plot(beside),
            },
            metadata={
                "summary_of_the_language": dg.MetadataValue.md("\n".join(lines)),
                "size_bytes": size_bytes,
                # A browser follows no link from an http page to a file: the command opens it.
                "to_open_it": f"compass report {step.partition} --open",
                "path": dg.MetadataValue.path(step.ws.store.uri(layout.report(step.partition))),
            },
        )

    return [language_report]
