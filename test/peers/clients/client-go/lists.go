package main

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
)

var listChecks = []check{
	{"lists: pages hold together while objects come and go", pages},
	{"lists: the pager reads all pages, buffered and not", pagerReadsAll},
	{"lists: tables", tables},
	{"lists: large answers are compressed", compressed},
}

func pages(w *World) error {
	if err := w.createConfigMaps("page", 95); err != nil {
		return err
	}
	maps := w.typed.CoreV1().ConfigMaps(w.namespace)
	names := map[string]bool{}
	options := metav1.ListOptions{Limit: 20, LabelSelector: "parity"}
	version := ""
	for count := 0; ; count++ {
		page, err := maps.List(w, options)
		if err != nil {
			return err
		}
		if version == "" {
			version = page.ResourceVersion
		}
		if page.ResourceVersion != version {
			return fmt.Errorf("page %d is of version %s, the first of %s", count, page.ResourceVersion, version)
		}
		for _, item := range page.Items {
			names[item.Name] = true
		}
		if count == 0 {
			// behind what was read, and before: neither may show
			if err := maps.Delete(w, "page-0090", metav1.DeleteOptions{}); err != nil {
				return err
			}
			if _, err := maps.Create(w, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "page-0091x", Labels: map[string]string{"parity": "odd"}}}, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		if page.Continue == "" {
			break
		}
		options.Continue = page.Continue
	}
	return expect(len(names) == 95 && names["page-0090"] && !names["page-0091x"], "%d names, deleted one %v, late one %v", len(names), names["page-0090"], names["page-0091x"])
}

func pagerReadsAll(w *World) error {
	if err := w.createConfigMaps("pager", 55); err != nil {
		return err
	}
	reader := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return w.typed.CoreV1().ConfigMaps(w.namespace).List(ctx, o)
	})
	reader.PageSize = 10
	count := 0
	if err := reader.EachListItem(w, metav1.ListOptions{LabelSelector: "parity"}, func(runtime.Object) error { count++; return nil }); err != nil {
		return err
	}
	whole, paged, err := reader.List(w, metav1.ListOptions{LabelSelector: "parity"})
	if err != nil {
		return err
	}
	items, err := metaItems(whole)
	if err != nil {
		return err
	}
	return expect(count == 55 && items == 55 && paged, "each %d, list %d, paged %v", count, items, paged)
}

func tables(w *World) error {
	if err := w.createConfigMaps("row", 3); err != nil {
		return err
	}
	table := &metav1.Table{}
	err := w.typed.CoreV1().RESTClient().Get().Namespace(w.namespace).Resource("configmaps").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json").Param("labelSelector", "parity").Do(w).Into(table)
	if err != nil {
		return err
	}
	return expect(len(table.Rows) == 3 && table.ColumnDefinitions[0].Name == "Name" && table.Rows[0].Cells[0] == "row-0000", "%+v", table)
}

func compressed(w *World) error {
	for i := range 10 {
		made := w.configMap(fmt.Sprintf("large-%d", i), map[string]string{"text": strings.Repeat("again and again ", 5000)})
		if _, err := w.typed.CoreV1().ConfigMaps(w.namespace).Create(w, made, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	body, err := w.typed.CoreV1().RESTClient().Get().Namespace(w.namespace).Resource("configmaps").SetHeader("Accept-Encoding", "gzip").Do(w).Raw()
	if err != nil {
		return err
	}
	seen := w.seen.of("GET", w.namespace+"/configmaps")
	return expect(seen[len(seen)-1].encoding == "gzip" && len(body) < 100_000, "encoding %q, %d bytes", seen[len(seen)-1].encoding, len(body))
}
