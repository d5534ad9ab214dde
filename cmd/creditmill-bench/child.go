package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/creditmill/creditmill/fixtures/load"
	"github.com/creditmill/creditmill/internal/duck"
	"github.com/creditmill/creditmill/sql"
)

// childCommand and a task are the arguments of the processes that the benchmark
// starts of itself: they read what to do as JSON and answer in JSON.
const childCommand = "child"

// The tasks of children; a baseline's is its statement.
const (
	taskLoad    = "load"
	taskQuery   = "query"
	taskVersion = "version"
)

type loadTask struct {
	Dir     string
	Options load.Options
}

// duckTask is a statement over files, and where and within which memory.
type duckTask struct {
	Files   []string
	Scratch string // also where a baseline writes its file
	Memory  string
	Query   string // for taskQuery: one row of one column, with {{.Files}}
}

// duckAnswer is how many rows were written, or what the query said.
type duckAnswer struct {
	Rows int64
	Text string
}

func child(ctx context.Context, task string, stdin io.Reader, stdout io.Writer) error {
	var answer any
	var err error
	if task == taskLoad {
		answer, err = decoded(stdin, func(t loadTask) (load.Summary, error) { return load.Write(ctx, t.Dir, t.Options) })
	} else {
		answer, err = decoded(stdin, func(t duckTask) (duckAnswer, error) { return inDuck(ctx, task, t) })
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(answer)
}

func decoded[Task, Answer any](stdin io.Reader, do func(Task) (Answer, error)) (answer Answer, err error) {
	var task Task
	if err := json.NewDecoder(stdin).Decode(&task); err != nil {
		return answer, err
	}
	return do(task)
}

func inDuck(ctx context.Context, task string, t duckTask) (answer duckAnswer, err error) {
	options := duck.Options{Memory: t.Memory, Scratch: t.Scratch}
	seen := map[string]bool{}
	for _, file := range t.Files {
		if folder := filepath.Dir(file); !seen[folder] {
			seen[folder] = true
			options.Folders = append(options.Folders, folder)
		}
	}
	session, err := duck.Open(ctx, options)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	files := map[string]string{"Files": duck.List(t.Files)}
	switch task {
	case taskVersion:
		err = session.Row(ctx, "SELECT version()").Scan(&answer.Text)
	case taskQuery:
		err = session.Row(ctx, t.Query+" FROM read_parquet("+files["Files"]+", hive_partitioning = false)").Scan(&answer.Text)
	default:
		answer.Rows, err = baseline(ctx, session, sql.Expand(task, files), t.Scratch)
	}
	if err != nil {
		return answer, fmt.Errorf("%s: %w", task, err)
	}
	return answer, nil
}

// baseline writes what the statement selects, as DuckDB does where nobody tells it
// more than the compression, and takes it away again: nobody reads it.
func baseline(ctx context.Context, session *duck.Session, statement, scratch string) (rows int64, err error) {
	path := filepath.Join(scratch, "baseline.parquet")
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	copyTo := "COPY (" + statement + "\n) TO " + duck.Literal(path) + " (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
	err = session.Row(ctx, copyTo).Scan(&rows)
	return rows, err
}
