{{/* Same text in auth, endpoint, registry; tests/charts/test_alike.py compares them. */}}

{{/* A new pod is ready before an old one stops. */}}
{{- define "regmirror.rollingUpdate" -}}
type: RollingUpdate
rollingUpdate:
  maxUnavailable: 0
  maxSurge: 1
{{- end -}}

{{/* Through the front: the program itself listens on loopback only. */}}
{{- define "regmirror.httpStartupProbe" -}}
httpGet:
  path: /
  port: 8080
periodSeconds: 1
timeoutSeconds: 3
failureThreshold: 60
{{- end -}}

{{- define "regmirror.httpReadinessProbe" -}}
httpGet:
  path: /
  port: 8080
periodSeconds: 3
timeoutSeconds: 3
{{- end -}}

{{/* A stopping container serves until no Ingress controller routes to its pod. */}}
{{- define "regmirror.lifecycle" -}}
preStop:
  sleep:
    seconds: {{ .Values.preStopSeconds }}
{{- end -}}

{{/*
Nine tenths of the container's memory limit, in bytes: near it, Go collects garbage more often instead of being killed.
*/}}
{{- define "regmirror.goMemoryLimit" -}}
{{- $quantity := toString .Values.resources.limits.memory -}}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $unit := regexFind "[a-zA-Z]*$" $quantity -}}
{{- if not (hasKey $units $unit) -}}
{{- fail (printf "resources.limits.memory: the unit of %s must be one of Ki, Mi, Gi, Ti, k, M, G, T, P, or none." $quantity) -}}
{{- end -}}
{{- mulf (trimSuffix $unit $quantity | float64) (index $units $unit) 0.9 | int64 -}}
{{- end -}}
