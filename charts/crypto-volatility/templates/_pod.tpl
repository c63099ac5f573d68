{{/* What a team sets, laid over what the chart made: every pod comes from `crypto-volatility.pod`. */}}

{{/* Maps over each other, as JSON: of a key the last counts, and null takes it away. (list map…) */}}
{{- define "crypto-volatility.layers" -}}
{{- $out := dict -}}
{{- range . -}}
{{- range $key, $value := default dict . -}}
{{- if kindIs "invalid" $value }}{{ $_ := unset $out $key }}{{ else }}{{ $_ := set $out $key $value }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/* Lists after each other, as JSON: of entries with one key the last counts, at the place of the first. (list key list…) */}}
{{- define "crypto-volatility.keyed" -}}
{{- $key := first . -}}
{{- $found := dict -}}
{{- $order := list -}}
{{- range rest . -}}
{{- range default list . -}}
{{- $order = append $order (index . $key) -}}
{{- $_ := set $found (index . $key) . -}}
{{- end -}}
{{- end -}}
{{- $out := list -}}
{{- range uniq $order }}{{ $out = append $out (index $found .) }}{{ end -}}
{{- toJson $out -}}
{{- end -}}

{{/* What is set for a workload, its own over `defaults`, as YAML; its strings are templates. (list root own) */}}
{{- define "crypto-volatility.settings" -}}
{{- $root := index . 0 -}}
{{- $own := default dict (index . 1) -}}
{{- $all := $root.Values.defaults -}}
{{- $out := dict -}}
{{- range list "podLabels" "podAnnotations" "nodeSelector" -}}
{{- $_ := set $out . (include "crypto-volatility.layers" (list (index $all .) (index $own .)) | fromJson) -}}
{{- end -}}
{{- range list "extraEnv" "envFrom" "tolerations" "hostAliases" "extraInitContainers" "extraContainers" "extraVolumes" "extraVolumeMounts" -}}
{{- $_ := set $out . (concat (default list (index $all .)) (default list (index $own .)) | default list) -}}
{{- end -}}
{{- range $field, $ours := include "crypto-volatility.surroundings" $root | fromJson -}}
{{- $_ := set $out $field (concat $ours (index $out $field)) -}}
{{- end -}}
{{- range list "affinity" "topologySpreadConstraints" "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" "dnsConfig" "serviceAccountName" "podSecurityContext" "containerSecurityContext" -}}
{{- $_ := set $out . (default (index $all .) (index $own .)) -}}
{{- end -}}
{{- $at := include "crypto-volatility.at" $root | fromJson -}}
{{- tpl (toYaml $out) (dict "at" $at "Values" $root.Values "Release" $root.Release "Chart" $root.Chart "Files" $root.Files "Capabilities" $root.Capabilities "Template" $root.Template) -}}
{{- end -}}

{{/* A pod, or the template of one. (dict root own: values of the workload, user: uid, pod: its YAML as the chart makes it,
service: whether it goes on, so that containers may stand beside its own) */}}
{{- define "crypto-volatility.pod" -}}
{{- $s := include "crypto-volatility.settings" (list .root .own) | fromYaml -}}
{{- $pod := fromYaml .pod -}}
{{- range list $s $pod }}{{ with .Error }}{{ fail (printf "%s, in the settings or the pod of a workload" .) }}{{ end }}{{ end -}}
{{- $spec := $pod.spec -}}
{{- range concat (default list $spec.initContainers) $spec.containers }}{{ include "crypto-volatility.container" (list $.root $s .) }}{{ end -}}
{{- $uid := ternary "" .user (not (empty (default dict .own).podSecurityContext)) -}}
{{- $fields := dict "hostAliases" (concat (default list $spec.hostAliases) $s.hostAliases) -}}
{{- range list "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" "dnsConfig" -}}
{{- $_ := set $fields . (default (index $spec .) (index $s .)) -}}
{{- end -}}
{{- range $field, $value := dict
  "serviceAccountName" (default (include "crypto-volatility.serviceAccountName" .root) $s.serviceAccountName)
  "securityContext" (include "crypto-volatility.podSecurity" (list $s.podSecurityContext $uid) | fromJson)
  "topologySpreadConstraints" (include "crypto-volatility.spread" (list $pod.metadata.labels (default $spec.topologySpreadConstraints $s.topologySpreadConstraints)) | fromJsonArray)
  "imagePullSecrets" (include "crypto-volatility.pullSecrets" .root | fromJsonArray)
  "initContainers" (concat $s.extraInitContainers (default list $spec.initContainers))
  "containers" (concat $spec.containers (ternary $s.extraContainers list (default false .service)))
  "volumes" (include "crypto-volatility.keyed" (list "name" $spec.volumes $s.extraVolumes) | fromJsonArray)
-}}
{{- $_ := set $fields $field $value -}}
{{- end -}}
{{- range $field, $value := $fields }}{{ include "crypto-volatility.fill" (list $spec $field $value) }}{{ end -}}
{{- $_ := set $spec "automountServiceAccountToken" false -}}
{{- $_ := set $spec "enableServiceLinks" false -}}
{{- $labels := include "crypto-volatility.layers" (list .root.Values.commonLabels $s.podLabels $pod.metadata.labels) | fromJson -}}
{{- $annotations := include "crypto-volatility.layers" (list $s.podAnnotations $pod.metadata.annotations) | fromJson -}}
{{- range $field, $value := dict "labels" $labels "annotations" $annotations }}{{ include "crypto-volatility.fill" (list $pod.metadata $field $value) }}{{ end -}}
{{- toYaml $pod -}}
{{- end -}}

