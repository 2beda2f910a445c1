{{/* The volume for blobs and manifests, if the registry's configuration uses the driver "filesystem". */}}

{{- define "regmirror.dataClaim" -}}
{{- .Values.data.claimName | default (include "regmirror.name" .) -}}
{{- end -}}

{{/*
Only pods on the same node can use a ReadWriteOnce volume at the same time, and a rolling update needs that: the new pod
starts before the old one stops. All releases of a mirror may share an existing claim.
*/}}
{{- define "regmirror.dataAffinity" -}}
podAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    {{- with dig "podAffinity" "requiredDuringSchedulingIgnoredDuringExecution" list .Values.affinity }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          app.kubernetes.io/name: {{ .Chart.Name }}
          {{- if .Values.data.claimName }}
          app.kubernetes.io/part-of: regmirror
          {{- else }}
          app.kubernetes.io/instance: {{ .Release.Name | quote }}
          {{- end }}
{{- end -}}
