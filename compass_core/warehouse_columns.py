"""What the columns of the views on gaps and on promotion mean."""

GAPS = {
    "p_usage": "Share of usage, shrunk towards the pool; above 0 where only the pool has rows",
    "p_usage_low": "Lower end of the posterior interval of p_usage",
    "p_usage_high": "Upper end of the posterior interval of p_usage",
    "p_training": "Share of the training data (supervised tokens by default)",
    "coverage": "p_training / p_usage; null where p_usage is 0 or the cluster was merged",
    "usage_rows": "Prompts of the usage window, dev items, or both: what usage.source names",
    "training_tokens": "Supervised tokens of the training corpus",
    "pool_rows": "Auxiliary rows available",
    "pool_tokens": "Supervised tokens available in the auxiliary pool",
    "merged_into": "Cluster that this one's counts were merged into; null: stands alone",
    "jsd_bits_best": "Divergence of the best mix that spends the budget within the limits, bits",
    "usage_first_day": "First UTC day of the usage window",
    "usage_last_day": "Last UTC day of the usage window",
}

PROMOTIONS = {
    "changed_at": "When it changed (UTC)",
    "action": "promote or rollback",
    "from_version": "Version that served before; null: none",
    "to_version": "Version that serves from then on",
    "forced": "Whether a person promoted it although the gate did not let it pass",
    "reason": "The gate's figures, or what the person wrote",
}

RETENTION = {
    "reference_version": "Version that served; the rows are held out of its training",
    "weight": "Share of earlier usage that the row stands for; sums to 1 a version",
    "base_loss": "Loss of the base model, nats per supervised token",
    "reference_loss": "Loss of the reference version, nats per supervised token",
    "loss": "Loss of this version, nats per supervised token",
}
