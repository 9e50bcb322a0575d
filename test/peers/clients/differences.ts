/** Where programs may say something else about our control plane than about upstream's, each with its reason. */
export const accepted: readonly { readonly cases: RegExp; readonly reason: string }[] = [
  { cases: /^kubectl get (clusterroles|clusterrolebindings) -o name/, reason: "Kubun's own parts have roles of their own" },
  { cases: /componentstatuses|^kubectl api-resources/, reason: 'componentstatuses, deprecated since 1.19, are not served' },
  { cases: /^kubectl replace -f pod.yaml$/, reason: 'the difference between two pods is shown in the order of their JSON, not of their Go fields' },
  { cases: /^kubectl get pods? alone -o yaml/, reason: 'what Go writes as null for lack of a pointer (a time) is left out' },
  { cases: /^kubectl get csr jane -o jsonpath/, reason: "a certificate has its subject's parts in the order of the request, not in Go's" },
  { cases: /--sort-by=.metadata.creationTimestamp|^kubectl get replicasets -o wide$/, reason: 'what was made within the same second is in any order' },
  { cases: /^kubectl get events -o name \| wc/, reason: 'events come when controllers get to it' },
  { cases: /^kubectl describe csr john$/, reason: 'each server is asked with a key of its own' },
  { cases: /^helm get manifest/, reason: 'the version names Kubun, too' },
]
