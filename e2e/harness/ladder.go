package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Ladder is what the operators' API says of the renditions that the server makes itself.
type Ladder struct {
	State    string `json:"state"`
	Why      string `json:"why"`
	Failures int    `json:"failures"`
	Rungs    []Rung `json:"rungs"`
}

// Show is what the operators' API says of a show.
type Show struct {
	Ladder  Ladder           `json:"ladder"`
	Repairs map[string]int64 `json:"repairs"`
	Remarks []struct {
		Text string `json:"text"`
	} `json:"remarks"`
}

// Rung is one of the renditions that the server makes itself.
type Rung struct {
	Label   string  `json:"label"`
	State   string  `json:"state"`
	Latency float64 `json:"latency"` // through ffmpeg, in seconds
}

// Show asks the operators' API about a show.
func (s *Server) Show(t testing.TB, name string) (show Show) {
	t.Helper()
	code, body := get("http://" + s.Admin + "/v1/streams/live/" + name)
	if code != http.StatusOK {
		return show
	}
	if err := json.Unmarshal([]byte(body), &show); err != nil {
		t.Fatal(err)
	}
	return show
}

// OBS returns what the operators' API has for a show's host to paste into OBS.
func (s *Server) OBS(t testing.TB, name, query string) string {
	t.Helper()
	code, body := get("http://" + s.Admin + "/v1/streams/live/" + name + "/obs?" + query)
	if code != http.StatusOK {
		t.Fatalf("OBS's configuration for %s: %d %s", name, code, body)
	}
	return body
}

// Ladder asks how a show's ladder is doing.
func (s *Server) Ladder(t testing.TB, name string) Ladder {
	t.Helper()
	return s.Show(t, name).Ladder
}

// UntilLadder waits until the ladder of a show is as it should be. The test ends if that takes longer than Patience: a
// ladder that has failed rests for half a minute at the most.
func (s *Server) UntilLadder(t testing.TB, name, what string, as func(Ladder) bool) Ladder {
	t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(100 * time.Millisecond) {
		l := s.Ladder(t, name)
		if as(l) {
			return l
		}
		if time.Now().After(end) {
			t.Fatalf("the ladder: %s: not within %v: %+v", what, Patience, l)
		}
	}
}

// SignalFFmpeg sends a signal to the ffmpeg that makes the server's ladder. It waits until there is one.
func (s *Server) SignalFFmpeg(t testing.TB, sig syscall.Signal) {
	t.Helper()
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, pid := range children(s.cmd.Process.Pid) {
			if makesPictures(pid) && syscall.Kill(pid, sig) == nil {
				return
			}
		}
	}
	t.Fatal("the server has no ffmpeg for its ladder")
}

// children returns a process's children.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		b, _ := os.ReadFile(stat)
		// pid (name) state ppid ..., and a name may have anything in it.
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// makesPictures tells the ffmpeg of a ladder from one that looks about, or makes sound.
func makesPictures(pid int) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.Contains(string(b), "libx264") && strings.Contains(string(b), "pipe:0")
}
