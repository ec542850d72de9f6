/** A workload and a Service of the shop as people write them into files; the Service begins to be wrong at its selector. */
export const workloadFile = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}
`;

export const serviceFile = (app: string): string => `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: ${app}}
  ports: [{port: 80, targetPort: 8080}]
`;
