"""Who may pull what, and why: the answers of ``regmirror why`` and ``regmirror access test``."""
