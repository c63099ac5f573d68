{{/* What `gitops: true` takes by values, and what stays when the rest goes. */}}

{{/* Fails, naming what is missing, unless values take every decision that a look into the cluster takes else. */}}
{{- define "crypto-volatility.decided" -}}
{{- $missing := list -}}
{{- if and .Values.gitops (not .Values.serving.models.image) -}}
{{- range $variant, $own := include "crypto-volatility.chartModels" . | fromJson -}}
{{- $asked := index $.Values.serving.models $variant -}}
{{- if not $asked.digest -}}
{{- $missing = append $missing (printf "serving.models.%s.digest (`chart`, or the digest of another model)" $variant) -}}
{{- else if not (or $asked.files (eq $asked.digest "chart") (hasPrefix $asked.digest $own)) -}}
{{- $missing = append $missing (printf "serving.models.%s.files (the names of the files of %s, which the chart does not bring)" $variant $asked.digest) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.gitops -}}
{{- range $name, $user := include "crypto-volatility.generatedFor" . | fromJson -}}
{{- $secret := index $.Values.secrets $name -}}
{{- if and $secret.generate (not $secret.existingSecret) (not $secret.value) (include "crypto-volatility.active" (list $ $user)) -}}
{{- $missing = append $missing (printf "secrets.%s.existingSecret (or value, or generate: false)" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $missing -}}
{{- fail (printf "gitops: true looks into no cluster and makes up nothing: found no %s; expected a value (docs/gitops.md)" (join ", no " .)) -}}
{{- end -}}
{{- end -}}

{{/* Passwords that Helm makes where nobody gave one, and the component that they are for, as JSON. */}}
{{- define "crypto-volatility.generatedFor" -}}
{{- dict "grafanaPassword" "grafana" "postgresPassword" "postgres" | toJson -}}
{{- end -}}

{{/* Models that values name and the chart does not bring, as JSON, in the form of standingModels. */}}
{{- define "crypto-volatility.pinnedModels" -}}
{{- $pinned := dict -}}
{{- range $variant := list "ml" "baseline" -}}
{{- $asked := index $.Values.serving.models $variant -}}
{{- if and $asked.digest (ne $asked.digest "chart") -}}
{{- $name := printf "%s-model-%s-%s" (include "crypto-volatility.fullname" $) $variant (trunc 12 $asked.digest) -}}
{{- $_ := set $pinned $name (dict "digest" $asked.digest "files" (default list $asked.files | sortAlpha)) -}}
{{- end -}}
{{- end -}}
{{- toJson $pinned -}}
{{- end -}}

{{/* Annotations of what outlives the release, or a revision that names it no more: it stays, and for Argo CD and Flux
it is then no difference. */}}
{{- define "crypto-volatility.keep" -}}
{{- if .Values.gitops -}}
argocd.argoproj.io/compare-options: IgnoreExtraneous
argocd.argoproj.io/sync-options: Prune=false,Delete=false
kustomize.toolkit.fluxcd.io/prune: disabled
{{ end -}}
helm.sh/resource-policy: keep
{{- end -}}

{{/* Annotations of what pods name by its content. With Helm they are hooks, because they must outlive the release's
revisions: a rollback makes those of its revision again, uninstall leaves them. They say whose they are, so that an
upgrade to `gitops: true` may take them over. */}}
{{- define "crypto-volatility.byContent" -}}
{{- if not .Values.gitops -}}
meta.helm.sh/release-name: {{ .Release.Name }}
meta.helm.sh/release-namespace: {{ .Release.Namespace }}
helm.sh/hook: pre-install,pre-upgrade,pre-rollback
helm.sh/hook-delete-policy: before-hook-creation
helm.sh/hook-weight: "-5"
{{ end -}}
{{- include "crypto-volatility.keep" . -}}
{{- end -}}

{{/* The name's end of a Job, which cannot be changed: the revision, or a digest of what it does. (list root name spec) */}}
{{- define "crypto-volatility.jobName" -}}
{{- $root := index . 0 -}}
{{- index . 1 }}-{{ if $root.Values.gitops }}{{ index . 2 | sha256sum | trunc 8 }}{{ else }}{{ int $root.Release.Revision }}{{ end -}}
{{- end -}}

{{/* How long a Job stays once it is done: without a revision that follows, for good, or it would be made again. */}}
{{- define "crypto-volatility.jobStays" -}}
{{- if not .Values.gitops -}}
ttlSecondsAfterFinished: 600
{{- end -}}
{{- end -}}

{{/* How many pods a Deployment names, as text; empty where the autoscaler alone does. Helm's patch makes one pod of
a number that the revision before named and the next does not, and goes back to the number of a revision that names
one. So with an autoscaler none is named, from the first install on; only where the revision before named one, as the
autoscaler's lack of a note tells, what is there is named on. (dict root name replicas scaled) */}}
{{- define "crypto-volatility.replicas" -}}
{{- if not .scaled -}}
{{- .replicas -}}
{{- else if not .root.Values.gitops -}}
{{- $name := printf "%s-%s" (include "crypto-volatility.fullname" .root) .name -}}
{{- $scaler := lookup "autoscaling/v2" "HorizontalPodAutoscaler" .root.Release.Namespace $name -}}
{{- if ne "autoscaler" (dig "metadata" "annotations" "crypto-volatility/replicas" "" (default dict $scaler)) -}}
{{- with lookup "apps/v1" "Deployment" .root.Release.Namespace $name }}{{ .spec.replicas }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
