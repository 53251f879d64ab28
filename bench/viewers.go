package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"pushcart/bench/pushlog"
	"pushcart/bench/show"
)

// wake is one round: everyone waits for the same part, and gets its playlist.
type wake struct {
	picture  int   // the last in the part that woke them
	seen     int64 // wall time when it was known to be out
	arrivals []int64
}

// herdResult is what a number of viewers saw.
type herdResult struct {
	wake   spans // part's last picture sent -> playlist arrived, over all viewers and rounds
	last   spans // the same for the last viewer of each round
	spread spans // first viewer -> last viewer, per round
	cpu    time.Duration
	rounds int
	missed int
}

// viewersSuite blocks many viewers on one playlist position and measures how they wake.
func viewersSuite(ctx context.Context, o *options, r *report) error {
	servers := contenders(o)
	t := newTable(servers)
	for _, n := range o.viewers {
		var rows [7][]figure
		for _, c := range servers {
			m, err := measureViewers(ctx, o, c, n)
			if err != nil {
				return fmt.Errorf("%s, %d viewers: %w", c.name, n, err)
			}
			for i, f := range []figure{m.wake.figureAt(0.5), m.wake.figureAt(0.99), m.last.figureAt(0.5), m.last.figureAt(1),
				m.spread.figureAt(0.5), measured("%.1f µs", float64(m.cpu.Microseconds())/float64(max(m.rounds, 1)*n)),
				measured("%.0f", float64(m.rounds))} {
				rows[i] = append(rows[i], f)
			}
		}
		for i, what := range []string{"part's last picture sent to playlist received, p50", "the same, p99",
			"the same, last viewer, p50 of rounds", "the same, last viewer, worst round", "first viewer to last viewer, p50 of rounds",
			"server's CPU per viewer and wake, request included", "rounds"} {
			t.row(fmt.Sprintf("%d viewers: %s", n, what), rows[i]...)
		}
	}
	t.print(r.w)
	fmt.Fprintln(r.w, "\nThe viewers are HTTP/1.1 connections of one single-threaded process on the same machine, which reads their answers "+
		"one after the other: its time is in the figures. A round counts only if every request was waiting before the first answer came.")
	return nil
}

func measureViewers(ctx context.Context, o *options, c *contender, n int) (m herdResult, err error) {
	if err := c.start(o); err != nil {
		return m, err
	}
	defer c.stop()
	l, err := startLoad(ctx, o, c, 1, "s%d")
	if err != nil {
		return m, err
	}
	defer l.cmd.Process.Kill()
	rend, err := c.video(ctx, "s0", 20*time.Second)
	if err != nil {
		return m, err
	}
	if err := sleep(ctx, 8*time.Second); err != nil {
		return m, err
	}
	h, err := newHerd(c.origin, n)
	if err != nil {
		return m, err
	}
	defer h.close()
	wakes, missed, err := c.wakeRounds(ctx, o, h, rend, &m)
	if err != nil {
		return m, err
	}
	m.missed = missed
	_, entries, err := l.stop()
	if err != nil {
		return m, err
	}
	m.add(wakes, entries)
	return m, nil
}

// wakeRounds plays rounds until enough of them count.
func (c *contender) wakeRounds(ctx context.Context, o *options, h *herd, rend rendition, m *herdResult) (wakes []wake, missed int, err error) {
	for len(wakes) < o.rounds {
		before, err := processTime(c.cmd.Process.Pid)
		if err != nil {
			return nil, missed, err
		}
		w, ok, err := wakeOnce(ctx, h, rend)
		if err != nil {
			return nil, missed, err
		}
		if !ok {
			if missed++; missed > 3*o.rounds {
				return nil, missed, errors.New("requests take longer to send than to answer: too few rounds count")
			}
			continue
		}
		after, err := processTime(c.cmd.Process.Pid)
		if err != nil {
			return nil, missed, err
		}
		m.cpu += after - before
		wakes = append(wakes, w)
	}
	return wakes, missed, nil
}

// add matches rounds with the log of what was sent.
func (m *herdResult) add(wakes []wake, entries []pushlog.Entry) {
	x := newIndex(entries)
	for _, w := range wakes {
		sent, ok := x.sentAt(0, w.picture, w.seen)
		if !ok {
			continue
		}
		m.rounds++
		first, last := w.arrivals[0], w.arrivals[0]
		for _, a := range w.arrivals {
			m.wake = append(m.wake, time.Duration(a-sent))
			first, last = min(first, a), max(last, a)
		}
		m.last = append(m.last, time.Duration(last-sent))
		m.spread = append(m.spread, time.Duration(last-first))
	}
}

// sendMargin is how long after the last request the first answer must come for a round to count.
const sendMargin = 5 * time.Millisecond

// wakeOnce blocks all viewers some parts ahead and returns when the last has its answer. It is not ok
// if some answer came before the last request was out.
func wakeOnce(ctx context.Context, h *herd, rend rendition) (w wake, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	p, err := rend.load(ctx, rend.path.RequestURI())
	if err != nil {
		return w, false, err
	}
	msn, part := p.msn, p.part+3
	if p.part >= 3 { // six parts make a segment
		msn, part = p.msn+1, 0
	}
	target := rend.blocking(msn, part)
	type result struct {
		body []byte
		at   int64
		err  error
	}
	control := make(chan result, 1)
	go func() { // one viewer more, who looks at the part that woke them
		next, err := rend.load(ctx, target)
		at := time.Now().UnixNano()
		var body []byte
		if err == nil && len(next.parts) > 0 {
			body, err = rend.c.get(ctx, rend.resolve(next.parts[len(next.parts)-1]))
		}
		control <- result{body, at, err}
	}()
	request := rend.c.request(target)
	for i := range h.conns {
		if err := h.send(i, request); err != nil {
			return w, false, err
		}
	}
	sent := time.Now().UnixNano()
	err = h.drive(ctx, func(a answer) (bool, error) {
		if a.status != http.StatusOK {
			return true, fmt.Errorf("%s: status %d", target, a.status)
		}
		w.arrivals = append(w.arrivals, a.at.UnixNano())
		return len(w.arrivals) == len(h.conns), nil
	})
	if err != nil {
		return w, false, err
	}
	got := <-control
	if got.err != nil {
		return w, false, got.err
	}
	w.picture, ok = show.FindLast(got.body)
	w.seen = got.at
	// An answer that came while requests were still being sent is read at once, with a time that says
	// nothing.
	return w, ok && w.arrivals[0]-sent >= int64(sendMargin), nil
}
