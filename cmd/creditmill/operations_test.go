package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/robfig/cron/v3"
)

// wantCommand checks that a command line, without the program's name, is one that the
// program takes: the command, its flags and the number of its arguments.
func wantCommand(t *testing.T, where string, args []string) {
	t.Helper()
	a := &app{stdout: io.Discard, stderr: io.Discard, clock: time.Now}
	root := a.root()
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root {
		t.Errorf("%s: creditmill %s: no such command: %v", where, strings.Join(args, " "), err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%s: creditmill %s: %v", where, strings.Join(args, " "), err)
		return
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		t.Errorf("%s: creditmill %s: %v", where, strings.Join(args, " "), err)
	}
}

const docs = "../../docs"

func docsPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every command that the page on operations shows, in a block or in a sentence, is one
// that the program takes.
func TestCommandsOfOperationsAreReal(t *testing.T) {
	t.Parallel()
	text := docsPage(t, "operations.md")
	var lines []string
	for _, block := range regexp.MustCompile("(?m)^```(?:sh|console)\n((?:[^`]|`[^`])*?)```$").FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.Split(block[1], "\n")...)
	}
	for _, span := range regexp.MustCompile("`(creditmill [^`]+)`").FindAllStringSubmatch(text, -1) {
		lines = append(lines, span[1])
	}
	found := 0
	for _, line := range lines {
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "$ "), " #")
		if command, ok := strings.CutPrefix(line, "creditmill "); ok {
			found++
			wantCommand(t, "operations.md", strings.Fields(command))
		}
	}
	if found < 30 {
		t.Errorf("only %d commands were found", found)
	}
}

func TestCrontabExampleIsReal(t *testing.T) {
	t.Parallel()
	var jobs []string
	for _, line := range strings.Split(docsPage(t, "examples/crontab"), "\n") {
		if line == "" || line[0] == '#' || regexp.MustCompile(`^[A-Z]+=`).MatchString(line) {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[5] != "creditmill" || fields[6] != "creditmill" {
			t.Errorf("%q does not have five fields, a user and a command", line)
			continue
		}
		wantCron(t, "crontab", strings.Join(fields[:5], " "))
		command, _, _ := strings.Cut(strings.Join(fields[7:], " "), " >>")
		wantCommand(t, "crontab", strings.Fields(command))
		jobs = append(jobs, strings.Fields(command)[2])
	}
	want := []string{"ingest", "rate", "apply", "close", "compact", "publish", "gc", "verify"}
	if !slices.Equal(jobs, want) {
		t.Errorf("the crontab runs %v, want %v", jobs, want)
	}
}

func wantCron(t *testing.T, where, expression string) {
	t.Helper()
	if _, err := cron.ParseStandard(expression); err != nil {
		t.Errorf("%s: %v", where, err)
	}
}

// unit is a systemd unit as its sections.
func unit(t *testing.T, name string) map[string]map[string]string {
	t.Helper()
	sections, section := map[string]map[string]string{}, ""
	for _, line := range strings.Split(docsPage(t, "examples/"+name), "\n") {
		switch key, value, _ := strings.Cut(line, "="); {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
			sections[section] = map[string]string{}
		case value == "" || sections[section] == nil:
			t.Errorf("%s: %q is no setting of a section", name, line)
		default:
			sections[section][key] = value
		}
	}
	return sections
}

// execStart checks the command of a unit for one instance of it.
func execStart(t *testing.T, name, instance string) {
	t.Helper()
	line := strings.NewReplacer("%i", instance, " $ARGUMENTS", "").Replace(unit(t, name)["Service"]["ExecStart"])
	command, ok := strings.CutPrefix(line, "/usr/local/bin/creditmill ")
	if !ok {
		t.Errorf("%s does not start creditmill: %q", name, line)
	}
	wantCommand(t, name, strings.Fields(command))
}

func TestSystemdExamplesAreReal(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"creditmill-schedule.service", "creditmill@.service"} {
		u := unit(t, name)
		if u["Unit"]["Description"] == "" || u["Service"]["User"] == "" {
			t.Errorf("%s lacks a description or a user: %v", name, u)
		}
	}
	execStart(t, "creditmill-schedule.service", "")
	if unit(t, "creditmill@.service")["Service"]["Type"] != "oneshot" {
		t.Error("a timer's service is no oneshot")
	}
	timers, err := filepath.Glob(filepath.Join(docs, "examples", "*.timer"))
	if err != nil || len(timers) != 8 {
		t.Fatalf("timers: %v, %v", timers, err)
	}
	for _, path := range timers {
		name := filepath.Base(path)
		u := unit(t, name)
		job := strings.TrimSuffix(strings.TrimPrefix(name, "creditmill-"), ".timer")
		if u["Timer"]["Unit"] != "creditmill@"+job+".service" || u["Install"]["WantedBy"] != "timers.target" || u["Timer"]["Persistent"] != "true" {
			t.Errorf("%s: %v", name, u)
		}
		if !regexp.MustCompile(`^(Sun )?\*-\*-\* [0-9*]+:[0-9/:]+ UTC$`).MatchString(u["Timer"]["OnCalendar"]) {
			t.Errorf("%s: %q is no calendar", name, u["Timer"]["OnCalendar"])
		}
		execStart(t, "creditmill@.service", job)
	}
}

// yamlDocuments reads the documents of an example.
func yamlDocuments(t *testing.T, name string) (all []map[string]any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(docsPage(t, "examples/"+name)), yaml.Strict())
	for {
		var one map[string]any
		switch err := decoder.Decode(&one); {
		case err == io.EOF: //nolint:errorlint // as the decoder says it
			return all
		case err != nil:
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, one)
	}
}

