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
