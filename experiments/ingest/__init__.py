"""Everything that lies in a folder of real data, through the real ingest."""
