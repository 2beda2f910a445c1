"""Steps and the engine that runs them in parallel, for deploy, rotate-cert and destroy."""
