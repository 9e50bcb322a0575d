// What is asked about one pod.
package main

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// Refusal is a code (U: eviction may help, UU: it does not, E: the plugin cannot say) and the reasons.
type Refusal []string

type Answer struct {
	Pod string `json:"pod"`
	// Gate: why it does not come into the queue.
	Gate string `json:"gate,omitempty"`
	// Filters: what each refuses by itself; node "*" is all nodes at once, before any is looked at.
	Filters map[string]map[string]Refusal `json:"filters,omitempty"`
	// Refused: who refused each node when all are asked in turn, of nominated pods, too; "" is a node nobody looked at.
	Refused map[string]string `json:"refused,omitempty"`
	// Fits: the nodes that take it, and Scores what each plugin adds for each of them, weight counted.
	Fits   []string           `json:"fits,omitempty"`
	Scores map[string][]int64 `json:"scores,omitempty"`
	// Message of the condition, when no node fits.
	Message string `json:"message,omitempty"`
	// Error is the message when a plugin could not say.
	Error      string      `json:"error,omitempty"`
	Preemption *Preemption `json:"preemption,omitempty"`
}

type Preemption struct {
	Candidates []Candidate `json:"candidates,omitempty"`
	// Chosen: one of these, whichever comes first.
	Chosen []string `json:"chosen,omitempty"`
}

type Candidate struct {
	Node       string   `json:"node"`
	Victims    []string `json:"victims"`
	Violations int64    `json:"violations"`
}

// How often the choice among candidates is repeated, to see which are equally good.
const choices = 50

func (w *world) answer(name string) (*Answer, error) {
	namespace, podName, _ := strings.Cut(name, "/")
	pod, err := w.factory.Core().V1().Pods().Lister().Pods(namespace).Get(podName)
	if err != nil {
		return nil, err
	}
	nodes, err := w.fwk.SnapshotSharedLister().NodeInfos().List()
	if err != nil {
		return nil, err
	}
	nodes = slices.Clone(nodes)
	sort.Slice(nodes, func(i, j int) bool { return nodes[i].Node().Name < nodes[j].Node().Name })
	a := &Answer{Pod: name}
	for _, plugin := range w.fwk.PreEnqueuePlugins() {
		if status := plugin.PreEnqueue(w.ctx, pod); !status.IsSuccess() {
			a.Gate = status.Message()
			return a, nil
		}
	}
	a.Filters = w.eachAlone(pod, nodes)
	if err := w.allInTurn(a, pod, nodes); err != nil {
		return nil, err
	}
	return a, nil
}

func refusal(status *fwk.Status) Refusal {
	code := map[fwk.Code]string{fwk.Unschedulable: "U", fwk.UnschedulableAndUnresolvable: "UU"}[status.Code()]
	if code == "" {
		code = "E"
	}
	reasons := slices.Clone(status.Reasons())
	slices.Sort(reasons) // some follow the order of a Go map
	return append(Refusal{code}, reasons...)
}

func (w *world) eachAlone(pod *v1.Pod, nodes []fwk.NodeInfo) map[string]map[string]Refusal {
	all := map[string]map[string]Refusal{}
	for _, plugin := range w.filters {
		if refusals := w.one(plugin, pod, nodes); len(refusals) > 0 {
			all[plugin.Name()] = refusals
		}
	}
	return all
}

func (w *world) one(plugin fwk.Plugin, pod *v1.Pod, nodes []fwk.NodeInfo) map[string]Refusal {
	state := framework.NewCycleState()
	refusals := map[string]Refusal{}
	var only *fwk.PreFilterResult
	if before, ok := plugin.(fwk.PreFilterPlugin); ok {
		result, status := before.PreFilter(w.ctx, state, pod, nodes)
		if status.IsSkip() {
			return nil
		}
		if !status.IsSuccess() {
			refusals["*"] = refusal(status)
			return refusals
		}
		only = result
	}
	for _, node := range nodes {
		name := node.Node().Name
		if !only.AllNodes() && !only.NodeNames.Has(name) {
			refusals[name] = Refusal{"UU", fmt.Sprintf("node(s) didn't satisfy plugin(s) [%s]", plugin.Name())}
			continue
		}
		if status := plugin.(fwk.FilterPlugin).Filter(w.ctx, state, pod, node); !status.IsSuccess() {
			refusals[name] = refusal(status)
		}
	}
	return refusals
}

