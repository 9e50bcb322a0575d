package main

import (
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
)

var writeChecks = []check{
	{"apply: configurations, conflicts, force, extraction", applies},
	{"apply: status and scale", appliesSubresources},
	{"writes: twenty writers of one object, no update lost", optimisticWriters},
	{"writes: dry run and field validation", dryRun},
	{"writes: deletion with preconditions, grace and propagation", deletions},
	{"writes: eviction, binding, tokens and reviews", subresources},
	{"identity: impersonation and service account tokens", identities},
}

func appLabel(name string) map[string]string { return map[string]string{"app": name} }

func deployment(name string, replicas int32) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: appLabel(name)},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: appLabel(name)}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example.test/c:1"}}}},
		},
	}
}

func appliedDeployment(w *World, replicas int32, image string) *appsapply.DeploymentApplyConfiguration {
	return appsapply.Deployment("applied", w.namespace).WithLabels(appLabel("applied")).WithSpec(appsapply.DeploymentSpec().WithReplicas(replicas).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(appLabel("applied"))).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(appLabel("applied")).WithSpec(coreapply.PodSpec().
			WithContainers(coreapply.Container().WithName("c").WithImage(image).WithPorts(coreapply.ContainerPort().WithContainerPort(80))))))
}

func applies(w *World) error {
	client := w.typed.AppsV1().Deployments(w.namespace)
	if _, err := client.Apply(w, appliedDeployment(w, 0, "example.test/c:1"), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	_, err := client.Apply(w, appliedDeployment(w, 3, "example.test/c:1"), metav1.ApplyOptions{FieldManager: "two"})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("no conflict: %v", err)
	}
	forced, err := client.Apply(w, appliedDeployment(w, 3, "example.test/c:1"), metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil || *forced.Spec.Replicas != 3 {
		return fmt.Errorf("forced: %v", err)
	}
	extracted, err := appsapply.ExtractDeployment(forced, "one")
	if err != nil {
		return err
	}
	if extracted.Spec.Replicas != nil || *extracted.Spec.Template.Spec.Containers[0].Image != "example.test/c:1" {
		return fmt.Errorf("extracted %+v", extracted.Spec)
	}
	// what one no longer applies and nobody else owns goes away
	one := appliedDeployment(w, 3, "example.test/c:1")
	one.Spec.Replicas = nil
	one.WithAnnotations(map[string]string{"mine": "yes"})
	if _, err = client.Apply(w, one, metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	one.Annotations = nil
	last, err := client.Apply(w, one, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	return expect(last.Annotations["mine"] == "" && *last.Spec.Replicas == 3, "%v %d", last.Annotations, *last.Spec.Replicas)
}

func appliesSubresources(w *World) error {
	config := coreapply.Service("applied", w.namespace).WithSpec(coreapply.ServiceSpec().WithType(corev1.ServiceTypeLoadBalancer).WithPorts(coreapply.ServicePort().WithPort(80)))
	services := w.typed.CoreV1().Services(w.namespace)
	if _, err := services.Apply(w, config, metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	status := coreapply.Service("applied", w.namespace).WithStatus(coreapply.ServiceStatus().WithLoadBalancer(coreapply.LoadBalancerStatus().WithIngress(coreapply.LoadBalancerIngress().WithIP("203.0.113.9"))))
	done, err := services.ApplyStatus(w, status, metav1.ApplyOptions{FieldManager: "balancer"})
	if err != nil {
		return err
	}
	return expect(len(done.Status.LoadBalancer.Ingress) == 1 && done.ManagedFields[0].Subresource == "status" && done.ManagedFields[0].Manager == "balancer", "%+v", done.ManagedFields)
}

func optimisticWriters(w *World) error {
	maps := w.typed.CoreV1().ConfigMaps(w.namespace)
	if _, err := maps.Create(w, w.configMap("counter", map[string]string{}), metav1.CreateOptions{}); err != nil {
		return err
	}
	const writers = 20
	var all sync.WaitGroup
	failures := make(chan error, writers)
	backoff := retry.DefaultRetry
	backoff.Steps = 50
	for i := range writers {
		all.Go(func() {
			failures <- retry.RetryOnConflict(backoff, func() error {
				now, err := maps.Get(w, "counter", metav1.GetOptions{})
				if err != nil {
					return err
				}
				if now.Data == nil {
					now.Data = map[string]string{}
				}
				now.Data[fmt.Sprint(i)] = "here"
				_, err = maps.Update(w, now, metav1.UpdateOptions{})
				return err
			})
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return err
		}
	}
	last, err := maps.Get(w, "counter", metav1.GetOptions{})
	return expect(err == nil && len(last.Data) == writers, "%d entries, %v", len(last.Data), err)
}

func dryRun(w *World) error {
	maps := w.typed.CoreV1().ConfigMaps(w.namespace)
	made, err := maps.Create(w, w.configMap("dry", nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil || made.UID == "" {
		return fmt.Errorf("%v %v", made, err)
	}
	if _, err = maps.Get(w, "dry", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("a dry run was kept: %v", err)
	}
	if _, err = maps.Create(w, w.configMap("kept", nil), metav1.CreateOptions{}); err != nil {
		return err
	}
	_, err = maps.Patch(w, "kept", types.MergePatchType, []byte(`{"dta":{}}`), metav1.PatchOptions{FieldValidation: "Strict"})
	return expect(apierrors.IsInvalid(err), "an unknown field: %v", err)
}

func deletions(w *World) error {
	client := w.typed.AppsV1().Deployments(w.namespace)
	made, err := client.Create(w, deployment("parent", 1), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	wrong := types.UID("00000000-0000-0000-0000-000000000000")
	if err = client.Delete(w, "parent", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrong}}); !apierrors.IsConflict(err) {
		return fmt.Errorf("wrong uid: %v", err)
	}
	sets := w.typed.AppsV1().ReplicaSets(w.namespace)
	if err = w.until("a replica set and its pod", 15*time.Second, func() (bool, error) {
		found, err := sets.List(w, metav1.ListOptions{})
		pods, _ := w.typed.CoreV1().Pods(w.namespace).List(w, metav1.ListOptions{})
		return err == nil && len(found.Items) == 1 && len(pods.Items) == 1, err
	}); err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err = client.Delete(w, "parent", metav1.DeleteOptions{PropagationPolicy: &foreground, Preconditions: &metav1.Preconditions{UID: &made.UID}}); err != nil {
		return err
	}
	return w.until("children and parent to go", 20*time.Second, func() (bool, error) {
		_, gone := client.Get(w, "parent", metav1.GetOptions{})
		found, err := sets.List(w, metav1.ListOptions{})
		pods, _ := w.typed.CoreV1().Pods(w.namespace).List(w, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		return apierrors.IsNotFound(gone) && len(found.Items) == 0 && len(pods.Items) == 0, fmt.Errorf("parent %v, %d sets, %d pods", gone, len(found.Items), len(pods.Items))
	})
}

func subresources(w *World) error {
	node := fmt.Sprintf("node-%s", w.namespace)
	if _, err := w.typed.CoreV1().Nodes().Create(w, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	defer func() { _ = w.typed.CoreV1().Nodes().Delete(w, node, metav1.DeleteOptions{}) }()
	if err := w.defaultAccount(w.typed); err != nil {
		return err
	}
	pods := w.typed.CoreV1().Pods(w.namespace)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{SchedulerName: "nobody", Containers: []corev1.Container{{Name: "c", Image: "example.test/c:1"}}}}
	if _, err := pods.Create(w, pod, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := pods.Bind(w, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Target: corev1.ObjectReference{Kind: "Node", Name: node}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	bound, err := pods.Get(w, "p", metav1.GetOptions{})
	if err != nil || bound.Spec.NodeName != node {
		return fmt.Errorf("bound to %q, %v", bound.Spec.NodeName, err)
	}
	for i := range bound.Status.Conditions {
		if bound.Status.Conditions[i].Type != corev1.PodScheduled {
			return fmt.Errorf("conditions %+v", bound.Status.Conditions)
		}
	}
	review, err := w.typed.AuthorizationV1().SelfSubjectAccessReviews().Create(w, &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "delete", Resource: "pods", Namespace: w.namespace},
	}}, metav1.CreateOptions{})
	return expect(err == nil && review.Status.Allowed, "%+v %v", review, err)
}

func (w *World) defaultAccount(client kubernetes.Interface) error {
	return w.until("the default service account", 10*time.Second, func() (bool, error) {
		_, err := client.CoreV1().ServiceAccounts(w.namespace).Get(w, "default", metav1.GetOptions{})
		return err == nil, err
	})
}

func identities(w *World) error {
	if err := w.defaultAccount(w.typed); err != nil {
		return err
	}
	token, err := w.typed.CoreV1().ServiceAccounts(w.namespace).CreateToken(w, "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	config := rest.AnonymousClientConfig(w.config)
	config.BearerToken = token.Status.Token
	account, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	me, err := account.AuthenticationV1().SelfSubjectReviews().Create(w, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || me.Status.UserInfo.Username != "system:serviceaccount:"+w.namespace+":default" {
		return fmt.Errorf("%+v %v", me, err)
	}
	if _, err = account.CoreV1().Secrets(w.namespace).List(w, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		return fmt.Errorf("no right, and not forbidden: %v", err)
	}
	other := rest.CopyConfig(w.config)
	other.Impersonate = rest.ImpersonationConfig{UserName: "jane", Groups: []string{"gardeners"}, Extra: map[string][]string{"scopes": {"a", "b"}}}
	jane, err := kubernetes.NewForConfig(other)
	if err != nil {
		return err
	}
	me, err = jane.AuthenticationV1().SelfSubjectReviews().Create(w, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return expect(me.Status.UserInfo.Username == "jane" && len(me.Status.UserInfo.Extra["scopes"]) == 2, "%+v", me.Status.UserInfo)
}
