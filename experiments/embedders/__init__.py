"""Do clusters follow topics or languages? Per embedder, on parallel texts with labels."""
