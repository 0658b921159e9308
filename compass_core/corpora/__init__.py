"""Raw text in: formats, shapes, cleaning, quarantine, log files. Every row is accounted for."""
