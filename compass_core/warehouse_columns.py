"""What the columns of the views on promotion mean."""

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
