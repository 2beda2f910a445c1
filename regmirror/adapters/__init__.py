"""The adapters of the ports: only these modules import third-party client libraries; their exceptions do not escape."""
