package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

var coordinationChecks = []check{
	{"leader election: one leads, the next takes over when it lets go", election},
	{"events: recorder of events.k8s.io makes series", newEvents},
	{"events: recorder of core events counts", coreEvents},
}

func election(w *World) error {
	leading := make(chan string, 4)
	candidate := func(ctx context.Context, name string) error {
		lock := &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Name: "leader", Namespace: w.namespace}, Client: w.typed.CoordinationV1(), LockConfig: resourcelock.ResourceLockConfig{Identity: name}}
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: 4 * time.Second, RenewDeadline: 3 * time.Second, RetryPeriod: 200 * time.Millisecond, ReleaseOnCancel: true, Name: name,
			Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { leading <- name }, OnStoppedLeading: func() {}},
		})
		if err == nil {
			go elector.Run(ctx)
		}
		return err
	}
	first, stop := context.WithCancel(w)
	defer stop()
	if err := candidate(first, "first"); err != nil {
		return err
	}
	if name, err := next(leading, 10*time.Second); err != nil || name != "first" {
		return fmt.Errorf("leader %q, %v", name, err)
	}
	if err := candidate(w, "second"); err != nil {
		return err
	}
	if name, err := next(leading, 2*time.Second); err == nil {
		return fmt.Errorf("%s leads beside first", name)
	}
	stop()
	if name, err := next(leading, 3*time.Second); err != nil || name != "second" {
		return fmt.Errorf("leader %q, %v", name, err)
	}
	lease, err := w.typed.CoordinationV1().Leases(w.namespace).Get(w, "leader", metav1.GetOptions{})
	return expect(err == nil && *lease.Spec.HolderIdentity == "second" && *lease.Spec.LeaseTransitions >= 1, "%+v %v", lease, err)
}

func next[T any](from <-chan T, limit time.Duration) (value T, err error) {
	select {
	case value = <-from:
		return value, nil
	case <-time.After(limit):
		return value, fmt.Errorf("nothing within %v", limit)
	}
}

func newEvents(w *World) error {
	about, err := w.typed.CoreV1().ConfigMaps(w.namespace).Create(w, w.configMap("about", nil), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: w.typed.EventsV1()})
	if err := broadcaster.StartRecordingToSinkWithContext(w); err != nil {
		return err
	}
	defer broadcaster.Shutdown()
	recorder := broadcaster.NewRecorder(scheme.Scheme, "program")
	for range 3 {
		recorder.Eventf(about, nil, corev1.EventTypeWarning, "Tried", "Trying", "for the %s time", "next")
		time.Sleep(300 * time.Millisecond)
	}
	return w.until("an event with a series", 10*time.Second, func() (bool, error) {
		list, err := w.typed.EventsV1().Events(w.namespace).List(w, metav1.ListOptions{})
		if err != nil || len(list.Items) == 0 {
			return false, fmt.Errorf("%d events, %v", len(list.Items), err)
		}
		one := list.Items[0]
		return len(list.Items) == 1 && one.Series != nil && one.Series.Count >= 2 && one.Regarding.UID == about.UID && one.ReportingController == "program", fmt.Errorf("%+v", one)
	})
}

func coreEvents(w *World) error {
	about, err := w.typed.CoreV1().ConfigMaps(w.namespace).Create(w, w.configMap("about", nil), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	broadcaster := record.NewBroadcaster(record.WithContext(w))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: w.typed.CoreV1().Events("")})
	defer broadcaster.Shutdown()
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "program"})
	for range 4 {
		recorder.Event(about, corev1.EventTypeNormal, "Done", "it is done")
	}
	return w.until("an event that counts", 10*time.Second, func() (bool, error) {
		list, err := w.typed.CoreV1().Events(w.namespace).List(w, metav1.ListOptions{FieldSelector: "involvedObject.name=about,reason=Done"})
		if err != nil || len(list.Items) == 0 {
			return false, fmt.Errorf("%d events, %v", len(list.Items), err)
		}
		return len(list.Items) == 1 && list.Items[0].Count == 4, fmt.Errorf("%+v", list.Items)
	})
}
