"""Tests of the program that fetches layers and manifests for the front, against a registry on loopback."""