func (w *world) allInTurn(a *Answer, pod *v1.Pod, nodes []fwk.NodeInfo) error {
	state := framework.NewCycleState()
	info, err := framework.NewPodInfo(pod)
	if err != nil {
		return err
	}
	queued := &framework.QueuedPodInfo{PodInfo: info}
	_, failed := w.sched.SchedulePod(w.ctx, w.fwk, state, queued)
	var unfit *framework.FitError
	switch {
	case failed == nil:
		return w.scores(a, pod, nodes)
	case errors.As(failed, &unfit):
		a.Refused = map[string]string{}
		unfit.Diagnosis.NodeToStatus.ForEachExplicitNode(func(node string, status *fwk.Status) { a.Refused[node] = status.Plugin() })
		return w.preempt(a, pod, state, unfit)
	case errors.Is(failed, scheduler.ErrNoNodesAvailable):
		a.Message = failed.Error()
		return nil
	}
	a.Error = failed.Error()
	return nil
}

func (w *world) scores(a *Answer, pod *v1.Pod, nodes []fwk.NodeInfo) error {
	state := framework.NewCycleState()
	only, status, _ := w.fwk.RunPreFilterPlugins(w.ctx, state, pod)
	if !status.IsSuccess() {
		return status.AsError()
	}
	var fit []fwk.NodeInfo
	a.Refused = map[string]string{}
	for _, node := range nodes {
		name := node.Node().Name
		if !only.AllNodes() && !only.NodeNames.Has(name) {
			a.Refused[name] = ""
			continue
		}
		if status := w.fwk.RunFilterPluginsWithNominatedPods(w.ctx, state, pod, node); !status.IsSuccess() {
			a.Refused[name] = status.Plugin()
			continue
		}
		fit = append(fit, node)
		a.Fits = append(a.Fits, name)
	}
	if status := w.fwk.RunPreScorePlugins(w.ctx, state, pod, fit); !status.IsSuccess() {
		return status.AsError()
	}
	scored, status := w.fwk.RunScorePlugins(w.ctx, state, pod, fit)
	if !status.IsSuccess() {
		return status.AsError()
	}
	a.Scores = map[string][]int64{}
	for i := range scored {
		for _, score := range scored[i].Scores {
			a.Scores[score.Name] = append(a.Scores[score.Name], score.Score)
		}
	}
	return nil
}

// preempt says what DefaultPreemption would do; only what ends without a victim is played to its end.
func (w *world) preempt(a *Answer, pod *v1.Pod, state fwk.CycleState, unfit *framework.FitError) error {
	statuses := unfit.Diagnosis.NodeToStatus
	a.Preemption = &Preemption{}
	if eligible, _ := w.preemption.PodEligibleToPreemptOthers(w.ctx, pod, statuses.Get(pod.Status.NominatedNodeName)); eligible {
		if err := w.candidates(a.Preemption, pod, state, statuses); err != nil {
			return err
		}
	}
	if len(a.Preemption.Candidates) == 0 {
		a.Preemption = nil
		_, status := w.fwk.RunPostFilterPlugins(w.ctx, state, pod, statuses)
		unfit.Diagnosis.PostFilterMsg = status.Message()
	}
	a.Message = unfit.Error()
	return nil
}

func (w *world) candidates(p *Preemption, pod *v1.Pod, state fwk.CycleState, statuses *framework.NodeToStatus) error {
	hopeful, err := statuses.NodesForStatusCode(w.fwk.SnapshotSharedLister().NodeInfos(), fwk.Unschedulable)
	if err != nil || len(hopeful) == 0 {
		return err
	}
	budgets, err := w.factory.Policy().V1().PodDisruptionBudgets().Lister().List(labels.Everything())
	if err != nil {
		return err
	}
	found, _, err := w.preemption.Evaluator.DryRunPreemption(w.ctx, state, pod, hopeful, budgets, 0, int32(len(hopeful)))
	if err != nil && len(found) == 0 {
		return err
	}
	for _, each := range found {
		candidate := Candidate{Node: each.Name(), Violations: each.Victims().NumPDBViolations}
		for _, victim := range each.Victims().Pods {
			candidate.Victims = append(candidate.Victims, victim.Namespace+"/"+victim.Name)
		}
		p.Candidates = append(p.Candidates, candidate)
	}
	slices.SortFunc(p.Candidates, func(x, y Candidate) int { return strings.Compare(x.Node, y.Node) })
	for range choices {
		if len(found) == 0 {
			break
		}
		name := w.preemption.Evaluator.SelectCandidate(w.ctx, found).Name()
		if !slices.Contains(p.Chosen, name) {
			p.Chosen = append(p.Chosen, name)
		}
	}
	slices.Sort(p.Chosen)
	return nil
}
