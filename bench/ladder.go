package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ladders are the rungs that are measured: each alone, and all at once. Decoding the 1080p source is part of
// every one.
var ladders = []struct{ name, rungs string }{
	{"360p, 0.7 Mb/s", rung360},
	{"480p, 1.2 Mb/s", rung480},
	{"720p, 2.5 Mb/s", rung720},
	{"all three", rung360 + rung480 + rung720},
}

const (
	rung360 = "        - {short_side: 360, bitrate: 700k}\n"
	rung480 = "        - {short_side: 480, bitrate: 1.2M}\n"
	rung720 = "        - {short_side: 720, bitrate: 2.5M}\n"

	// clipRate is the source's, in pictures a second.
	clipRate = 30
	// ladderShow is the name of the show.
	ladderShow = "ladder"
	// ladderSettle is how long a ladder runs before it is measured.
	ladderSettle = 5 * time.Second
	// ladderStart is how long it may take to begin.
	ladderStart = 30 * time.Second
)

// ladderSuite measures what rungs cost: the server and its ffmpeg together, beside the same ffmpeg command that
// reads the same pictures from a file, at their own speed, and throws away what it makes.
func ladderSuite(ctx context.Context, o *options, r *report) error {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		fmt.Fprintln(r.w, "Not measured: there is no ffmpeg.")
		return nil
	}
	clip, err := makeClip(ctx, o, ffmpeg)
	if err != nil {
		return err
	}
	t := &table{columns: []string{"server and ffmpeg", "ffmpeg alone"}, ratio: true}
	for _, l := range ladders {
		var both, alone, server, latency []float64
		for range o.pairs {
			m, err := measureLadder(ctx, o, ffmpeg, clip, l.rungs)
			if errors.Is(err, errLadderFailed) {
				t.row(l.name+": the machine was too busy to keep up", figure{}, figure{})
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			both, alone = append(both, m.server+m.ffmpeg), append(alone, m.alone)
			server, latency = append(server, m.server), append(latency, m.latency)
		}
		if len(both) == 0 {
			continue
		}
		t.row(l.name+": CPU, of one core", measured("%.1f %%", 100*median(both)), measured("%.1f %%", 100*median(alone)))
		t.row(l.name+": of that, the server", measured("%.1f %%", 100*median(server)), figure{})
		t.row(l.name+": through ffmpeg, a picture takes", measured("%.0f ms", 1000*median(latency)), figure{})
	}
	t.print(r.w)
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s)%2 == 0 {
		return (s[len(s)/2-1] + s[len(s)/2]) / 2
	}
	return s[len(s)/2]
}

// clipFiles are the same pictures for a host to push, and for ffmpeg to read.
type clipFiles struct{ flv, nut string }

