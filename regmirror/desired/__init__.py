"""What gets deployed, as data: configuration files, Secrets, Helm releases. Pure except for reading templates."""
