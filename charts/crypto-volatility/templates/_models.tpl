{{/* Models that stand in the namespace, as JSON: {CONFIGMAP NAME: {"digest": …, "files": […]}}; with `gitops: true`
those that values say stand there. */}}
{{- define "crypto-volatility.standingModels" -}}
{{- if .Values.gitops -}}
{{- include "crypto-volatility.pinnedModels" . -}}
{{- else -}}
{{- $standing := dict -}}
{{- range (lookup "v1" "ConfigMap" .Release.Namespace "").items -}}
{{- $labels := default dict .metadata.labels -}}
{{- if and (eq (default "" (index $labels "app.kubernetes.io/component")) "model") (eq (default "" (index $labels "app.kubernetes.io/instance")) $.Release.Name) -}}
{{- $digest := index (default dict .metadata.annotations) "crypto-volatility/digest" -}}
{{- $_ := set $standing .metadata.name (dict "digest" $digest "files" (keys (default dict .binaryData) | sortAlpha)) -}}
{{- end -}}
{{- end -}}
{{- toJson $standing -}}
{{- end -}}
{{- end -}}

{{/* Digests of the models that the chart brings, as JSON by variant. */}}
{{- define "crypto-volatility.chartModels" -}}
{{- $own := dict -}}
{{- range list "ml" "baseline" -}}
{{- $_ := set $own . (sha256sum ($.Files.Get (printf "files/models/%s/SHA256SUMS" .))) -}}
{{- end -}}
{{- toJson $own -}}
{{- end -}}

{{/* Versions that are live, as JSON by variant; empty unless the chart brings the pair that it brought last. That is
noted on the Service: `kubectl rollout undo` takes a Deployment's annotations back too. */}}
{{- define "crypto-volatility.liveModels" -}}
{{- if .Values.gitops -}}
{}
{{- else -}}
{{- $name := printf "%s-mlserver" (include "crypto-volatility.fullname" .) -}}
{{- $brought := default dict (dig "metadata" "annotations" dict (lookup "v1" "Service" .Release.Namespace $name)) -}}
{{- $template := default dict (dig "spec" "template" "metadata" "annotations" dict (lookup "apps/v1" "Deployment" .Release.Namespace $name)) -}}
{{- $live := dict -}}
{{- range $variant, $own := include "crypto-volatility.chartModels" . | fromJson -}}
{{- $version := index $template (printf "crypto-volatility/model-%s" $variant) -}}
{{- if and $version (eq (trunc 12 $own) (default "" (index $brought (printf "crypto-volatility/chart-model-%s" $variant)))) -}}
{{- $_ := set $live $variant $version -}}
{{- end -}}
{{- end -}}
{{- ternary $live dict (eq (len $live) 2) | toJson -}}
{{- end -}}
{{- end -}}

{{/* Which models are served, as JSON:
  {"ml": VERSION, "baseline": VERSION,  what the pods are to mount
   "chart": {"ml": DIGEST, …},          what the chart brings
   "kept": {CONFIGMAP NAME: [FILE…]}}   all that stand, the chart's too
The rule (docs/adr/0009): an explicit digest wins, `chart` being the chart's own; else, if the chart brings the pair that it brought last, what is
live stays (promoted, or undone); else the chart's pair is rolled out. */}}
{{- define "crypto-volatility.models" -}}
{{- include "crypto-volatility.decided" . -}}
{{- $root := . -}}
{{- $full := include "crypto-volatility.fullname" . -}}
{{- $chart := include "crypto-volatility.chartModels" . | fromJson -}}
{{- $standing := include "crypto-volatility.standingModels" . | fromJson -}}
{{- range $variant, $own := $chart -}}
{{- $files := include "crypto-volatility.modelFiles" (list $root $variant) | fromJsonArray -}}
{{- $_ := set $standing (printf "%s-model-%s-%s" $full $variant (trunc 12 $own)) (dict "digest" $own "files" $files) -}}
{{- end -}}
{{- $live := include "crypto-volatility.liveModels" . | fromJson -}}
{{- $kept := dict -}}
{{- range $name, $model := $standing }}{{ $_ := set $kept $name $model.files }}{{ end -}}
{{- $models := dict "chart" $chart "kept" $kept -}}
{{- range $variant, $own := $chart -}}
{{- $asked := (index $root.Values.serving.models $variant).digest -}}
{{- if eq $asked "chart" }}{{ $asked = $own }}{{ end -}}
{{- $version := default (index $live $variant | default $own) $asked | trunc 12 -}}
{{- $name := printf "%s-model-%s-%s" $full $variant $version -}}
{{- $digest := dig $name "digest" "" $standing -}}
{{- if not (and $digest (hasPrefix (default $version $asked) $digest)) -}}
{{- $where := ternary (printf "serving.models.%s.digest" $variant) (printf "the live %s model (serving.models.%s.digest names another)" $variant $variant) (ne $asked "") -}}
{{- fail (printf "%s: found no model %s; expected the chart's own %s, or a ConfigMap %s in namespace %s (there: %s)" $where (default $version $asked) $own $name $root.Release.Namespace (keys $standing | sortAlpha | join ", ")) -}}
{{- end -}}
{{- $_ := set $models $variant $version -}}
{{- end -}}
{{- toJson $models -}}
{{- end -}}

