package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/dynamicinformer"
	clientfeatures "k8s.io/client-go/features"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

var informerChecks = []check{
	{"informers: shared informers see what is, and what changes", sharedInformers},
	{"informers: resync hands every object again", informerResync},
	{"informers: selectors, indexers and transforms", informerSelectors},
	{"informers: dynamic and metadata informers over a custom kind", dynamicInformers},
	{"informers: all kinds of a factory come into step", factoryOfManyKinds},
	{"watch: bookmarks, resuming from a version, a polite end", watchResumes},
	{"watch: retry watcher and until with sync", retryWatcher},
	{"watch: a version of the future is waited for, and not for long", watchVersions},
}

func watchLists() bool { return clientfeatures.FeatureGates().Enabled(clientfeatures.WatchListClient) }

func sharedInformers(w *World) error {
	const count = 400
	if err := w.createConfigMaps("seen", count); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(w.typed, 0, informers.WithNamespace(w.namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	var added, updated, deleted atomic.Int32
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { added.Add(1) }, UpdateFunc: func(any, any) { updated.Add(1) }, DeleteFunc: func(any) { deleted.Add(1) },
	}); err != nil {
		return err
	}
	factory.Start(w.Done())
	for kind, ok := range factory.WaitForCacheSync(w.Done()) {
		if !ok {
			return fmt.Errorf("%v did not sync", kind)
		}
	}
	lister := factory.Core().V1().ConfigMaps().Lister().ConfigMaps(w.namespace)
	all, err := lister.List(labels.SelectorFromSet(labels.Set{"parity": "odd"}))
	if err != nil || len(all) != count/2 {
		return fmt.Errorf("%d odd ones, %v", len(all), err)
	}
	streams := w.seen.of("GET", "/configmaps", "sendInitialEvents=true")
	lists := 0
	for _, each := range w.seen.of("GET", w.namespace+"/configmaps?") {
		if !strings.Contains(each.target, "watch=true") {
			lists++
		}
	}
	if watchLists() && (len(streams) != 1 || lists != 0) {
		return fmt.Errorf("%d streamed lists and %d lists, want 1 and 0", len(streams), lists)
	}
	if !watchLists() && (len(streams) != 0 || lists == 0) {
		return fmt.Errorf("%d streamed lists and %d lists without the gate", len(streams), lists)
	}
	first, err := w.typed.CoreV1().ConfigMaps(w.namespace).Get(w, "seen-0000", metav1.GetOptions{})
	if err != nil {
		return err
	}
	first.Data["index"] = "changed"
	if _, err = w.typed.CoreV1().ConfigMaps(w.namespace).Update(w, first, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err = w.typed.CoreV1().ConfigMaps(w.namespace).DeleteCollection(w, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "parity=odd"}); err != nil {
		return err
	}
	return w.until("the informer to catch up", 10*time.Second, func() (bool, error) {
		kept, _ := lister.Get("seen-0000")
		state := fmt.Errorf("added %d updated %d deleted %d", added.Load(), updated.Load(), deleted.Load())
		// kube-root-ca.crt may be there, too
		if added.Load() < count || updated.Load() < 1 || deleted.Load() != count/2 || kept == nil || kept.Data["index"] != "changed" {
			return false, state
		}
		return true, nil
	})
}

func informerResync(w *World) error {
	if err := w.createConfigMaps("resync", 5); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(w.typed, time.Second, informers.WithNamespace(w.namespace), informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = "parity" }))
	var same atomic.Int32
	_, _ = factory.Core().V1().ConfigMaps().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(old, next any) {
		if old.(*corev1.ConfigMap).ResourceVersion == next.(*corev1.ConfigMap).ResourceVersion {
			same.Add(1)
		}
	}})
	factory.Start(w.Done())
	factory.WaitForCacheSync(w.Done())
	return w.until("two resyncs", 10*time.Second, func() (bool, error) { return same.Load() >= 10, fmt.Errorf("%d", same.Load()) })
}

