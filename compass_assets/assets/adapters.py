"""From gaps to a served adapter: training set, adapter, scores, promotion."""

import dagster as dg
import polars as pl

from compass_assets.check_results import result
from compass_assets.child import run_child
from compass_assets.describe import child_retry, graph_asset
from compass_assets.jobs import TRAINING_TAG
from compass_assets.partitions import language_partitions
from compass_assets.preview import counts, table
from compass_assets.promotion import update_metadata
from compass_assets.resources import ProjectResource
from compass_assets.step import Events, Step
from compass_core import layout
from compass_core.config.schema import Project


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    languages = language_partitions(project)

    @graph_asset(
        "sampled_training_set",
        languages,
        code_versions,
        kinds=["parquet", "json"],
        description=(
            "The training corpus together with the auxiliary rows that bring the whole mix "
            "closest to usage; each row says why it is there."
        ),
    )
    def sampled_training_set(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        from compass_assets.plots.composition import composition_plot
        from compass_assets.plots.coverage import coverage_plot
        from compass_core.stages.fertility import fertility_finding, training_fertility
        from compass_core.stages.findings import budget_spent, no_benchmark_items
        from compass_core.stages.sampling import sample_language

        step = Step(context, project, "sampled_training_set")
        rows, selection, version = sample_language(step.ws, step.partition, step.report)
        chosen = rows.filter(pl.col("origin") == "auxiliary")
        sampling = step.ws.project.sampling
        tokens = int(chosen["supervised_tokens"].sum())
        spent = tokens if sampling.unit == "tokens" else chosen.height
        dropped = dict(selection.dropped.group_by("reason").len().sort("reason").iter_rows())
        by_language = (
            rows.group_by("origin", "row_language")
            .agg(pl.len().alias("rows"), pl.col("supervised_tokens").sum().alias("tokens"))
            .sort("origin", "tokens", descending=[True, True])
        )
        pieces = training_fertility(step.ws, step.partition, rows)
        most = step.ws.project.base_model.warn_times_english
        gaps = step.ws.store.read_parquet(layout.gaps(step.partition))
        yield step.finish(
            version,
            summary=f"{rows.height} rows, {chosen.height} of them sampled ({tokens} tokens)",
            facts={"rows": rows.height, "sampled_rows": chosen.height, "sampled_tokens": tokens},
            pictures={
                "before_and_after": coverage_plot(gaps, rows, sampling.unit),
                "composition_picture": composition_plot(gaps, rows),
            },
            metadata={
                "dagster/row_count": rows.height,
                "sampled_rows": chosen.height,
                "sampled_tokens": tokens,
                "training_rows": rows.height - chosen.height,
                "budget": f"{sampling.budget} {sampling.unit}",
                "strategy": sampling.strategy,
                "jsd_bits_before": selection.summary["jsd_bits_before"],
                "jsd_bits_after": selection.summary["jsd_bits_after"],
                "jsd_bits_best": selection.summary["jsd_bits_best"],
                "figures": dg.MetadataValue.json(selection.summary),
                "card": dg.MetadataValue.path(
                    step.ws.store.uri(layout.training_card(step.partition))
                ),
                "composition": table(by_language, by_language.columns, 40),
                "tokenizer_fertility": table(pieces, pieces.columns, 40),
                "dropped": counts(dropped),
                "preview": table(
                    chosen.sort("gap", "rank", descending=[True, False]),
                    ["row_language", "cluster_id", "gap", "rank", "prompt", "response"],
                ),
                "settings": dg.MetadataValue.json(sampling.model_dump()),
                "path": dg.MetadataValue.path(
                    step.ws.store.uri(layout.training_set(step.partition, "jsonl"))
                ),
            },
            checks=[
                result(fertility_finding(pieces, step.partition, most)),
                result(no_benchmark_items(step.ws, step.partition, rows, step.report)),
                result(
                    budget_spent(spent, sampling.budget, sampling.unit, sampling.strategy, dropped)
                ),
            ],
        )

    @graph_asset(
        "adapter",
        languages,
        code_versions,
        kinds=["pytorch"],
        child=child_retry(project),
        description=(
            "The LoRA adapter of a language, an immutable version in PEFT's folder format: trained "
            "from zero, or updated from the version that serves (job update_adapter)."
        ),
    )
    def adapter(
        context: dg.AssetExecutionContext,
        project: ProjectResource,
        pipes: dg.PipesSubprocessClient,
    ) -> Events:
        from compass_assets.plots.curves import curves_plot
        from compass_core.adapters.registry import adapter_dir, serving, write_catalogue
        from compass_core.adapters.terms import loss_terms
        from compass_core.stages.findings import adapter_differs
        from compass_core.stages.lineage import training_lineage

        step = Step(context, project, "adapter")
        made_from = {name: consumed.version for name, consumed in step.consumed.items()}
        asked = "update" if context.run.tags.get(TRAINING_TAG) == "update" else "full"
        figures = run_child(
            context,
            project,
            pipes,
            "train",
            {
                "language": step.partition,
                "lineage": training_lineage(
                    step.ws, step.partition, made_from, step.ws.code_versions["adapter"]
                ),
                "asked": asked,
            },
        )
        if "stopped" in figures:
            # The same rows and seed would stop again: no second try, and no new version.
            raise dg.Failure(
                f"training stopped: {figures['stopped']}. "
                f"{serving(step.ws.store, step.partition) or 'Nothing'} serves as before.",
                allow_retries=False,
            )
        write_catalogue(step.ws.store, step.partition)
        version = figures["version"]
        yield step.finish(
            figures["weights_version"],
            summary=(
                f"{version}: {figures['training_reason']}; {figures['steps']} steps, loss "
                f"{figures['loss_first']:.2f} to {figures['loss_last']:.2f}"
            ),
            facts={
                "version": version,
                "rows": figures["rows"],
                "training_mode": figures["training_mode"],
                "parent": figures["parent"],
            },
            pictures={
                "curves": curves_plot(
                    loss_terms(figures, figures.get("continual", {}).get("beta"))
                ),
            },
            metadata={
                "version": version,
                "training_mode": figures["training_mode"],
                "training_reason": figures["training_reason"],
                "parent": figures["parent"] or "none: from zero",
                **update_metadata(figures),
                "rows": figures["rows"],
                "held_out_rows": figures["held_out_rows"],
                "supervised_tokens": figures["supervised_tokens"],
                "steps": figures["steps"],
                "loss_first": figures["loss_first"],
                "loss_last": figures["loss_last"],
                "tokens_per_s": figures["tokens_per_s"],
                "truncated_rows": figures["truncated_rows"],
                "peak_memory_bytes": figures["peak_memory_bytes"],
                "settings": dg.MetadataValue.json(step.ws.project.adapter.model_dump()),
                "base_model": step.ws.project.base_model.model,
                "made_from": dg.MetadataValue.json(made_from),
                "path": dg.MetadataValue.path(
                    str(adapter_dir(step.ws.store, step.partition, version))
                ),
            },
            checks=[result(adapter_differs(figures["largest_update"]))],
        )

    @graph_asset(
        "benchmark_scores",
        languages,
        code_versions,
        kinds=["pytorch"],
        child=child_retry(project),
        description="The adapter and the base model on the test split, item by item.",
    )
    def benchmark_scores(
        context: dg.AssetExecutionContext,
        project: ProjectResource,
        pipes: dg.PipesSubprocessClient,
    ) -> Events:
        from compass_assets.plots.scores import scores_plot
        from compass_core.adapters.registry import serving
        from compass_core.stages.promotion import unscored
        from compass_core.stages.scores import summarise_scores

        step = Step(context, project, "benchmark_scores")
        version = step.facts("adapter")["version"]

        def score(name: str) -> None:
            run_child(
                context, project, pipes, "score", {"language": step.partition, "version": name}
            )

        score(version)
        against = serving(step.ws.store, step.partition)
        # The gate compares on shared items: where these changed, what serves is asked again.
        if against not in (None, version) and against in unscored(
            step.ws, step.partition, [version, against]
        ):
            score(against)
        summary, beside, data_version = summarise_scores(step.ws, step.partition, version)
        text = (
            f"{version} {summary['adapter_percent']:.1f} %, base {summary['base_percent']:.1f} %, "
            f"{summary['items']} items"
            if summary["items"]
            else "no test items"
        )
        yield step.finish(
            data_version,
            summary=text,
            facts={"version": version, **summary},
            pictures={"picture": scores_plot(beside)},
            metadata={
                **{k: v for k, v in summary.items() if v is not None},
                "version": version,
                "against_the_baselines": table(beside, beside.columns, 60),
                "path": dg.MetadataValue.path(
                    step.ws.store.uri(layout.scores(step.partition, version))
                ),
            },
        )

    @graph_asset(
        "promoted_adapter",
        languages,
        code_versions,
        kinds=["json"],
        description=(
            "Which adapter version serves. A version that fails a check is not promoted; the jobs "
            "promote_adapter and rollback_adapter are for people."
        ),
    )
    def promoted_adapter(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        from compass_assets.plots.forgetting import forgetting_plot
        from compass_core.stages.promotion import decide
        from compass_core.stages.retention import forgetting_history

        step = Step(context, project, "promoted_adapter")
        gate = decide(step.ws, step.partition, step.facts("adapter")["version"])
        yield step.finish(
            gate.serving or "none",
            summary=f"{gate.serving or 'nothing'} serves; {gate.reason}",
            facts={"serving": gate.serving},
            pictures={
                "forgetting": forgetting_plot(forgetting_history(step.ws, step.partition)),
            },
            metadata={
                "serving": gate.serving or "none",
                "reason": gate.reason,
                **gate.finding("benchmark_gate").extra,
            },
            checks=[result(finding) for finding in gate.findings],
        )

    return [sampled_training_set, adapter, benchmark_scores, promoted_adapter]
