"""Builds and checks the artifacts of a release: packages, image, charts, bills of materials, checksums, signatures."""
