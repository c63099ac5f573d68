{{/* Names. Every object is `<fullname>-<component>`. */}}

{{- define "crypto-volatility.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name if it says what it is, else with the chart's behind it; 40 characters leave room for the longest component. */}}
{{- define "crypto-volatility.fullname" -}}
{{- $name := include "crypto-volatility.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- $full = default ($full | replace "." "-") .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- if not (regexMatch "^[a-z]" $full) }}{{ fail (printf "found the name %s, expected one that begins with a letter: Services are called after it" $full) }}{{ end -}}
{{- $full -}}
{{- end -}}

{{/* What a pod is found by; never changes. (list root component) */}}
{{- define "crypto-volatility.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "crypto-volatility.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of every object. (list root component) */}}
{{- define "crypto-volatility.labels" -}}
{{- $root := index . 0 -}}
{{ include "crypto-volatility.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: crypto-volatility
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- include "crypto-volatility.teamLabels" $root }}
{{- end -}}

{{/* `commonLabels`, but for those that are the chart's to say. */}}
{{- define "crypto-volatility.teamLabels" -}}
{{- with omit .Values.commonLabels "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/version" "app.kubernetes.io/part-of" "app.kubernetes.io/managed-by" }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of a pod: without the version, so that a new chart restarts only what it changes; `crypto-volatility.pod` adds a team's. (list root component) */}}
{{- define "crypto-volatility.podLabels" -}}
{{ include "crypto-volatility.selector" . }}
app.kubernetes.io/part-of: crypto-volatility
{{- end -}}

{{/* Metadata of an object of a component. (list root component name-suffix) */}}
{{- define "crypto-volatility.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "crypto-volatility.fullname" $root }}-{{ index . 2 }}
namespace: {{ $root.Release.Namespace }}
labels: {{- include "crypto-volatility.labels" (list $root (index . 1)) | nindent 2 }}
{{- end -}}

{{/* An image: `stream`, `ml`, or {repository, tag, digest}. Ours without either is of the chart's version. (list root image) */}}
{{- define "crypto-volatility.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := (default dict $root.Values.global).imageRegistry -}}
{{- if kindIs "string" $image -}}
{{- $registry = default $registry $root.Values.image.registry -}}
{{- $image = index $root.Values.image $image -}}
{{- if not (or $image.tag $image.digest) }}{{ $image = merge (dict "tag" $root.Chart.AppVersion) $image }}{{ end -}}
{{- else if $registry -}}
{{- $image = merge (dict "repository" (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $image.repository "")) $image -}}
{{- end -}}
{{- with $registry }}{{ . }}/{{ end }}{{ $image.repository }}{{ with $image.tag }}:{{ . }}{{ end }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{/* An image that a team names as a whole: one without a host is the registry's for all. (list root reference) */}}
{{- define "crypto-volatility.reference" -}}
{{- $registry := (default dict (index . 0).Values.global).imageRegistry -}}
{{- if and $registry (not (regexMatch "^([^/]*[.:][^/]*|localhost)/" (index . 1))) }}{{ $registry }}/{{ end }}{{ index . 1 }}
{{- end -}}

{{/* Names of the Services by component, as JSON: `.at` of the strings in values.yaml. */}}
{{- define "crypto-volatility.at" -}}
{{- $full := include "crypto-volatility.fullname" . -}}
{{- $at := dict "kafka" (printf "%s-kafka" $full) -}}
{{- range $name, $_ := .Values.components }}{{ $_ := set $at $name (printf "%s-%s" $full $name) }}{{ end -}}
{{- toJson $at -}}
{{- end -}}

{{/* "true" if a component is to run. (list root component) */}}
{{- define "crypto-volatility.active" -}}
{{- $root := index . 0 -}}
{{- $c := index $root.Values.components (index . 1) -}}
{{- $groups := dict "monitoring" (eq $root.Values.monitoring.mode "bundled") "mlflow" $root.Values.mlflow.enabled -}}
{{- if and $c.enabled (or (not $c.group) (index $groups (default "" $c.group))) }}true{{ end -}}
{{- end -}}

{{/* How many copies of a topic, and how many of them must have a record. */}}
{{- define "crypto-volatility.copies" -}}{{ ternary 3 1 (ge (int .Values.kafka.nodes) 3) }}{{- end -}}
{{- define "crypto-volatility.leastInSync" -}}{{ ternary 2 1 (ge (int .Values.kafka.nodes) 3) }}{{- end -}}

{{/* Environment of whatever speaks to Kafka, as a dictionary. */}}
{{- define "crypto-volatility.kafkaEnv" -}}
{{- dict "KAFKA_BOOTSTRAP_SERVERS" (printf "%s-kafka:9092" (include "crypto-volatility.fullname" .)) "KAFKA_REPLICATION_FACTOR" (include "crypto-volatility.copies" .) "KAFKA_TOPIC_PREFIX" .Values.kafka.topicPrefix "KAFKA_DICTIONARIES" .Values.kafka.dictionaries | toJson -}}
{{- end -}}

{{/* Environment of all our processes, as a dictionary. */}}
{{- define "crypto-volatility.commonEnv" -}}
{{- $env := dict "LISTEN_HOST" .Values.ip.listen "PROMETHEUS_DISABLE_CREATED_SERIES" "true" -}}
{{- $_ := set $env "OTEL_TRACES_SAMPLER" .Values.tracing.sampler -}}
{{- $_ := set $env "OTEL_TRACES_SAMPLER_ARG" .Values.tracing.ratio -}}
{{- $_ := set $env "OTEL_EXPORTER_OTLP_ENDPOINT" .Values.tracing.endpoint -}}
{{- toJson $env -}}
{{- end -}}

{{/* A variable from a Secret: `secrets.<name>`, by reference or the chart's own; nothing if it has neither. (list root variable name) */}}
{{- define "crypto-volatility.secretVariable" -}}
{{- $root := index . 0 -}}
{{- $secret := index $root.Values.secrets (index . 2) -}}
{{- if or $secret.existingSecret $secret.value $secret.generate }}
{{- $own := printf "%s-%s" (include "crypto-volatility.fullname" $root) (ternary "secrets" "generated" (not (empty $secret.value))) }}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ default $own $secret.existingSecret }}
      key: {{ $secret.key }}
{{- end }}
{{- end -}}

{{/* Waits until every topic has a leader: the first container of whatever speaks to Kafka. */}}
{{- define "crypto-volatility.waitForTopics" -}}
- name: wait-for-topics
  image: {{ include "crypto-volatility.image" (list . "stream") }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [python, -m, ingestor, topics, --wait, --timeout, {{ .Values.kafka.waitSeconds | quote }}]
  env:
    {{- range $name, $value := include "crypto-volatility.kafkaEnv" . | fromJson }}
    - {name: {{ $name }}, value: {{ $value | toString | quote }}}
    {{- end }}
  terminationMessagePolicy: FallbackToLogsOnError
  resources:
    requests: {cpu: 25m, memory: 64Mi}
    limits: {memory: 128Mi}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
{{- end -}}
