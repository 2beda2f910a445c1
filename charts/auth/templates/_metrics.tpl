{{/* Same text in auth, endpoint, registry; tests/charts/test_alike.py compares them. */}}

{{/* The metrics of a pod: nginx writes a line for each request, and a program counts them (files/metrics). */}}

{{/*
What a line says, at the level of http. All of it comes from short lists, except for sizes, times and names. Locations set $kind,
$access and $named where requests are many: a map of a URL or a token costs microseconds, because nginx hashes all of it.
*/}}
{{- define "regmirror.requestFormat" -}}
uninitialized_variable_warn off;
map $request_uri $kind_of_path {
  "~^/v2/[^?]+/manifests/sha256:" digest;
  "~^/v2/[^?]+/manifests/" tag;
  "~^/v2/[^?]+/blobs/" layer;
  "~^/v2/[^?]+/referrers/" referrers;
  "~^/v2/?(\?|$)" version;
  default other;
}
map $kind $kind_of_request {
  "" $kind_of_path;
  default $kind;
}
map $upstream_status $was_passed_on {
  "" 0;
  default 1;
}
{{- if hasKey .Values "fetcher" }}
# A slash and the name of a repository, in characters that cannot end the line or its last word.
map $request_uri $name_in_path {
  "~^/v2(?<requested>/[a-z0-9][a-z0-9._/-]{0,254})/manifests/" $requested;
  default "";
}
{{- end }}
log_format request "$kind_of_request $status $access $upstream_cache_status $upstream_http_x_regmirror_result $was_passed_on $body_bytes_sent{{ if hasKey .Values "signing" }} $upstream_response_time{{ else if hasKey .Values "fetcher" }} $named{{ end }}";
{{- end -}}

{{/* Arguments: the root context, the name of a variable of the line, and its value in this location. */}}
{{- define "regmirror.logged" -}}
{{- if .root.Values.metrics.enabled -}}
set ${{ .name }} {{ .value }};
{{- end -}}
{{- end -}}

{{/* A location with an access_log of its own inherits none of the server's. */}}
{{- define "regmirror.requestLog" -}}
{{- if .Values.metrics.enabled -}}
access_log /run/metrics/requests.log request buffer=32k flush=1s if=$counted;
{{- end -}}
{{- end -}}

{{- define "regmirror.metricsContainer" -}}
{{- if .Values.metrics.enabled }}
- name: metrics
  image: {{ include "regmirror.image" (dict "Values" .Values.metrics) | quote }}
  imagePullPolicy: {{ .Values.metrics.image.pullPolicy }}
  command:
    - python3
    - -m
    - metrics
    - {{ .Chart.Name }}
    - --port=9113
    - --version-file=/etc/regmirror/metrics/version
    - --request-log=/run/metrics/requests.log
    {{- if hasKey .Values "fetcher" }}
    - --upstream={{ .Values.metrics.upstream }}
    - --registry-port=5001
    - --fetcher-socket=/run/regmirror/fetcher.sock
    {{- end }}
    {{- if hasKey .Values "signing" }}
    - --certificate=/etc/regmirror/certificate/tls.crt
    - --verification=/etc/regmirror/verification
    {{- end }}
  env:
    - name: PYTHONPATH
      value: /etc/regmirror
    - name: PYTHONDONTWRITEBYTECODE
      value: "1"
    # Python reads the program once, so a new program must create a new pod.
    - name: PROGRAM
      value: {{ include "regmirror.metricsProgram" . | sha256sum | quote }}
  ports:
    - name: metrics
      containerPort: 9113
  # No probes: a pod whose metrics fail serves clients as before.
  lifecycle:
    {{- include "regmirror.lifecycle" . | nindent 4 }}
  resources:
    {{- toYaml .Values.metrics.resources | nindent 4 }}
  securityContext:
    {{- include "regmirror.containerSecurityContext" . | nindent 4 }}
  volumeMounts:
    - name: metrics
      mountPath: /etc/regmirror/metrics
      readOnly: true
    - name: requests
      mountPath: /run/metrics
    {{- if hasKey .Values "fetcher" }}
    - name: sockets
      mountPath: /run/regmirror
      readOnly: true
    {{- end }}
    {{- if hasKey .Values "signing" }}
    - name: certificate
      mountPath: /etc/regmirror/certificate
      readOnly: true
    {{- if .Values.metrics.verificationConfigMap }}
    - name: verification
      mountPath: /etc/regmirror/verification
      readOnly: true
    {{- end }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* The front mounts requests, too. */}}
{{- define "regmirror.metricsVolumes" -}}
{{- if .Values.metrics.enabled }}
- name: metrics
  configMap:
    name: {{ include "regmirror.name" . | quote }}
    items:
      {{- range $path, $_ := .Files.Glob "files/metrics/*.py" }}
      - {key: metrics-{{ base $path }}, path: {{ base $path }}}
      {{- end }}
      - {key: metrics-version, path: version}
# When it is full, nginx drops lines.
- name: requests
  emptyDir:
    medium: Memory
    sizeLimit: 16Mi
{{- if hasKey .Values "signing" }}
# Without the key.
- name: certificate
  secret:
    secretName: {{ .Values.signing.secretName | quote }}
    items: [{key: tls.crt, path: tls.crt}]
    defaultMode: 0440
{{- with .Values.metrics.verificationConfigMap }}
- name: verification
  configMap:
    name: {{ . | quote }}
    optional: true
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "regmirror.metricsProgram" -}}
{{- if .Values.metrics.enabled }}
{{- range $path, $_ := .Files.Glob "files/metrics/*.py" }}
metrics-{{ base $path }}: |
  {{- $.Files.Get $path | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}
