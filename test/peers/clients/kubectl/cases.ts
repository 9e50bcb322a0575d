/**
 * What is said to kubectl, in order, in namespace `peer` and in a directory that is a copy of files/. Exit
 * code and output must be the same from both servers.
 */
import { quiet, type ShellCase } from '../shell.ts'
/** What controllers do takes its time. */
const settled = quiet('kubectl rollout status deployment/web --timeout=30s && sleep 1')

const first: readonly ShellCase[] = [
  quiet('kubectl create namespace peer'),
  quiet('kubectl config set-context --current --namespace peer'),
  quiet('kubectl wait --for=create serviceaccount/default --timeout=10s && kubectl wait --for=create configmap/kube-root-ca.crt --timeout=10s && kubectl wait --for=condition=Ready node --all --timeout=10s'),
]

const applying: readonly ShellCase[] = [
  'kubectl apply -f workload.yaml --dry-run=server',
  'kubectl apply -f workload.yaml --dry-run=client',
  'kubectl diff -f workload.yaml > /dev/null',
  'kubectl apply -f workload.yaml',
  settled,
  'kubectl apply -f workload.yaml',
  'kubectl diff -f workload.yaml',
  "sed 's/mode: plain/mode: fancy/' workload.yaml | kubectl diff -f - | grep '^[-+] '",
  'kubectl apply --server-side -f workload.yaml',
  'kubectl apply --server-side --force-conflicts -f workload.yaml',
  "sed 's/mode: plain/mode: other/' workload.yaml | kubectl apply --server-side --field-manager=second -f -",
  "sed 's/mode: plain/mode: other/' workload.yaml | kubectl apply --server-side --field-manager=second --dry-run=server --force-conflicts -f -",
  'kubectl apply -f kinds.yaml',
  quiet('kubectl wait --for=condition=Established crd/parts.peers.kubun.test --timeout=10s && sleep 2'),
  'kubectl apply -f part.yaml -f budget.yaml -f pod.yaml',
  'kubectl apply view-last-applied configmap/settings',
  'kubectl apply set-last-applied -f part.yaml',
  'kubectl apply -f bad.yaml', 'kubectl apply -f bad.yaml --server-side', 'kubectl create -f bad.yaml',
  'kubectl apply -f unknown.yaml', 'kubectl apply -f unknown.yaml --validate=warn', 'kubectl create -f unknown.yaml --validate=ignore --dry-run=server', 'kubectl apply -f missing.yaml',
  'kubectl apply -f set/v1.yaml --prune -l none=here', 'kubectl create configmap set-parent',
  'KUBECTL_APPLYSET=true kubectl apply -f set/v1.yaml --prune --applyset=configmap/set-parent',
  'KUBECTL_APPLYSET=true kubectl apply -f set/v2.yaml --prune --applyset=configmap/set-parent',
  'kubectl get configmap set-a set-b',
  'kubectl apply -k overlay', 'kubectl diff -k overlay', 'kubectl kustomize overlay', 'kubectl get -k overlay', 'kubectl delete -k overlay',
]

