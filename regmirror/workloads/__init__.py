"""The mirror's Deployments and pods as the cluster shows them: whether they have rolled out, and why not."""
