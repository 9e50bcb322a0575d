/** A release's life, said to Helm in a directory that is a copy of charts/. Hollow nodes run what it waits for. */
import { quiet, type ShellCase } from '../shell.ts'

const shop = 'helm install shop shop -n store --create-namespace'

export const helmCases: readonly ShellCase[] = [
  'helm template shop shop --set prices=false --validate | grep -E "motto|leases"',
  `${shop} --dry-run=server --set prices=false | grep -E "leases:|found:"`,
  `${shop} --set replicas=many`,
  quiet('helm uninstall shop -n store --ignore-not-found'),
  `${shop} --wait --timeout 60s`,
  'kubectl get deployments,services,configmaps,prices,pods -n store',
  'helm list -n store | cut -f1,3,5-', 'helm list -A -q', 'helm status shop -n store', 'helm get values shop -n store --all', 'helm get manifest shop -n store', 'helm get hooks shop -n store', 'helm get notes shop -n store',
  'helm upgrade shop shop -n store --set motto=closed --set replicas=3 --wait --timeout 60s', "kubectl get configmap shop -n store -o jsonpath='{.data.motto}'", "kubectl get configmap shop-before -n store -o jsonpath='{.data}'", "kubectl get deployment shop -n store -o jsonpath='{.status.readyReplicas}'",
  'helm upgrade shop shop -n store --set replicas=-1', 'helm history shop -n store', 'helm rollback shop 1 -n store --wait --timeout 60s', "kubectl get configmap shop -n store -o jsonpath='{.data.motto}'", 'helm history shop -n store', 'helm rollback shop 99 -n store',
  'helm test shop -n store --timeout 30s', 'kubectl get pods shop-test -n store', 'helm upgrade --install shop shop -n store --atomic --timeout 60s --reuse-values --force', shop,
  "kubectl get secrets -n store -l owner=helm -o name", 'helm uninstall shop -n store --dry-run', 'helm uninstall shop -n store --wait --keep-history', 'helm history shop -n store', 'helm uninstall shop -n store', 'helm uninstall shop -n store',
  'kubectl get deployments,services,prices,secrets -n store', 'kubectl get crd prices.shop.kubun.test -o name',
]
