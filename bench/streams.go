package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"pushcart/bench/show"
)

// frameRate is push's default, pictures a second.
const frameRate = 30

// cost is what a number of streams cost a server.
type cost struct {
	cpu              float64 // of one core
	rss              int64
	heapInUse, alloc int64 // above those of the idle server
	window           float64
	allocs, bytes    float64 // allocated per frame, picture or sound
	push             *sent
}

// streamsSuite measures processor time and memory at several numbers of streams without viewers, once
// the window is full.
func streamsSuite(ctx context.Context, o *options, r *report) error {
	servers := contenders(o)
	t := newTable(servers)
	for _, n := range o.streams {
		var cpu, perStream, allocs, bytes, heap, alloc, rss, window, budget, late []figure
		for _, c := range servers {
			m, err := measureStreams(ctx, o, c, n)
			if err != nil {
				return fmt.Errorf("%s, %d streams: %w", c.name, n, err)
			}
			mib := func(bytes float64) figure { return measured("%.2f MiB", bytes/(1<<20)) }
			windowBytes := m.window * float64(o.bitRate) / 8
			cpu = append(cpu, measured("%.1f %%", 100*m.cpu))
			perStream = append(perStream, measured("%.3f %%", 100*m.cpu/float64(n)))
			allocs = append(allocs, measured("%.2f", m.allocs))
			bytes = append(bytes, measured("%.0f B", m.bytes))
			heap = append(heap, mib(float64(m.heapInUse)/float64(n)))
			alloc = append(alloc, mib(float64(m.alloc)/float64(n)))
			rss = append(rss, mib(float64(m.rss)))
			window = append(window, measured("%.1f s", m.window))
			budget = append(budget, mib(windowBytes*1.25+1<<20))
			late = append(late, measured("%.1f ms", m.push.Late.P99))
		}
		label := func(what string) string { return fmt.Sprintf("%d streams: %s", n, what) }
		t.row(label("CPU, of one core"), cpu...)
		t.row(label("CPU per stream"), perStream...)
		t.row(label("allocations per frame (picture or sound)"), allocs...)
		t.row(label("bytes allocated per frame"), bytes...)
		t.row(label("heap in use per stream, after a collection"), heap...)
		t.row(label("heap allocated per stream, after a collection"), alloc...)
		t.row(label("length of the playlist"), window...)
		t.row(label("(window bytes x 1.25 + 1 MiB)"), budget...)
		t.row(label("resident memory of the server"), rss...)
		t.row(label("(lateness of the input, p99)"), late...)
	}
	t.print(r.w)
	return nil
}

// measureStreams runs a server with n streams. It measures once the heap has been through its first
// cycles: until then every part lies on pages that the kernel has yet to provide, which costs pushcart a
// fifth of its processor time.
func measureStreams(ctx context.Context, o *options, c *contender, n int) (m cost, err error) {
	if err := c.start(o); err != nil {
		return m, err
	}
	defer c.stop()
	idle, err := c.heap()
	if err != nil {
		return m, err
	}
	l, err := startLoad(ctx, o, c, n, "s%d")
	if err != nil {
		return m, err
	}
	defer l.cmd.Process.Kill()
	if err := sleep(ctx, o.warm); err != nil {
		return m, err
	}
	start, err := c.heap()
	if err != nil {
		return m, err
	}
	before, err := processTime(c.cmd.Process.Pid)
	if err != nil {
		return m, err
	}
	begin := time.Now()
	if err := sleep(ctx, time.Duration(o.seconds)*time.Second); err != nil {
		return m, err
	}
	after, err := processTime(c.cmd.Process.Pid)
	if err != nil {
		return m, err
	}
	took := time.Since(begin).Seconds()
	m.cpu = (after - before).Seconds() / took
	m.rss = residentBytes(c.cmd.Process.Pid)
	heap, err := c.heap()
	if err != nil {
		return m, err
	}
	frames := took * float64(n) * (frameRate + float64(show.SampleRate)/show.FrameSamples)
	m.allocs, m.bytes = float64(heap.mallocs-start.mallocs)/frames, float64(heap.totalAlloc-start.totalAlloc)/frames
	if o.profile != "" {
		name := filepath.Join(o.profile, fmt.Sprintf("%s-%d-streams.pprof", c.name, n))
		if err := c.cpuProfile(10, name); err != nil {
			return m, err
		}
	}
	m.heapInUse, m.alloc = heap.heapInUse-idle.heapInUse, heap.heapAlloc-idle.heapAlloc
	rend, err := c.video(ctx, "s0", time.Second)
	if err != nil {
		return m, err
	}
	p, err := rend.load(ctx, rend.path.RequestURI())
	if err != nil {
		return m, err
	}
	m.window = p.seconds
	m.push, _, err = l.stop()
	return m, err
}