const getting: readonly ShellCase[] = [
  ...['pods', 'deployments', 'replicasets', 'services', 'endpoints', 'endpointslices', 'configmaps', 'secrets', 'serviceaccounts', 'persistentvolumes', 'resourcequotas', 'limitranges', 'ingresses', 'networkpolicies', 'roles', 'rolebindings',
    'storageclasses', 'priorityclasses', 'leases', 'parts', 'poddisruptionbudgets', 'nodes', 'namespaces', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs', 'hpa', 'csr', 'crd', 'pvc', 'runtimeclasses', 'csidrivers', 'csinodes', 'volumeattachments',
    'validatingwebhookconfigurations', 'mutatingwebhookconfigurations', 'validatingadmissionpolicies', 'ingressclasses', 'replicationcontrollers', 'podtemplates', 'controllerrevisions', 'flowschemas', 'prioritylevelconfigurations'].flatMap((kind) => [`kubectl get ${kind}`, `kubectl get ${kind} -o wide`]),
  'kubectl get clusterroles -o name', 'kubectl get clusterrolebindings -o name', 'kubectl get apiservices',
  'kubectl get all', 'kubectl get all -o name', 'kubectl get deployment web -o yaml', 'kubectl get deployment web -o json', 'kubectl get service web -o yaml --show-managed-fields', 'kubectl get pod alone -o yaml',
  'kubectl get parts one -o yaml', 'kubectl get pods -o name -l app=web', "kubectl get pods -o jsonpath='{range .items[*]}{.status.phase}{\"\\n\"}{end}'", "kubectl get deployment web -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[0].image",
  "kubectl get pods -l app=web -o go-template='{{range .items}}{{.status.phase}} {{end}}'", 'kubectl get pods --no-headers', 'kubectl get pods --show-labels', 'kubectl get pods --show-kind', 'kubectl get pods -L app', 'kubectl get pods -A -o name --field-selector metadata.namespace=peer',
  'kubectl get pods --server-print=false', 'kubectl get deployments --server-print=false', 'kubectl get configmaps --chunk-size=1', 'kubectl get services --sort-by=.metadata.name', 'kubectl get configmaps --sort-by=.metadata.creationTimestamp -o name',
  'kubectl get pods --field-selector status.phase=Running -o name', 'kubectl get pods --field-selector status.phase=Failed', 'kubectl get pods --field-selector no.such=x', "kubectl get pods -l 'app in (web,alone),!none'", "kubectl get pods -l 'app=='", 'kubectl get nothing', 'kubectl get pod nothing',
  'kubectl get pod nothing --ignore-not-found', 'kubectl get deployment/web service/web', 'kubectl get deployment web --subresource=status -o name', 'kubectl get deployment web --subresource=scale', 'kubectl get deployment web --subresource=scale -o yaml', 'kubectl get part one --subresource=scale',
  'kubectl get --raw /version | head -c 20', 'kubectl get --raw /nothing', 'kubectl get --raw /readyz', 'kubectl get pods -o yaml --field-selector metadata.name=none', "(timeout 2 kubectl get configmap settings --watch -o name; true)", "(timeout 2 kubectl get configmap settings --watch-only --output-watch-events -o name & sleep 1; kubectl annotate configmap settings seen=yes; wait) | sort",
  'kubectl get componentstatuses 2>/dev/null | head -1', 'kubectl get events -o name | wc -l | grep -v "^0"', "kubectl events --for deployment/web | head -1",
]

const describing: readonly ShellCase[] = ['pod alone', 'deployment web', 'service web', 'configmap settings', 'secret hidden', 'serviceaccount worker', 'persistentvolume peer-disk', 'resourcequota limited', 'limitrange ranged', 'ingress door', 'networkpolicy closed', 'role looker',
  'rolebinding lookers', 'storageclass peer-manual', 'priorityclass peer-high', 'lease held', 'part one', 'poddisruptionbudget kept', 'namespace peer', 'clusterrole edit', 'clusterrole system:node', 'clusterrolebinding cluster-admin', 'crd parts.peers.kubun.test', 'endpointslices -l kubernetes.io/service-name=web',
  'endpoints web', 'replicasets', 'flowschema exempt', 'prioritylevelconfiguration system', 'apiservice v1.apps', 'node node-a', 'pods -l app=web', 'pod nothing', 'configmap --all-namespaces --selector app=web'].map((what) => `kubectl describe ${what}`)