{{/* Lays settings over a container of the chart's, in place. (list root settings container) */}}
{{- define "crypto-volatility.container" -}}
{{- $s := index . 1 -}}
{{- $own := index . 2 -}}
{{- range $field, $value := dict
  "resources" (include "crypto-volatility.resources" (list (index . 0) $own) | fromJson)
  "env" (include "crypto-volatility.keyed" (list "name" $own.env $s.extraEnv) | fromJsonArray)
  "envFrom" (concat (default list $own.envFrom) $s.envFrom)
  "volumeMounts" (include "crypto-volatility.keyed" (list "mountPath" $own.volumeMounts $s.extraVolumeMounts) | fromJsonArray)
  "securityContext" (include "crypto-volatility.layers" (list $s.containerSecurityContext $own.securityContext) | fromJson)
-}}
{{- include "crypto-volatility.fill" (list $own $field $value) -}}
{{- end -}}
{{- end -}}

{{/* Sets a field of a map; what is empty is not written. (list map field value) */}}
{{- define "crypto-volatility.fill" -}}
{{- if index . 2 }}{{ $_ := set (index . 0) (index . 1) (index . 2) }}{{ else }}{{ $_ := unset (index . 0) (index . 1) }}{{ end -}}
{{- end -}}

{{/* What a container requests and may use at most; of what it does not say, as `defaults.resources` does. (list root container) */}}
{{- define "crypto-volatility.resources" -}}
{{- $all := default dict (index . 0).Values.defaults.resources -}}
{{- $own := default dict (index . 1).resources -}}
{{- $out := dict -}}
{{- range $kind := list "requests" "limits" -}}
{{- include "crypto-volatility.fill" (list $out $kind (include "crypto-volatility.layers" (list (index $all $kind) (index $own $kind)) | fromJson)) -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/* A pod's security context with the uid of its image, where it names one at all. (list context uid) */}}
{{- define "crypto-volatility.podSecurity" -}}
{{- $security := include "crypto-volatility.layers" (list (index . 0)) | fromJson -}}
{{- $uid := index . 1 -}}
{{- range $field := list "runAsUser" "runAsGroup" "fsGroup" -}}
{{- if and $uid (hasKey $security $field) }}{{ $_ := set $security $field $uid }}{{ end -}}
{{- end -}}
{{- toJson $security -}}
{{- end -}}

{{/* Spread constraints; one that does not say of which pods is of the workload's own. (list labels constraints) */}}
{{- define "crypto-volatility.spread" -}}
{{- $mine := pick (index . 0) "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- $out := list -}}
{{- range default list (index . 1) -}}
{{- if not (hasKey . "labelSelector") }}{{ $_ := set . "labelSelector" (dict "matchLabels" $mine) }}{{ end -}}
{{- $out = append $out . -}}
{{- end -}}
{{- toJson $out -}}
{{- end -}}

{{/* Names of Secrets to pull images with, the chart's and a parent's, as JSON. */}}
{{- define "crypto-volatility.pullSecrets" -}}
{{- $out := list -}}
{{- range concat .Values.image.pullSecrets (default list (default dict .Values.global).imagePullSecrets) -}}
{{- if kindIs "string" . }}{{ $out = append $out (dict "name" .) }}{{ else }}{{ $out = append $out . }}{{ end -}}
{{- end -}}
{{- uniq $out | toJson -}}
{{- end -}}

{{- define "crypto-volatility.serviceAccountName" -}}
{{- default (ternary (include "crypto-volatility.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* How many of a workload's pods may be away at once. (dict root name own policy: what of the unhealthy) */}}
{{- define "crypto-volatility.budget" -}}
{{- $all := .root.Values.defaults.podDisruptionBudget -}}
{{- $own := default dict .own.podDisruptionBudget -}}
{{- $budget := include "crypto-volatility.layers" (list $all $own) | fromJson -}}
{{- $least := and (hasKey $budget "minAvailable") (or (hasKey $own "minAvailable") (not (hasKey $own "maxUnavailable"))) -}}
{{- if $budget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "crypto-volatility.metadata" (list .root .name .name) | nindent 2 }}
spec:
  {{- if $least }}
  minAvailable: {{ $budget.minAvailable }}
  {{- else }}
  maxUnavailable: {{ $budget.maxUnavailable }}
  {{- end }}
  {{- with .policy }}
  unhealthyPodEvictionPolicy: {{ . }}
  {{- end }}
  selector:
    matchLabels: {{- include "crypto-volatility.selector" (list .root .name) | nindent 6 }}
{{- end }}
{{- end -}}
