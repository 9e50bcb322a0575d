package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/disk"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/restmapper"
)

var discoveryChecks = []check{
	{"discovery: aggregated and legacy say the same", aggregatedAndLegacy},
	{"discovery: cached in memory and on disk", cachedDiscovery},
	{"discovery: the REST mapper knows kinds, short names and a new definition", restMapper},
	{"discovery: preferred resources and version", preferredResources},
	{"discovery: OpenAPI version 2 and 3", openAPI},
}

func (w *World) discovery(legacy bool) (*discovery.DiscoveryClient, error) {
	client, err := discovery.NewDiscoveryClientForConfig(w.config)
	if err == nil {
		client.UseLegacyDiscovery = legacy
	}
	return client, err
}

func flat(lists []*metav1.APIResourceList) []string {
	lines := []string{}
	for _, list := range lists {
		for _, each := range list.APIResources {
			verbs := slices.Sorted(slices.Values(each.Verbs))
			lines = append(lines, fmt.Sprintf("%s %s %s %v %v %v %v", list.GroupVersion, each.Name, each.Kind, each.Namespaced, verbs, each.ShortNames, each.Categories))
		}
	}
	slices.Sort(lines)
	return lines
}

func aggregatedAndLegacy(w *World) error {
	if err := w.defineGadgets(); err != nil {
		return err
	}
	found := map[bool][]string{}
	for _, legacy := range []bool{false, true} {
		client, err := w.discovery(legacy)
		if err != nil {
			return err
		}
		groups, lists, err := client.ServerGroupsAndResources()
		if err != nil || len(groups) < 15 {
			return fmt.Errorf("%d groups, %v", len(groups), err)
		}
		found[legacy] = flat(lists)
	}
	if !slices.Equal(found[false], found[true]) {
		for _, line := range found[false] {
			if !slices.Contains(found[true], line) {
				return fmt.Errorf("only aggregated: %s", line)
			}
		}
		return fmt.Errorf("legacy says more: %d and %d lines", len(found[false]), len(found[true]))
	}
	return expect(len(w.seen.of("GET", "/apis/apps/v1")) == 1, "aggregated discovery asked for single groups: %d", len(w.seen.of("GET", "/apis/apps/v1")))
}

func cachedDiscovery(w *World) error {
	client, err := w.discovery(false)
	if err != nil {
		return err
	}
	cached := memory.NewMemCacheClient(client)
	for range 3 {
		if _, _, err := cached.ServerGroupsAndResources(); err != nil {
			return err
		}
	}
	if asked := len(w.seen.of("GET", "/apis")); asked != 1 {
		return fmt.Errorf("asked %d times", asked)
	}
	dir, err := os.MkdirTemp("", "kubun-discovery-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	onDisk, err := disk.NewCachedDiscoveryClientForConfig(w.config, dir+"/discovery", dir+"/http", time.Minute)
	if err != nil {
		return err
	}
	if _, err = onDisk.ServerResourcesForGroupVersion("apps/v1"); err != nil {
		return err
	}
	if !onDisk.Fresh() {
		return fmt.Errorf("not fresh")
	}
	onDisk.Invalidate()
	_, err = onDisk.ServerPreferredResources()
	return err
}

func restMapper(w *World) error {
	if err := w.defineGadgets(); err != nil {
		return err
	}
	client, err := w.discovery(false)
	if err != nil {
		return err
	}
	cached := memory.NewMemCacheClient(client)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: gadgets.Group, Kind: "Gadget"})
	if err != nil || mapping.Resource != gadgets || mapping.Scope.Name() != "namespace" {
		return fmt.Errorf("mapping %v %v", mapping, err)
	}
	expanded := restmapper.NewShortcutExpander(mapper, cached, nil)
	for short, want := range map[string]string{"deploy": "deployments", "po": "pods", "gd": "gadgets", "cm": "configmaps", "svc": "services", "crd": "customresourcedefinitions", "pdb": "poddisruptionbudgets"} {
		if found, err := expanded.ResourceFor(schema.GroupVersionResource{Resource: short}); err != nil || found.Resource != want {
			return fmt.Errorf("%s is %v, %v", short, found, err)
		}
	}
	categories := restmapper.NewDiscoveryCategoryExpander(cached)
	all, _ := categories.Expand("all")
	return expect(slices.Contains(all, gadgets.GroupResource()) && slices.Contains(all, schema.GroupResource{Resource: "pods"}), "all is %v", all)
}

func preferredResources(w *World) error {
	client, err := w.discovery(false)
	if err != nil {
		return err
	}
	lists, err := client.ServerPreferredNamespacedResources()
	if err != nil || len(lists) < 8 {
		return fmt.Errorf("%d lists, %v", len(lists), err)
	}
	version, err := client.ServerVersion()
	if err != nil {
		return err
	}
	return expect(version.Major == "1" && version.Minor == "36" && strings.HasPrefix(version.GitVersion, "v1.36."), "%+v", version)
}

func openAPI(w *World) error {
	client, err := w.discovery(false)
	if err != nil {
		return err
	}
	second, err := client.OpenAPISchema()
	if err != nil || len(second.GetDefinitions().GetAdditionalProperties()) < 400 {
		return fmt.Errorf("version 2: %v", err)
	}
	root := openapi3.NewRoot(client.OpenAPIV3())
	versions, err := root.GroupVersions()
	if err != nil || len(versions) < 20 {
		return fmt.Errorf("version 3: %d, %v", len(versions), err)
	}
	for _, version := range versions {
		if _, err := root.GVSpec(version); err != nil {
			return fmt.Errorf("%v: %w", version, err)
		}
	}
	return nil
}
