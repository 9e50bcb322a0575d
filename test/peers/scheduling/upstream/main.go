// Command scheduling reads clusters, one a line of JSON, from standard input, asks upstream's kube-scheduler about each
// of their pending pods, and writes an answer a line: what every filter says of every node, the scores of the nodes that
// fit, the message of the pod's condition, and whom preemption would evict. Nothing is bound and nobody is evicted.
// With --configurations it reads a list of configurations, and says what is wrong with each or what it means.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
)

type Case struct {
	Number  int               `json:"number"`
	Config  json.RawMessage   `json:"config,omitempty"`
	Objects []json.RawMessage `json:"objects"`
	// Pending pods to ask about, as namespace/name.
	Pods []string `json:"pods"`
}

type Answers struct {
	Number int       `json:"number"`
	Pods   []*Answer `json:"pods"`
}

func main() {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	if slices.Contains(os.Args, "--configurations") {
		if err := configurations(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			answers, wrong := answer(line)
			if wrong != nil {
				fmt.Fprintln(os.Stderr, wrong)
				os.Exit(1)
			}
			if err := out.Encode(answers); err != nil {
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}

func answer(line []byte) (*Answers, error) {
	var c Case
	if err := json.Unmarshal(line, &c); err != nil {
		return nil, err
	}
	objects, err := decoded(c.Objects)
	if err != nil {
		return nil, fmt.Errorf("case %d: %w", c.Number, err)
	}
	world, err := openWorld(objects, c.Config)
	if err != nil {
		return nil, fmt.Errorf("case %d: %w", c.Number, err)
	}
	defer world.close()
	answers := &Answers{Number: c.Number}
	for _, name := range c.Pods {
		pod, err := world.steadyAnswer(name)
		if err != nil {
			return nil, fmt.Errorf("case %d, pod %s: %w", c.Number, name, err)
		}
		answers.Pods = append(answers.Pods, pod)
	}
	return answers, nil
}

// decoded takes objects as they are, without defaults: the cases say all that matters. Unknown fields are mistakes of the case.
func decoded(raw []json.RawMessage) ([]runtime.Object, error) {
	var objects []runtime.Object
	decoder := scheme.Codecs.UniversalDeserializer()
	for _, each := range raw {
		object, _, err := decoder.Decode(each, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%w in %s", err, each)
		}
		if pod, ok := object.(*v1.Pod); ok && (pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed) {
			continue // the scheduler asks the server for the others only, and the fake client does not understand that
		}
		objects = append(objects, object)
	}
	return objects, nil
}
