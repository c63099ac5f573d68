{{/* A pod of `helm test`: one check of files/tests/check.py. (dict root name check env: a dictionary, models) */}}
{{- define "crypto-volatility.test" -}}
---
{{ include "crypto-volatility.pod" (dict "root" .root "own" .root.Values.tests "pod" (include "crypto-volatility.testPod" .)) }}
{{- end -}}

{{/* The pod. (as above) */}}
{{- define "crypto-volatility.testPod" -}}
{{- $root := .root -}}
{{- $full := include "crypto-volatility.fullname" $root }}
apiVersion: v1
kind: Pod
metadata:
  {{- include "crypto-volatility.metadata" (list $root "test" (printf "test-%s" .check)) | nindent 2 }}
  annotations:
    helm.sh/hook: test
    # Helm prints the log and removes the pod; one that failed stays. (`helm test --logs` would look for the pod.)
    helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  activeDeadlineSeconds: {{ add $root.Values.tests.deadlineSeconds 60 }}
  terminationGracePeriodSeconds: 1
  containers:
    - name: {{ .check }}
      image: {{ include "crypto-volatility.image" (list $root "stream") }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      command: [python, /tests/check.py, {{ .check }}]
      env:
        {{- with .secretEnv }}
        {{- range $variable, $name := . }}
        {{- include "crypto-volatility.secretVariable" (list $root $variable $name) | indent 8 }}
        {{- end }}
        {{- end }}
        - {name: DEADLINE_SECONDS, value: {{ $root.Values.tests.deadlineSeconds | quote }}}
        {{- range $name, $value := .env }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
      terminationMessagePolicy: FallbackToLogsOnError
      resources:
        requests: {cpu: 10m, memory: 32Mi}
        limits: {memory: 128Mi}
      volumeMounts:
        - {name: tests, mountPath: /tests, readOnly: true}
        {{- if .models }}
        - {name: models, mountPath: /models, readOnly: true}
        {{- end }}
  volumes:
    - name: tests
      configMap: {name: {{ $full }}-tests}
    {{- if .models }}
    {{- include "crypto-volatility.modelsVolume" (dict "root" $root "models" .models "which" "kept") | nindent 4 }}
    {{- end }}
{{- end -}}
