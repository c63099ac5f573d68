{{/* What lies between the cluster and the world: a proxy, and the authorities that are trusted. */}}

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
{{- $source := dict "secret" (dict "secretName" $trust.secret) -}}
{{- if $trust.configMap }}{{ $source = dict "configMap" (dict "name" $trust.configMap) }}{{ end -}}
{{- $volumes = list (merge (dict "name" "trust") $source) -}}
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
