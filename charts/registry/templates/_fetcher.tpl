{{/* The container that fetches layers and manifests for the front. */}}
{{- define "regmirror.fetcherContainer" -}}
- name: fetcher
  image: {{ include "regmirror.image" (dict "Values" .Values.fetcher) | quote }}
  imagePullPolicy: {{ .Values.fetcher.image.pullPolicy }}
  command:
    - /bin/sh
    - -c
    - |
      {{- .Files.Get "files/sockets.sh" | nindent 6 }}
      {{- .Files.Get "files/run-fetcher.sh" | trim | nindent 6 }}
  env:
    - name: LAYER_BYTES
      value: {{ .Values.layerCache.bytes | int64 | toString | quote }}
    - name: LAYERS
      value: {{ .Values.layerCache.shared | ternary "shared" "separate" }}
    {{- with .Values.upstream.url }}
    - name: UPSTREAM
      value: {{ . | quote }}
    {{- if $.Values.upstream.secretName }}
    - name: CREDENTIAL_HELPER
      value: /etc/regmirror/helper/docker-credential-regmirror
    {{- end }}
    {{- include "regmirror.noProxyEnv" $ | nindent 4 }}
    {{- end }}
    - name: PYTHONPATH
      value: /etc/regmirror
    - name: PYTHONDONTWRITEBYTECODE
      value: "1"
    # Python reads the program once, so a new program must create a new pod.
    - name: PROGRAM
      value: {{ include "regmirror.fetcherProgram" . | sha256sum | quote }}
  startupProbe:
    # The fetcher creates this socket when it starts to serve. To start Python every second would delay it.
    exec:
      command: [test, -S, /run/regmirror/fetcher.sock]
    periodSeconds: 1
    failureThreshold: 60
  livenessProbe:
    exec:
      command: [python3, -m, fetcher.probe, /run/regmirror]
    periodSeconds: 30
    timeoutSeconds: 15
    failureThreshold: 4
  lifecycle:
    {{- include "regmirror.lifecycle" . | nindent 4 }}
  resources:
    {{- /* The kubelet counts the layers as ephemeral storage, and evicts a pod that exceeds the sum of its limits. */}}
    {{- $storage := empty .Values.layerCache.storageClassName | ternary (include "regmirror.layerVolume" . | int64) 0 }}
    {{- $limits := dict "ephemeral-storage" (add $storage 268435456 | toString) }}
    {{- merge (dict "limits" (merge (dict) (.Values.fetcher.resources.limits | default dict) $limits)) .Values.fetcher.resources | toYaml | nindent 4 }}
  securityContext:
    {{- include "regmirror.containerSecurityContext" . | nindent 4 }}
  volumeMounts:
    - name: program
      mountPath: /etc/regmirror/fetcher
      readOnly: true
    - name: sockets
      mountPath: /run/regmirror
    - name: layers
      mountPath: /var/lib/regmirror/layers
    {{- if .Values.upstream.url }}
    {{- include "regmirror.accountMounts" . | nindent 4 }}
    {{- include "regmirror.egressMounts" . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The volumes of the fetcher; the front mounts sockets and layers, too. */}}
{{- define "regmirror.fetcherVolumes" -}}
- name: program
  configMap:
    name: {{ include "regmirror.name" . | quote }}
    items:
      {{- range $path, $_ := .Files.Glob "files/fetcher/*.py" }}
      - {key: {{ base $path }}, path: {{ base $path }}}
      {{- end }}
- name: sockets
  emptyDir:
    medium: Memory
    sizeLimit: 32Mi
- name: layers
  {{- $size := include "regmirror.layerVolume" . }}
  {{- if .Values.layerCache.storageClassName }}
  ephemeral:
    volumeClaimTemplate:
      spec:
        accessModes: [ReadWriteOnce]
        storageClassName: {{ .Values.layerCache.storageClassName | quote }}
        resources:
          requests:
            storage: {{ $size | quote }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ $size | quote }}
  {{- end }}
{{- end -}}

{{/* Bytes of the volume: beyond the layers, there is room for directories and blocks. */}}
{{- define "regmirror.layerVolume" -}}
{{- $bytes := .Values.layerCache.bytes | int64 -}}
{{- add $bytes (div $bytes 20) 67108864 -}}
{{- end -}}

{{- define "regmirror.fetcherProgram" -}}
{{- range $path, $_ := .Files.Glob "files/fetcher/*.py" }}
{{ base $path }}: |
  {{- $.Files.Get $path | nindent 2 }}
{{- end }}
{{- end -}}
