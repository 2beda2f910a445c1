{{/* docker_auth's own paths. A sign-in path answers 404 unless docker_auth's configuration enables it. */}}
{{- define "regmirror.authPaths" -}}
/auth /google_auth /github_auth /oidc_auth /gitlab_auth
{{- end -}}

{{/* A host may be listed only once: the object has its name. */}}
{{- define "regmirror.checkHosts" -}}
{{- $hosts := list -}}
{{- range .Values.hosts -}}
{{- if has .host $hosts -}}
{{- fail (printf "hosts: %s is listed twice; each host routes to one registry." .host) -}}
{{- end -}}
{{- $hosts = append $hosts .host -}}
{{- end -}}
{{- end -}}
