{{/* The name of all our objects: `portcullis` for a release of that name, else `<release>-portcullis`.
     Names are put in by `toYaml`, which quotes what YAML would take for something else: `no`, `on`, `null`, `1234`. */}}
{{- define "portcullis.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* FROZEN: a Deployment's selector cannot be changed, so that another word here would break every upgrade. */}}
{{- define "portcullis.selectorLabels" -}}
app.kubernetes.io/component: webhook
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
app.kubernetes.io/name: portcullis
{{- end -}}

{{/* On every object, so that an uninstall can be checked by label. Ours win over commonLabels: selectors rest on them. */}}
{{- define "portcullis.labels" -}}
{{- $ours := include "portcullis.selectorLabels" . | fromYaml -}}
{{- $_ := set $ours "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $ours "app.kubernetes.io/part-of" "portcullis" -}}
{{- $_ := set $ours "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" .Chart.Name (replace "+" "_" .Chart.Version)) -}}
{{- merge $ours .Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "portcullis.podLabels" -}}
{{- $ours := include "portcullis.selectorLabels" . | fromYaml -}}
{{- merge $ours .Values.podLabels .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* What the test Pod carries: not our component, or the Service would send reviews to it. */}}
{{- define "portcullis.selftestLabels" -}}
{{- $ours := include "portcullis.selectorLabels" . | fromYaml -}}
{{- set $ours "app.kubernetes.io/component" "selftest" | toYaml -}}
{{- end -}}

{{- define "portcullis.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "portcullis.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.subjects" -}}
- kind: ServiceAccount
  name: {{ include "portcullis.serviceAccountName" . | toYaml }}
  namespace: {{ include "portcullis.namespace" . | toYaml }}
{{- end -}}

{{- define "portcullis.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end -}}
{{- end -}}

{{/* The Secret that the container mounts its certificate from, in the modes in which it does not make its own. */}}
{{- define "portcullis.mountedSecret" -}}
{{- if eq .Values.tls.mode "certManager" }}{{ include "portcullis.fullname" . }}-tls{{ else }}{{ .Values.tls.existingSecret }}{{ end -}}
{{- end -}}

{{/* Namespaces in which only the rules run that guard the whole cluster, as JSON. Never our own: it is not judged at all. */}}
{{- define "portcullis.protectedNamespaces" -}}
{{- $defaults := (.Files.Get "files/rule-reads.yaml" | fromYaml).defaults -}}
{{- $given := $defaults.protectedNamespaces -}}
{{- if hasKey .Values.config "protectedNamespaces" }}{{ $given = .Values.config.protectedNamespaces }}{{ end -}}
{{- without $given (include "portcullis.namespace" .) | uniq | toJson -}}
{{- end -}}

{{/* Namespaces whose writes can never wait for us, as JSON. Helm replaces lists: no value can take the first four out. */}}
{{- define "portcullis.unjudgedNamespaces" -}}
{{- $always := list (include "portcullis.namespace" .) "kube-system" "kube-public" "kube-node-lease" -}}
{{- $protected := include "portcullis.protectedNamespaces" . | fromJsonArray -}}
{{- concat $always $protected .Values.webhook.excludeNamespaces | uniq | toJson -}}
{{- end -}}

{{/* A list of words in one line. */}}
{{- define "portcullis.words" -}}
{{- $words := list -}}
{{- range . }}{{ $words = append $words (toYaml .) }}{{ end -}}
[{{ join ", " $words }}]
{{- end -}}
