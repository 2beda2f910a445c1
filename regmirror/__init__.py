"""regmirror deploys, proves and maintains a pull-through mirror of Docker Hub on Kubernetes."""

__version__ = "0.1.0"
