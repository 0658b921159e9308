"""The project file: its schema (`schema.py`), how it is read and complained about (`load.py`)."""