const creating: readonly ShellCase[] = [
  'clusterrole c --verb=get --resource=pods', 'clusterrolebinding c --clusterrole=view --user=u', 'configmap c --from-literal=a=b', 'cronjob c --image=i --schedule="* * * * *"', 'deployment c --image=i --replicas=2 --port=80', 'ingress c --rule="h/p*=s:80,tls=t"', 'job c --image=i -- sleep 1',
  'namespace c', 'poddisruptionbudget c --selector=a=b --min-available=1', 'priorityclass c --value=5', 'quota c --hard=pods=1', 'role c --verb=get --resource=pods,deployments.apps', 'rolebinding c --role=c --serviceaccount=peer:default', 'secret generic c --from-literal=a=b', 'secret docker-registry c --docker-username=u --docker-password=p',
  'service clusterip c --tcp=80:80', 'service nodeport c --tcp=80', 'service loadbalancer c --tcp=80', 'service externalname c --external-name=e.test', 'serviceaccount c',
].flatMap((what) => {
  const [kind = ''] = what.split(' -')
  const command = what.includes(' -- ') ? what.replace(' -- ', ' --dry-run=server -- ') : `${what} --dry-run=server`
  return [`kubectl create ${command}`, `kubectl create ${what}`, `kubectl create ${what}`, `kubectl delete ${kind.replace(/^(secret|service) \w[\w-]*/, '$1')}`]
})

const tokens: readonly ShellCase[] = [
  'kubectl create token worker | cut -c1-10', 'kubectl create token worker --duration=1h --audience=a -o json | head -c 60', 'kubectl create token nobody', 'kubectl create -f pod.yaml', 'kubectl create cronjob tick --image=i --schedule="0 0 1 1 *"', 'kubectl create job tack --from=cronjob/tick', 'kubectl delete cronjob tick', 'kubectl delete job tack --ignore-not-found',
]

const changing: readonly ShellCase[] = [
  "EDITOR=\"sed -i s/fancy/edited/;s/plain/edited/\" kubectl edit configmap settings", 'EDITOR=true kubectl edit configmap settings', "kubectl get configmap settings -o jsonpath='{.data.mode}'", "EDITOR='sed -i s/replicas:.2/replicas:\\ 3/' kubectl edit deployment web",
  "kubectl patch configmap settings -p '{\"data\":{\"x\":\"1\"}}'", "kubectl patch configmap settings --type=merge -p '{\"data\":{\"x\":null}}'", "kubectl patch configmap settings --type=json -p '[{\"op\":\"add\",\"path\":\"/data/y\",\"value\":\"2\"}]'", "kubectl patch configmap settings --type=json -p '[{\"op\":\"remove\",\"path\":\"/data/none\"}]'", "kubectl patch configmap settings -p 'nonsense'",
  "kubectl patch part one -p '{}'", "kubectl patch part one --type=merge -p '{\"spec\":{\"size\":4}}'", "kubectl patch part one --type=merge -p '{\"spec\":{\"size\":\"x\"}}'", "kubectl patch part one --subresource=status --type=merge -p '{\"status\":{\"replicas\":1}}'", "kubectl patch deployment web --subresource=scale --type=merge -p '{\"spec\":{\"replicas\":2}}'",
  "kubectl patch deployment web -p '{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}}}'", 'kubectl patch -f pod.yaml -p \'{"metadata":{"labels":{"p":"q"}}}\'', "kubectl patch configmap settings --dry-run=server -p '{\"data\":{\"z\":\"1\"}}' -o jsonpath='{.data.z}'",
  'kubectl replace -f pod.yaml', "kubectl get configmap settings -o yaml | sed 's/edited/replaced/' | kubectl replace -f -", 'kubectl replace --force -f pod.yaml', "kubectl replace -f part.yaml",
  'kubectl label configmap settings a=b', 'kubectl label configmap settings a=c', 'kubectl label configmap settings a=c --overwrite', 'kubectl label configmap settings a-', 'kubectl label pods --all marked=yes --dry-run=server', "kubectl label configmap settings 'a=b c'", 'kubectl label --list configmap settings',
  'kubectl annotate configmap settings a=b', 'kubectl annotate configmap settings a=c', 'kubectl annotate configmap settings a-',
  settled,
  'kubectl set image deployment/web web=example.test/web:2', 'kubectl set env deployment/web MODE=new OTHER=x', 'kubectl set env deployment/web --list', 'kubectl set resources deployment/web -c web --limits=cpu=100m,memory=64Mi', 'kubectl set serviceaccount deployment/web worker', 'kubectl set selector service web app=web,extra=no', 'kubectl set selector service web app=web', 'kubectl set subject rolebinding lookers --user=extra', 'kubectl set image deployment/none c=d',
  settled,
  'kubectl scale deployment/web --replicas=3', 'kubectl scale deployment/web --current-replicas=9 --replicas=1', 'kubectl scale part/one --replicas=2', 'kubectl scale --replicas=1 deployment/none', 'kubectl autoscale deployment/web --min=1 --max=3 --cpu=50%', 'kubectl delete hpa web', settled,
]

