{{- /*
The worker's container, alone or as a native sidecar. Use it in a chart of your own:
  initContainers: {{ include "sluice.workerContainer" (dict "root" $ "of" .Values.sidecar "native" true) | nindent 4 }}
(dict "root" $ "of" <worker or sidecar values> "native" <bool> "source" <text; empty: the pod's name>)
*/ -}}
{{- define "sluice.workerContainer" -}}
- name: sluice
  image: {{ include "sluice.image" (dict "root" .root "image" "worker") }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  {{- if .native }}
  # Started before the recorder, told to end only after it.
  restartPolicy: Always
  {{- end }}
  env:
    {{- include "sluice.redisEnv" .root | nindent 4 }}
    - name: SLUICE_SOURCE
      {{- if .source }}
      value: {{ .source | quote }}
      {{- else }}
      valueFrom: { fieldRef: { fieldPath: metadata.name } }
      {{- end }}
    - name: SLUICE_WORKER_ID
      valueFrom: { fieldRef: { fieldPath: metadata.name } }
    - { name: SLUICE_WATCH, value: {{ .of.mountPath | quote }} }
    - { name: SLUICE_S3_BUCKET, value: {{ required "s3.bucket" .root.Values.s3.bucket | quote }} }
    {{- with .root.Values.s3.region }}
    - { name: SLUICE_S3_REGION, value: {{ . | quote }} }
    {{- end }}
    {{- with .root.Values.s3.endpoint }}
    - { name: SLUICE_S3_ENDPOINT, value: {{ . | quote }} }
    {{- end }}
    {{- with include "sluice.keyPrefix" . }}
    - { name: SLUICE_S3_KEY_PREFIX, value: {{ . | quote }} }
    {{- end }}
    {{- with .root.Values.s3.credentialsSecret }}
    {{- if .name }}
    - name: AWS_ACCESS_KEY_ID
      valueFrom: { secretKeyRef: { name: {{ .name }}, key: {{ .accessKeyId | default "accessKeyId" }} } }
    - name: AWS_SECRET_ACCESS_KEY
      valueFrom: { secretKeyRef: { name: {{ .name }}, key: {{ .secretAccessKey | default "secretAccessKey" }} } }
    {{- end }}
    {{- end }}
    # What the volume's life demands: one that ends with the pod is sealed, one that stays is left as it is.
    - { name: SLUICE_ON_TERM, value: {{ ternary "seal" "pause" .native }} }
    {{- if .native }}
    # A sidecar that ended would hold the whole pod up: what can be mended is waited for.
    - { name: SLUICE_START_BLOCKED, value: "true" }
    {{- if not (hasKey .of.settings "after_upload") }}
    # The volume is the chart's own and ends with the pod: what is in S3 makes room, or the pod is evicted when it is full.
    - { name: SLUICE_AFTER_UPLOAD, value: delete }
    {{- end }}
    {{- end }}
    - { name: SLUICE_DRAIN_TIMEOUT, value: "{{ .drainSeconds }}s" }
    {{- include "sluice.settings" .of.settings | nindent 4 }}
  ports: [{ name: metrics, containerPort: 9464 }]
  startupProbe: { httpGet: { path: /livez, port: metrics }, periodSeconds: 2, failureThreshold: 60 }
  livenessProbe: { httpGet: { path: /livez, port: metrics }, periodSeconds: 10, failureThreshold: 3 }
  readinessProbe: { httpGet: { path: /readyz, port: metrics }, periodSeconds: 10 }
  resources: {{ toYaml .of.resources | nindent 4 }}
  {{- include "sluice.container" .root | nindent 2 }}
  volumeMounts:
    - { name: recordings, mountPath: {{ .of.mountPath | quote }} }
    {{- include "sluice.redisMount" .root | nindent 4 }}
{{- end -}}

{{- /*
Where no prefix is given: a running release keeps the one that its pods have, also none, since its next objects belong
beside its earlier ones; a new one gets its source's name, so that equal file names of two replicas do not meet.
*/ -}}
{{- define "sluice.keyPrefix" -}}
{{- if kindIs "string" .root.Values.s3.keyPrefix -}}
{{- .root.Values.s3.keyPrefix -}}
{{- else -}}
{{- $name := printf "%s-%s" (include "sluice.name" .root) (ternary "recorder" "worker" .native) -}}
{{- $running := lookup "apps/v1" (ternary "Deployment" "StatefulSet" .native) .root.Release.Namespace $name -}}
{{- if $running -}}
{{- $pod := $running.spec.template.spec -}}
{{- range concat ($pod.initContainers | default list) ($pod.containers | default list) -}}
{{- if eq .name "sluice" -}}
{{- range .env -}}{{- if eq .name "SLUICE_S3_KEY_PREFIX" -}}{{- .value -}}{{- end -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- else -}}
{source}/
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Everything not in S3 when the recorder has ended must fit. */ -}}
{{- define "sluice.sidecarGrace" -}}
{{- with .Values.sidecar.gracePeriod -}}
{{- add .recorderSeconds (ceil (divf .tailMiB .uploadMiBPerSecond)) 30 -}}
{{- end -}}
{{- end -}}
