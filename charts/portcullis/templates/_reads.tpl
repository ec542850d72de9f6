{{/* Collections that the rules read which `config` leaves on, and those that are always read, as JSON. */}}
{{- define "portcullis.readCollections" -}}
{{- $facts := .Files.Get "files/rule-reads.yaml" | fromYaml -}}
{{- $settings := default dict .Values.config.rules -}}
{{- $read := $facts.always -}}
{{- range $id, $collections := $facts.rules }}
{{- $own := default dict (get $settings $id) -}}
{{- /* A bare `off` is false in Helm's YAML. An override may turn the rule on for some namespaces. */ -}}
{{- $off := and (hasKey $own "mode") (has (toString $own.mode) (list "off" "false")) (empty $own.overrides) -}}
{{- if not $off }}{{ $read = concat $read $collections }}{{ end -}}
{{- end -}}
{{- uniq $read | sortAlpha | toJson -}}
{{- end -}}

{{/* Rules of a role that let these collections be watched: one for each API group. */}}
{{- define "portcullis.watchRules" -}}
{{- $facts := .Files.Get "files/rule-reads.yaml" | fromYaml -}}
{{- $read := include "portcullis.readCollections" . | fromJsonArray -}}
{{- $byGroup := dict -}}
{{- range $collection := $read }}
{{- range $group, $resources := default dict (get $facts.resources $collection) }}
{{- $_ := set $byGroup $group (concat (default list (get $byGroup $group)) $resources) -}}
{{- end }}
{{- end }}
{{- if has "Template" $read }}
{{- range default list .Values.config.workloads }}
{{- $group := first (splitList "/" .apiVersion) -}}
{{- $_ := set $byGroup $group (append (default list (get $byGroup $group)) .resource) -}}
{{- end }}
{{- end }}
{{- range $group, $resources := $byGroup }}
- apiGroups: [{{ default "\"\"" $group }}]
  resources: {{ $resources | uniq | sortAlpha | include "portcullis.words" }}
  verbs: [get, list, watch]
{{- end }}
{{- end -}}

{{/* Whether Secrets are read by name at all: not empty if so. */}}
{{- define "portcullis.readsSecrets" -}}
{{- $defaults := (.Files.Get "files/rule-reads.yaml" | fromYaml).defaults -}}
{{- $level := $defaults.secretsLevel -}}
{{- with .Values.config.secrets }}{{ if hasKey . "level" }}{{ $level = toString .level }}{{ end }}{{ end -}}
{{- $isRead := has "Secret" (include "portcullis.readCollections" . | fromJsonArray) -}}
{{- if and $isRead (not (has $level (list "off" "false"))) }}true{{ end -}}
{{- end -}}

{{/* Whether the API server is asked what a writer may: exempt, or list what a text would tell him of. Not empty if so. */}}
{{- define "portcullis.asksForRights" -}}
{{- $defaults := (.Files.Get "files/rule-reads.yaml" | fromYaml).defaults -}}
{{- $given := $defaults.byAnnotation -}}
{{- with .Values.config.exemptions }}{{ $given = default $given .byAnnotation }}{{ end -}}
{{- if or (eq $given "permitted") (eq (default $defaults.privacy .Values.config.privacy) "tenant") }}true{{ end -}}
{{- end -}}

{{- define "portcullis.secretRule" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end -}}

{{/* Rules of a role that let the audit tell what it finds, beside the objects that it is about; empty if it is to tell nothing. */}}
{{- define "portcullis.auditRules" -}}
{{- if .Values.reports.enabled }}
{{- if ne .Values.reports.format "policyreport" }}
- apiGroups: [openreports.io]
  resources: [clusterreports, reports]
  verbs: [create, delete, get, list, patch]
{{- end }}
{{- if ne .Values.reports.format "openreports" }}
- apiGroups: [wgpolicyk8s.io]
  resources: [clusterpolicyreports, policyreports]
  verbs: [create, delete, get, list, patch]
{{- end }}
{{- end }}
{{- if .Values.events.enabled }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, delete, patch]
{{- end }}
{{- end -}}
