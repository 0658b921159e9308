"""The drift of a language's usage since its serving adapter was trained."""

import dagster as dg

from compass_assets.automation import FOLLOW
from compass_assets.check_results import result
from compass_assets.child import run_child
from compass_assets.describe import child_retry, graph_asset, overdue_after
from compass_assets.partitions import language_partitions
from compass_assets.preview import table
from compass_assets.resources import ProjectResource
from compass_assets.step import Events, Step
from compass_core import layout
from compass_core.config.schema import Project


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    languages = language_partitions(project)

    @graph_asset(
        "drift_report",
        languages,
        code_versions,
        kinds=["parquet", "duckdb"],
        condition=FOLLOW,
        freshness=overdue_after(project.freshness.reports_hours),
        description=(
            "Recent logs against the usage that the serving adapter was trained for, in the same "
            "clusters, judged against what chance alone would give. The sensor drift_updates acts "
            "on its verdict."
        ),
    )
    def drift_report(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        from compass_assets.plots.drift import drift_plot
        from compass_core.stages.drift import measure_drift, read_history
        from compass_core.stages.drift_calibration import measure_calibration
        from compass_core.stages.findings import drift_calibrated

        step = Step(context, project, "drift_report")
        report, moved, version = measure_drift(step.ws, step.partition)
        bits = report["jsd_bits"]
        summary = f"{report['verdict']} on {report['window_rows']} prompts: {report['reason']}"
        if bits is not None:
            summary += f"; jsd {bits:.3f} bits, chance alone {report['null_mean_bits']:.3f}"
        figures = {
            k: v
            for k, v in report.items()
            if isinstance(v, int | float | str) and k != "report_version"
        }
        kept = ("verdict", "reason", "jsd_bits", "excess_bits", "p_month", "adapter_version")
        last_day = report["window_last_day"]
        yield step.finish(
            version,
            summary=summary,
            facts={
                **{name: report[name] for name in kept},
                "window_last_day": str(last_day) if last_day else None,
                "moved_clusters": report["moved_clusters"],
            },
            pictures={"history": drift_plot(read_history(step.ws, step.partition))},
            metadata={
                **figures,
                "window": f"{report['window_first_day']} to {last_day}",
                "anchor": f"{report['anchor_first_day']} to {report['anchor_last_day']}",
                "moved_clusters": table(
                    moved, ["cluster_id", "title", "anchor_share", "window_share", "examples"], 12
                ),
                "settings": dg.MetadataValue.json(step.ws.project.drift.model_dump()),
                "path": dg.MetadataValue.path(step.ws.store.uri(layout.drift(step.partition))),
            },
            checks=[result(drift_calibrated(measure_calibration(step.ws, step.partition)))],
        )

    @graph_asset(
        "performance_signal",
        languages,
        code_versions,
        kinds=["pytorch", "duckdb"],
        condition=FOLLOW,
        child=child_retry(project),
        description=(
            "The serving model's loss on the prompts of the drift report's window against those it "
            "was trained for, beside the same change of the base model: a distribution can move "
            "without harm, and harm can come without it."
        ),
    )
    def performance_signal(
        context: dg.AssetExecutionContext,
        project: ProjectResource,
        pipes: dg.PipesSubprocessClient,
    ) -> Events:
        from compass_core.hashing import version_of
        from compass_core.stages.performance import measurable

        step = Step(context, project, "performance_signal")
        report = step.version("drift_report")
        why_not = measurable(step.ws, step.partition, report)
        if why_not:
            yield step.finish(version_of(why_not), summary=f"not measured: {why_not}")
            return
        arguments = {"language": step.partition, "report_version": report}
        figures = run_child(context, project, pipes, "performance", arguments)
        version, clusters = figures.pop("data_version"), figures.pop("clusters")
        summary = "no tokens to compare"
        if figures:
            interval = f"[{figures['harm_low']:+.3f}, {figures['harm_high']:+.3f}]"
            summary = (
                f"loss {figures['anchor_loss']:.2f} to {figures['window_loss']:.2f} nats a token; "
                f"against the base model {figures['harm']:+.3f} {interval}"
            )
        yield step.finish(
            version,
            summary=summary,
            facts={"harm": figures.get("harm"), "harm_low": figures.get("harm_low")},
            metadata={**figures, "harm_by_moved_cluster": dg.MetadataValue.json(clusters)},
        )

    return [drift_report, performance_signal]
