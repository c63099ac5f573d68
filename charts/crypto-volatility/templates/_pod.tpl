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
{{- range list "extraEnv" "envFrom" "tolerations" "extraInitContainers" "extraContainers" "extraVolumes" "extraVolumeMounts" -}}
{{- $_ := set $out . (concat (default list (index $all .)) (default list (index $own .)) | default list) -}}
{{- end -}}
{{- range $field, $ours := include "crypto-volatility.surroundings" $root | fromJson -}}
{{- $_ := set $out $field (concat $ours (index $out $field)) -}}
{{- end -}}
{{- range list "affinity" "topologySpreadConstraints" "priorityClassName" "serviceAccountName" "podSecurityContext" "containerSecurityContext" -}}
{{- $_ := set $out . (default (index $all .) (index $own .)) -}}
{{- end -}}
{{- $at := include "crypto-volatility.at" $root | fromJson -}}
{{- tpl (toYaml $out) (dict "at" $at "Values" $root.Values "Release" $root.Release "Chart" $root.Chart "Files" $root.Files "Capabilities" $root.Capabilities "Template" $root.Template) -}}
{{- end -}}

{{/* A setting that a parent may give to all its charts; of two the chart's own counts. (list root name) */}}
{{- define "crypto-volatility.inherited" -}}
{{- $own := dict -}}
{{- range $key, $value := index (index . 0).Values (index . 1) }}{{ if $value }}{{ $_ := set $own $key $value }}{{ end }}{{ end -}}
{{- include "crypto-volatility.layers" (list (index (default dict (index . 0).Values.global) (index . 1)) $own) -}}
{{- end -}}

