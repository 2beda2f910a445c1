"""The mirror as files for Git: the objects of ``deploy``, for Argo CD, Flux or kubectl, without a secret value."""
