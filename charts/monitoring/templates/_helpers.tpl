{{/* Same text in every chart; tests/charts/test_alike.py compares them. */}}

{{/* Every object of a release has the name of the release. */}}
{{- define "regmirror.name" -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Selectors are immutable: add only labels that never change. */}}
{{- define "regmirror.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "regmirror.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "regmirror.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: {{ .Chart.Name }}
app.kubernetes.io/part-of: regmirror
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
