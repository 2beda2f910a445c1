"""What someone needs who helps with a mirror that is not theirs: everything but its secrets."""
