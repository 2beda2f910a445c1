"""regmirror deploys, verifies and maintains a pull-through mirror of Docker Hub on Kubernetes."""

__version__ = "0.2.0.dev0"
