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

{{/*
The annotations of one object of a host, whose own win over those of all hosts. cert-manager reads those of the object
that has the certificate: of a route with listeners of its own, that is the ListenerSet.
*/}}
{{- define "regmirror.annotations" -}}
{{- $all := merge dict (.host.annotations | default dict) .root.Values.annotations -}}
{{- $chosen := dict -}}
{{- $hasListeners := and (eq .root.Values.kind "HTTPRoute") .root.Values.listenerSet.enabled -}}
{{- range $key, $text := $all -}}
{{- $isForCertificate := regexMatch "^([a-z0-9-]+\\.)?cert-manager\\.io/" $key -}}
{{- if or (not $hasListeners) (eq $isForCertificate (eq $.kind "ListenerSet")) -}}
{{- $_ := set $chosen $key $text -}}
{{- end -}}
{{- end -}}
{{- with $chosen -}}
annotations:
  {{- range $key, $text := . }}
  {{ $key | quote }}: {{ $text | quote }}
  {{- end }}
{{- end -}}
{{- end -}}
