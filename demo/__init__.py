"""A demonstration of regmirror, from nothing to a pulled image."""
