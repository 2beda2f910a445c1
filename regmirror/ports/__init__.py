"""What regmirror needs from the cluster, Helm, the bucket and HTTP, as Protocols; adapters/ implements them."""
