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
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- range $setting := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" }}
{{- with index $.Values $setting }}
{{ $setting }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with include "regmirror.spread" . | fromYamlArray }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Without constraints in the values, several pods prefer different zones and nodes. matchLabelKeys counts each revision by
itself: during a rollout, the old pods must not keep the new ones from their places.
*/}}
{{- define "regmirror.spread" -}}
{{- $constraints := .Values.topologySpreadConstraints -}}
{{- if and (not $constraints) (hasKey .Values "replicas") -}}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" -}}
{{- $preferred := dict "maxSkew" 1 "topologyKey" $key "whenUnsatisfiable" "ScheduleAnyway" -}}
{{- $constraints = append $constraints (merge $preferred (dict "matchLabelKeys" (list "pod-template-hash"))) -}}
{{- end -}}
{{- end -}}
{{- $ours := dict "matchLabels" (include "regmirror.selectorLabels" . | fromYaml) -}}
{{- $complete := list -}}
{{- range $constraints -}}
{{- $selector := get . "labelSelector" -}}
{{- if not (hasKey . "labelSelector") -}}{{- $selector = $ours -}}{{- end -}}
{{- $complete = append $complete (merge (dict "labelSelector" $selector) (omit . "labelSelector")) -}}
{{- end -}}
{{- toYaml $complete -}}
{{- end -}}

{{/*
With regmirror.containerSecurityContext, passes Pod Security "restricted". Arguments: the root context, and the user ID.
With podSecurity "assigned", the cluster sets user and groups: all that a container writes is in volumes, and Secrets are
readable for the group of the volumes.
*/}}
{{- define "regmirror.podSecurity" -}}
{{- with .root.Values.serviceAccount -}}
{{- if or .create .name }}
serviceAccountName: {{ .name | default (include "regmirror.name" $.root) | quote }}
{{- end }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- if eq .root.Values.podSecurity "fixed" }}
  runAsUser: {{ .user }}
  runAsGroup: 1000
  fsGroup: 1000
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "regmirror.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}
