"""What deploy, rotate-cert and destroy share: steps, the engine that runs them in parallel, and the mirror's Lease."""
