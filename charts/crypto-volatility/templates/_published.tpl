{{/* The way in from outside of the cluster: which components are published, where, and what they have to know of it. */}}

{{/* The ways of a component that are enabled, as JSON: [{kind, way}]. (list root component) */}}
{{- define "crypto-volatility.ways" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $ways := list -}}
{{- range $kind := list "ingress" "route" -}}
{{- $way := default dict (index $root.Values $kind $name) -}}
{{- if $way.enabled }}{{ $ways = append $ways (dict "kind" $kind "way" $way) }}{{ end -}}
{{- end -}}
{{- toJson $ways -}}
{{- end -}}

{{/* Refuses what could not work. (list root kind component way) */}}
{{- define "crypto-volatility.checkWay" -}}
{{- $root := index . 0 -}}
{{- $name := index . 2 -}}
{{- $way := index . 3 -}}
{{- $at := printf "%s.%s" (index . 1) $name -}}
{{- $c := index $root.Values.components $name -}}
{{- if not (include "crypto-volatility.active" (list $root $name)) -}}
{{- fail (printf "%s.enabled: found true, expected a component that runs: %s does not (components.%s.enabled, monitoring.mode, mlflow.enabled)" $at $name $name) -}}
{{- end -}}
{{- if not (and (hasKey $c "service") (hasKey $c.ports "http")) -}}
{{- fail (printf "%s.enabled: found true, expected a Service with the port http: components.%s has none" $at $name) -}}
{{- end -}}
{{- if and $way.tlsSecret (not $way.host) -}}
{{- fail (printf "%s.tlsSecret: found %s without a host, expected %s.host" $at $way.tlsSecret $at) -}}
{{- end -}}
{{- if and (eq $name "mlflow") (not (or $way.host $root.Values.mlflow.allowedHosts)) -}}
{{- fail (printf "%s.host: found none, expected a name: MLflow answers to those alone that it knows (or mlflow.allowedHosts)" $at) -}}
{{- end -}}
{{- if and (eq $name "mlflow") (ne $way.path "/") -}}
{{- fail (printf "%s.path: found %s, expected /: MLflow's clients know no prefix" $at $way.path) -}}
{{- end -}}
{{- end -}}

