{{/* A host may be listed only once: each routes to one registry. */}}
{{- define "regmirror.checkHosts" -}}
{{- $hosts := list -}}
{{- range .Values.hosts -}}
{{- if has .host $hosts -}}
{{- fail (printf "hosts: %s is listed twice; each host routes to one registry." .host) -}}
{{- end -}}
{{- $hosts = append $hosts .host -}}
{{- end -}}
{{- end -}}

{{/* NAME:PORT of every Service that nginx passes requests on to. */}}
{{- define "regmirror.services" -}}
{{- $services := list -}}
{{- if .Values.authService -}}
{{- $services = append $services (printf "%s:%d" .Values.authService (int .Values.authPort)) -}}
{{- end -}}
{{- range .Values.hosts -}}
{{- $services = append $services (printf "%s:%d" .registryService (int (.registryPort | default 5000))) -}}
{{- end -}}
{{- uniq $services | join " " -}}
{{- end -}}

{{/* The Secrets with the certificates, each once. */}}
{{- define "regmirror.tlsSecrets" -}}
{{- $secrets := list -}}
{{- range .Values.hosts -}}
{{- $secrets = append $secrets .tlsSecretName -}}
{{- end -}}
{{- uniq $secrets | toJson -}}
{{- end -}}
