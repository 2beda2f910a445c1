{{/* Same text in auth, registry; tests/charts/test_alike.py compares them. */}}

{{/* A new pod is ready before an old one stops. */}}
{{- define "regmirror.rollingUpdate" -}}
type: RollingUpdate
rollingUpdate:
  maxUnavailable: 0
  maxSurge: 1
{{- end -}}

{{/* Argument: the port, a name or a number. */}}
{{- define "regmirror.httpStartupProbe" -}}
httpGet:
  path: /
  port: {{ . }}
periodSeconds: 1
timeoutSeconds: 3
failureThreshold: 60
{{- end -}}

{{- define "regmirror.httpReadinessProbe" -}}
httpGet:
  path: /
  port: {{ . }}
periodSeconds: 3
timeoutSeconds: 3
{{- end -}}

{{/* A stopping container serves until no Ingress controller routes to its pod. */}}
{{- define "regmirror.lifecycle" -}}
preStop:
  sleep:
    seconds: {{ .Values.preStopSeconds }}
{{- end -}}
