"""The whole graph on real multilingual data that lies outside the project."""
