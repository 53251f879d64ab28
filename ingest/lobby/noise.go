package lobby

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Noise logs what strangers can cause at will, at most noiseLimit lines in a noisePeriod; the rest is counted into
// the next line that gets through. Its methods are safe for concurrent use.
type Noise struct {
	to *slog.Logger

	mu     sync.Mutex
	since  time.Time // guarded by mu
	lines  int       // guarded by mu
	hidden int       // guarded by mu
}

const (
	noiseLimit  = 20
	noisePeriod = 10 * time.Second
)

// Log logs as slog does, or counts.
func (n *Noise) Log(level slog.Level, msg string, args ...any) {
	hidden, ok := n.pass()
	if !ok {
		return
	}
	if hidden > 0 {
		args = append(args, "lines_left_out_before", hidden)
	}
	n.to.Log(context.Background(), level, msg, args...)
}

// pass reports whether a line may get through, and how many have not before it.
func (n *Noise) pass() (hidden int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); now.Sub(n.since) > noisePeriod {
		n.since, n.lines = now, 0
	}
	if n.lines++; n.lines > noiseLimit {
		n.hidden++
		return 0, false
	}
	hidden, n.hidden = n.hidden, 0
	return hidden, true
}
