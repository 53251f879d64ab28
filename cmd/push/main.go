// Command push publishes synthetic shows over RTMP: one, or hundreds at once, to any server. It costs
// little (everything is coded beforehand and shared), sends every frame when it is due, and says how
// well it kept to that, so that what is measured behind it can be believed.
//
//	push -url rtmp://127.0.0.1:1935/live/show
//	push -url rtmp://127.0.0.1:1935/live/s%d -n 50 -duration 60s -log push.jsonl
//	push -url rtmp://127.0.0.1:1935/live/show -file clip.flv -cue-every 5s
//
// It shares no code with the server's RTMP door.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"pushcart/bench/pushlog"
	"pushcart/bench/show"
)

// options are the flags.
type options struct {
	url, file, log     string
	n, logStreams      int
	duration, spread   time.Duration
	loop, json, silent bool
	chunk              int
	start              int64
	cueEvery           time.Duration
	cueName            string
	show               show.Config
	bitRate            int
}

func parseFlags(args []string) (*options, error) {
	var o options
	fs := flag.NewFlagSet("push", flag.ContinueOnError)
	fs.StringVar(&o.url, "url", "", "rtmp://HOST[:PORT]/APP/KEY; with -n above 1 it contains %d, the stream's number from 0")
	fs.IntVar(&o.n, "n", 1, "number of streams")
	fs.DurationVar(&o.duration, "duration", 0, "stop after this long (0: at the end of the file, else never)")
	fs.DurationVar(&o.spread, "spread", time.Second, "start the streams evenly over this long, so that they are not in step")
	fs.StringVar(&o.file, "file", "", "publish this FLV file instead of a synthetic show")
	fs.BoolVar(&o.loop, "loop", false, "start the file over at its end")
	fs.IntVar(&o.show.Width, "width", 1280, "of the picture")
	fs.IntVar(&o.show.Height, "height", 720, "of the picture")
	fs.IntVar(&o.show.FrameRate, "fps", 30, "frames a second")
	fs.IntVar(&o.show.GOP, "gop", 0, "frames from keyframe to keyframe (0: two seconds' worth)")
	fs.IntVar(&o.bitRate, "bitrate", 2_500_000, "bits a second, sound included")
	fs.IntVar(&o.show.AudioBits, "audio-bitrate", 128_000, "bits a second of the sound")
	fs.BoolVar(&o.silent, "video-only", false, "no sound track")
	fs.IntVar(&o.chunk, "chunk", 4096, "RTMP chunk size (OBS: 4096, ffmpeg: 60000)")
	fs.Int64Var(&o.start, "start", 0, "first timestamp in ms (16777215 and more needs extended timestamps)")
	fs.DurationVar(&o.cueEvery, "cue-every", 0, "send a data message this often (0: never)")
	fs.StringVar(&o.cueName, "cue-name", "onCuePoint", "name of the data message")
	fs.StringVar(&o.log, "log", "", "write a line for every picture and cue to this file")
	fs.IntVar(&o.logStreams, "log-streams", 0, "log the first this many streams (0: all)")
	fs.BoolVar(&o.json, "json", false, "report as JSON on standard output")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case o.url == "" || fs.NArg() > 0:
		return nil, errors.New("want -url rtmp://HOST[:PORT]/APP/KEY and no further arguments (-h lists the flags)")
	case o.n < 1 || o.n > 1 && !strings.Contains(o.url, "%d"):
		return nil, errors.New("-n must be positive, and -url contain %d when it is above 1")
	case o.chunk < 1 || o.chunk > 1<<24-1:
		return nil, errors.New("-chunk must be from 1 to 16777215")
	}
	o.show.VideoBits = o.bitRate
	if !o.silent {
		o.show.VideoBits = max(1, o.bitRate-o.show.AudioBits)
	}
	return &o, nil
}

// sources returns a function that makes a source for each stream.
func sources(o *options) (func(stream int) source, error) {
	var plain func() source
	if o.file != "" {
		rec, err := readFLV(o.file, o.chunk)
		if err != nil {
			return nil, err
		}
		plain = func() source { return &fileCursor{recording: rec, loop: o.loop} }
	} else {
		s, err := show.New(o.show)
		if err != nil {
			return nil, err
		}
		syn := newSynthetic(s, o.chunk, !o.silent)
		plain = func() source { return &syntheticCursor{synthetic: syn} }
	}
	if o.cueEvery <= 0 {
		return func(int) source { return plain() }, nil
	}
	return func(stream int) source {
		return &withCues{source: plain(), every: o.cueEvery, handler: o.cueName, stream: stream, chunkSize: o.chunk}
	}, nil
}

// run publishes all streams and returns when the last has ended. A stream that fails leaves the others
// alone; the error then says how many did, and the first one's reason.
func run(ctx context.Context, o *options) (*report, error) {
	newSource, err := sources(o)
	if err != nil {
		return nil, err
	}
	var log *pushlog.Writer
	if o.log != "" {
		f, err := os.Create(o.log)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		log = pushlog.NewWriter(f)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex // guards total and first
		total = report{Streams: o.n}
		first error
	)
	begin := time.Now()
	for i := range o.n {
		wg.Go(func() {
			select {
			case <-time.After(o.spread * time.Duration(i) / time.Duration(o.n)):
			case <-ctx.Done():
				return
			}
			target, myLog := o.url, log
			if strings.Contains(target, "%d") {
				target = strings.ReplaceAll(target, "%d", fmt.Sprint(i))
			}
			if o.logStreams > 0 && i >= o.logStreams {
				myLog = nil
			}
			r, err := push(ctx, target, i, newSource(i), o, myLog)
			mu.Lock()
			defer mu.Unlock()
			total.add(r)
			if err != nil {
				if total.Failed++; first == nil {
					first = fmt.Errorf("%s: %w", target, err)
				}
			}
		})
	}
	wg.Wait()
	total.Seconds = time.Since(begin).Seconds()
	total.Late, total.Blocked, total.CPU = total.late.summary(), total.blocked.summary(), ownCPU()
	if log != nil {
		if err := log.Flush(); err != nil {
			return &total, err
		}
	}
	if first != nil {
		return &total, fmt.Errorf("%d of %d streams failed; %w", total.Failed, o.n, first)
	}
	return &total, nil
}

// ownCPU returns the processor time that this process has used, in seconds.
func ownCPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func main() {
	o, err := parseFlags(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "push:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := run(ctx, o)
	if r != nil && o.json {
		json.NewEncoder(os.Stdout).Encode(r)
	} else if r != nil {
		fmt.Fprintf(os.Stderr, "push: %d streams for %.1f s: %d pictures, %d messages, %.2f Mb/s; late p50 %.1f p99 %.1f max %.1f ms; blocked p50 %.2f p99 %.2f max %.1f ms; CPU %.2f s\n",
			r.Streams, r.Seconds, r.Pictures, r.Messages, float64(r.Bytes)*8/r.Seconds/1e6,
			r.Late.P50, r.Late.P99, r.Late.Max, r.Blocked.P50, r.Blocked.P99, r.Blocked.Max, r.CPU)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "push:", err)
		os.Exit(1)
	}
}
