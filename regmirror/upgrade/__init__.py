"""From one version of regmirror to the next: what the notes say, and which version is deployed."""
