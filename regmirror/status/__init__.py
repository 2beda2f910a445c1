"""The state of a mirror: components, certificates, cache, bucket, pull quota."""
