"""Collects what is needed to troubleshoot a mirror, without its secrets."""
