package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/demo"
	"pushcart/packager"
)

// TestRestart stops the server during a show, once politely and once not. Viewers who ask the new one before
// the host is back wait, and then get playlists whose numbers go on upwards.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			env := []string{"PUSHCART_STATE_FILE=" + filepath.Join(t.TempDir(), "deep", "shows.json"), "PUSHCART_CUES_DIR=" + t.TempDir()}
			p := start(t, env)
			publish := func(p *process) context.CancelFunc {
				ctx, stop := context.WithCancel(t.Context())
				go (&demo.Host{URL: "rtmp://" + p.addr["rtmp.listen"] + "/live/first", Log: slog.New(slog.DiscardHandler)}).Run(ctx)
				return stop
			}
			stop := publish(p)
			before := eventually(t, "http://"+p.addr["origin.listen"]+"/live/first/v1.m3u8", "#EXT-X-PART:")
			if sig == syscall.SIGKILL {
				waitForFile(t, strings.TrimPrefix(env[0], "PUSHCART_STATE_FILE="), `"first"`)
			}
			p.cmd.Process.Signal(sig)
			<-p.exit
			stop()

			p = start(t, env)
			answers := make(chan string, 1)
			go func() {
				status, body, err := get("http://" + p.addr["origin.listen"] + "/live/first/v1.m3u8?_HLS_msn=1&_HLS_part=0")
				if err != nil || status != http.StatusOK {
					body = fmt.Sprint(status, err)
				}
				answers <- body
			}()
			eventually(t, "http://"+p.addr["admin.listen"]+"/metrics", "pushcart_origin_waiting 1")
			if status, _, _ := get("http://" + p.addr["origin.listen"] + "/live/other/v1.m3u8"); status != http.StatusNotFound {
				t.Errorf("a show that was not on: status %d", status)
			}
			defer publish(p)()
			after := <-answers
			if !strings.Contains(after, "#EXT-X-PART:") {
				t.Fatalf("the viewer who waited got %s", after)
			}
			for _, tag := range []string{"#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-DISCONTINUITY-SEQUENCE:"} {
				if a, b := tagNumber(t, before, tag), tagNumber(t, after, tag); b <= a {
					t.Errorf("%s%d follows %d", tag, b, a)
				}
			}
		})
	}
}

func waitForFile(t *testing.T, name, want string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if data, err := os.ReadFile(name); err == nil && strings.Contains(string(data), want) {
			return
		}
	}
	t.Fatalf("%s never had %q in it", name, want)
}

func tagNumber(t *testing.T, playlist, tag string) (n int64) {
	t.Helper()
	_, rest, ok := strings.Cut(playlist, tag)
	if _, err := fmt.Sscan(rest, &n); !ok || err != nil {
		t.Fatalf("no %s in %s", tag, playlist)
	}
	return n
}

// TestAwaitedForAWhile has the host of a show that was on stay away.
func TestAwaitedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(10)
		h.await([]registered{{"shop", 100, 7}, {"other", 100, 7}}, time.Minute)
		show, ok := h.Show("shop")
		if !ok {
			t.Fatal("the show is not awaited")
		}
		if _, err := show.Object(t.Context(), "e1/v1/p0.m4s"); err != packager.ErrNotFound {
			t.Errorf("a part of before: %v", err)
		}
		began := time.Now()
		if _, err := show.Multivariant(t.Context()); err != packager.ErrNotFound {
			t.Errorf("%v", err)
		}
		if d := time.Since(began); d != time.Minute {
			t.Errorf("the viewer waited %v", d)
		}
		if _, ok := h.Show("shop"); ok {
			t.Error("the show is still awaited")
		}
		h.hub.Close()
	})
}

// TestRegister holds what is read against what was written, and broken files against nothing.
func TestRegister(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "shows.json")
	list := []registered{{"shop", 100, 7}, {"other", 200, 9}}
	r := &register{file: file, list: func() []registered { return list }, log: slog.New(slog.DiscardHandler)}
	if got, err := r.read(); got != nil || err != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
	r.close()
	list = nil
	r.save() // all shows have ended, after the last word
	if got, err := r.read(); err != nil || !slices.Equal(got, []registered{{"shop", 100, 7}, {"other", 200, 9}}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "{", `{"shows":3}`, "\x00", `{"shows":[]}` + strings.Repeat(" ", maxRegister)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.read(); err == nil {
			t.Errorf("%.20q was read", text)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("files are left behind: %v", entries)
	}
}
