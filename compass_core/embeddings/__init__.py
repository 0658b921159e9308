"""Texts to vectors: the encoder, its fingerprint, and the store that encodes each text once."""