{{/* Refuses two components at one address. (list root kind) */}}
{{- define "crypto-volatility.checkAddresses" -}}
{{- $taken := dict -}}
{{- range $name, $way := index (index . 0).Values (index . 1) -}}
{{- if and (kindIs "map" $way) (hasKey $way "enabled") -}}
{{- if $way.enabled -}}
{{- $address := printf "%s%s" $way.host $way.path -}}
{{- with index $taken $address }}{{ fail (printf "%s: found %s and %s at one address, %s, expected another host or path of one" (index $ 1) . $name $address) }}{{ end -}}
{{- $_ := set $taken $address $name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Schemes by which a browser may come, the likeliest first: without tlsSecret a Gateway's listener, or what stands before an Ingress, may have TLS. (kind way) */}}
{{- define "crypto-volatility.schemes" -}}
{{- if (index . 1).tlsSecret }}{{ toJson (list "https") }}
{{- else if eq (index . 0) "route" }}{{ toJson (list "https" "http") }}
{{- else }}{{ toJson (list "http" "https") }}
{{- end -}}
{{- end -}}

{{/* What a published component has to know of the way to it, as a dictionary of variables. (list root component) */}}
{{- define "crypto-volatility.publishedEnv" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $env := dict -}}
{{- if and (eq $name "adapter") (gt (int $root.Values.forwarded.hops) 0) -}}
{{- $_ := set $env "ADAPTER_TRUSTED_PROXY_HOPS" (toString $root.Values.forwarded.hops) -}}
{{- end -}}
{{- if and (eq $name "adapter") $root.Values.forwarded.from -}}
{{- $_ := set $env "ADAPTER_TRUSTED_PROXIES" (join "," $root.Values.forwarded.from) -}}
{{- end -}}
{{- $ways := include "crypto-volatility.ways" . | fromJsonArray -}}
{{- if and (eq $name "grafana") $ways -}}
{{- $way := (first $ways).way -}}
{{- $scheme := first (include "crypto-volatility.schemes" (list (first $ways).kind $way) | fromJsonArray) -}}
{{- with $way.host }}{{ $_ := set $env "GF_SERVER_ROOT_URL" (printf "%s://%s%s" $scheme . $way.path) }}{{ end -}}
{{- if ne $way.path "/" -}}
{{- if not $way.host }}{{ $_ := set $env "GF_SERVER_ROOT_URL" (printf "%%(protocol)s://%%(domain)s%s" $way.path) }}{{ end -}}
{{- $_ := set $env "GF_SERVER_SERVE_FROM_SUB_PATH" "true" -}}
{{- end -}}
{{- end -}}
{{- if eq $name "mlflow" -}}
{{- $origins := list -}}
{{- range $ways -}}
{{- $host := .way.host -}}
{{- if $host }}{{ range include "crypto-volatility.schemes" (list .kind .way) | fromJsonArray }}{{ $origins = append $origins (printf "%s://%s" . $host) }}{{ end }}{{ end -}}
{{- end -}}
{{- with concat $origins $root.Values.mlflow.allowedOrigins | uniq }}{{ $_ := set $env "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS" (join "," .) }}{{ end -}}
{{- end -}}
{{- toJson $env -}}
{{- end -}}

{{/* "true" if no policy lets anybody from outside of the release in to a published component. (list root component) */}}
{{- define "crypto-volatility.blocked" -}}
{{- $policy := (index . 0).Values.networkPolicy -}}
{{- if and $policy.enabled (not $policy.gatewayFrom) (not (hasKey $policy.ingressFrom (index . 1))) }}true{{ end -}}
{{- end -}}

{{/* The fields of a Service that say how it is reached. (list root name-in-the-values own: `service` of a component) */}}
{{- define "crypto-volatility.serviceFields" -}}
{{- $root := index . 0 -}}
{{- $at := index . 1 -}}
{{- $own := index . 2 -}}
{{- $type := default "ClusterIP" $own.type -}}
{{- if and $own.externalTrafficPolicy (eq $type "ClusterIP") -}}
{{- fail (printf "%s.externalTrafficPolicy: found %s of a ClusterIP, expected type NodePort or LoadBalancer" $at $own.externalTrafficPolicy) -}}
{{- end -}}
{{- range $field := list "loadBalancerClass" "loadBalancerSourceRanges" -}}
{{- if and (index $own $field) (ne $type "LoadBalancer") -}}
{{- fail (printf "%s.%s: found it of a %s, expected type LoadBalancer" $at $field $type) -}}
{{- end -}}
{{- end -}}
type: {{ $type }}
{{- include "crypto-volatility.families" (list $root $at $own) }}
{{- with $own.externalTrafficPolicy }}
externalTrafficPolicy: {{ . }}
{{- end }}
{{- with $own.loadBalancerClass }}
loadBalancerClass: {{ . }}
{{- end }}
{{- with $own.loadBalancerSourceRanges }}
loadBalancerSourceRanges: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* ipFamilyPolicy and ipFamilies of a Service, its own before those for all. (list root name-in-the-values own) */}}
{{- define "crypto-volatility.families" -}}
{{- $ip := (index . 0).Values.ip -}}
{{- $at := index . 1 -}}
{{- $policy := default $ip.familyPolicy (index . 2).ipFamilyPolicy -}}
{{- $families := default $ip.families (index . 2).ipFamilies -}}
{{- if and (or (has "IPv6" $families) (contains "DualStack" $policy)) (ne $ip.listen "::") -}}
{{- fail (printf "%s: found IPv6 asked for (%s), and ip.listen %s, which is IPv4 alone; expected ip.listen ::" $at (join ", " (prepend $families $policy | compact)) $ip.listen) -}}
{{- end -}}
{{- if and (eq $policy "SingleStack") (gt (len $families) 1) -}}
{{- fail (printf "%s: found SingleStack and the families %s, expected one" $at (join ", " $families)) -}}
{{- end -}}
{{- with $policy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with $families }}
ipFamilies: {{ toJson . }}
{{- end }}
{{- end -}}

{{/* The same of a Service by which pods are scraped: one family, or Prometheus would count each pod twice. (list root own) */}}
{{- define "crypto-volatility.scrapedFamily" -}}
{{- $ip := (index . 0).Values.ip -}}
{{- if eq $ip.listen "::" }}
ipFamilyPolicy: SingleStack
{{- with default $ip.families (index . 1).ipFamilies }}
ipFamilies: [{{ first . }}]
{{- end }}
{{- end }}
{{- end -}}

{{/* A name that stands for every address of both families in /etc/hosts: MLServer's REST and gRPC understand no other form of it alike. */}}
{{- define "crypto-volatility.everyAddress" -}}every-address{{- end -}}
