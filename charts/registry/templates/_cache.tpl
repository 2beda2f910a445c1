{{/* The cache of manifests in front of the registry: nginx's configuration. */}}
{{- define "regmirror.cacheConfig" -}}
pid /var/cache/nginx/nginx.pid;
error_log stderr warn;
worker_processes 4;
events {
  worker_connections 8192;
}
http {
  access_log off;
  server_tokens off;
  default_type application/octet-stream;
  client_max_body_size 0;
  client_body_temp_path /var/cache/nginx/body;
  fastcgi_temp_path /var/cache/nginx/fastcgi;
  proxy_temp_path /var/cache/nginx/proxy;
  scgi_temp_path /var/cache/nginx/scgi;
  uwsgi_temp_path /var/cache/nginx/uwsgi;
  # A token with many repositories in it is a long header.
  large_client_header_buffers 4 64k;
  keepalive_requests 100000;
  keepalive_timeout 300s;
  send_timeout 10m;

  # What a tag means is forgotten when nobody has asked for so long, so that nobody is told what is older than twice that.
  proxy_cache_path /var/cache/nginx/tags levels=1:2 keys_zone=tags:4m max_size=32m inactive={{ .Values.cache.tagSeconds }}s use_temp_path=off;
  proxy_cache_path /var/cache/nginx/digests levels=1:2 keys_zone=digests:4m max_size=96m inactive=10m use_temp_path=off;

  upstream registry {
    server 127.0.0.1:5000;
    keepalive 64;
    keepalive_requests 100000;
  }
  proxy_http_version 1.1;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  proxy_buffer_size 64k;
  proxy_buffers 16 64k;
  proxy_busy_buffers_size 256k;
  # The registry waits for the upstream and for the store as long as it must; what is impatient are the clients.
  proxy_read_timeout 60m;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;

  server {
    include /var/cache/nginx/listen.conf;

    location / {
      proxy_pass http://registry;
    }

    location ~ "^/v2/(?<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)/manifests/(?<reference>sha256:[0-9a-f]{64})$" {
      {{- include "regmirror.cacheManifests" . | nindent 6 }}
      proxy_cache digests;
      proxy_cache_valid 200 10m;
    }

    location ~ "^/v2/(?<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)/manifests/(?<reference>[A-Za-z0-9_][A-Za-z0-9._-]{0,127})$" {
      {{- include "regmirror.cacheManifests" . | nindent 6 }}
      proxy_cache tags;
      proxy_cache_valid 200 {{ .Values.cache.tagSeconds }}s;
      # While one asks anew, all others go on with what was true seconds ago.
      proxy_cache_use_stale updating;
    }

    # Whether this client may pull from this repository is for the registry to say, at every request: it checks the token
    # first, and then that the client has this digest already, which takes neither Redis nor store nor upstream.
    location = /token-check {
      internal;
      proxy_pass http://registry/v2/$repository/manifests/{{ include "regmirror.noDigest" . }};
      proxy_method HEAD;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header Content-Length "";
      proxy_set_header If-None-Match {{ include "regmirror.noDigest" . }};
      proxy_intercept_errors on;
      error_page 304 = @allowed;
      # Without the header that goes with 401: the registry's own answer, which the client gets then, has it.
      error_page 401 = @refused;
    }
    location @allowed {
      internal;
      return 204;
    }
    location @refused {
      internal;
      return 403;
    }

    # Whatever is no allowed GET or HEAD is the registry's to answer, in its own words.
    location @registry {
      internal;
      proxy_pass http://registry;
    }
  }
}
{{- end -}}

{{- define "regmirror.cacheManifests" -}}
if ($request_method !~ "^(GET|HEAD)$") {
  return 418;
}
error_page 403 418 500 = @registry;
auth_request /token-check;
proxy_pass http://registry/v2/$repository/manifests/$reference;
proxy_cache_key $repository/$reference|$http_accept;
# Of many clients that ask for the same at once, one asks the registry.
proxy_cache_lock on;
proxy_cache_lock_timeout 30s;
proxy_cache_lock_age 30s;
{{- end -}}

{{/* Content that does not exist; no more is known of it than its digest. */}}
{{- define "regmirror.noDigest" -}}
sha256:{{ repeat 64 "0" }}
{{- end -}}
