"""A demo of regmirror, from an empty namespace to a pulled image."""