// at is what lies on a path through maps and lists.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := value.(map[string]any)
			if !ok {
				t.Fatalf("%v: there is no map at %v", path, step)
			}
			value = m[step]
		case int:
			l, ok := value.([]any)
			if !ok || len(l) <= step {
				t.Fatalf("%v: there is no list with %d", path, step)
			}
			value = l[step]
		}
	}
	return value
}

func words(value any) (all []string) {
	list, _ := value.([]any)
	for _, word := range list {
		all = append(all, fmt.Sprint(word))
	}
	return all
}

func TestKubernetesExamplesAreReal(t *testing.T) {
	t.Parallel()
	daemon := yamlDocuments(t, "kubernetes-schedule.yaml")
	if len(daemon) != 1 || at(t, daemon[0], "kind") != "Deployment" {
		t.Fatalf("the daemon is no Deployment: %v", daemon)
	}
	pod := at(t, daemon[0], "spec", "template", "spec")
	wantCommand(t, "kubernetes-schedule.yaml", words(at(t, pod, "containers", 0, "args")))
	wantScratch(t, pod)
	if at(t, daemon[0], "spec", "selector", "matchLabels", "app") != at(t, daemon[0], "spec", "template", "metadata", "labels", "app") {
		t.Error("the Deployment does not select its own pods")
	}

	jobs := yamlDocuments(t, "kubernetes-cronjobs.yaml")
	if len(jobs) != 8 {
		t.Errorf("%d CronJobs", len(jobs))
	}
	for _, job := range jobs {
		name := fmt.Sprint(at(t, job, "metadata", "name"))
		if at(t, job, "kind") != "CronJob" || at(t, job, "apiVersion") != "batch/v1" || at(t, job, "spec", "concurrencyPolicy") != "Forbid" {
			t.Errorf("%s: %v", name, job)
		}
		wantCron(t, name, fmt.Sprint(at(t, job, "spec", "schedule")))
		if _, err := time.LoadLocation(fmt.Sprint(at(t, job, "spec", "timeZone"))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		template := at(t, job, "spec", "jobTemplate", "spec", "template", "spec")
		args := words(at(t, template, "containers", 0, "args"))
		wantCommand(t, name, args)
		if len(args) == 0 || "creditmill-"+args[0] != name || at(t, template, "restartPolicy") != "Never" {
			t.Errorf("%s runs %v", name, args)
		}
		wantScratch(t, template)
	}
}

// wantScratch checks that the volume of a pod is mounted where the comment says.
func wantScratch(t *testing.T, pod any) {
	t.Helper()
	mount := at(t, pod, "containers", 0, "volumeMounts", 0)
	if at(t, mount, "name") != at(t, pod, "volumes", 0, "name") || at(t, mount, "mountPath") != "/scratch" {
		t.Errorf("scratch is mounted as %v", mount)
	}
}

func TestEventBridgeExampleIsReal(t *testing.T) {
	t.Parallel()
	const name = "eventbridge-ecs.yaml"
	template := yamlDocuments(t, name)[0]
	resources, _ := at(t, template, "Resources").(map[string]any)
	parameters, _ := at(t, template, "Parameters").(map[string]any)
	known := func(ref string) bool {
		return resources[ref] != nil || parameters[ref] != nil || strings.HasPrefix(ref, "AWS::")
	}
	var follow func(value any)
	follow = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, one := range value {
				follow(one)
			}
		case map[string]any:
			if ref, ok := value["Ref"].(string); ok && !known(ref) {
				t.Errorf("%s: there is no %s", name, ref)
			}
			if of := words(value["Fn::GetAtt"]); len(of) > 0 && !known(of[0]) {
				t.Errorf("%s: there is no %s", name, of[0])
			}
			for _, one := range value {
				follow(one)
			}
		}
	}
	follow(template)
	schedules := 0
	for resource, definition := range resources {
		if at(t, definition, "Type") != "AWS::Scheduler::Schedule" {
			continue
		}
		schedules++
		if expression := fmt.Sprint(at(t, definition, "Properties", "ScheduleExpression")); !regexp.MustCompile(`^cron\((\S+ ){5}\S+\)$`).MatchString(expression) {
			t.Errorf("%s: %q does not have six fields", resource, expression)
		}
		var input struct {
			ContainerOverrides []struct {
				Name    string
				Command []string
			}
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(fmt.Sprint(at(t, definition, "Properties", "Target", "Input")))))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&input); err != nil || len(input.ContainerOverrides) != 1 {
			t.Errorf("%s: %v", resource, err)
			continue
		}
		if container := at(t, resources["Task"], "Properties", "ContainerDefinitions", 0, "Name"); input.ContainerOverrides[0].Name != container {
			t.Errorf("%s: there is no container %s", resource, input.ContainerOverrides[0].Name)
		}
		wantCommand(t, resource, input.ContainerOverrides[0].Command)
	}
	if schedules != 7 {
		t.Errorf("%d schedules", schedules)
	}
}

func TestDockerfileExampleIsReal(t *testing.T) {
	t.Parallel()
	match := regexp.MustCompile(`(?m)^CMD (\[.*\])$`).FindStringSubmatch(docsPage(t, "examples/Dockerfile"))
	if match == nil {
		t.Fatal("there is no CMD")
	}
	var command []string
	if err := json.Unmarshal([]byte(match[1]), &command); err != nil {
		t.Fatal(err)
	}
	wantCommand(t, "Dockerfile", command)
}
