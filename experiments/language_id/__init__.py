"""Which offline language identifier the project uses, and how well it does on real text."""
