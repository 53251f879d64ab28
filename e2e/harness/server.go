// Package harness runs what an end-to-end test needs: the server's binary, an ffmpeg that publishes pictures
// with a clock in them, and a browser that reads the clock back from the page.
package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Need skips the test when a program is missing; where CI is set, it fails instead.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: run make tools", program)
		}
		t.Skipf("%s is missing: run make tools", program)
	}
}

// Patience is how long a test waits for what has to come. It is no budget: a machine that is busy with other things
// takes many times as long as a quiet one for everything.
const Patience = 4 * time.Minute

// Number reads a positive number from the environment.
func Number(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return fallback
}

// Build builds the server into a directory and returns the binary's path.
func Build(into string) (string, error) {
	binary := filepath.Join(into, "pushcart")
	args := []string{"build", "-o", binary}
	if os.Getenv("E2E_RACE") != "" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/pushcart")...)
	cmd.Dir = filepath.Dir(dir())
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// Server is a running pushcart.
type Server struct {
	// RTMP, RTSP, Origin and Admin are HOST:PORT of its listeners; RTP is that of RTSP's UDP.
	RTMP, RTSP, RTP, Origin, Admin string

	binary string
	dir    string // where it runs, and keeps what it keeps
	args   []string
	cmd    *exec.Cmd
	log    *lockedBuffer // of all its lives
	exited chan struct{}
	err    error // of the process; read after exited
}

// Serve starts `pushcart serve` with a configuration of its own on free ports: extra is YAML that is added to
// it, behind the section rtsp, which it may go on with. It is stopped with the test, which fails if the server does not end cleanly.
func Serve(t testing.TB, binary, extra string) *Server {
	t.Helper()
	s := newServer(t, binary)
	s.args = []string{"serve", "-c", s.config(t, extra)}
	s.start(t)
	return s
}

// config writes a configuration file for the server's ports and returns its path.
func (s *Server) config(t testing.TB, extra string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pushcart.yml")
	yaml := fmt.Sprintf("rtmp:\n  listen: %s\norigin:\n  listen: %s\nadmin:\n  listen: %s\nrtsp:\n  listen: %s\n  udp: %s\n%s", s.RTMP, s.Origin, s.Admin, s.RTSP, s.RTP, extra)
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newServer prepares a server and what is done about it when the test ends.
func newServer(t testing.TB, binary string) *Server {
	s := &Server{RTMP: freePort(t), RTSP: freePort(t), RTP: freeUDP(t), Origin: freePort(t), Admin: freePort(t), binary: binary, dir: t.TempDir(), log: new(lockedBuffer)}
	t.Cleanup(func() {
		if s.cmd == nil {
			return
		}
		if err := s.Stop(); err != nil {
			t.Errorf("pushcart did not end cleanly: %v", err)
		}
		if strings.Contains(s.log.String(), "DATA RACE") {
			t.Error("a data race in the server")
		}
		if t.Failed() {
			t.Logf("pushcart's log:\n%s", s.log)
		}
	})
	return s
}

// start runs the binary and waits until it is ready.
func (s *Server) start(t testing.TB) {
	t.Helper()
	s.exited = make(chan struct{})
	s.cmd = exec.Command(s.binary, s.args...)
	s.cmd.Dir = s.dir
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := s.exited
	go func(cmd *exec.Cmd) {
		s.err = cmd.Wait()
		close(exited)
	}(s.cmd)
	for end := time.Now().Add(Patience); ; time.Sleep(20 * time.Millisecond) {
		if status, _ := get("http://" + s.Admin + "/readyz"); status == http.StatusOK {
			return
		}
		select {
		case <-s.exited:
			t.Fatalf("pushcart has ended: %v", s.err)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("pushcart is not ready after %v", Patience)
		}
	}
}

// Crash ends the server at once and starts it again on the same ports.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	s.cmd.Process.Kill()
	<-s.exited
	s.start(t)
}

// Stop asks the server to end and waits for it.
func (s *Server) Stop() error {
	s.cmd.Process.Signal(syscall.SIGTERM) // one that has ended is no error
	select {
	case <-s.exited:
		return s.err
	case <-time.After(Patience):
		s.cmd.Process.Kill()
		<-s.exited
		return fmt.Errorf("not within %v", Patience)
	}
}

// PublishURL returns the address to publish a show to.
func (s *Server) PublishURL(name string) string { return "rtmp://" + s.RTMP + "/live/" + name }

// CameraURL returns the address to publish a show to by RTSP.
func (s *Server) CameraURL(name string) string { return "rtsp://" + s.RTSP + "/live/" + name }

// PageURL returns the address of a show's page; query may be empty.
func (s *Server) PageURL(name, query string) string {
	return "http://" + s.Origin + "/live/" + name + "/" + query
}

// Log returns what the server has written so far.
func (s *Server) Log() string { return s.log.String() }

// Lists waits until a playlist has something in it so many times, or more often.
func (s *Server) Lists(t testing.TB, playlist, what string, times int) {
	t.Helper()
	var text string
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, text = get("http://" + s.Origin + "/live/" + playlist); strings.Count(text, what) >= times {
			return
		}
	}
	t.Fatalf("there never were %d times %s in %s; at last:\n%s", times, what, playlist, text)
}

// Follow reads the media playlists of a show until the test ends, as a viewer of it.
func (s *Server) Follow(t testing.TB, name string) *Follower {
	f := &Follower{base: "http://" + s.Origin + "/live/" + name + "/"}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

// client does not keep connections: tests end servers.
var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func get(url string) (int, string) {
	res, err := client.Get(url)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, string(body)
}

// given are the ports that freePort has returned.
var given sync.Map

// freePort returns an address that nobody listens on, and that it has not returned before. It is below the range that
// the kernel takes ports for connections from, so that it stays free until the server has it.
func freePort(t testing.TB) string {
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port")
	return ""
}

// freeUDP returns an address with an even port that is free for UDP, as the next one is.
func freeUDP(t testing.TB) string {
	for range 100 {
		port := 20000 + 2*rand.IntN(6000)
		var free [2]bool
		for i := range free {
			if c, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port+i)); err == nil {
				c.Close()
				free[i] = true
			}
		}
		if free[0] && free[1] {
			return fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	t.Fatal("no two free UDP ports")
	return ""
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// Demo starts `pushcart demo` on free ports.
func Demo(t testing.TB, binary string) *Server {
	t.Helper()
	s := newServer(t, binary)
	s.args = []string{"demo", "-c", s.config(t, "")}
	s.start(t)
	return s
}
