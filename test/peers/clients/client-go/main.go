// The client-go program plays what programs built on client-go do against one API server, a check at a time, and prints
// `ok NAME` or `FAIL NAME: why` for each. It asks whoever started it to kill and restart the server by a line `restart?`
// and waits for a line on its standard input.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// World is what a check works in: a namespace of its own and clients for it.
type World struct {
	context.Context
	namespace string
	config    *rest.Config
	typed     *kubernetes.Clientset
	dynamic   *dynamic.DynamicClient
	metadata  metadata.Interface
	extension *apiextensions.Clientset
	seen      *recorder
}

type check struct {
	name string
	run  func(w *World) error
}

const checkLimit = 90 * time.Second

var (
	kubeconfig = flag.String("kubeconfig", "", "the administrator's kubeconfig")
	only       = flag.String("only", "", "regular expression of checks")
	wire       = flag.String("wire", "application/json", "content type of typed clients")
	hollow     = flag.String("hollow", "", "play the kubelets of these nodes instead, names joined by commas")
	http1      = flag.Bool("http1", false, "HTTP/1.1 only")
	answers    = bufio.NewScanner(os.Stdin)
)

func checks() []check {
	all := []check{}
	for _, part := range [][]check{informerChecks, listChecks, dynamicChecks, discoveryChecks, writeChecks, coordinationChecks, retryChecks, wireChecks, restartChecks} {
		all = append(all, part...)
	}
	return all
}

func main() {
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(discard{})
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fmt.Println("FAIL kubeconfig:", err)
		os.Exit(2)
	}
	config.QPS, config.Burst = -1, 0
	if *http1 {
		config.NextProtos = []string{"http/1.1"}
	}
	if *hollow != "" {
		fmt.Println("FAIL hollow:", runHollow(config, strings.Split(*hollow, ",")))
		os.Exit(2)
	}
	wanted := regexp.MustCompile(*only)
	failed := 0
	for index, each := range checks() {
		if !wanted.MatchString(each.name) {
			continue
		}
		began := time.Now()
		if err := play(config, each, fmt.Sprintf("check-%d-%d", index, time.Now().Unix())); err != nil {
			failed++
			fmt.Printf("FAIL %s: %v\n", each.name, err)
		} else {
			fmt.Printf("ok %s (%.1fs)\n", each.name, time.Since(began).Seconds())
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func play(config *rest.Config, each check, namespace string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	defer func() {
		if lost := recover(); lost != nil {
			err = fmt.Errorf("panic: %v", lost)
		}
	}()
	w, err := newWorld(ctx, config, namespace)
	if err != nil {
		return err
	}
	defer w.leave()
	return each.run(w)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// restartServer returns when the server was killed and serves again.
func restartServer() error {
	fmt.Println("restart?")
	if !answers.Scan() {
		return fmt.Errorf("nobody restarts the server")
	}
	return nil
}
