package main

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientfeatures "k8s.io/client-go/features"
)

var wireChecks = []check{
	{"wire: typed clients speak the content type they were given", typedWire},
	{"wire: clients that prefer CBOR are answered in JSON", preferredCBOR},
}

func typedWire(w *World) error {
	maps := w.typed.CoreV1().ConfigMaps(w.namespace)
	if _, err := maps.Create(w, w.configMap("typed", map[string]string{"a": "b"}), metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err := maps.List(w, metav1.ListOptions{}); err != nil {
		return err
	}
	for _, method := range []string{"POST", "GET"} {
		for _, each := range w.seen.of(method, w.namespace+"/configmaps") {
			want := *wire
			if strings.HasSuffix(want, "cbor") {
				want = "application/json"
			}
			if each.status < 300 && !strings.HasPrefix(each.answered, want) {
				return fmt.Errorf("%+v", each)
			}
			if want := map[bool]string{true: "HTTP/1.1", false: "HTTP/2.0"}[*http1]; each.proto != want {
				return fmt.Errorf("protocol %s, want %s", each.proto, want)
			}
		}
	}
	return nil
}

// Upstream serves no CBOR by default: it answers such bodies with 415 and others in JSON, and the client goes on with JSON after that.
func preferredCBOR(w *World) error {
	if !clientfeatures.FeatureGates().Enabled(clientfeatures.ClientsAllowCBOR) {
		return nil
	}
	if err := w.defineGadgets(); err != nil {
		return err
	}
	client := w.dynamic.Resource(gadgets).Namespace(w.namespace)
	if _, err := client.Create(w, gadget(w, "negotiated", 1), metav1.CreateOptions{}); err != nil {
		return err
	}
	// apply configurations are sent as CBOR by clients that prefer it, however often that was refused
	_, err := client.Apply(w, "applied", gadget(w, "applied", 1), metav1.ApplyOptions{FieldManager: "program"})
	if prefersCBOR() != apierrors.IsUnsupportedMediaType(err) {
		return fmt.Errorf("apply: %v", err)
	}
	if _, err := client.List(w, metav1.ListOptions{}); err != nil {
		return err
	}
	watched, err := client.Watch(w, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer watched.Stop()
	if event := <-watched.ResultChan(); event.Type != "ADDED" {
		return fmt.Errorf("%+v", event)
	}
	first, posts := w.seen.of("POST", "/nowhere/"), w.seen.of("POST", "/gadgets")
	if prefersCBOR() && (len(first) != 1 || first[0].sent != "application/cbor" || first[0].status != 415) {
		return fmt.Errorf("first write %+v", first)
	}
	last := posts[len(posts)-1]
	return expect(last.status == 201 && last.answered == "application/json" && strings.Contains(last.accept, "cbor"), "%+v", last)
}

func prefersCBOR() bool {
	gates := clientfeatures.FeatureGates()
	return gates.Enabled(clientfeatures.ClientsAllowCBOR) && gates.Enabled(clientfeatures.ClientsPreferCBOR)
}
