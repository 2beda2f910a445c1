{{/* What both manifest locations of files/nginx.conf have in common. */}}
{{- define "regmirror.cachedManifest" -}}
if ($request_method !~ "^(GET|HEAD)$") {
  return 418;
}
error_page 403 413 418 500 = @registry;
{{ include "regmirror.refusals" . }}
# @registry may refuse the body of a request that was sent there for another reason.
recursive_error_pages on;
auth_request /token-check;
proxy_pass http://registry/v2/$repository/manifests/$reference;
{{ include "regmirror.proxyHeaders" . }}
proxy_set_header Accept $accepts_oci_index,$accepts_oci_manifest,$accepts_list,$accepts_manifest;
proxy_cache_key $repository/$reference|$accepts_oci_index,$accepts_oci_manifest,$accepts_list,$accepts_manifest;
# What is not there, and what the upstream refuses, costs one request in two seconds, not one for each client. A 401 of
# the registry itself is not kept: it is about a token, not about the manifest.
proxy_cache_valid 401 403 404 429 500 502 503 504 2s;
proxy_no_cache $upstream_http_www_authenticate;
# Of many simultaneous requests for the same manifest, one goes to the registry.
proxy_cache_lock on;
proxy_cache_lock_timeout 30s;
proxy_cache_lock_age 30s;
{{- end -}}

{{/* A valid digest that belongs to no content. */}}
{{- define "regmirror.absentDigest" -}}
sha256:{{ repeat 64 "0" }}
{{- end -}}
