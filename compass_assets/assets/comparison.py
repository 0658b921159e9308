"""Does the chosen strategy beat the others? Measured on held-out items, on demand."""

import dagster as dg
import polars as pl
from pydantic import Field

from compass_assets.child import run_child
from compass_assets.describe import child_retry, graph_asset
from compass_assets.partitions import language_partitions
from compass_assets.preview import table
from compass_assets.resources import ProjectResource
from compass_assets.step import Events, Step
from compass_core import layout
from compass_core.config.schema import Project
from compass_core.hashing import version_of


class ComparisonConfig(dg.Config):
    """Which strategies are trained beside `random`, and with which seeds."""

    strategies: list[str] = Field(
        default_factory=lambda: ["none", "gap_waterfill"], description="Beside `random`."
    )
    seeds: list[int] = Field(
        default_factory=lambda: [17], description="One training a strategy and seed."
    )


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    @graph_asset(
        "strategy_comparison",
        language_partitions(project),
        code_versions,
        kinds=["pytorch"],
        child=child_retry(project),
        description=(
            "Sampling strategies side by side: the same budget, training code and held-out items. "
            "Nothing depends on it."
        ),
    )
    def strategy_comparison(
        context: dg.AssetExecutionContext,
        config: ComparisonConfig,
        project: ProjectResource,
        pipes: dg.PipesSubprocessClient,
    ) -> Events:
        step = Step(context, project, "strategy_comparison")
        figures = run_child(
            context,
            project,
            pipes,
            "compare",
            {
                "language": step.partition,
                "strategies": config.strategies,
                "seeds": config.seeds,
            },
        )
        frame = step.ws.store.read_parquet(layout.comparison(step.partition))
        means = (
            frame.group_by("strategy", maintain_order=True)
            .agg(pl.col("accuracy").mean(), pl.col("difference_points").mean())
            .sort("accuracy", descending=True)
        )
        best = means.row(0, named=True)
        yield step.finish(
            version_of(figures),
            summary=(
                f"best: {best['strategy']} {100 * best['accuracy']:.1f} %, "
                f"{best['difference_points']:+.1f} points against random"
            ),
            facts={"means": means.to_dicts(), "base_accuracy": frame["base_accuracy"][0]},
            metadata={
                "means": table(means, means.columns),
                "runs": table(
                    frame,
                    [
                        "strategy",
                        "seed",
                        "sampled_tokens",
                        "accuracy",
                        "difference_points",
                        "low_points",
                        "high_points",
                        "p_value",
                    ],
                    60,
                ),
                "items": int(frame["items"][0]),
                "base_accuracy": frame["base_accuracy"][0],
                "path": dg.MetadataValue.path(step.ws.store.uri(layout.comparison(step.partition))),
            },
        )

    return [strategy_comparison]