const rolling: readonly ShellCase[] = [
  'kubectl rollout status deployment/web --timeout=20s | tail -1', 'kubectl rollout history deployment/web', 'kubectl rollout history deployment/web --revision=1', 'kubectl rollout undo deployment/web --to-revision=1', settled, 'kubectl rollout undo deployment/web --to-revision=99', 'kubectl rollout restart deployment/web', settled, 'kubectl rollout pause deployment/web', 'kubectl rollout pause deployment/web', 'kubectl rollout resume deployment/web', 'kubectl rollout resume deployment/web',
  settled, "kubectl get deployment web -o jsonpath='{.status.replicas} {.status.updatedReplicas} {.metadata.annotations}'", 'kubectl get replicasets -o wide', 'kubectl rollout status deployment/none',
  'kubectl expose deployment web --name=exposed --port=81 --target-port=8080', 'kubectl get service exposed', 'kubectl delete service exposed', 'kubectl run solo --image=example.test/solo:1 --labels=app=solo --env=A=B', 'kubectl run solo --image=example.test/solo:1', 'kubectl run gone --image=i --dry-run=client -o yaml', 'kubectl wait --for=condition=Ready pod/solo --timeout=10s', "kubectl wait --for=jsonpath='{.status.phase}'=Running pod/solo --timeout=5s", 'kubectl wait --for=condition=Never pod/solo --timeout=1s',
  '(sleep 1; kubectl delete pod solo) & kubectl wait --for=delete pod/solo --timeout=10s', '(sleep 1; kubectl create configmap later) & kubectl wait --for=create configmap/later --timeout=10s', 'kubectl wait --for=delete configmap/none --timeout=1s', 'kubectl delete configmap later', 'kubectl delete configmap later', 'kubectl delete configmap later --ignore-not-found', 'kubectl delete pod alone --grace-period=0 --force', 'kubectl apply -f pod.yaml', 'kubectl delete pod alone --now', 'kubectl delete configmap -l part-of=none', 'kubectl delete configmap set-a --dry-run=server',
  'kubectl create deployment short --image=i', quiet('kubectl rollout status deployment/short --timeout=20s'), 'kubectl delete deployment short --cascade=orphan', "kubectl get replicasets -l app=short -o name | wc -l", quiet('kubectl delete replicaset -l app=short'), 'kubectl create deployment short --image=i', 'kubectl delete deployment short --cascade=foreground', "kubectl get replicasets,pods -l app=short",
]

