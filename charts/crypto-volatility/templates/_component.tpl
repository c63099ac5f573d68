{{/* One component: Deployment, Services, disruption budget, volume claim.
(dict root name component models context: what templates inside its values see) */}}
{{- define "crypto-volatility.component" -}}
{{- $c := .component -}}
{{- $root := .root -}}
{{- $replicas := int (ternary $c.replicas 1 (hasKey $c "replicas")) -}}
{{- $scaled := and (eq $root.Values.autoscaling.mode "hpa") (has .name (list "adapter" "mlserver")) }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{- include "crypto-volatility.metadata" (list $root .name .name) | nindent 2 }}
spec:
  {{- with include "crypto-volatility.replicas" (dict "root" $root "name" .name "replicas" $replicas "scaled" $scaled) }}
  replicas: {{ . }}
  {{- end }}
  revisionHistoryLimit: {{ max (int $root.Values.defaults.revisionHistoryLimit) (ternary (int $root.Values.serving.kept) 0 (eq .name "mlserver")) }}
  {{- if eq (default "RollingUpdate" $c.strategy) "Recreate" }}
  strategy: {type: Recreate}
  {{- else }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  {{- end }}
  selector:
    matchLabels: {{- include "crypto-volatility.selector" (list $root .name) | nindent 6 }}
  template: {{- include "crypto-volatility.pod" (dict "root" $root "own" $c "user" $c.user "service" true "pod" (include "crypto-volatility.componentPod" .)) | nindent 4 }}
{{- if hasKey $c "service" }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "crypto-volatility.metadata" (list $root .name .name) | nindent 2 }}
  {{- with include "crypto-volatility.serviceAnnotations" . | trim }}
  annotations:
    {{- nindent 4 . }}
  {{- end }}
spec:
  {{- include "crypto-volatility.serviceFields" (list $root (printf "components.%s.service" .name) $c.service) | nindent 2 }}
  selector: {{- include "crypto-volatility.selector" (list $root .name) | nindent 4 }}
  {{- range $port, $_ := $c.service.nodePorts }}
  {{- if not (hasKey $c.ports $port) }}{{ fail (printf "components.%s.service.nodePorts: found %s, expected one of the ports %s" $.name $port (keys $c.ports | sortAlpha | join ", ")) }}{{ end }}
  {{- end }}
  ports:
    {{- range $port, $number := $c.ports }}
    - name: {{ $port }}
      port: {{ $number }}
      targetPort: {{ $port }}
      protocol: TCP
      {{- with index (default dict $c.service.nodePorts) $port }}
      nodePort: {{ . }}
      {{- end }}
    {{- end }}
{{- end }}
{{- if $c.metrics }}
---
# Every pod by its own address, ready or not: what Prometheus scrapes.
apiVersion: v1
kind: Service
metadata:
  {{- include "crypto-volatility.metadata" (list $root .name (printf "%s-pods" .name)) | nindent 2 }}
  {{- with include "crypto-volatility.scrapeAnnotations" (list $root .name "services") | trim }}
  annotations:
    {{- nindent 4 . }}
  {{- end }}
