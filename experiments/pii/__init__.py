"""How much personal data the cleaning finds, and how much it takes for it wrongly."""
