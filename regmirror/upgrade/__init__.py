"""Upgrades from one version of regmirror to another: the notes, and the deployed version."""
