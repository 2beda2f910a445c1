"""The report on a mirror as one HTML page: health, use, contents, and their history."""
