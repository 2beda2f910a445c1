{{/* Same text in auth, endpoint, redis, registry; tests/charts/test_alike.py compares them. */}}

{{/*
Kubernetes sets environment variables in pods for every Service, and the registry reads each REGISTRY_... variable as
configuration: a Service named "registry-redis" would overwrite its redis section.
*/}}
{{- define "regmirror.serviceName" -}}
{{- if hasPrefix "registry" .Release.Name -}}
{{- fail (printf "The release name %q begins with \"registry\": a Service of that name sets REGISTRY_... variables, which the registry reads as configuration. Choose another release name, such as \"mirror\"." .Release.Name) -}}
{{- end -}}
{{- include "regmirror.name" . -}}
{{- end -}}

{{- define "regmirror.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Pods have no helm.sh/chart label, so that a new chart version by itself does not restart them. */}}
{{- define "regmirror.podMetadata" -}}
labels:
  {{- omit (include "regmirror.labels" . | fromYaml) "helm.sh/chart" | toYaml | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if or .Values.secretVersions .Values.podAnnotations }}
annotations:
  {{- with .Values.secretVersions }}
  regmirror.dev/secret-versions: {{ . | quote }}
  {{- end }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "regmirror.scheduling" -}}
{{- range $setting := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- with index $.Values $setting }}
{{ $setting }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* With regmirror.containerSecurityContext, passes Pod Security "restricted". Argument: the user ID. */}}
{{- define "regmirror.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ . }}
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "regmirror.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}
