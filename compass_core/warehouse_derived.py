"""Views that are made of other views: their SELECT, what they are, and what their columns mean."""

from compass_core.gaps.covered import UNDER_COVERED
from compass_core.warehouse_columns import GAPS

DERIVED = {
    "scores_summary": (
        """
        SELECT language, suite, model, adapter_version, count(*) AS items,
               avg(correct::INT) AS accuracy,
               (avg(correct::INT) + 1.920729 / count(*) - 1.96 * sqrt(avg(correct::INT)
                 * (1 - avg(correct::INT)) / count(*) + 0.9604 / count(*) ** 2))
                 / (1 + 3.8416 / count(*)) AS accuracy_low,
               (avg(correct::INT) + 1.920729 / count(*) + 1.96 * sqrt(avg(correct::INT)
                 * (1 - avg(correct::INT)) / count(*) + 0.9604 / count(*) ** 2))
                 / (1 + 3.8416 / count(*)) AS accuracy_high
        FROM scores GROUP BY ALL ORDER BY ALL
        """,
        "Accuracy by language, suite and model, with Wilson's 95 % interval",
        {
            "model": "base or adapter",
            "accuracy": "Share of right answers",
            "accuracy_low": "Lower end of the interval",
            "accuracy_high": "Upper end of the interval",
        },
    ),
    "gaps_top": (
        f"""
        SELECT language, cluster_id, title, gap, p_usage, p_usage_low, p_usage_high, p_training,
               coverage, usage_rows, training_rows, pool_rows, pool_tokens, usage_first_day,
               usage_last_day
        FROM gaps WHERE {UNDER_COVERED} ORDER BY language, gap DESC
        """,
        "Clusters that are asked about and under-covered, the largest gap of each language first",
        GAPS,
    ),
}
