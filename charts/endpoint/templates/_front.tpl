{{/* Same text in auth, endpoint, registry; tests/charts/test_alike.py compares them. */}}

{{/* The front: nginx, the only program of the pod that listens on its address. Clients and probes reach the others through it. */}}

{{- define "regmirror.nginxConfig" -}}
{{- tpl (.Files.Get "files/nginx.conf") . | trim -}}
{{- end -}}

{{/* Not empty if requests are limited for each client address: if the addresses of clients are known. */}}
{{- define "regmirror.limitsClients" -}}
{{- if or .Values.front.trustedProxies (eq (toString (.Values.service | default dict).externalTrafficPolicy) "Local") -}}
true
{{- end -}}
{{- end -}}

{{/* What every files/nginx.conf has in common at the level of http. */}}
{{- define "regmirror.frontHttp" -}}
access_log off;
server_tokens off;
default_type application/octet-stream;
client_body_temp_path /var/cache/nginx/body;
fastcgi_temp_path /var/cache/nginx/fastcgi;
proxy_temp_path /var/cache/nginx/proxy;
scgi_temp_path /var/cache/nginx/scgi;
uwsgi_temp_path /var/cache/nginx/uwsgi;
keepalive_requests 100000;
keepalive_timeout 300s;
# All that a request needs, so that it takes and returns memory once: the C library of the image returns every part to
# the kernel at once.
request_pool_size 16k;
# Slow senders. Both programs behind the front only answer GET and HEAD, and would read a body into memory before they
# look at the token: no body reaches them.
client_header_buffer_size 4k;
client_header_timeout 10s;
client_body_timeout 10s;
client_max_body_size 1k;
reset_timedout_connection on;
# A client that is refused while it still sends, such as a long URL, reads why before the connection is reset.
lingering_close always;
lingering_time 5s;
lingering_timeout 2s;
proxy_http_version 1.1;
proxy_max_temp_file_size 0;
proxy_pass_request_body off;
{{ include "regmirror.proxyHeaders" . }}
{{- with .Values.front.trustedProxies }}

# The address of the client, as these proxies report it.
{{- range . }}
set_real_ip_from {{ . }};
{{- end }}
real_ip_header X-Forwarded-For;
real_ip_recursive on;
{{- end }}
{{- if include "regmirror.limitsClients" . }}
# A machine can choose from all addresses of its IPv6 network, a /64. IPv4 addresses in IPv6 form are clients of their
# own: ::ffff:0:0/96, because nginx listens on one socket for both, and 64:ff9b::/96, if they are translated (RFC 6052).
map $binary_remote_addr $client_network {
  "~(?s)^(?:\x00{10}\xff\xff|\x00\x64\xff\x9b\x00{8})(?<ipv4_address>.{4})$" $ipv4_address;
  "~(?s)^(?<ipv6_network>.{8}).{8}$" $ipv6_network;
  default $binary_remote_addr;
}
limit_conn_zone $client_address zone=connections_of_client:4m;
map $uri $client_address {
  / "";
  /alive "";
  default $client_network;
}
{{- end }}

# The kubelet's probes are not counted.
map $uri $counted {
  / "";
  /alive "";
  default all;
}
limit_conn_zone $counted zone=connections:1m;
limit_conn_status {{ include "regmirror.limitsClients" . | empty | ternary 503 429 }};
limit_conn_log_level info;
limit_req_status 429;
limit_req_log_level info;
{{- if .Values.metrics.enabled }}

# For the metrics.
{{ include "regmirror.requestFormat" . }}
{{- end }}
{{- end -}}

{{/*
Logins at docker_auth, each of which costs it 50 ms of CPU for bcrypt. It also compares a password, an empty one, for a
request that names an account and has no Authorization header; the key of the query may be percent-encoded.
*/}}
{{- define "regmirror.logins" -}}
map $args $named_account {
  "~(^|[&;])(account|[^=&;]*%[^=&;]*)(=|[&;]|$)" named;
  default "";
}
map $http_authorization$named_account $login {
  "" "";
  default login;
}
{{- if include "regmirror.limitsClients" . }}
map $login $login_of_client {
  "" "";
  default $client_address;
}
limit_req_zone $login_of_client zone=logins_of_client:8m rate=2r/s;
{{- end }}
{{- end -}}

