package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"
)

const (
	hollowLease = "kube-node-lease"
	hollowBeat  = 3 * time.Second
)

// runHollow plays the kubelets of nodes that are not there: nodes stay ready, pods run or are done, and end when asked.
func runHollow(config *rest.Config, nodes []string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	for _, name := range nodes {
		if err := registerNode(ctx, client, name); err != nil {
			return err
		}
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Pods().Informer()
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { playPod(ctx, client, nodes, object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { playPod(ctx, client, nodes, object.(*corev1.Pod)) },
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	fmt.Println("hollow nodes:", strings.Join(nodes, " "))
	for range time.Tick(hollowBeat) {
		for _, name := range nodes {
			beat(ctx, client, name)
		}
	}
	return nil
}

func registerNode(ctx context.Context, client kubernetes.Interface, name string) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}}}
	if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	seconds, now := int32(40), metav1.NowMicro()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: &now}}
	// the namespace comes soon after the server
	for range 50 {
		if _, err := client.CoordinationV1().Leases(hollowLease).Create(ctx, lease, metav1.CreateOptions{}); err == nil || apierrors.IsAlreadyExists(err) {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	// the node controllers write it, too
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		current, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		current.Status = readyStatus(name)
		_, err = client.CoreV1().Nodes().UpdateStatus(ctx, current, metav1.UpdateOptions{})
		return err
	})
}

func readyStatus(name string) corev1.NodeStatus {
	room := corev1.ResourceList{"cpu": resource.MustParse("4"), "memory": resource.MustParse("8Gi"), "pods": resource.MustParse("110"), "ephemeral-storage": resource.MustParse("20Gi")}
	at := metav1.Now()
	return corev1.NodeStatus{
		Capacity: room, Allocatable: room,
		Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "203.0.113.7"}, {Type: corev1.NodeHostName, Address: name}},
		NodeInfo:   corev1.NodeSystemInfo{KubeletVersion: "v1.36.3", OSImage: "Hollow", KernelVersion: "0", ContainerRuntimeVersion: "hollow://0", OperatingSystem: "linux", Architecture: "amd64"},
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "hollow", LastHeartbeatTime: at, LastTransitionTime: at}},
	}
}

func beat(ctx context.Context, client kubernetes.Interface, name string) {
	lease, err := client.CoordinationV1().Leases(hollowLease).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return
	}
	now := metav1.NowMicro()
	lease.Spec.RenewTime = &now
	_, _ = client.CoordinationV1().Leases(hollowLease).Update(ctx, lease, metav1.UpdateOptions{})
}

func playPod(ctx context.Context, client kubernetes.Interface, nodes []string, pod *corev1.Pod) {
	mine := false
	for _, name := range nodes {
		mine = mine || name == pod.Spec.NodeName
	}
	switch {
	case !mine:
	case pod.DeletionTimestamp != nil:
		now := int64(0)
		_ = client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	case pod.Status.Phase == corev1.PodPending:
		_, _ = client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, running(pod.DeepCopy()), metav1.UpdateOptions{})
	}
}

// running: pods that are restarted always run from now on, others are done at once.
func running(pod *corev1.Pod) *corev1.Pod {
	at := metav1.Now()
	done := pod.Spec.RestartPolicy != corev1.RestartPolicyAlways
	ready := corev1.ConditionTrue
	pod.Status.Phase = corev1.PodRunning
	if done {
		pod.Status.Phase, ready = corev1.PodSucceeded, corev1.ConditionFalse
	}
	pod.Status.StartTime, pod.Status.HostIP, pod.Status.PodIP = &at, "203.0.113.7", "10.244.9.9"
	pod.Status.HostIPs, pod.Status.PodIPs = []corev1.HostIP{{IP: "203.0.113.7"}}, []corev1.PodIP{{IP: "10.244.9.9"}}
	kept := []corev1.PodCondition{}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled {
			kept = append(kept, condition)
		}
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady} {
		status := ready
		if kind == corev1.PodInitialized {
			status = corev1.ConditionTrue
		}
		kept = append(kept, corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: at})
	}
	pod.Status.Conditions = kept
	pod.Status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		state, started := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}, !done
		if done {
			state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: at, FinishedAt: at}}
		}
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{Name: container.Name, Image: container.Image, ImageID: "hollow", ContainerID: "hollow://" + container.Name, Ready: !done, Started: &started, State: state})
	}
	return pod
}
