{{/* The labels of the release, and those by which the Prometheus Operator and Grafana select objects. */}}
{{- define "regmirror.objectLabels" -}}
{{- merge (include "regmirror.labels" . | fromYaml) .Values.labels | toYaml -}}
{{- end -}}
