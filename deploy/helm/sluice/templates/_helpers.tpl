{{- define "sluice.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- /* (dict "root" $ "part" "worker") */ -}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "sluice.labels" -}}
{{ include "sluice.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "sluice.image" -}}
{{- $registry := required "image.registry: where you pushed the images of deploy/*.Dockerfile" .root.Values.image.registry -}}
{{ $registry }}/sluice-{{ .image }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{- define "sluice.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ .Values.serviceAccount.name | default (include "sluice.name" .) }}
{{- else -}}{{ required "serviceAccount.name, or serviceAccount.create" .Values.serviceAccount.name }}{{- end -}}
{{- end -}}

{{- /* What every pod has: restricted pod security, and no environment of other services. */ -}}
{{- define "sluice.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.podSecurity.runAsUser }}
  runAsGroup: {{ .Values.podSecurity.runAsGroup }}
  fsGroup: {{ .Values.podSecurity.fsGroup }}
  # A volume of many files would otherwise be walked at every start.
  fsGroupChangePolicy: OnRootMismatch
  {{- with .Values.podSecurity.supplementalGroups }}
  supplementalGroups: {{ toYaml . | nindent 4 }}
  {{- end }}
  seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "sluice.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{- define "sluice.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "sluice.redisEnv" -}}
{{- if .Values.redis.urlSecret.name -}}
- { name: SLUICE_REDIS_URL_FILE, value: /secrets/redis/url }
{{- else -}}
- name: SLUICE_REDIS_URL
  value: {{ required "redis.url, or redis.urlSecret" .Values.redis.url | quote }}
{{- end -}}
{{- end -}}

{{- define "sluice.redisMount" -}}
{{- if .Values.redis.urlSecret.name }}
- { name: redis, mountPath: /secrets/redis, readOnly: true }
{{- end }}
{{- end -}}

{{- define "sluice.redisVolume" -}}
{{- with .Values.redis.urlSecret }}
{{- if .name }}
- name: redis
  secret:
    secretName: {{ .name }}
    items: [{ key: {{ .key | default "url" }}, path: url }]
{{- end }}
{{- end }}
{{- end -}}

{{- define "sluice.settings" -}}
{{- range $name, $value := . }}
- name: SLUICE_{{ $name | upper }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}