func informerSelectors(w *World) error {
	if err := w.createConfigMaps("selected", 10); err != nil {
		return err
	}
	byIndex := func(object any) ([]string, error) { return []string{object.(*corev1.ConfigMap).Data["index"]}, nil }
	source := cache.NewListWatchFromClient(w.typed.CoreV1().RESTClient(), "configmaps", w.namespace, fields.OneTermEqualSelector("metadata.name", "selected-0007"))
	informer := cache.NewSharedIndexInformer(source, &corev1.ConfigMap{}, 0, cache.Indexers{"index": byIndex})
	_ = informer.SetTransform(func(object any) (any, error) {
		if found, ok := object.(*corev1.ConfigMap); ok {
			found.ManagedFields = nil
		}
		return object, nil
	})
	go informer.Run(w.Done())
	if !cache.WaitForCacheSync(w.Done(), informer.HasSynced) {
		return fmt.Errorf("no sync")
	}
	found, err := informer.GetIndexer().ByIndex("index", "7")
	if err != nil || len(found) != 1 || len(informer.GetStore().List()) != 1 {
		return fmt.Errorf("found %d of %d, %v", len(found), len(informer.GetStore().List()), err)
	}
	return expect(found[0].(*corev1.ConfigMap).ManagedFields == nil, "not transformed")
}

func dynamicInformers(w *World) error {
	if err := w.defineGadgets(); err != nil {
		return err
	}
	dynamics := dynamicinformer.NewFilteredDynamicSharedInformerFactory(w.dynamic, 0, w.namespace, nil)
	shown := dynamics.ForResource(gadgets).Informer()
	dynamics.Start(w.Done())
	dynamics.WaitForCacheSync(w.Done())
	metadatas := metadatainformer.NewFilteredSharedInformerFactory(w.metadata, 0, w.namespace, nil)
	partial := metadatas.ForResource(gadgets).Informer()
	metadatas.Start(w.Done())
	metadatas.WaitForCacheSync(w.Done())
	made := gadget(w, "one", 3)
	if _, err := w.dynamic.Resource(gadgets).Namespace(w.namespace).Create(w, made, metav1.CreateOptions{}); err != nil {
		return err
	}
	return w.until("both informers", 10*time.Second, func() (bool, error) {
		whole, _, _ := shown.GetStore().GetByKey(w.namespace + "/one")
		part, _, _ := partial.GetStore().GetByKey(w.namespace + "/one")
		if whole == nil || part == nil {
			return false, fmt.Errorf("whole %v, part %v", whole != nil, part != nil)
		}
		size, _, _ := unstructured.NestedInt64(whole.(*unstructured.Unstructured).Object, "spec", "size")
		_, partial := part.(*metav1.PartialObjectMetadata)
		return size == 3 && partial, fmt.Errorf("size %d, part %T", size, part)
	})
}

func gadget(w *World, name string, size int64) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "clients.kubun.test/v1", "kind": "Gadget",
		"metadata": map[string]any{"name": name, "namespace": w.namespace}, "spec": map[string]any{"size": size, "free": map[string]any{"any": "thing"}},
	}}
}

func factoryOfManyKinds(w *World) error {
	factory := informers.NewSharedInformerFactory(w.typed, 0)
	factory.Core().V1().Pods().Informer()
	factory.Core().V1().Nodes().Informer()
	factory.Core().V1().Secrets().Informer()
	factory.Core().V1().Services().Informer()
	factory.Core().V1().Events().Informer()
	factory.Apps().V1().Deployments().Informer()
	factory.Apps().V1().ReplicaSets().Informer()
	factory.Apps().V1().StatefulSets().Informer()
	factory.Apps().V1().DaemonSets().Informer()
	factory.Batch().V1().Jobs().Informer()
	factory.Batch().V1().CronJobs().Informer()
	factory.Policy().V1().PodDisruptionBudgets().Informer()
	factory.Networking().V1().Ingresses().Informer()
	factory.Networking().V1().NetworkPolicies().Informer()
	factory.Discovery().V1().EndpointSlices().Informer()
	factory.Rbac().V1().ClusterRoles().Informer()
	factory.Storage().V1().StorageClasses().Informer()
	factory.Coordination().V1().Leases().Informer()
	factory.Flowcontrol().V1().FlowSchemas().Informer()
	factory.Admissionregistration().V1().ValidatingWebhookConfigurations().Informer()
	factory.Autoscaling().V2().HorizontalPodAutoscalers().Informer()
	factory.Certificates().V1().CertificateSigningRequests().Informer()
	factory.Start(w.Done())
	ctx, cancel := context.WithTimeout(w, 20*time.Second)
	defer cancel()
	for kind, ok := range factory.WaitForCacheSync(ctx.Done()) {
		if !ok {
			return fmt.Errorf("%v did not sync", kind)
		}
	}
	return nil
}

