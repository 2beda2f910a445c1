{{/* A location for requests with a token. @challenge and @registry may refuse a body, too. */}}
{{- define "regmirror.withToken" -}}
if ($http_authorization = "") {
  return 419;
}
error_page 413 = @registry;
error_page 419 = @challenge;
{{ include "regmirror.refusals" . }}
recursive_error_pages on;
{{- end -}}

{{/*
Who may use a location of files/nginx.conf: the registry answers all others, and all other methods. Argument: the
location that checks the token.
*/}}
{{- define "regmirror.authorized" -}}
if ($request_method !~ "^(GET|HEAD)$") {
  return 418;
}
{{ include "regmirror.withToken" . }}
error_page 403 = @refused;
error_page 418 500 = @registry;
auth_request {{ . }};
auth_request_set $token_refusal $upstream_http_x_challenge;
{{- end -}}

{{/* The registry decides who may pull; its answer is valid for 5 seconds for the same token and repository. */}}
{{- define "regmirror.tokenCheck" -}}
internal;
proxy_pass http://token-check/$repository;
proxy_cache tokens;
proxy_cache_key $repository|$http_authorization;
proxy_cache_valid 204 5s;
{{- end -}}

{{/* The registry's own answer, with the reason in its challenge. */}}
{{- define "regmirror.explainedChallenge" -}}
proxy_hide_header WWW-Authenticate;
add_header WWW-Authenticate $explained_challenge always;
{{- end -}}

{{/* What both manifest locations have in common. */}}
{{- define "regmirror.cachedManifest" -}}
{{ include "regmirror.authorized" "/token-check" }}
# Of many simultaneous requests for the same manifest, the fetcher passes one on to the registry.
{{ include "regmirror.fetched" . }}
proxy_set_header Accept $accepts_oci_index,$accepts_oci_manifest,$accepts_list,$accepts_manifest;
proxy_pass http://fetcher/v2/$repository/manifests/$reference;
proxy_cache_key $repository/$reference|$accepts_oci_index,$accepts_oci_manifest,$accepts_list,$accepts_manifest;
# What is not there, and what the upstream refuses, costs one request in two seconds, not one for each client. A 401 of
# the registry itself is not kept: it is about a token, not about the manifest.
proxy_cache_valid 401 403 404 429 500 502 503 504 2s;
proxy_no_cache $upstream_http_www_authenticate;
{{- end -}}

{{/* How the front asks the fetcher; without it, the registry answers by itself. */}}
{{- define "regmirror.fetched" -}}
proxy_http_version 1.0;
# For the metrics.
proxy_hide_header x-regmirror-result;
{{ include "regmirror.proxyHeaders" . | replace `Connection ""` "Connection close" }}
error_page 502 504 = @registry;
{{- end -}}

{{/* How the front gets a layer from the fetcher, which sends it as it arrives, or names the place of a complete one. */}}
{{- define "regmirror.fetchedLayer" -}}
{{ include "regmirror.fetched" . }}
proxy_pass http://fetcher/v2/$repository/blobs/$digest;
proxy_buffering off;
proxy_buffer_size 64k;
# Not used without buffering, but nginx demands that they are as large.
proxy_buffers 3 64k;
proxy_busy_buffers_size 64k;
{{- end -}}

{{/* How the front serves a layer from the volume: without the registry, the fetcher and the object store. */}}
{{- define "regmirror.completeLayer" -}}
root /var/lib/regmirror/layers;
sendfile on;
etag off;
max_ranges 1;
add_header Docker-Content-Digest $digest;
add_header Docker-Distribution-Api-Version registry/2.0;
add_header Cache-Control max-age=31536000;
add_header X-Content-Type-Options nosniff;
# The fetcher learns from this which layers are in use.
access_log syslog:server=unix:/run/regmirror/uses.sock,nohostname layer;
{{- with include "regmirror.requestLog" . }}
{{ . }}
{{- end }}
{{- end -}}

{{/* A valid digest that belongs to no content. */}}
{{- define "regmirror.absentDigest" -}}
sha256:{{ repeat 64 "0" }}
{{- end -}}
