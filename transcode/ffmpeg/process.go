// Package ffmpeg runs ffmpeg processes: what a program of that name can do, and one at work, with pipes for what goes
// in and what comes out. What it is told and what becomes of its end is others' business.
package ffmpeg

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// FirstPipe is the file descriptor of the first pipe that comes out of a process; the others follow. What goes in
// is its standard input.
const FirstPipe = 3

// DefaultNice is how far a process stands back behind the server unless it is told otherwise.
const DefaultNice = 5

// Process is one at work: a pipe in, and some out.
type Process struct {
	In   *os.File
	Outs []*os.File
	// Done is closed when the process is no more.
	Done <-chan struct{}

	words   *lastWords
	process *os.Process
	err     error // how it ended; valid when Done is closed
}

// Start runs program, with so many pipes out, and nice (1 to 19) as far behind the server. The caller calls Stop,
// whatever happens.
func Start(program string, args []string, outs, nice int) (*Process, error) {
	done := make(chan struct{})
	c := &Process{words: new(lastWords), Done: done}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.In = in
	theirs := []*os.File{theirIn}
	cmd := exec.Command(program, args...)
	cmd.Stdin = theirIn
	cmd.Stderr = c.words
	cmd.Env = environment(os.Environ())
	cmd.WaitDelay = time.Second // for Stderr, when the process is gone
	cmd.SysProcAttr = processAttributes()
	for range outs {
		out, theirOut, err := os.Pipe()
		if err != nil {
			closeAll(append(theirs, append(c.Outs, c.In)...))
			return nil, err
		}
		c.Outs = append(c.Outs, out)
		theirs = append(theirs, theirOut)
		cmd.ExtraFiles = append(cmd.ExtraFiles, theirOut)
	}
	started := make(chan error)
	go func() {
		// On Linux the process gets a signal when the thread that made it ends, which is to be
		// when the server does and not before (prctl(2), PR_SET_PDEATHSIG).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		c.process = cmd.Process
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(done)
		}
	}()
	err = <-started
	closeAll(theirs)
	if err != nil {
		closeAll(append(c.Outs, c.In))
		return nil, err
	}
	lowerPriority(c.process.Pid, nice)
	return c, nil
}

// environment returns what ffmpeg need know of ours: it parses what strangers have sent, and there may be secrets
// of the configuration in it.
func environment(ours []string) []string {
	return slices.DeleteFunc(slices.Clone(ours), func(v string) bool { return strings.HasPrefix(v, "PUSHCART_") })
}

// PID is the process's number.
func (c *Process) PID() int { return c.process.Pid }

// Words are the last lines that the process has written to standard error, in one.
func (c *Process) Words() string { return c.words.String() }

// Stop kills the process and returns when it is gone. Reads from its pipes fail from here on.
func (c *Process) Stop() {
	_ = c.process.Kill() // an error says that it is gone
	<-c.Done
	closeAll(append(c.Outs, c.In))
}

// End says how the process ended, which it has, in words.
func (c *Process) End() string {
	var exit *exec.ExitError
	switch {
	case c.err == nil:
		return "it has ended by itself"
	case errors.As(c.err, &exit):
		return exit.ProcessState.String() // "exit status 1", "signal: killed"
	}
	return c.err.Error()
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// lastWords keeps the last lines that ffmpeg has written to standard error.
type lastWords struct {
	mu    sync.Mutex
	lines []string
	line  []byte
}

const (
	maxLines     = 12
	maxLineBytes = 400
)

var _ io.Writer = (*lastWords)(nil)

// Write implements io.Writer.
func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range p {
		switch {
		case c == '\n' || c == '\r':
			w.flush()
		case len(w.line) < maxLineBytes:
			w.line = append(w.line, c)
		}
	}
	return len(p), nil
}

func (w *lastWords) flush() {
	line := strings.TrimSpace(string(w.line))
	w.line = w.line[:0]
	if line == "" {
		return
	}
	if len(w.lines) == maxLines {
		w.lines = append(w.lines[:0], w.lines[1:]...)
	}
	w.lines = append(w.lines, line)
}

// String returns the lines in one.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	return strings.Join(w.lines, " | ")
}
