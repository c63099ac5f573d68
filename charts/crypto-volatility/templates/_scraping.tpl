{{/* Where the pods of a component are, ready or not, as Prometheus looks for them. (list root component) */}}
{{- define "crypto-volatility.discovery" -}}
{{- $root := index . 0 -}}
{{- $c := index $root.Values.components (index . 1) -}}
{{- range ternary (list "A" "AAAA") (list "A") (eq $root.Values.ip.listen "::") }}
- names: [{{ include "crypto-volatility.fullname" $root }}-{{ index $ 1 }}-pods.{{ $root.Release.Namespace }}.svc.{{ $root.Values.clusterDomain }}.]
  type: {{ . }}
  port: {{ index $c.ports $c.metrics }}
  refresh_interval: 5s
{{- end }}
{{- end -}}

{{/* "true" if a Prometheus elsewhere may want a component's metrics. (list root component) */}}
{{- define "crypto-volatility.scrapedElsewhere" -}}
{{- $c := index (index . 0).Values.components (index . 1) -}}
{{- if and $c.metrics (ne (default "" $c.group) "monitoring") (include "crypto-volatility.active" .) }}true{{ end -}}
{{- end -}}

{{/* Annotations by which such a Prometheus finds pods, or their Service. (list root component what: pods or services) */}}
{{- define "crypto-volatility.scrapeAnnotations" -}}
{{- $root := index . 0 -}}
{{- $c := index $root.Values.components (index . 1) -}}
{{- if and (eq $root.Values.monitoring.elsewhere.annotate (index . 2)) (include "crypto-volatility.scrapedElsewhere" (list $root (index . 1))) }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ index $c.ports $c.metrics | quote }}
prometheus.io/path: /metrics
{{- end }}
{{- end -}}

{{/* A file of files/bound with this release's names, and the labels that Prometheus has for them. (list root text) */}}
{{- define "crypto-volatility.boundText" -}}
{{- $root := index . 0 -}}
{{- $labels := $root.Values.monitoring.elsewhere.labels -}}
{{- index . 1 | replace "bound_namespace" $labels.namespace | replace "bound_release" $labels.release | replace "bound_component" $labels.component | replace "BOUND_NAMESPACE" $root.Release.Namespace | replace "BOUND_RELEASE" $root.Release.Name | replace "BOUND_UID" (printf "%s/%s" $root.Release.Namespace $root.Release.Name | sha256sum | trunc 8) -}}
{{- end -}}

{{/* Metadata of an object for others to find. (list root name of: labels and annotations) */}}
{{- define "crypto-volatility.handedOut" -}}
{{- $root := index . 0 -}}
name: {{ include "crypto-volatility.fullname" $root }}-elsewhere-{{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "crypto-volatility.labels" (list $root "elsewhere") | nindent 2 }}
  {{- with (index . 2).labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with (index . 2).annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
