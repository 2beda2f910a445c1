"""The mirror as files for Git: the objects that ``deploy`` applies, for Argo CD, Flux or kubectl, without secrets."""