{{/* Files of a model folder that the chart brings, in the order of bytes. (list root variant) */}}
{{- define "crypto-volatility.modelFiles" -}}
{{- $files := list -}}
{{- range $path, $_ := (index . 0).Files.Glob (printf "files/models/%s/*" (index . 1)) }}{{ $files = append $files (base $path) }}{{ end -}}
{{- sortAlpha $files | toJson -}}
{{- end -}}

{{- define "crypto-volatility.settingsName" -}}
{{ include "crypto-volatility.fullname" . }}-mlserver-settings-{{ .Files.Get "files/models/settings.json" | sha256sum | trunc 8 }}
{{- end -}}

{{/* One model of a projected volume. (dict name models: see above, folder optional) */}}
{{- define "crypto-volatility.modelSource" -}}
- configMap:
    name: {{ .name }}
    {{- if .optional }}
    optional: true
    {{- end }}
    items:
      {{- range index .models.kept .name }}
      - {key: {{ . }}, path: {{ $.folder }}/{{ . }}}
      {{- end }}
{{- end -}}

{{/* The volume `models`. (dict root models which: serving, baseline or kept) */}}
{{- define "crypto-volatility.modelsVolume" -}}
{{- $prefix := printf "%s-model-" (include "crypto-volatility.fullname" .root) -}}
- name: models
{{- if .root.Values.serving.models.image }}
  emptyDir: {}
{{- else }}
  projected:
    sources:
    {{- if eq .which "kept" }}
    {{- range $name, $_ := .models.kept }}
    {{- include "crypto-volatility.modelSource" (dict "name" $name "models" $.models "folder" (trimPrefix $prefix $name) "optional" true) | nindent 6 }}
    {{- end }}
    {{- else }}
    {{- if eq .which "serving" }}
      - configMap:
          name: {{ include "crypto-volatility.settingsName" .root }}
          items:
            - {key: settings.json, path: settings.json}
    {{- end }}
    {{- range $variant := ternary (list "ml" "baseline") (list "baseline") (eq .which "serving") }}
    {{- $name := printf "%s%s-%s" $prefix $variant (index $.models $variant) }}
    {{- include "crypto-volatility.modelSource" (dict "name" $name "models" $.models "folder" $variant "optional" false) | nindent 6 }}
    {{- end }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* Copies the models out of an image, where they come by reference. (root) */}}
{{- define "crypto-volatility.copyModels" -}}
- name: copy-models
  image: {{ include "crypto-volatility.reference" (list . .Values.serving.models.image) }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [cp, -r, /models/., /copied/]
  terminationMessagePolicy: FallbackToLogsOnError
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {memory: 128Mi}
  volumeMounts:
    - {name: models, mountPath: /copied}
{{- end -}}

{{/* Annotations that name the models in the pod template. (dict root models which) */}}
{{- define "crypto-volatility.modelAnnotations" -}}
{{- if .root.Values.serving.models.image }}
crypto-volatility/model-image: {{ .root.Values.serving.models.image | quote }}
{{- else if ne .which "kept" }}
{{- if eq .which "serving" }}
crypto-volatility/model-ml: {{ .models.ml | quote }}
{{- end }}
crypto-volatility/model-baseline: {{ .models.baseline | quote }}
{{- end }}
{{- end -}}
