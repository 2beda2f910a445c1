{{/* What both manifest locations of files/nginx.conf have in common. */}}
{{- define "regmirror.cachedManifest" -}}
if ($request_method !~ "^(GET|HEAD)$") {
  return 418;
}
error_page 403 418 500 = @registry;
auth_request /token-check;
# Of many simultaneous requests for the same manifest, the fetcher passes one on to the registry.
{{ include "regmirror.fetched" . }}
proxy_pass http://fetcher/v2/$repository/manifests/$reference;
proxy_cache_key $repository/$reference|$http_accept;
# A client that asks for what does not exist asks the upstream once in a while, not every time.
proxy_cache_valid 404 2s;
{{- end -}}

{{/* How the front asks the fetcher; without it, the registry answers by itself. */}}
{{- define "regmirror.fetched" -}}
proxy_http_version 1.0;
proxy_set_header Connection close;
proxy_set_header Host $http_host;
error_page 502 504 = @registry;
{{- end -}}

{{/* A valid digest that belongs to no content. */}}
{{- define "regmirror.absentDigest" -}}
sha256:{{ repeat 64 "0" }}
{{- end -}}

{{/* How the front serves a layer from the volume: without the registry, the fetcher and the object store. */}}
{{- define "regmirror.completeLayer" -}}
root /var/lib/regmirror/layers;
sendfile on;
tcp_nopush on;
etag off;
max_ranges 1;
add_header Docker-Content-Digest $digest;
add_header Docker-Distribution-Api-Version registry/2.0;
add_header Cache-Control max-age=31536000;
add_header X-Content-Type-Options nosniff;
# The fetcher learns from this which layers are in use.
access_log syslog:server=unix:/run/regmirror/uses.sock,nohostname layer;
{{- end -}}
