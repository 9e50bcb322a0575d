package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

var restartChecks = []check{
	{"restart: killed while eight write; what was acknowledged is there, informers catch up", killedServer},
}

// written is what the server acknowledged: names that must be there and the versions they had.
type written struct {
	lock  sync.Mutex
	names map[string]string
}

func (a *written) keep(made *corev1.ConfigMap) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.names[made.Name] = made.ResourceVersion
}

func killedServer(w *World) error {
	factory := informers.NewSharedInformerFactoryWithOptions(w.typed, 0, informers.WithNamespace(w.namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	seen := &written{names: map[string]string{}}
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(object any) { seen.keep(object.(*corev1.ConfigMap)) }})
	factory.Start(w.Done())
	factory.WaitForCacheSync(w.Done())
	known := &written{names: map[string]string{}}
	writing, stop := context.WithCancel(w)
	defer stop()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { write(writing, w.typed, w.namespace, i, known) })
	}
	time.Sleep(1500 * time.Millisecond)
	if err := restartServer(); err != nil {
		return err
	}
	time.Sleep(1500 * time.Millisecond)
	stop()
	all.Wait()
	list, err := w.typed.CoreV1().ConfigMaps(w.namespace).List(w, metav1.ListOptions{})
	if err != nil {
		return err
	}
	there := map[string]string{}
	for _, item := range list.Items {
		there[item.Name] = item.ResourceVersion
	}
	for name, version := range known.names {
		if there[name] != version {
			return fmt.Errorf("acknowledged %s at %s, have %q", name, version, there[name])
		}
	}
	if len(known.names) < 50 {
		return fmt.Errorf("only %d writes", len(known.names))
	}
	return w.until("the informer to have all", 20*time.Second, func() (bool, error) {
		store := informer.GetStore().ListKeys()
		seen.lock.Lock()
		defer seen.lock.Unlock()
		return len(store) == len(there) && len(seen.names) == len(there), fmt.Errorf("%d in the store, %d seen, %d are", len(store), len(seen.names), len(there))
	})
}

func write(ctx context.Context, client kubernetes.Interface, namespace string, writer int, known *written) {
	for i := 0; ctx.Err() == nil; i++ {
		name := fmt.Sprintf("w%d-%05d", writer, i)
		made, err := client.CoreV1().ConfigMaps(namespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		switch {
		case err == nil:
			known.keep(made)
		case apierrors.IsAlreadyExists(err): // written, but the answer was lost
		default:
			time.Sleep(100 * time.Millisecond)
		}
	}
}
