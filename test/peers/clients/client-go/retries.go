package main

import (
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

var retryChecks = []check{
	{"retries: a request that priority and fairness refuses is sent again after a while", refusedByFairness},
	{"retries: an eviction that a budget forbids", forbiddenEviction},
}

// A priority level without seats serves one request at a time and refuses the others: all come through at last.
func refusedByFairness(w *World) error {
	name, shares, user := w.namespace, int32(0), "throttled-"+w.namespace
	flow := w.typed.FlowcontrolV1()
	level := &flowcontrolv1.PriorityLevelConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: flowcontrolv1.PriorityLevelConfigurationSpec{
		Type:    flowcontrolv1.PriorityLevelEnablementLimited,
		Limited: &flowcontrolv1.LimitedPriorityLevelConfiguration{NominalConcurrencyShares: &shares, BorrowingLimitPercent: &shares, LimitResponse: flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeReject}},
	}}
	schema := &flowcontrolv1.FlowSchema{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: flowcontrolv1.FlowSchemaSpec{
		MatchingPrecedence: 10, PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: name},
		Rules: []flowcontrolv1.PolicyRulesWithSubjects{{
			Subjects:      []flowcontrolv1.Subject{{Kind: flowcontrolv1.SubjectKindUser, User: &flowcontrolv1.UserSubject{Name: user}}},
			ResourceRules: []flowcontrolv1.ResourcePolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}, Namespaces: []string{"*"}, ClusterScope: true}},
		}},
	}}
	if _, err := flow.PriorityLevelConfigurations().Create(w, level, metav1.CreateOptions{}); err != nil {
		return err
	}
	defer func() { _ = flow.PriorityLevelConfigurations().Delete(w, name, metav1.DeleteOptions{}) }()
	if _, err := flow.FlowSchemas().Create(w, schema, metav1.CreateOptions{}); err != nil {
		return err
	}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "edit"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"}, Subjects: []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: user}}}
	if _, err := w.typed.RbacV1().RoleBindings(w.namespace).Create(w, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	config := rest.CopyConfig(w.config)
	config.Impersonate.UserName = user
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	refused := func() []exchange {
		found := []exchange{}
		for _, each := range w.seen.of("POST", w.namespace+"/configmaps") {
			if each.status == 429 {
				found = append(found, each)
			}
		}
		return found
	}
	// the server learns of the new flow schema by itself: until then nothing is refused
	var all sync.WaitGroup
	failures := make(chan error, 1000)
	round := 0
	err = w.until("refusals", 20*time.Second, func() (bool, error) {
		round++
		for i := range 10 {
			all.Go(func() {
				_, err := client.CoreV1().ConfigMaps(w.namespace).Create(w, w.configMap(fmt.Sprintf("late-%d-%d", round, i), nil), metav1.CreateOptions{})
				failures <- err
			})
		}
		time.Sleep(300 * time.Millisecond)
		return len(refused()) > 0, fmt.Errorf("none in %d rounds", round)
	})
	if err != nil {
		return err
	}
	if err = flow.FlowSchemas().Delete(w, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return err
		}
	}
	return expect(refused()[0].retryAfter == "1", "%+v", refused()[0])
}

func forbiddenEviction(w *World) error {
	one := intstr.FromInt32(1)
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "all"}, Spec: policyv1.PodDisruptionBudgetSpec{MinAvailable: &one, Selector: &metav1.LabelSelector{MatchLabels: appLabel("kept")}}}
	if _, err := w.typed.PolicyV1().PodDisruptionBudgets(w.namespace).Create(w, budget, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := w.defaultAccount(w.typed); err != nil {
		return err
	}
	pods := w.typed.CoreV1().Pods(w.namespace)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "kept", Labels: appLabel("kept")}, Spec: corev1.PodSpec{SchedulerName: "nobody", Containers: []corev1.Container{{Name: "c", Image: "example.test/c:1"}}}}
	made, err := pods.Create(w, pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status.Phase = corev1.PodRunning
	made.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if _, err = pods.UpdateStatus(w, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	// as the disruption controller sees it, whether it runs or not
	now, err := w.typed.PolicyV1().PodDisruptionBudgets(w.namespace).Get(w, "all", metav1.GetOptions{})
	if err != nil {
		return err
	}
	now.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: now.Generation, CurrentHealthy: 1, DesiredHealthy: 1, ExpectedPods: 1}
	if _, err = w.typed.PolicyV1().PodDisruptionBudgets(w.namespace).UpdateStatus(w, now, metav1.UpdateOptions{}); err != nil && !apierrors.IsConflict(err) {
		return err
	}
	err = pods.EvictV1(w, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "kept"}})
	if !apierrors.IsTooManyRequests(err) {
		return fmt.Errorf("evicted against the budget: %v", err)
	}
	if err = w.typed.PolicyV1().PodDisruptionBudgets(w.namespace).Delete(w, "all", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return pods.EvictV1(w, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "kept"}})
}
