// A world is one cluster with upstream's scheduler over it, whose caches are filled and whose loops do not run.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	configscheme "k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	internalcache "k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
)

type world struct {
	ctx     context.Context
	cancel  context.CancelFunc
	factory informers.SharedInformerFactory
	sched   *scheduler.Scheduler
	fwk     framework.Framework
	// Each filter by itself, in the order in which the framework asks them.
	filters    []fwk.Plugin
	preemption *defaultpreemption.DefaultPreemption
	// Names of nodes as the case has them.
	nodes   []string
	volumes bool
}

const (
	defaultConfig = `{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"KubeSchedulerConfiguration"}`
	syncMax       = 30 * time.Second
	settle        = 30 * time.Millisecond
	settleRounds  = 40
)

// What has no say about nodes, or none without claims of devices.
var notAsked = []string{"SchedulingGates", "PrioritySort", "DefaultPreemption", "DefaultBinder", "DynamicResources"}

func openWorld(objects []runtime.Object, raw json.RawMessage) (*world, error) {
	if raw == nil {
		raw = json.RawMessage(defaultConfig)
	}
	decoded, _, err := configscheme.Codecs.UniversalDecoder().Decode(raw, nil, nil)
	if err != nil {
		return nil, err
	}
	profile := decoded.(*config.KubeSchedulerConfiguration).Profiles[0]
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), klog.TODO()))
	w := &world{ctx: ctx, cancel: cancel}
	client := fake.NewSimpleClientset(objects...)
	w.factory = scheduler.NewInformerFactory(client, 0)
	recorder := func(string) events.EventRecorderLogger { return &events.FakeRecorder{} }
	w.sched, err = scheduler.New(ctx, client, w.factory, nil, recorder, scheduler.WithProfiles(profile))
	if err != nil {
		cancel()
		return nil, err
	}
	w.fwk = w.sched.Profiles[profile.SchedulerName]
	if err := w.alone(profile); err != nil {
		cancel()
		return nil, err
	}
	w.factory.Start(ctx.Done())
	if err := w.sync(); err != nil {
		w.close()
		return nil, err
	}
	for _, object := range objects {
		switch kind := object.GetObjectKind().GroupVersionKind().Kind; kind {
		case "PersistentVolume", "PersistentVolumeClaim", "CSINode":
			w.volumes = true
		}
	}
	return w, nil
}

// alone makes one instance more of each filter and of preemption, to be asked without the others.
func (w *world) alone(profile config.KubeSchedulerProfile) error {
	registry := plugins.NewInTreeRegistry()
	args := map[string]runtime.Object{}
	for _, each := range profile.PluginConfig {
		args[each.Name] = each.Args
	}
	for _, enabled := range w.fwk.ListPlugins().Filter.Enabled {
		if slices.Contains(notAsked, enabled.Name) {
			continue
		}
		plugin, err := registry[enabled.Name](w.ctx, args[enabled.Name], w.fwk)
		if err != nil {
			return err
		}
		w.filters = append(w.filters, plugin)
	}
	var err error
	w.preemption, err = defaultpreemption.New(w.ctx, args["DefaultPreemption"], w.fwk, feature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate))
	return err
}

func (w *world) sync() error {
	ctx, cancel := context.WithTimeout(w.ctx, syncMax)
	defer cancel()
	for kind, ok := range w.factory.WaitForCacheSync(ctx.Done()) {
		if !ok {
			return fmt.Errorf("no cache of %s", kind)
		}
	}
	if err := w.sched.WaitForHandlersSync(ctx); err != nil {
		return err
	}
	snapshot := w.fwk.SnapshotSharedLister().(*internalcache.Snapshot)
	return w.sched.Cache.UpdateSnapshot(klog.FromContext(ctx), snapshot)
}

// steadyAnswer: caches of volumes fill without a word, so that an answer counts when it is given twice.
func (w *world) steadyAnswer(name string) (*Answer, error) {
	prev, err := w.answer(name)
	if err != nil || !w.volumes {
		return prev, err
	}
	for range settleRounds {
		time.Sleep(settle)
		next, err := w.answer(name)
		if err != nil {
			return nil, err
		}
		a, _ := json.Marshal(prev)
		b, _ := json.Marshal(next)
		if string(a) == string(b) {
			return next, nil
		}
		prev = next
	}
	return nil, fmt.Errorf("gives another answer each time")
}

func (w *world) close() {
	w.cancel()
	w.factory.Shutdown()
}
