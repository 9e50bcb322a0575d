package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

func newWorld(ctx context.Context, config *rest.Config, namespace string) (*World, error) {
	w := &World{Context: ctx, namespace: namespace, seen: &recorder{}}
	w.config = rest.CopyConfig(config)
	w.config.Wrap(w.seen.wrap)
	typed := rest.CopyConfig(w.config)
	typed.ContentType = *wire
	var err error
	if w.typed, err = kubernetes.NewForConfig(typed); err != nil {
		return nil, err
	}
	if w.dynamic, err = dynamic.NewForConfig(w.config); err != nil {
		return nil, err
	}
	if prefersCBOR() {
		// a client learns from the first refusal, which its caller sees, and speaks JSON from then on
		_, _ = w.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace("nowhere").Create(ctx, gadget(w, "first", 1), metav1.CreateOptions{})
	}
	if w.metadata, err = metadata.NewForConfig(w.config); err != nil {
		return nil, err
	}
	if w.extension, err = apiextensions.NewForConfig(w.config); err != nil {
		return nil, err
	}
	_, err = w.typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	return w, err
}

func (w *World) leave() {
	_ = w.typed.CoreV1().Namespaces().Delete(context.Background(), w.namespace, metav1.DeleteOptions{})
}

// until asks every 50 ms; the error that comes with false tells how things stood at last.
func (w *World) until(what string, limit time.Duration, done func() (bool, error)) error {
	var last error
	err := wait.PollUntilContextTimeout(w, 50*time.Millisecond, limit, true, func(context.Context) (bool, error) {
		ok, err := done()
		last = err
		return ok, nil
	})
	if err != nil {
		return fmt.Errorf("waited %v for %s; last: %v", limit, what, last)
	}
	return nil
}

func (w *World) configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace}, Data: data}
}

func (w *World) createConfigMaps(prefix string, count int) error {
	for i := range count {
		made := w.configMap(fmt.Sprintf("%s-%04d", prefix, i), map[string]string{"index": fmt.Sprint(i)})
		made.Labels = map[string]string{"parity": []string{"even", "odd"}[i%2]}
		if _, err := w.typed.CoreV1().ConfigMaps(w.namespace).Create(w, made, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

var gadgets = schema.GroupVersionResource{Group: "clients.kubun.test", Version: "v1", Resource: "gadgets"}

// defineGadgets makes the custom kind once; it is served when this returns.
func (w *World) defineGadgets() error {
	open := true
	definition := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "gadgets.clients.kubun.test"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: gadgets.Group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "gadgets", Singular: "gadget", Kind: "Gadget", ListKind: "GadgetList", ShortNames: []string{"gd"}, Categories: []string{"all"}},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object",
					Properties: map[string]apiextensionsv1.JSONSchemaProps{
						"spec": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
							"size": {Type: "integer"}, "replicas": {Type: "integer"},
							"free": {Type: "object", XPreserveUnknownFields: &open},
						}},
						"status": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"ready": {Type: "boolean"}, "replicas": {Type: "integer"}}},
					},
				}},
				Subresources: &apiextensionsv1.CustomResourceSubresources{
					Status: &apiextensionsv1.CustomResourceSubresourceStatus{},
					Scale:  &apiextensionsv1.CustomResourceSubresourceScale{SpecReplicasPath: ".spec.replicas", StatusReplicasPath: ".status.replicas"},
				},
			}},
		},
	}
	_, err := w.extension.ApiextensionsV1().CustomResourceDefinitions().Create(w, definition, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return w.until("gadgets to be served", 20*time.Second, func() (bool, error) {
		_, err := w.dynamic.Resource(gadgets).Namespace(w.namespace).List(w, metav1.ListOptions{})
		return err == nil, err
	})
}

// recorder keeps what was asked and how it was answered.
type recorder struct {
	lock      sync.Mutex
	exchanges []exchange
}

type exchange struct {
	method, target, accept, sent, answered, retryAfter, encoding, proto string
	status                                                              int
}

func (r *recorder) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		made := exchange{method: request.Method, target: request.URL.RequestURI(), accept: request.Header.Get("Accept"), sent: request.Header.Get("Content-Type")}
		if response != nil {
			made.status, made.answered, made.proto = response.StatusCode, response.Header.Get("Content-Type"), response.Proto
			made.retryAfter, made.encoding = response.Header.Get("Retry-After"), response.Header.Get("Content-Encoding")
		}
		r.lock.Lock()
		defer r.lock.Unlock()
		r.exchanges = append(r.exchanges, made)
		return response, err
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// of returns the exchanges whose method is this and whose target contains all of that.
func (r *recorder) of(method string, parts ...string) []exchange {
	r.lock.Lock()
	defer r.lock.Unlock()
	found := []exchange{}
next:
	for _, each := range r.exchanges {
		if each.method != method {
			continue
		}
		for _, part := range parts {
			if !strings.Contains(each.target, part) {
				continue next
			}
		}
		found = append(found, each)
	}
	return found
}

func expect(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
