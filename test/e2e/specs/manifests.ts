/** The objects that the demonstration applies, as a user writes them. */
import { webImage } from '../../support/images.ts'

/** Four replicas, a ConfigMap, a Secret and a Service with a NodePort. Pods leave a node that is gone after two seconds. */
export const webManifest = (version: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: web }
data: { greeting: hello, mode: "0644" }
---
apiVersion: v1
kind: Secret
metadata: { name: web }
stringData: { password: open sesame }
---
apiVersion: v1
kind: Service
metadata: { name: web, labels: { app: web } }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: http, nodePort: 30080 }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 4
  selector: { matchLabels: { app: web } }
  strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 2 } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 10
      tolerations:
      - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 2 }
      - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 2 }
      containers:
      - name: web
        image: ${webImage(version)}
        imagePullPolicy: IfNotPresent
        ports: [{ name: http, containerPort: 8080 }]
        env:
        - { name: GREETING, valueFrom: { configMapKeyRef: { name: web, key: greeting } } }
        - { name: PASSWORD, valueFrom: { secretKeyRef: { name: web, key: password } } }
        - { name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
        - { name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
        resources: { requests: { cpu: 50m, memory: 16Mi }, limits: { memory: 64Mi } }
        readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
        livenessProbe: { httpGet: { path: /, port: http }, periodSeconds: 5 }
        lifecycle: { preStop: { exec: { command: [sleep, "2"] } } }
        volumeMounts:
        - { name: config, mountPath: /config }
        - { name: secret, mountPath: /secret, readOnly: true }
        - { name: scratch, mountPath: /scratch }
      volumes:
      - { name: config, configMap: { name: web } }
      - { name: secret, secret: { secretName: web } }
      - { name: scratch, emptyDir: {} }
`

/** A pod on a named node that only waits to be used. */
export const clientManifest = (name: string, node: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: client } }
spec:
  nodeSelector: { kubernetes.io/hostname: ${node} }
  terminationGracePeriodSeconds: 1
  tolerations: [{ operator: Exists }]
  containers:
  - name: main
    image: ${webImage('v1')}
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "trap 'exit 0' TERM; echo started; while :; do sleep 1; done"]
`
