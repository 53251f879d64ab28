package harness

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// flashEvery is how many seconds are between two flashes; what is more than half of it apart can't be told.
const flashEvery = 2

// flashAndBeep are ffmpeg's arguments for a clip in real time that shows one white picture and begins a beep of 60 ms at the same moment,
// every two seconds. Between the beeps is silence, of which AAC makes tiny units: many of them travel
// in one packet, far behind the pictures of their time.
func flashAndBeep() []string {
	return []string{
		"-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning",
		"-re", "-f", "lavfi", "-i", fmt.Sprintf("color=black:size=192x108:rate=25,drawbox=color=white:t=fill:enable='lt(mod(t+0.001,%d),0.04)'", flashEvery),
		"-re", "-f", "lavfi", "-i", fmt.Sprintf("aevalsrc='0.7*sin(2*PI*1000*t)*lt(mod(t,%d),0.06)':sample_rate=%d", flashEvery, sampleRate),
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k", "-ac", "2",
	}
}

// FlashAndBeep publishes flashes and beeps with ffmpeg. output are the arguments behind its encoders': a format and an address.
func FlashAndBeep(t testing.TB, output ...string) *Host {
	t.Helper()
	return Encode(t, append(flashAndBeep(), output...)...)
}

// Encode runs ffmpeg with arguments of one's own. It ends with the test at the latest.
func Encode(t testing.TB, args ...string) *Host {
	t.Helper()
	h := &Host{t: t, exited: make(chan struct{})}
	h.cmd = exec.Command("ffmpeg", args...)
	h.cmd.Stderr = &h.stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := h.cmd.Start(); err != nil {
		t.Fatalf("ffmpeg: %v", err)
	}
	go func() {
		h.cmd.Wait() // its status is of no interest: hosts are killed
		close(h.exited)
	}()
	t.Cleanup(func() {
		h.Kill()
		if t.Failed() && h.stderr.Len() > 0 {
			t.Logf("host: %s", strings.TrimSpace(h.stderr.String()))
		}
	})
	return h
}

// Apart says how much later than their flashes the beeps of a show are, by the times at which players present
// what is served: of those in its oldest segments, or in its newest ones. It waits until there are that many.
func (s *Server) Apart(t testing.TB, name string, pairs int, newest bool) []time.Duration {
	t.Helper()
	var apart []time.Duration
	var err error
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if apart, err = s.readApart(name, pairs, newest); err == nil && len(apart) >= pairs {
			return apart
		}
	}
	t.Fatalf("%s: %d flashes with their beeps of %d; %v", name, len(apart), pairs, err)
	return nil
}

func (s *Server) readApart(name string, pairs int, newest bool) ([]time.Duration, error) {
	picture, err := s.Served(name, false)
	if err != nil {
		return nil, err
	}
	sound, err := s.Served(name, true)
	if err != nil {
		return nil, err
	}
	flashes, _, err := picture.moments(pairs, newest, "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", 120)
	if err != nil {
		return nil, fmt.Errorf("flashes: %w", err)
	}
	// Windows of one millisecond, and their peaks in dB.
	beeps, heard, err := sound.moments(pairs, newest, "asetnsamples=n=48,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.Peak_level:file=-", -12)
	if err != nil {
		return nil, fmt.Errorf("beeps: %w", err)
	}
	const reach = flashEvery * time.Second / 2
	var apart []time.Duration
	for _, flash := range flashes {
		if flash-reach < heard.from || flash+reach > heard.to {
			continue // its beep may be outside
		}
		for _, beep := range beeps {
			if late := beep - flash; late.Abs() < reach {
				apart = append(apart, late)
			}
		}
	}
	return apart, nil
}

// stretch is a stretch of a show's timeline.
type stretch struct{ from, to time.Duration }

// moments decodes segments that hold some pairs, and returns when what a filter measures of them rises above a threshold.
// The first sixth of a second does not count: decoders begin with noise.
func (r Served) moments(pairs int, newest bool, filter string, threshold float64) ([]time.Duration, stretch, error) {
	segments := r.Segments
	seconds, n := 0.0, 0
	for n < len(segments) && seconds < float64((pairs+2)*flashEvery) {
		i := n
		if newest {
			i = len(segments) - 1 - n
		}
		seconds += segments[i].Duration
		n++
	}
	if newest {
		segments = segments[len(segments)-n:]
	} else {
		segments = segments[:n]
	}
	media, err := r.fetch(segments)
	if err != nil {
		return nil, stretch{}, err
	}
	kind := "-vf"
	if filter[0] == 'a' {
		kind = "-af"
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-copyts", "-i", "pipe:0", kind, filter, "-f", "null", "-")
	cmd.Stdin = media
	out, err := cmd.Output()
	if err != nil {
		return nil, stretch{}, fmt.Errorf("ffmpeg: %w", err)
	}
	return rises(out, threshold)
}

var measured = regexp.MustCompile(`pts_time:(\S+)\nlavfi\.\S+=(\S+)`)

// rises reads what a metadata filter of ffmpeg has printed.
func rises(printed []byte, threshold float64) (at []time.Duration, all stretch, err error) {
	const noise = time.Second / 6
	above := true
	for _, m := range measured.FindAllSubmatch(bytes.ReplaceAll(printed, []byte("\r"), nil), -1) {
		seconds, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return nil, all, err
		}
		value, err := strconv.ParseFloat(string(m[2]), 64) // "-inf" is a number
		if err != nil {
			return nil, all, err
		}
		now := time.Duration(seconds * float64(time.Second))
		if all.to == 0 {
			all.from = now
		}
		all.to = now
		if value > threshold && !above && now-all.from > noise {
			at = append(at, now)
		}
		above = value > threshold
	}
	return at, all, nil
}
