"""The edges of regmirror as Protocols: what deploy and verify ask of the world, and nothing of how it is done."""
