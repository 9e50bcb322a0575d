// What upstream makes of configurations: what is wrong with them, or the plugins of each profile at each point.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	configscheme "k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
	"k8s.io/kubernetes/pkg/scheduler/profile"
)

type Configuration struct {
	Name     string    `json:"name"`
	Text     string    `json:"text"`
	Messages []string  `json:"messages"`
	Profiles []Profile `json:"profiles,omitempty"`
}

type Profile struct {
	Name       string `json:"schedulerName"`
	Percentage *int32 `json:"percentageOfNodesToScore,omitempty"`
	// Points: names in order; with the weight, of scores.
	Points map[string][]string `json:"points"`
	// Args of plugins that the text configures, as Go has them.
	Args map[string]any `json:"args,omitempty"`
}

// Behind a feature that is on here and not there.
const notThere = "NodeDeclaredFeatures"

// configurations reads a list of them and writes it with answers, one a line.
func configurations(in io.Reader, out io.Writer) error {
	var all []Configuration
	if err := json.NewDecoder(in).Decode(&all); err != nil {
		return err
	}
	for i := range all {
		c := &all[i]
		c.Messages, c.Profiles = []string{}, nil
		if err := c.ask(); err != nil {
			c.Messages = append(c.Messages, err.Error())
		}
	}
	lines := make([]string, len(all))
	for i, c := range all {
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		lines[i] = string(line)
	}
	_, err := fmt.Fprintf(out, "[\n%s\n]\n", strings.Join(lines, ",\n"))
	return err
}

func (c *Configuration) ask() error {
	object, gvk, err := configscheme.Codecs.UniversalDecoder().Decode([]byte(c.Text), nil, nil)
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	cfg := object.(*config.KubeSchedulerConfiguration)
	cfg.APIVersion = gvk.GroupVersion().String()
	if wrong := validation.ValidateKubeSchedulerConfiguration(cfg); wrong != nil {
		for _, each := range wrong.Errors() {
			c.Messages = append(c.Messages, each.Error())
		}
		slices.Sort(c.Messages)
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := fake.NewClientset()
	recorders := profile.RecorderFactory(func(string) events.EventRecorderLogger { return events.NewFakeRecorder(1) })
	made, err := scheduler.New(ctx, client, informers.NewSharedInformerFactory(client, 0), nil, recorders,
		scheduler.WithProfiles(cfg.Profiles...), scheduler.WithExtenders(cfg.Extenders...), scheduler.WithComponentConfigVersion(cfg.APIVersion))
	if err != nil {
		return fmt.Errorf("new: %w", err)
	}
	for _, p := range cfg.Profiles {
		framework := made.Profiles[p.SchedulerName]
		shown := Profile{Name: p.SchedulerName, Percentage: framework.PercentageOfNodesToScore(), Points: points(framework.ListPlugins()), Args: map[string]any{}}
		for _, each := range p.PluginConfig {
			if strings.Contains(c.Text, "pluginConfig") && strings.Contains(c.Text, each.Name) {
				shown.Args[each.Name] = each.Args
			}
		}
		c.Profiles = append(c.Profiles, shown)
	}
	return nil
}

func points(all *config.Plugins) map[string][]string {
	sets := map[string]config.PluginSet{
		"preEnqueue": all.PreEnqueue, "queueSort": all.QueueSort, "preFilter": all.PreFilter, "filter": all.Filter, "postFilter": all.PostFilter,
		"preScore": all.PreScore, "score": all.Score, "reserve": all.Reserve, "preBind": all.PreBind, "bind": all.Bind,
	}
	named := map[string][]string{}
	for point, set := range sets {
		for _, plugin := range set.Enabled {
			if plugin.Name == notThere {
				continue
			}
			text := plugin.Name
			if point == "score" {
				text = fmt.Sprintf("%s %d", text, plugin.Weight)
			}
			named[point] = append(named[point], text)
		}
	}
	return named
}
