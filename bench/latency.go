package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"pushcart/bench/show"
)

// arrival is a part that a probe got.
type arrival struct {
	stream, picture int   // the last picture in it
	part            int64 // wall time of the part's last byte
	playlist        int64 // wall time of the last byte of the playlist that first listed it
}

// probe follows a show as a player does: it asks for the hinted part and for the playlist that lists it,
// and both answers wait for the part. It goes on until ctx ends.
func probe(ctx context.Context, r rendition, stream int) ([]arrival, error) {
	var all []arrival
	p, err := r.load(ctx, r.path.RequestURI())
	if err != nil {
		return nil, err
	}
	for {
		var (
			wg       sync.WaitGroup
			body     []byte
			partErr  error
			next     position
			nextErr  error
			a        = arrival{stream: stream}
			followed = p.hint != ""
		)
		if followed {
			wg.Go(func() {
				body, partErr = r.c.get(ctx, r.resolve(p.hint))
				a.part = time.Now().UnixNano()
			})
		}
		wg.Go(func() {
			next, nextErr = r.load(ctx, r.blocking(p.msn, p.part))
			a.playlist = time.Now().UnixNano()
		})
		wg.Wait()
		switch {
		case ctx.Err() != nil:
			return all, nil
		case nextErr != nil:
			return all, nextErr
		case followed && partErr != nil:
			return all, partErr
		}
		if picture, ok := show.FindLast(body); ok {
			a.picture = picture
			all = append(all, a)
		}
		p = next
	}
}

// latencySuite measures how long after a part's last picture was sent the part was there, over a probe
// on every so many streams.
func latencySuite(ctx context.Context, o *options, r *report) error {
	servers := contenders(o)
	t := newTable(servers)
	figures := map[string][]figure{}
	names := []string{"part fetched, p50", "part fetched, p99", "part fetched, largest", "playlist fetched, p50",
		"playlist fetched, p99", "parts measured", "(lateness of the input, p99)", "(CPU of the server, probes included)"}
	for _, c := range servers {
		parts, playlists, s, cpu, err := measureLatency(ctx, o, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		for i, f := range []figure{parts.figureAt(0.5), parts.figureAt(0.99), parts.figureAt(1), playlists.figureAt(0.5),
			playlists.figureAt(0.99), measured("%.0f", float64(len(parts))), measured("%.1f ms", s.Late.P99),
			measured("%.1f %%", 100*cpu)} {
			figures[names[i]] = append(figures[names[i]], f)
		}
	}
	for _, name := range names {
		t.row(name, figures[name]...)
	}
	t.print(r.w)
	fmt.Fprintf(r.w, "\n%d streams, %d of them probed. Counted from just before the write of the part's last picture, so the "+
		"picture's way through the sockets, and the fetch of the part (a blocking request for the hint), are in it.\n",
		o.latencyStreams, o.probes)
	return nil
}

func measureLatency(ctx context.Context, o *options, c *contender) (parts, playlists spans, s *sent, cpu float64, err error) {
	if err := c.start(o); err != nil {
		return nil, nil, nil, 0, err
	}
	defer c.stop()
	l, err := startLoad(ctx, o, c, o.latencyStreams, "s%d")
	if err != nil {
		return nil, nil, nil, 0, err
	}
	defer l.cmd.Process.Kill()
	if err := sleep(ctx, 10*time.Second); err != nil {
		return nil, nil, nil, 0, err
	}
	before, _ := processTime(c.cmd.Process.Pid)
	length := time.Duration(o.seconds) * time.Second
	if o.profile != "" {
		go c.cpuProfile(o.seconds, filepath.Join(o.profile, c.name+"-latency.pprof"))
	}
	arrivals, err := probeAll(ctx, o, c, length)
	if err != nil {
		return nil, nil, nil, 0, err
	}
	after, _ := processTime(c.cmd.Process.Pid)
	s, entries, err := l.stop()
	if err != nil {
		return nil, nil, nil, 0, err
	}
	x := newIndex(entries)
	for _, a := range arrivals {
		if at, ok := x.sentAt(a.stream, a.picture, a.part); ok {
			parts = append(parts, time.Duration(a.part-at))
			playlists = append(playlists, time.Duration(a.playlist-at))
		}
	}
	return parts, playlists, s, (after - before).Seconds() / length.Seconds(), nil
}

// probeAll probes evenly chosen streams at the same time.
func probeAll(ctx context.Context, o *options, c *contender, length time.Duration) ([]arrival, error) {
	probing, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // guards all and errs
		all  []arrival
		errs []error
	)
	for i := range o.probes {
		stream := i * o.latencyStreams / o.probes
		wg.Go(func() {
			r, err := c.video(probing, fmt.Sprintf("s%d", stream), 10*time.Second)
			var got []arrival
			if err == nil {
				got, err = probe(probing, r, stream)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, got...)
			if err != nil && ctx.Err() == nil {
				errs = append(errs, fmt.Errorf("probe of s%d: %w", stream, err))
			}
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

// startSuite measures how long it takes from the first picture sent to the first playlist with a part.
func startSuite(ctx context.Context, o *options, r *report) error {
	servers := contenders(o)
	t := newTable(servers)
	var p50, most []figure
	for _, c := range servers {
		waits, err := measureStart(ctx, o, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		p50, most = append(p50, waits.figureAt(0.5)), append(most, waits.figureAt(1))
	}
	t.row("first picture sent to first part listed, p50 of 5", p50...)
	t.row("first picture sent to first part listed, largest", most...)
	t.print(r.w)
	fmt.Fprintln(r.w, "\nA first part of 10 frames takes 300 ms from its first picture to its last.")
	return nil
}

func measureStart(ctx context.Context, o *options, c *contender) (spans, error) {
	if err := c.start(o); err != nil {
		return nil, err
	}
	defer c.stop()
	var waits spans
	for i := range 5 {
		name := fmt.Sprintf("start%d", i)
		l, err := startLoad(ctx, o, c, 1, name)
		if err != nil {
			return nil, err
		}
		defer l.cmd.Process.Kill()
		listed, err := firstPart(ctx, c, name)
		if err != nil {
			return nil, err
		}
		_, entries, err := l.stop()
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			return nil, errors.New("push sent nothing")
		}
		waits = append(waits, listed.Sub(time.Unix(0, entries[0].Wall)))
	}
	return waits, nil
}

// firstPart returns when a show's media playlist first listed a part.
func firstPart(ctx context.Context, c *contender, name string) (time.Time, error) {
	r, err := c.video(ctx, name, 20*time.Second)
	if err != nil {
		return time.Time{}, err
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		p, err := r.load(ctx, r.path.RequestURI())
		if err == nil && len(p.parts) > 0 {
			return time.Now(), nil
		}
		if err == nil {
			err = errors.New(name + ": no part is listed")
		}
		if time.Now().After(deadline) {
			return time.Time{}, err
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return time.Time{}, err
		}
	}
}
