// Command bench measures a running server from the outside, and prints what it saw as Markdown tables:
//
//	go run ./bench                       # everything
//	go run ./bench -suite latency -seconds 60
//	PEER_MEDIAMTX=/path/to/mediamtx go run ./bench
//
// It builds pushcart and the load tool, starts both as processes of their own on loopback, and reads
// processor time and memory of the server from /proc and its pprof listener. With PEER_MEDIAMTX naming a
// MediaMTX binary, every measurement is repeated with that in pushcart's place: same input, same part
// duration, same window, one after the other. If nginx is installed, parts are also served by it.
//
// It is Linux only. Nothing here passes or fails: docs/performance.md says what the figures mean.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	suite           string
	seconds         int
	streams         []int
	viewers         []int
	latencyStreams  int
	probes          int
	rounds          int
	pairs           int
	bitRate         int
	keep, only      string
	profile         string
	pushBin, dir    string
	pushcart, peer  string
	warm            time.Duration
	window, segment time.Duration
}

// suite is one kind of measurement.
type suite struct {
	name, title string
	run         func(context.Context, *options, *report) error
}

// The suites, in the order in which they run.
var suites = []suite{
	{"start", "From publish to play", startSuite},
	{"streams", "CPU and heap per stream", streamsSuite},
	{"latency", "From the last byte of a part received to the part fetched", latencySuite},
	{"viewers", "Blocked viewers", viewersSuite},
	{"parts", "Parts served", partsSuite},
	{"ladder", "Rungs of the ladder: 1080p at 30 frames/s and 5 Mb/s, a noisy test card", ladderSuite},
}

func parseFlags(args []string) (*options, error) {
	o := &options{window: 30 * time.Second, segment: 2 * time.Second, peer: os.Getenv("PEER_MEDIAMTX")}
	var streams, viewers string
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&o.suite, "suite", "all", "all, or names joined with commas: start, streams, latency, viewers, parts, ladder")
	fs.IntVar(&o.seconds, "seconds", 20, "how long each measurement lasts")
	fs.DurationVar(&o.warm, "warm", 100*time.Second, "how long the streams suite waits before it measures: until the window is full and the heap reuses its pages")
	fs.StringVar(&streams, "streams", "1,50,200", "numbers of streams of the streams suite")
	fs.StringVar(&viewers, "viewers", "1000,10000", "numbers of viewers of the viewers suite")
	fs.IntVar(&o.latencyStreams, "latency-streams", 100, "streams of the latency suite")
	fs.IntVar(&o.probes, "probes", 20, "streams that are probed in the latency suite; every probe costs the machine processor time")
	fs.IntVar(&o.rounds, "rounds", 10, "times that the viewers are woken in the viewers suite")
	fs.IntVar(&o.pairs, "pairs", 3, "times that the ladder suite measures each ladder, and ffmpeg alone")
	fs.IntVar(&o.bitRate, "bitrate", 2_500_000, "bits a second of each stream")
	fs.StringVar(&o.profile, "profile", "", "also write CPU profiles of the servers into this directory (streams, latency, parts)")
	fs.StringVar(&o.keep, "keep", "", "keep logs and binaries in this directory")
	fs.StringVar(&o.only, "only", "", "measure only the server of this name: pushcart or MediaMTX")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	var err error
	if o.streams, err = numbers("-streams", streams); err != nil {
		return nil, err
	}
	if o.viewers, err = numbers("-viewers", viewers); err != nil {
		return nil, err
	}
	if o.warm < o.window {
		return nil, fmt.Errorf("-warm must be at least the window, %v", o.window)
	}
	if o.seconds < 1 || o.probes < 1 || o.latencyStreams < o.probes || o.rounds < 1 || o.pairs < 1 {
		return nil, fmt.Errorf("-seconds, -probes, -rounds and -pairs must be positive, -latency-streams at least -probes")
	}
	for name := range strings.SplitSeq(o.suite, ",") {
		if name != "all" && !slices.ContainsFunc(suites, func(s suite) bool { return s.name == name }) {
			return nil, fmt.Errorf("there is no suite %q", name)
		}
	}
	if len(contenders(o)) == 0 {
		return nil, fmt.Errorf("-only %s: there is no such server, or PEER_MEDIAMTX is not set", o.only)
	}
	return o, nil
}

// numbers reads a list such as 1,50,200.
func numbers(name, list string) ([]int, error) {
	var all []int
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: %q is not a positive number", name, s)
		}
		all = append(all, n)
	}
	return all, nil
}

// build compiles pushcart and push into the working directory.
func (o *options) build(ctx context.Context) error {
	for _, name := range []string{"pushcart", "push"} {
		if o.only != "" && o.only != name && name != "push" {
			continue
		}
		out := filepath.Join(o.dir, name)
		cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "pushcart/cmd/"+name)
		if b, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build pushcart/cmd/%s: %w\n%s", name, err, b)
		}
	}
	o.pushcart, o.pushBin = filepath.Join(o.dir, "pushcart"), filepath.Join(o.dir, "push")
	return nil
}

func run(ctx context.Context, o *options) error {
	o.dir = o.keep
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	} else if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	if err := o.build(ctx); err != nil {
		return err
	}
	r := newReport(os.Stdout)
	r.heading(o)
	for _, s := range suites {
		if o.suite != "all" && !slices.Contains(strings.Split(o.suite, ","), s.name) {
			continue
		}
		r.begin(s.title, fmt.Sprintf("go run ./bench -suite %s%s", s.name, o.flagsOf(s.name)))
		if err := s.run(ctx, o, r); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.end()
	}
	return nil
}

// flagsOf returns the flags that repeat a suite's measurement.
func (o *options) flagsOf(suite string) string {
	list := func(n []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(n), " ", ","), "[]") }
	switch suite {
	case "streams":
		return fmt.Sprintf(" -seconds %d -warm %v -streams %s", o.seconds, o.warm, list(o.streams))
	case "latency":
		return fmt.Sprintf(" -seconds %d -latency-streams %d -probes %d", o.seconds, o.latencyStreams, o.probes)
	case "viewers":
		return fmt.Sprintf(" -rounds %d -viewers %s", o.rounds, list(o.viewers))
	case "parts":
		return fmt.Sprintf(" -seconds %d", o.seconds)
	case "ladder":
		return fmt.Sprintf(" -seconds %d -pairs %d", o.seconds, o.pairs)
	}
	return ""
}

func main() {
	o, err := parseFlags(os.Args[1:])
	if err == flag.ErrHelp {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
