"""The command line: one file per command that parses, calls and prints. The only user of typer and rich."""
