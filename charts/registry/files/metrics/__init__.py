"""Shows what the programs of a pod have done, as metrics of Prometheus, and nothing else."""