func watchResumes(w *World) error {
	maps := w.typed.CoreV1().ConfigMaps(w.namespace)
	begun, err := maps.List(w, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if err = w.createConfigMaps("resumed", 3); err != nil {
		return err
	}
	seconds := int64(3)
	events, err := maps.Watch(w, metav1.ListOptions{ResourceVersion: begun.ResourceVersion, AllowWatchBookmarks: true, TimeoutSeconds: &seconds, LabelSelector: "parity"})
	if err != nil {
		return err
	}
	began := time.Now()
	versions := []string{}
	for event := range events.ResultChan() {
		switch event.Type {
		case watch.Added:
			versions = append(versions, event.Object.(*corev1.ConfigMap).ResourceVersion)
		case watch.Bookmark:
		default:
			return fmt.Errorf("event %v", event)
		}
	}
	if took := time.Since(began); took < 2*time.Second || took > 6*time.Second {
		return fmt.Errorf("the watch ended after %v", took)
	}
	if len(versions) != 3 {
		return fmt.Errorf("%d events", len(versions))
	}
	events, err = maps.Watch(w, metav1.ListOptions{ResourceVersion: versions[1], LabelSelector: "parity"})
	if err != nil {
		return err
	}
	defer events.Stop()
	event := <-events.ResultChan()
	return expect(event.Type == watch.Added && event.Object.(*corev1.ConfigMap).ResourceVersion == versions[2], "resumed with %v", event)
}

func retryWatcher(w *World) error {
	maps := w.typed.CoreV1().ConfigMaps(w.namespace)
	begun, err := maps.List(w, metav1.ListOptions{})
	if err != nil {
		return err
	}
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return maps.List(ctx, o) },
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			seconds := int64(1) // each stream is short, so that it is taken up again and again
			o.TimeoutSeconds = &seconds
			return maps.Watch(ctx, o)
		},
	}
	watcher, err := watchtools.NewRetryWatcherWithContext(w, begun.ResourceVersion, source)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	go func() {
		for i := range 6 {
			_, _ = maps.Create(w, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("again-%d", i)}}, metav1.CreateOptions{})
			time.Sleep(500 * time.Millisecond)
		}
	}()
	names := []string{}
	for event := range watcher.ResultChan() {
		if made, ok := event.Object.(*corev1.ConfigMap); ok && event.Type == watch.Added && strings.HasPrefix(made.Name, "again-") {
			names = append(names, made.Name)
		}
		if len(names) == 6 {
			break
		}
	}
	if strings.Join(names, " ") != "again-0 again-1 again-2 again-3 again-4 again-5" {
		return fmt.Errorf("saw %v", names)
	}
	_, err = watchtools.UntilWithSync(w, source, &corev1.ConfigMap{}, nil, func(event watch.Event) (bool, error) {
		return event.Object.(*corev1.ConfigMap).Name == "again-5", nil
	})
	return err
}

func watchVersions(w *World) error {
	// the client would try ten times
	err := w.typed.CoreV1().RESTClient().Get().Namespace(w.namespace).Resource("configmaps").MaxRetries(0).
		VersionedParams(&metav1.ListOptions{ResourceVersion: "999999999", ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}, scheme.ParameterCodec).Do(w).Error()
	if err == nil {
		return fmt.Errorf("a version of the future was listed")
	}
	return expect(strings.Contains(err.Error(), "Too large resource version"), "%v", err)
}
