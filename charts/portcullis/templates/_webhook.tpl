{{/* What is the same for all entries. */}}
{{- define "portcullis.webhookEntry" -}}
{{- $name := include "portcullis.fullname" . -}}
clientConfig:
  service: { name: {{ $name | toYaml }}, namespace: {{ include "portcullis.namespace" . | toYaml }}, path: /validate, port: 443 }
  {{- with .Values.tls.caBundle }}
  caBundle: {{ b64enc . }}
  {{- end }}
admissionReviewVersions: [v1]
sideEffects: None
matchPolicy: Equivalent
timeoutSeconds: {{ .Values.webhook.timeoutSeconds }}
matchConditions:
  - name: not-the-api-server
    expression: request.userInfo.username != 'system:apiserver'
  - name: not-a-node
    expression: "!has(request.userInfo.groups) || !('system:nodes' in request.userInfo.groups)"
  {{- /* A namespace that ends has hundreds of removals, each of which would wait for us. The last is all controllers where they share one account. */}}
  - name: not-clearing-away
    expression: >-
      !(request.userInfo.username in ['system:serviceaccount:kube-system:namespace-controller',
      'system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager'])
  {{- /* Finalizers and metadata of what is being deleted: without us it has to end too. */}}
  - name: not-being-deleted
    expression: >-
      oldObject == null || !has(oldObject.metadata.deletionTimestamp) || (object != null && object.?spec != oldObject.?spec)
  - name: not-break-glass
    expression: >-
      object == null || !has(object.metadata.annotations) || !('portcullis.dev/break-glass' in object.metadata.annotations)
      || !authorizer.group('admissionregistration.k8s.io').resource('validatingwebhookconfigurations').name('{{ $name }}').check('breakglass').allowed()
  {{- with .Values.webhook.matchConditions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
