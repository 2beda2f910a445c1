"""What a container runtime is told so that it pulls through the mirror: its own files, as it reads them."""
