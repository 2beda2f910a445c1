{{/* How docker_auth reaches the provider at which people sign in: through a proxy, and with additional certificates. */}}

{{/* Go reads the first file of certificates that the image has, and all files in these directories. */}}
{{- define "regmirror.egressEnv" -}}
{{- if .Values.caBundle.secretName }}
- name: SSL_CERT_DIR
  value: /etc/ssl/certs:/etc/regmirror/ca
{{- end }}
{{- if .Values.proxy.secretName }}
- name: HTTPS_PROXY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.proxy.secretName | quote }}
      key: proxy-url
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
{{- end -}}

{{- define "regmirror.egressVolumes" -}}
{{- if .Values.caBundle.secretName }}
- name: ca
  secret:
    secretName: {{ .Values.caBundle.secretName | quote }}
    items: [{key: ca.crt, path: ca.crt}]
    defaultMode: 0440
{{- end }}
{{- end -}}
