"""The configuration file: its model, its loading, and the secrets it refers to."""
