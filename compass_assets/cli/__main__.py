"""`python -m compass_assets.cli` is the `compass` command."""

from compass_assets.cli.main import app

app()