const asking: readonly ShellCase[] = [
  'kubectl explain pod', 'kubectl explain pod.spec.containers', 'kubectl explain deployment.spec.strategy --recursive', 'kubectl explain part', 'kubectl explain part.spec', 'kubectl explain deployment --api-version=apps/v1 | head -5', 'kubectl explain nothing', 'kubectl explain pod.nothing', 'kubectl explain pods --output plaintext-openapiv2 | head -20', 'kubectl explain hpa.spec --recursive', 'kubectl explain services --recursive',
  'kubectl api-resources', 'kubectl api-resources -o wide --sort-by=name', 'kubectl api-resources --namespaced=false -o name', 'kubectl api-resources --api-group=apps', 'kubectl api-resources --verbs=list,get --categories=all', 'kubectl api-versions',
  'kubectl auth can-i get pods', 'kubectl auth can-i get pods --as nobody', 'kubectl auth can-i --list --as system:serviceaccount:peer:worker', "kubectl auth can-i '*' '*'", 'kubectl auth can-i get /healthz --as nobody', 'kubectl auth can-i get nothings', 'kubectl auth whoami --as jane --as-group gardeners', 'kubectl auth whoami --as jane -o yaml', 'kubectl auth reconcile -f rbac.yaml', 'kubectl auth reconcile -f rbac.yaml --dry-run=server', 'kubectl delete -f rbac.yaml',
  'kubectl top node', 'kubectl top pod', 'kubectl cluster-info | head -1 | cut -c1-40', quiet('kubectl cluster-info dump --namespaces peer -o json --output-directory dump && ls dump/peer'), 'ls dump/peer | sort', 'kubectl version -o json | grep -c gitVersion', 'kubectl config view', 'kubectl config get-contexts', 'kubectl config current-context', 'kubectl completion bash | head -1', "kubectl __complete get pods '' 2>/dev/null | tail -1", 'kubectl __complete get configmaps set 2>/dev/null', 'kubectl options | head -1', 'kubectl plugin list', 'kubectl kuberc --help | head -1',
  '(kubectl proxy --port=0 > proxy.log & p=$!; sleep 1; curl -s "http://$(sed -n \'s/.*on //p\' proxy.log)/api/v1/namespaces/peer/configmaps/settings" | grep -c settings; kill $p)', 'kubectl logs nothing', 'kubectl exec nothing -- ls', 'kubectl attach nothing', 'kubectl port-forward nothing 80', 'kubectl cp nothing:/a b', 'kubectl debug nothing --image=i',
]

const ruling: readonly ShellCase[] = [
  "openssl req -new -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=jane/O=peer -out jane.csr 2>/dev/null && for n in jane john; do printf 'apiVersion: certificates.k8s.io/v1\\nkind: CertificateSigningRequest\\nmetadata: {name: %s}\\nspec: {request: %s, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth]}\\n' $n $(base64 -w0 jane.csr) | kubectl apply -f -; done",
  'kubectl get csr', 'kubectl certificate approve jane', 'kubectl certificate deny john', "kubectl wait --for=jsonpath='{.status.certificate}' csr/jane --timeout=10s", 'kubectl get csr', 'kubectl describe csr john', "kubectl get csr jane -o jsonpath='{.status.certificate}' | base64 -d | openssl x509 -noout -subject", 'kubectl delete csr jane john', 'kubectl certificate approve none',
  'kubectl cordon node-b', 'kubectl cordon node-b', 'kubectl get nodes', 'kubectl uncordon node-b', 'kubectl taint node node-b key=value:NoSchedule', 'kubectl taint node node-b key=value:NoSchedule', 'kubectl taint node node-b key:NoSchedule-', 'kubectl taint node node-b bad', quiet('kubectl drain node-b --ignore-daemonsets --force --timeout=30s'), 'kubectl get pods --field-selector spec.nodeName=node-b', 'kubectl uncordon node-b', 'kubectl cordon none',
]

const leaving: readonly ShellCase[] = [
  'kubectl delete -f part.yaml -f budget.yaml --wait=false', 'kubectl delete -f workload.yaml', 'kubectl delete -f kinds.yaml', 'kubectl get parts', 'kubectl delete all --all --wait=false | sort | head -1 | cut -c1-3', 'kubectl config set-context --current --namespace default', 'kubectl delete namespace peer', 'kubectl get namespace peer',
]

export const kubectlCases: readonly ShellCase[] = [...first, ...applying, ...getting, ...describing, ...creating, ...tokens, ...changing, ...rolling, ...asking, ...ruling, ...leaving]