{{/* What leads out of the cluster, as JSON of settings: variables of the proxy, and the authorities that are trusted. */}}
{{- define "crypto-volatility.surroundings" -}}
{{- $env := list -}}
{{- $proxy := include "crypto-volatility.inherited" (list . "proxy") | fromJson -}}
{{- if or $proxy.http $proxy.https -}}
{{- $direct := include "crypto-volatility.direct" (list . $proxy.none) -}}
{{- range $name, $value := dict "HTTP_PROXY" $proxy.http "HTTPS_PROXY" $proxy.https "NO_PROXY" $direct -}}
{{- if $value }}{{ $env = concat $env (list (dict "name" $name "value" $value) (dict "name" (lower $name) "value" $value)) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $trust := include "crypto-volatility.inherited" (list . "trust") | fromJson -}}
{{- $volumes := list -}}
{{- $mounts := list -}}
{{- if and $trust.configMap $trust.secret }}{{ fail (printf "trust: found the ConfigMap %s and the Secret %s, expected one of them" $trust.configMap $trust.secret) }}{{ end -}}
{{- if or $trust.configMap $trust.secret -}}
{{- range list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" "CURL_CA_BUNDLE" }}{{ $env = append $env (dict "name" . "value" (printf "/etc/trust/%s" (default "ca.crt" $trust.key))) }}{{ end -}}
{{- $volumes = list (dict "name" "trust" (ternary "configMap" "secret" (not (empty $trust.configMap))) (ternary (dict "name" $trust.configMap) (dict "secretName" $trust.secret) (not (empty $trust.configMap)))) -}}
{{- $mounts = list (dict "name" "trust" "mountPath" "/etc/trust" "readOnly" true) -}}
{{- end -}}
{{- dict "extraEnv" $env "extraVolumes" $volumes "extraVolumeMounts" $mounts | toJson -}}
{{- end -}}

{{/* What is asked without the proxy: this machine, our Services by their names, the cluster's networks. (list root more) */}}
{{- define "crypto-volatility.direct" -}}
{{- $root := index . 0 -}}
{{- $names := list "localhost" "127.0.0.1" "::1" ".svc" (printf ".%s" $root.Values.clusterDomain) -}}
{{- $names = concat $names (include "crypto-volatility.at" $root | fromJson | values | sortAlpha) $root.Values.networkPolicy.internetExcept (default list (index . 1)) -}}
{{- join "," $names -}}
{{- end -}}

{{/* A pod, or the template of one. (dict root own: values of the workload, user: uid, pod: its YAML as the chart makes it,
service: whether it goes on, so that containers may stand beside its own) */}}
{{- define "crypto-volatility.pod" -}}
{{- $s := include "crypto-volatility.settings" (list .root .own) | fromYaml -}}
{{- $pod := fromYaml .pod -}}
{{- range list $s $pod }}{{ with .Error }}{{ fail (printf "%s, in the settings or the pod of a workload" .) }}{{ end }}{{ end -}}
{{- $spec := $pod.spec -}}
{{- range concat (default list $spec.initContainers) $spec.containers -}}
{{- include "crypto-volatility.fill" (list . "env" (include "crypto-volatility.keyed" (list "name" .env $s.extraEnv) | fromJsonArray)) -}}
{{- include "crypto-volatility.fill" (list . "envFrom" (concat (default list .envFrom) $s.envFrom)) -}}
{{- include "crypto-volatility.fill" (list . "volumeMounts" (include "crypto-volatility.keyed" (list "mountPath" .volumeMounts $s.extraVolumeMounts) | fromJsonArray)) -}}
{{- include "crypto-volatility.fill" (list . "securityContext" (include "crypto-volatility.layers" (list $s.containerSecurityContext .securityContext) | fromJson)) -}}
{{- end -}}
{{- $security := include "crypto-volatility.podSecurity" (list $s.podSecurityContext (and (not (default dict .own).podSecurityContext) .user)) | fromJson -}}
{{- $spread := include "crypto-volatility.spread" (list $pod.metadata.labels (default $spec.topologySpreadConstraints $s.topologySpreadConstraints)) | fromJsonArray -}}
{{- $metadata := dict "labels" (list .root.Values.commonLabels $s.podLabels $pod.metadata.labels) "annotations" (list $s.podAnnotations $pod.metadata.annotations) -}}
{{- range $field, $layers := $metadata -}}
{{- include "crypto-volatility.fill" (list $pod.metadata $field (include "crypto-volatility.layers" $layers | fromJson)) -}}
{{- end -}}
{{- $fields := dict "nodeSelector" $s.nodeSelector "tolerations" $s.tolerations "affinity" $s.affinity "priorityClassName" $s.priorityClassName "topologySpreadConstraints" $spread "securityContext" $security -}}
{{- $_ := set $fields "serviceAccountName" (default (include "crypto-volatility.serviceAccountName" .root) $s.serviceAccountName) -}}
{{- $_ := set $fields "imagePullSecrets" (include "crypto-volatility.pullSecrets" .root | fromJsonArray) -}}
{{- $_ := set $fields "initContainers" (concat $s.extraInitContainers (default list $spec.initContainers)) -}}
{{- $_ := set $fields "containers" (concat $spec.containers (ternary $s.extraContainers list (default false .service))) -}}
{{- $_ := set $fields "volumes" (include "crypto-volatility.keyed" (list "name" $spec.volumes $s.extraVolumes) | fromJsonArray) -}}
{{- range $field, $value := $fields }}{{ include "crypto-volatility.fill" (list $spec $field $value) }}{{ end -}}
{{- $_ := set $spec "automountServiceAccountToken" false -}}
{{- $_ := set $spec "enableServiceLinks" false -}}
{{- toYaml $pod -}}
{{- end -}}

{{/* Sets a field of a map; what is empty is not written. (list map field value) */}}
{{- define "crypto-volatility.fill" -}}
{{- if index . 2 }}{{ $_ := set (index . 0) (index . 1) (index . 2) }}{{ else }}{{ $_ := unset (index . 0) (index . 1) }}{{ end -}}
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
{{- $out = append $out (dict "name" (ternary . (get (ternary dict . (kindIs "string" .)) "name") (kindIs "string" .))) -}}
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
