"""The page of a language: what is missing, what was added, whether it helped, all in one file."""
