"""The errors that a person is meant to read: what was received, what is allowed, the way out."""


class CompassError(Exception):
    """Base of every error that COMPASS raises on purpose."""


class ConfigError(CompassError):
    """The project file or an override holds a key, tag or value that cannot be used."""


class InputError(CompassError):
    """A whole input file or folder cannot be read (single bad rows are quarantined instead)."""


class StoreError(CompassError):
    """Something that should be in the store is missing, partial or of another version."""


class ServingChanged(StoreError):
    """Another version has come to serve since the decision that was about to be written."""


class ModelError(CompassError):
    """A model folder cannot be loaded or does not do what the step needs."""


class TrainingError(CompassError):
    """Training cannot start or had to stop; earlier adapter versions are untouched."""