spec:
  clusterIP: None
  {{- with include "crypto-volatility.scrapedFamily" (list $root (default dict $c.service)) | trim }}
  {{- nindent 2 . }}
  {{- end }}
  publishNotReadyAddresses: true
  selector: {{- include "crypto-volatility.selector" (list $root .name) | nindent 4 }}
  ports:
    - {name: {{ $c.metrics }}, port: {{ index $c.ports $c.metrics }}, targetPort: {{ $c.metrics }}, protocol: TCP}
{{- end }}
{{- if or (ge $replicas 2) $scaled }}
{{- include "crypto-volatility.budget" (dict "root" $root "name" .name "own" $c "policy" "AlwaysAllow") }}
{{- end }}
{{- if and $c.persistence (not (default dict $c.persistence).existingClaim) }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "crypto-volatility.metadata" (list $root .name .name) | nindent 2 }}
  annotations: {{- include "crypto-volatility.keep" $root | nindent 4 }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with $c.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests: {storage: {{ $c.persistence.size }}}
{{- end }}
{{- end -}}

{{- define "crypto-volatility.serviceAnnotations" -}}
{{- if and (eq (default "" .component.models) "serving") (not .root.Values.serving.models.image) }}
# What the chart brought, which may differ from what is live: see templates/_models.tpl.
crypto-volatility/chart-model-ml: {{ trunc 12 .models.chart.ml | quote }}
crypto-volatility/chart-model-baseline: {{ trunc 12 .models.chart.baseline | quote }}
{{- end }}
{{- with .component.service.annotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Its pod. (as above) */}}
{{- define "crypto-volatility.componentPod" -}}
{{- $c := .component -}}
{{- $root := .root -}}
metadata:
  labels: {{- include "crypto-volatility.podLabels" (list $root .name) | nindent 4 }}
  annotations:
    kubectl.kubernetes.io/default-container: {{ .name }}
    {{- with include "crypto-volatility.annotations" . | trim }}
    {{- nindent 4 . }}
    {{- end }}
spec:
  terminationGracePeriodSeconds: {{ default $root.Values.defaults.terminationGracePeriodSeconds $c.terminationGracePeriodSeconds }}
  {{- if and (eq .name "mlserver") (eq $root.Values.ip.listen "::") }}
  hostAliases:
    - {ip: "::", hostnames: [{{ include "crypto-volatility.everyAddress" $root }}]}
    - {ip: 0.0.0.0, hostnames: [{{ include "crypto-volatility.everyAddress" $root }}]}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      # Not counting the pods that a rollout is about to end.
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels: {{- include "crypto-volatility.selector" (list $root .name) | nindent 10 }}
  {{- $first := include "crypto-volatility.initContainers" . | trim }}
  {{- with $first }}
  initContainers: {{- nindent 4 . }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ include "crypto-volatility.image" (list $root $c.image) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      {{- with $c.command }}
      command: {{- tpl (toYaml .) $.context | nindent 8 }}
      {{- end }}
      {{- with $c.args }}
      args: {{- tpl (toYaml .) $.context | nindent 8 }}
      {{- end }}
      {{- with include "crypto-volatility.environment" . | trim }}
      env: {{- nindent 8 . }}
      {{- end }}
      ports:
        {{- range $port, $number := $c.ports }}
        - {name: {{ $port }}, containerPort: {{ $number }}, protocol: TCP}
        {{- end }}
      {{- range $kind, $probe := $c.probes }}
      {{ $kind }}Probe: {{- include "crypto-volatility.probe" (list $kind $probe) | nindent 8 }}
      {{- end }}
      {{- with int (ternary $c.preStopSeconds $root.Values.defaults.preStopSeconds (hasKey $c "preStopSeconds")) }}
      lifecycle:
        preStop:
          sleep: {seconds: {{ . }}}
      {{- end }}
      terminationMessagePolicy: FallbackToLogsOnError
      resources: {{- toYaml $c.resources | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- if $c.models }}
        - {name: models, mountPath: /models, readOnly: true}
        {{- end }}
        {{- with $c.persistence }}
        - {name: data, mountPath: {{ .mountPath }}}
        {{- end }}
        {{- with $c.volumeMounts }}
        {{- tpl (toYaml .) $.context | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 256Mi}
    {{- if $c.models }}
    {{- include "crypto-volatility.modelsVolume" (dict "root" $root "models" .models "which" $c.models) | nindent 4 }}
    {{- end }}
    {{- if $c.persistence }}
    - name: data
      persistentVolumeClaim: {claimName: {{ default (printf "%s-%s" (include "crypto-volatility.fullname" $root) .name) $c.persistence.existingClaim }}}
    {{- end }}
    {{- with $c.volumes }}
    {{- tpl (toYaml .) $.context | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "crypto-volatility.annotations" -}}
{{- with .component.models }}
{{- include "crypto-volatility.modelAnnotations" (dict "root" $.root "models" $.models "which" .) }}
{{- end }}
{{- include "crypto-volatility.scrapeAnnotations" (list .root .name "pods") }}
{{- $values := dict }}
{{- range $variable, $name := .component.secretEnv }}
{{- with (index $.root.Values.secrets $name).value }}{{ $_ := set $values $name . }}{{ end }}
{{- end }}
{{- with $values }}
checksum/secrets: {{ toJson . | sha256sum }}
{{- end }}
{{- end -}}

{{- define "crypto-volatility.initContainers" -}}
{{- if and .component.models .root.Values.serving.models.image }}
{{- include "crypto-volatility.copyModels" .root }}
{{- end }}
{{- if and (has "kafka" (default list .component.connects)) (ne .component.waitForTopics false) }}
{{ include "crypto-volatility.waitForTopics" .root }}
{{- end }}
{{- with .component.initContainers }}
{{ tpl (toYaml .) $.context }}
{{- end }}
{{- end -}}

{{/* Secrets first: a later variable may hold $(EARLIER). */}}
{{- define "crypto-volatility.environment" -}}
{{- range $variable, $name := .component.secretEnv }}
{{- include "crypto-volatility.secretVariable" (list $.root $variable $name) }}
{{- end }}
{{- $env := dict }}
{{- if kindIs "string" .component.image }}
{{- include "crypto-volatility.secretVariable" (list .root "OTEL_EXPORTER_OTLP_HEADERS" "tracingHeaders") }}
{{- $env = include "crypto-volatility.commonEnv" .root | fromJson }}
{{- end }}
{{- $env = merge $env (include "crypto-volatility.publishedEnv" (list .root .name) | fromJson) }}
{{- if has "kafka" (default list .component.connects) }}
{{- $env = merge $env (include "crypto-volatility.kafkaEnv" .root | fromJson) }}
{{- end }}
{{- range $variable, $value := merge (dict) (default dict .component.env) $env }}
- name: {{ $variable }}
  value: {{ tpl (toString $value) $.context | quote }}
{{- end }}
{{- end -}}

{{/* A probe by HTTP or by a command, with the period that suits its kind. (list kind probe) */}}
{{- define "crypto-volatility.probe" -}}
{{- $probe := index . 1 -}}
{{- $defaults := index (dict "startup" (dict "periodSeconds" 2 "timeoutSeconds" 5 "failureThreshold" 90) "readiness" (dict "periodSeconds" 5 "timeoutSeconds" 5 "failureThreshold" 3) "liveness" (dict "periodSeconds" 10 "timeoutSeconds" 10 "failureThreshold" 6)) (index . 0) -}}
{{- if $probe.exec -}}
exec: {command: {{ toJson $probe.exec }}}
{{- else -}}
httpGet: {path: {{ $probe.path }}, port: {{ default "http" $probe.port }}}
{{- end }}
{{- range $field, $value := $defaults }}
{{ $field }}: {{ default $value (index $probe $field) }}
{{- end }}
{{- end -}}
