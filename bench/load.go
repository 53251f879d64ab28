package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"pushcart/bench/pushlog"
)

// load is a running push process.
type load struct {
	cmd    *exec.Cmd
	log    string
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// sent is what push says of itself.
type sent struct {
	Failed        int
	Pictures      int64
	CPU           float64
	Late, Blocked struct {
		P99 float64 `json:"p99_ms"`
		Max float64 `json:"max_ms"`
	}
}

// startLoad has n streams published to c as live/s0, live/s1 and so on, until stop.
func startLoad(ctx context.Context, o *options, c *contender, n int, key string) (*load, error) {
	l := &load{log: filepath.Join(o.dir, "push.jsonl")}
	l.cmd = exec.CommandContext(ctx, o.pushBin, "-json", "-n", fmt.Sprint(n), "-url", "rtmp://"+c.rtmp+"/live/"+key,
		"-bitrate", fmt.Sprint(o.bitRate), "-log", l.log)
	l.cmd.Stdout, l.cmd.Stderr = &l.stdout, &l.stderr
	return l, l.cmd.Start()
}

// stop ends the publishing and returns the report and the log. It is an error if a stream failed: what
// was measured meanwhile is not what it seems.
func (l *load) stop() (*sent, []pushlog.Entry, error) {
	l.cmd.Process.Signal(syscall.SIGTERM)
	if err := l.cmd.Wait(); err != nil {
		return nil, nil, fmt.Errorf("push: %w\n%s", err, l.stderr.Bytes())
	}
	var s sent
	if err := json.Unmarshal(l.stdout.Bytes(), &s); err != nil {
		return nil, nil, fmt.Errorf("push's report: %w", err)
	}
	f, err := os.Open(l.log)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	entries, err := pushlog.Read(f)
	return &s, entries, err
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// index finds when a picture was sent.
type index map[[2]int][]int64 // stream and picture -> wall times, ascending

func newIndex(entries []pushlog.Entry) index {
	x := index{}
	for _, e := range entries {
		if e.Picture >= 0 {
			k := [2]int{e.Stream, e.Picture}
			x[k] = append(x[k], e.Wall)
		}
	}
	return x
}

// sentAt returns when a picture that had arrived at time wall was sent. Pictures repeat (after 20 s at
// least): it is the last time before then.
func (x index) sentAt(stream, picture int, wall int64) (int64, bool) {
	best, ok := int64(0), false
	for _, w := range x[[2]int{stream, picture}] {
		if w <= wall {
			best, ok = w, true
		}
	}
	return best, ok
}