{{/* A location with a proxy_set_header of its own inherits none of these. */}}
{{- define "regmirror.proxyHeaders" -}}
{{ include "regmirror.connectionHeaders" . }}
proxy_set_header Content-Length "";
proxy_set_header Content-Type "";
{{- include "regmirror.clientHeaders" . }}
{{- end -}}

{{- define "regmirror.connectionHeaders" -}}
proxy_set_header Connection "";
proxy_set_header Host $http_host;
{{- end -}}

{{- define "regmirror.clientHeaders" -}}
{{- if hasKey .Values "service" }}
# The endpoint replaces what a client claims about itself.
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto https;
{{- end }}
{{- end -}}

{{/* A location with an error_page of its own inherits none of these. */}}
{{- define "regmirror.refusals" -}}
error_page 429 = @too_many;
error_page 503 = @busy;
{{- end -}}

{{/* What every files/nginx.conf has in common in the server. */}}
{{- define "regmirror.frontServer" -}}
# Written by run-front.sh.
include /var/cache/nginx/listen.conf;
{{- with include "regmirror.requestLog" . }}
{{ . }}
{{- end }}
# nginx ends the query at a "#", but passes on the whole URL, which the programs behind it read to its end: they would
# find parameters that no limit has seen. No client sends one.
if ($request_uri ~ "#") {
  return 400;
}
{{- if include "regmirror.limitsClients" . }}

# Many clients may share one address, such as all nodes behind a NAT gateway.
limit_conn connections_of_client 1024;
{{- end }}

{{ include "regmirror.refusals" . }}
location @too_many {
  internal;
  {{- include "regmirror.refusal" 429 | nindent 2 }}
}
location @busy {
  internal;
  {{- include "regmirror.refusal" 503 | nindent 2 }}
}
{{- end -}}

{{/* Argument: the status. */}}
{{- define "regmirror.refusal" -}}
default_type application/json;
add_header Retry-After 5 always;
return {{ . }} '{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests at once; retry later"}]}';
{{- end -}}

{{/* What every front has for the page on which people sign in. Arguments: the root context, and the path. */}}
{{- define "regmirror.signInPage" -}}
# The code in the URL can be exchanged for a login, so nothing about a request is logged.
error_log /dev/null emerg;
{{- if eq .path "/google_auth" }}
if ($request_method !~ "^(GET|HEAD|POST)$") {
  return 405;
}
# Google's code and tokens, as JSON
client_max_body_size 8k;
proxy_pass_request_body on;
{{ include "regmirror.connectionHeaders" .root }}
{{- include "regmirror.clientHeaders" .root }}
{{- else }}
if ($request_method !~ "^(GET|HEAD)$") {
  return 405;
}
{{- end }}
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
      {{- with .Files.Get "files/upstreams.sh" }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- .Files.Get "files/run-front.sh" | trim | nindent 6 }}
  env:
    # nginx reads its configuration once, so a new configuration must create a new pod.
    - name: CONFIGURATION
      value: {{ include "regmirror.nginxConfig" . | sha256sum | quote }}
    {{- if hasKey .Values "service" }}
    - name: SERVICES
      value: {{ include "regmirror.services" . | quote }}
    {{- end }}
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
    {{- if .Values.metrics.enabled }}
    - name: requests
      mountPath: /run/metrics
    {{- end }}
    {{- if hasKey .Values "service" }}
    {{- range $number, $secret := include "regmirror.tlsSecrets" . | fromJsonArray }}
    - name: tls-{{ $number }}
      mountPath: /etc/regmirror/tls/{{ $secret }}
      readOnly: true
    {{- end }}
    {{- end }}
    {{- if hasKey .Values "fetcher" }}
    - name: sockets
      mountPath: /run/regmirror
    - name: layers
      mountPath: /var/lib/regmirror/layers
      readOnly: true
    {{- end }}
{{- end -}}

{{- define "regmirror.frontVolumes" -}}
- name: front-config
  configMap:
    name: {{ include "regmirror.name" . | quote }}
    items: [{key: nginx.conf, path: nginx.conf}]
- name: front
  emptyDir:
    sizeLimit: 512Mi
{{- if hasKey .Values "service" }}
{{- range $number, $secret := include "regmirror.tlsSecrets" . | fromJsonArray }}
- name: tls-{{ $number }}
  secret:
    secretName: {{ $secret | quote }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- end -}}
