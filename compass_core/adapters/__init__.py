"""Adapters: chat formatting, training, versions and which of them serves."""
