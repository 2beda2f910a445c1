{{/* What both manifest locations of files/nginx.conf have in common. */}}
{{- define "regmirror.cachedManifest" -}}
if ($request_method !~ "^(GET|HEAD)$") {
  return 418;
}
error_page 403 418 500 = @registry;
auth_request /token-check;
proxy_pass http://registry/v2/$repository/manifests/$reference;
proxy_cache_key $repository/$reference|$http_accept;
# Of many simultaneous requests for the same manifest, one goes to the registry.
proxy_cache_lock on;
proxy_cache_lock_timeout 30s;
proxy_cache_lock_age 30s;
{{- end -}}

{{/* A valid digest that belongs to no content. */}}
{{- define "regmirror.absentDigest" -}}
sha256:{{ repeat 64 "0" }}
{{- end -}}
