package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// cost is what a process took, by the operating system's account.
type cost struct {
	wall time.Duration
	cpu  time.Duration // user and system, of all its threads
	peak int64         // greatest resident memory in bytes; 0 where the system does not say
}

// measure runs a program to its end and returns what it printed and what it cost.
//
// On Linux a process starts with the peak of the one that started it: whoever
// calls measure must stay small, so all work is done in children.
func measure(ctx context.Context, stdin io.Reader, program string, args ...string) ([]byte, cost, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	c := cost{wall: time.Since(begin)}
	if cmd.ProcessState != nil {
		c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		c.peak = peakMemory(cmd.ProcessState)
	}
	if err != nil {
		return nil, c, errors.Join(fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err), ctx.Err(),
			errors.New(strings.TrimSpace(stderr.String()+"\n"+stdout.String())))
	}
	return stdout.Bytes(), c, nil
}

// inChild does a task in a process of its own.
func (b *bench) inChild(ctx context.Context, task string, in, out any) (cost, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return cost{}, err
	}
	answer, c, err := measure(ctx, bytes.NewReader(text), b.self, childCommand, task)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return c, fmt.Errorf("%s in a child process answered %q: %w", task, answer, err)
	}
	return c, nil
}

// mean is the mean of several measurements; of the peaks it is the greatest.
func mean(all []cost) cost {
	var m cost
	if len(all) == 0 {
		return m
	}
	for _, c := range all {
		m.wall += c.wall
		m.cpu += c.cpu
		m.peak = max(m.peak, c.peak)
	}
	m.wall /= time.Duration(len(all))
	m.cpu /= time.Duration(len(all))
	return m
}