// makeClip encodes half a minute of a moving test card with noise, 1080p at 30 frames/s, 5 Mb/s.
func makeClip(ctx context.Context, o *options, ffmpeg string) (clipFiles, error) {
	c := clipFiles{filepath.Join(o.dir, "clip.flv"), filepath.Join(o.dir, "clip.nut")}
	for _, args := range [][]string{
		{"-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30", "-f", "lavfi", "-i", "sine=r=48000", "-t", "30",
			"-vf", "noise=alls=6:allf=t", "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "60", "-sc_threshold", "0",
			"-b:v", "5M", "-maxrate", "5M", "-bufsize", "5M", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-b:a", "128k", c.flv},
		{"-i", c.flv, "-map", "0:v", "-c", "copy", c.nut},
	} {
		cmd := exec.CommandContext(ctx, ffmpeg, append([]string{"-v", "error", "-nostdin", "-y"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return c, fmt.Errorf("ffmpeg: %w\n%s", err, out)
		}
	}
	return c, nil
}

// ladderFigures are processor times a second of wall time, and the latency in seconds.
type ladderFigures struct{ server, ffmpeg, alone, latency float64 }

// errLadderFailed: the machine could not transcode the show in its own time, so that figures would say nothing.
var errLadderFailed = errors.New("the ladder could not be kept up")

// measureLadder runs the server with a ladder, and then the same ffmpeg command by itself.
func measureLadder(ctx context.Context, o *options, ffmpeg string, clip clipFiles, rungs string) (m ladderFigures, err error) {
	c := &contender{name: "pushcart", prepare: func(c *contender, o *options) ([]string, error) {
		args, err := preparePushcart(c, o)
		if err != nil {
			return nil, err
		}
		name := args[len(args)-1]
		text := readFile(name) + "ladder:\n  shows:\n    - match: \"*\"\n      rungs:\n" + rungs
		return args, os.WriteFile(name, []byte(text), 0o644)
	}}
	if err := c.start(o); err != nil {
		return m, err
	}
	defer c.stop()
	host := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip.flv,
		"-c", "copy", "-f", "flv", "rtmp://"+c.rtmp+"/live/"+ladderShow)
	if err := host.Start(); err != nil {
		return m, err
	}
	defer host.Wait()
	defer host.Process.Kill()
	command, child, err := c.awaitLadder(ctx)
	if err != nil {
		return m, err
	}
	spent, err := cpuOf(ctx, time.Duration(o.seconds)*time.Second, c.cmd.Process.Pid, child)
	if err != nil {
		return m, errLadderFailed
	}
	m.server, m.ffmpeg = spent[0], spent[1]
	st, err := c.ladder(ctx)
	if err != nil {
		return m, err
	}
	if st.State != "running" || st.Failures > 0 {
		return m, errLadderFailed
	}
	for _, rung := range st.Rungs {
		m.latency = max(m.latency, rung.Latency)
	}
	host.Process.Kill()
	if err := c.stop(); err != nil {
		return m, err
	}
	m.alone, err = measureAlone(ctx, o, clip, command)
	return m, err
}

// ladderState is what the admin API says of a show's ladder.
type ladderState struct {
	State, Why string
	Failures   int
	Rungs      []struct{ Latency float64 }
}

func (c *contender) ladder(ctx context.Context) (ladderState, error) {
	admin := *c
	admin.origin = c.pprof
	body, err := admin.get(ctx, "/v1/streams/live/"+ladderShow)
	if err != nil {
		return ladderState{}, err
	}
	var show struct{ Ladder ladderState }
	err = json.Unmarshal(body, &show)
	return show.Ladder, err
}

// awaitLadder returns the command line and the process of the ffmpeg that makes the rungs, once it has done so for
// a while.
func (c *contender) awaitLadder(ctx context.Context) ([]string, int, error) {
	for end := time.Now().Add(ladderStart); ; time.Sleep(100 * time.Millisecond) {
		st, err := c.ladder(ctx)
		if st.State == "running" {
			break
		}
		if time.Now().After(end) {
			if err == nil {
				err = errLadderFailed
			}
			return nil, 0, err
		}
	}
	if err := sleep(ctx, ladderSettle); err != nil {
		return nil, 0, err
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", c.cmd.Process.Pid))
	for _, t := range tasks {
		for _, word := range strings.Fields(readFile(t)) {
			pid, _ := strconv.Atoi(word)
			args := bytes.Split([]byte(readFile(fmt.Sprintf("/proc/%d/cmdline", pid))), []byte{0})
			if len(args) < 2 {
				continue
			}
			var command []string
			for _, a := range args[:len(args)-1] {
				command = append(command, string(a))
			}
			return command, pid, nil
		}
	}
	return nil, 0, errors.New("the server has no ffmpeg")
}

// measureAlone runs a command that the server has given ffmpeg, with a file for its input and nobody at its pipes. Nobody
// minds if it is late on a busy machine: what counts is the processor time for a second of the show.
func measureAlone(ctx context.Context, o *options, clip clipFiles, command []string) (float64, error) {
	in := slices.Index(command, "-i")
	args := slices.Concat(command[1:in-2], []string{"-re", "-stream_loop", "-1"}, command[in-2:]) // before -f nut -i
	args[slices.Index(args, "pipe:0")] = clip.nut
	progress := filepath.Join(o.dir, "progress")
	args = append([]string{"-progress", progress, "-stats_period", "0.1"}, args...)
	cmd := exec.CommandContext(ctx, command[0], args...)
	for range command {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return 0, err
		}
		defer null.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, null)
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if err := sleep(ctx, ladderSettle); err != nil {
		return 0, err
	}
	before, d := picturesMade(progress), time.Duration(o.seconds)*time.Second
	spent, err := cpuOf(ctx, d, cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	made := picturesMade(progress) - before
	if made <= 0 {
		return 0, errors.New("ffmpeg alone has made no pictures")
	}
	return spent[0] * d.Seconds() * clipRate / float64(made), nil
}

// picturesMade reads how far ffmpeg is from what it has written to its -progress file.
func picturesMade(progress string) int {
	text := readFile(progress)
	at := strings.LastIndex(text, "frame=")
	if at < 0 {
		return 0
	}
	number, _, _ := strings.Cut(text[at+len("frame="):], "\n")
	n, _ := strconv.Atoi(strings.TrimSpace(number))
	return n
}

// cpuOf returns the processor time that processes use in some time, in seconds a second.
func cpuOf(ctx context.Context, d time.Duration, pids ...int) ([]float64, error) {
	read := func() (all []time.Duration, err error) {
		for _, pid := range pids {
			t, err := processTime(pid)
			if err != nil {
				return nil, err
			}
			all = append(all, t)
		}
		return all, nil
	}
	before, err := read()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := sleep(ctx, d); err != nil {
		return nil, err
	}
	lasted := time.Since(begun).Seconds()
	after, err := read()
	if err != nil {
		return nil, err
	}
	spent := make([]float64, len(pids))
	for i := range pids {
		spent[i] = (after[i] - before[i]).Seconds() / lasted
	}
	return spent, nil
}
