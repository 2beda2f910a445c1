"""What gets deployed, as data: configuration files, Secrets, Helm releases. Pure but for reading templates."""
