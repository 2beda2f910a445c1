{{/* The front: nginx, the only program of the pod that listens on its address. Clients and probes reach the others through it. */}}

{{- define "regmirror.nginxConfig" -}}
{{- tpl (.Files.Get "files/nginx.conf") . | trim -}}
{{- end -}}

{{- define "regmirror.frontContainer" -}}
- name: front
  image: {{ include "regmirror.image" (dict "Values" .Values.front) | quote }}
  imagePullPolicy: {{ .Values.front.image.pullPolicy }}
  command:
    - /bin/sh
    - -c
    - |
      {{- .Files.Get "files/sockets.sh" | nindent 6 }}
      {{- .Files.Get "files/run-front.sh" | trim | nindent 6 }}
  env:
    # nginx reads its configuration once, so a new configuration must create a new pod.
    - name: CONFIGURATION
      value: {{ include "regmirror.nginxConfig" . | sha256sum | quote }}
  ports:
    - name: http
      containerPort: 8080
  startupProbe:
    tcpSocket:
      port: http
    periodSeconds: 1
    failureThreshold: 60
  readinessProbe:
    tcpSocket:
      port: http
    periodSeconds: 3
  livenessProbe:
    tcpSocket:
      port: http
    periodSeconds: 10
    failureThreshold: 6
  lifecycle:
    {{- include "regmirror.lifecycle" . | nindent 4 }}
  resources:
    {{- toYaml .Values.front.resources | nindent 4 }}
  securityContext:
    {{- include "regmirror.containerSecurityContext" . | nindent 4 }}
  volumeMounts:
    - name: front-config
      mountPath: /etc/regmirror/front
      readOnly: true
    - name: front
      mountPath: /var/cache/nginx
    - name: sockets
      mountPath: /run/regmirror
    - name: layers
      mountPath: /var/lib/regmirror/layers
      readOnly: true
{{- end -}}

{{- define "regmirror.frontVolumes" -}}
- name: front-config
  configMap:
    name: {{ include "regmirror.name" . | quote }}
    items: [{key: nginx.conf, path: nginx.conf}]
- name: front
  emptyDir:
    sizeLimit: 512Mi
{{- end -}}
