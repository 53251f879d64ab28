package harness

import (
	"encoding/json"
	"fmt"
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
}

// UntilLadder waits until the ladder of the show is as it should be.
func (s *Server) UntilLadder(t testing.TB, name string, within time.Duration, as func(Ladder) bool) {
	t.Helper()
	var show struct {
		Ladder Ladder `json:"ladder"`
	}
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		if code, body := get("http://" + s.Admin + "/v1/streams/live/" + name); code == 200 {
			if err := json.Unmarshal([]byte(body), &show); err != nil {
				t.Fatal(err)
			}
			if as(show.Ladder) {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("the ladder: %+v after %v", show.Ladder, within)
		}
	}
}

// SignalFFmpeg sends a signal to the server's one ffmpeg.
func (s *Server) SignalFFmpeg(t testing.TB, sig syscall.Signal) {
	t.Helper()
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, l := range lists {
		b, _ := os.ReadFile(l)
		for _, word := range strings.Fields(string(b)) {
			pid, err := strconv.Atoi(word)
			if err == nil {
				err = syscall.Kill(pid, sig)
			}
			if err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("the server has no ffmpeg")
}
