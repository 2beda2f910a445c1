{{/* How the registry, and the fetcher, reach the upstream and the object store: account, proxy, additional certificates. */}}

{{/* Go reads the first file of certificates that the image has, and all files in these directories. */}}
{{- define "regmirror.egressEnv" -}}
{{- if .Values.caBundle.secretName }}
- name: SSL_CERT_DIR
  value: /etc/ssl/certs:/etc/regmirror/ca
{{- end }}
{{- include "regmirror.noProxyEnv" . }}
{{- end -}}

{{- define "regmirror.noProxyEnv" -}}
{{- if .Values.proxy.secretName }}
- name: NO_PROXY
  value: {{ .Values.proxy.noProxy | quote }}
{{- end }}
{{- end -}}

{{- define "regmirror.egressMounts" -}}
{{- if .Values.caBundle.secretName }}
- name: ca
  mountPath: /etc/regmirror/ca
  readOnly: true
{{- end }}
{{- if .Values.proxy.secretName }}
- name: proxy
  mountPath: /etc/regmirror/proxy
  readOnly: true
{{- end }}
{{- end -}}

{{/* The account at the upstream, and the program that prints it. */}}
{{- define "regmirror.accountMounts" -}}
{{- if .Values.upstream.secretName }}
- name: upstream
  mountPath: /etc/regmirror/upstream
  readOnly: true
- name: helper
  mountPath: /etc/regmirror/helper
  readOnly: true
{{- end }}
{{- if .Values.upstream.account.password.secretName }}
- name: account
  mountPath: /etc/regmirror/account
  readOnly: true
{{- end }}
{{- end -}}

{{- define "regmirror.egressVolumes" -}}
{{- if .Values.caBundle.secretName }}
- name: ca
  secret:
    secretName: {{ .Values.caBundle.secretName | quote }}
    items: [{key: ca.crt, path: ca.crt}]
    defaultMode: 0440
{{- end }}
{{- if .Values.proxy.secretName }}
- name: proxy
  secret:
    secretName: {{ .Values.proxy.secretName | quote }}
    items: [{key: proxy-url, path: proxy-url}]
    defaultMode: 0440
{{- end }}
{{- end -}}
