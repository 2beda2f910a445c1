"""Takes a mirror away: what deploy has made and nothing else; the bucket's data only when asked for by itself."""
