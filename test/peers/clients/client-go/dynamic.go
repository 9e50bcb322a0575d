package main

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

var dynamicChecks = []check{
	{"dynamic: every verb on a custom kind, and its status", dynamicVerbs},
	{"dynamic: built-in kinds", dynamicBuiltIn},
	{"metadata: get, list, patch and delete", metadataVerbs},
	{"scale: deployments and custom kinds", scales},
}

func metaItems(list runtime.Object) (int, error) {
	items, err := meta.ExtractList(list)
	return len(items), err
}

func dynamicVerbs(w *World) error {
	if err := w.defineGadgets(); err != nil {
		return err
	}
	client := w.dynamic.Resource(gadgets).Namespace(w.namespace)
	made, err := client.Create(w, gadget(w, "one", 1), metav1.CreateOptions{FieldValidation: "Strict"})
	if err != nil {
		return err
	}
	_ = unstructured.SetNestedField(made.Object, int64(2), "spec", "size")
	_ = unstructured.SetNestedField(made.Object, true, "status", "ready")
	changed, err := client.Update(w, made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	if _, has, _ := unstructured.NestedBool(changed.Object, "status", "ready"); has || changed.GetGeneration() != 2 {
		return fmt.Errorf("after update: %v", changed.Object)
	}
	_ = unstructured.SetNestedField(changed.Object, true, "status", "ready")
	if changed, err = client.UpdateStatus(w, changed, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if changed.GetGeneration() != 2 {
		return fmt.Errorf("status made a generation: %v", changed.Object)
	}
	if _, err = client.Update(w, made, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("a stale update: %v", err)
	}
	if changed, err = client.Patch(w, "one", types.MergePatchType, []byte(`{"spec":{"size":7}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	if _, err = client.Patch(w, "one", types.JSONPatchType, []byte(`[{"op":"test","path":"/spec/size","value":8}]`), metav1.PatchOptions{}); err == nil {
		return fmt.Errorf("a failed test was patched")
	}
	applied, err := client.Apply(w, "two", gadget(w, "two", 5), metav1.ApplyOptions{FieldManager: "program"})
	if prefersCBOR() && apierrors.IsUnsupportedMediaType(err) {
		// apply configurations are always sent as CBOR then, which an API server does not read unless it is told to
		applied, err = client.Create(w, gadget(w, "two", 5), metav1.CreateOptions{})
	}
	if err != nil || len(applied.GetManagedFields()) != 1 {
		return fmt.Errorf("apply: %v %v", err, applied)
	}
	list, err := client.List(w, metav1.ListOptions{})
	if err != nil || len(list.Items) != 2 || list.GetKind() != "GadgetList" {
		return fmt.Errorf("list: %v %v", err, list)
	}
	if err = client.DeleteCollection(w, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return err
	}
	_, err = client.Get(w, "one", metav1.GetOptions{})
	return expect(apierrors.IsNotFound(err) && err.Error() == `gadgets.clients.kubun.test "one" not found`, "%v", err)
}

func dynamicBuiltIn(w *World) error {
	for _, resource := range []schema.GroupVersionResource{
		{Version: "v1", Resource: "pods"}, {Group: "apps", Version: "v1", Resource: "deployments"}, {Version: "v1", Resource: "events"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}, {Group: "coordination.k8s.io", Version: "v1", Resource: "leases"},
	} {
		if _, err := w.dynamic.Resource(resource).Namespace(w.namespace).List(w, metav1.ListOptions{}); err != nil {
			return err
		}
	}
	secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "s"}, "stringData": map[string]any{"a": "b"}}}
	made, err := w.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(w.namespace).Create(w, secret, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	value, _, _ := unstructured.NestedString(made.Object, "data", "a")
	return expect(value == "Yg==", "%v", made.Object)
}

func metadataVerbs(w *World) error {
	if err := w.createConfigMaps("meta", 4); err != nil {
		return err
	}
	client := w.metadata.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(w.namespace)
	list, err := client.List(w, metav1.ListOptions{LabelSelector: "parity=even"})
	if err != nil || len(list.Items) != 2 {
		return fmt.Errorf("list %v %v", list, err)
	}
	one, err := client.Patch(w, "meta-0000", types.MergePatchType, []byte(`{"metadata":{"annotations":{"a":"b"}}}`), metav1.PatchOptions{})
	if err != nil || one.Annotations["a"] != "b" {
		return fmt.Errorf("patch %v %v", one, err)
	}
	if one, err = client.Get(w, "meta-0000", metav1.GetOptions{}); err != nil || one.UID == "" {
		return fmt.Errorf("get %v %v", one, err)
	}
	if err = client.Delete(w, "meta-0000", metav1.DeleteOptions{}); err != nil {
		return err
	}
	if _, err = client.Get(w, "meta-0000", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("after delete: %v", err)
	}
	seen := w.seen.of("GET", "/configmaps?labelSelector")
	return expect(len(seen) == 1 && seen[0].answered != "", "%+v", seen)
}

func scales(w *World) error {
	if err := w.defineGadgets(); err != nil {
		return err
	}
	asked, err := discovery.NewDiscoveryClientForConfig(w.config)
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(asked))
	client, err := scale.NewForConfig(w.config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(asked))
	if err != nil {
		return err
	}
	made := gadget(w, "scaled", 1)
	_ = unstructured.SetNestedField(made.Object, int64(2), "spec", "replicas")
	if _, err = w.dynamic.Resource(gadgets).Namespace(w.namespace).Create(w, made, metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err = w.typed.AppsV1().Deployments(w.namespace).Create(w, deployment("scaled", 0), metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, resource := range []schema.GroupResource{{Group: "apps", Resource: "deployments"}, gadgets.GroupResource()} {
		// the deployment controller may write in between
		if err = w.until("scaling", 5*time.Second, func() (bool, error) {
			now, err := client.Scales(w.namespace).Get(w, resource, "scaled", metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			now.Spec.Replicas = 5
			_, err = client.Scales(w.namespace).Update(w, resource, now, metav1.UpdateOptions{})
			return err == nil, err
		}); err != nil {
			return err
		}
		now, err := client.Scales(w.namespace).Get(w, resource, "scaled", metav1.GetOptions{})
		if err != nil || now.Spec.Replicas != 5 {
			return fmt.Errorf("%v: %v %v", resource, now, err)
		}
	}
	return nil
}
