"""Speed and memory, measured: each file is one command that prints its own table."""
