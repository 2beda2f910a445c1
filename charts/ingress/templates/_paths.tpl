{{/* docker_auth's own paths; each sign-in answers 404 until docker_auth's configuration has it. */}}
{{- define "regmirror.authPaths" -}}
/auth /google_auth /github_auth /oidc_auth /gitlab_auth
{{- end -}}

{{/* A host may be listed once: its name is the object's name. */}}
{{- define "regmirror.checkHosts" -}}
{{- $hosts := list -}}
{{- range .Values.hosts -}}
{{- if has .host $hosts -}}
{{- fail (printf "hosts: %s is listed twice; each host routes to one registry." .host) -}}
{{- end -}}
{{- $hosts = append $hosts .host -}}
{{- end -}}
{{- end -}}
