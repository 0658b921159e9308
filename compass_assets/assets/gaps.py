"""Clusters, assignments and the gap report of a language."""

import dagster as dg
import polars as pl

from compass_assets.automation import FOLLOW
from compass_assets.check_results import result
from compass_assets.describe import graph_asset, overdue_after
from compass_assets.partitions import language_partitions
from compass_assets.preview import table
from compass_assets.resources import ProjectResource
from compass_assets.step import Events, Step
from compass_core import layout
from compass_core.config.schema import Project


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    languages = language_partitions(project)

    @graph_asset(
        "semantic_clusters",
        languages,
        code_versions,
        kinds=["numpy"],
        condition=FOLLOW,
        description=(
            "Clusters over usage, training and a sample of the pool. Kept while new usage falls "
            "into them; fitted anew, with stable ids, when it does not."
        ),
    )
    def semantic_clusters(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        from compass_core.stages.clusters import cluster_language
        from compass_core.stages.findings import clusters_usable, embedder_mixes_languages

        step = Step(context, project, "semantic_clusters")
        before = step.ws.manifests.get(step.name, step.partition)
        outcome = cluster_language(
            step.ws, step.partition, before.data_version if before else None, step.report
        )
        figures = outcome.figures
        kept = "kept" if outcome.reason is None else f"fitted ({outcome.reason})"
        yield step.finish(
            outcome.model.version,
            summary=(
                f"{figures['clusters']} clusters by {figures['method']}, {kept}, "
                f"{100 * figures['noise_share']:.1f} % noise "
                f"({step.ws.project.clusters.noise})"
            ),
            facts={"clusters": figures["clusters"], "method": figures["method"]},
            metadata={
                "clusters": figures["clusters"],
                "method": figures["method"],
                "refit": outcome.reason or "kept",
                "fit_rows": figures["fit_rows"],
                "noise_policy": step.ws.project.clusters.noise,
                "noise_share": figures["noise_share"],
                "off_target_share": figures["off_target_share"],
                "silhouette": figures["silhouette"] or 0.0,
                "candidates": dg.MetadataValue.json(figures["candidates"]),
                "id_events": dg.MetadataValue.json(figures["events"]),
                "titles": figures["titles"],
                "language_split": figures["language_split"],
                "preview": table(
                    outcome.table, ["cluster_id", "title", "fit_rows", "keywords"], 20
                ),
                "settings": dg.MetadataValue.json(step.ws.project.clusters.model_dump()),
                "path": dg.MetadataValue.path(step.ws.store.uri(layout.clusters(step.partition))),
            },
            checks=[
                result(clusters_usable(figures)),
                result(
                    embedder_mixes_languages(
                        figures["language_split"], figures["language_split_warning"]
                    )
                ),
            ],
        )

    @graph_asset(
        "cluster_assignments",
        languages,
        code_versions,
        kinds=["parquet"],
        condition=FOLLOW,
        description="The cluster of every usage, training and auxiliary row of a language.",
    )
    def cluster_assignments(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        from compass_core.stages.clusters import assign_language

        step = Step(context, project, "cluster_assignments")
        frame, version = assign_language(
            step.ws, step.partition, step.version("semantic_clusters"), step.report
        )
        by_role = (
            frame.group_by("role")
            .agg(
                pl.len().alias("rows"),
                pl.col("cluster_id").n_unique().alias("clusters"),
                pl.col("noise").mean().alias("noise_share"),
                pl.col("off_target").mean().alias("off_target_share"),
                pl.col("similarity").mean().alias("mean_similarity"),
            )
            .sort("role")
        )
        yield step.finish(
            version,
            summary=(
                f"{frame.height} rows assigned, {frame['noise'].sum()} noise, of which "
                f"{frame['off_target'].sum()} off target"
            ),
            facts={"rows": frame.height},
            metadata={
                "dagster/row_count": frame.height,
                "by_role": table(by_role, by_role.columns),
                "preview": table(
                    frame, ["role", "row_language", "row_id", "cluster_id", "similarity"]
                ),
                "path": dg.MetadataValue.path(
                    step.ws.store.uri(layout.assignments(step.partition))
                ),
            },
        )

    @graph_asset(
        "gap_report",
        languages,
        code_versions,
        kinds=["parquet", "duckdb"],
        condition=FOLLOW,
        freshness=overdue_after(project.freshness.reports_hours),
        description="Which clusters users ask about more than the training data covers.",
    )
    def gap_report(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        from compass_assets.plots.cluster_map import cluster_map_plot
        from compass_assets.plots.gaps import gap_plot
        from compass_core.gaps.covered import asked_about, in_words, under_covered
        from compass_core.stages.clusters import load_model
        from compass_core.stages.findings import enough_usage
        from compass_core.stages.gaps import report_language

        step = Step(context, project, "gap_report")
        model_version = step.consumed["semantic_clusters"].version
        report, version = report_language(step.ws, step.partition, model_version, step.report)
        model = load_model(step.ws, step.partition, model_version)
        frame, figures = report.frame, report.summary
        open_gaps = under_covered(frame)
        pool = report.pool.group_by("row_language").agg(pl.col("pool_rows", "pool_tokens").sum())
        pool = pool.sort("pool_tokens", descending=True)
        for_gaps = (
            report.pool.join(open_gaps.select("cluster_id", "title", "gap"), on="cluster_id")
            .sort(["gap", "pool_tokens"], descending=True)
            .select("title", "gap", "row_language", "pool_rows", "pool_tokens")
        )
        usage_rows = int(frame["usage_rows"].sum())
        yield step.finish(
            version,
            summary=(
                f"{in_words(frame)}, jsd {figures['jsd_bits']:.3f} bits, best attainable "
                f"{figures['jsd_bits_best']:.3f}"
            ),
            facts={
                "jsd_bits": figures["jsd_bits"],
                "jsd_bits_best": figures["jsd_bits_best"],
                "clusters_with_gap": open_gaps.height,
                "clusters_asked_about": asked_about(frame).height,
            },
            pictures={
                "picture": gap_plot(frame),
                "map": cluster_map_plot(model.centroids, model.cluster_ids, frame),
            },
            metadata={
                "jsd_bits": figures["jsd_bits"],
                "jsd_bits_best": figures["jsd_bits_best"],
                "clusters_with_gap": open_gaps.height,
                "clusters_asked_about": asked_about(frame).height,
                "gap_mass": float(frame["gap"].sum()),
                "usage_rows": usage_rows,
                "corpus_rows_with_benchmark_items": figures["corpus_rows_with_benchmark_items"],
                "figures": dg.MetadataValue.json(figures),
                "top_gaps": table(
                    open_gaps,
                    ["title", "gap", "p_usage", "p_training", "usage_rows", "pool_rows"],
                    12,
                ),
                "clusters": table(
                    frame.sort("p_usage", descending=True),
                    [
                        "cluster_id",
                        "title",
                        "merged_into",
                        "p_usage",
                        "p_usage_low",
                        "p_usage_high",
                        "p_training",
                        "gap",
                        "coverage",
                        "usage_rows",
                        "training_rows",
                        "pool_rows",
                    ],
                    120,
                ),
                "pool_by_language": table(pool, pool.columns, 60),
                "pool_for_gaps": table(for_gaps, for_gaps.columns, 60),
                "settings": dg.MetadataValue.json(
                    {
                        "gaps": step.ws.project.gaps.model_dump(),
                        "usage": step.ws.project.usage.model_dump(),
                    }
                ),
                "path": dg.MetadataValue.path(step.ws.store.uri(layout.gaps(step.partition))),
            },
            checks=[result(enough_usage(usage_rows, step.ws.project.usage.min_rows))],
        )

    return [semantic_clusters, cluster_assignments, gap_report]
