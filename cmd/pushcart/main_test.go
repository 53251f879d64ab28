package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pushcart/demo"
)

// The tests run this program as an operator does: in a process of its own, whose main is main.
const asProgram = "PUSHCART_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Unsetenv(asProgram)
		main()
		return
	}
	os.Exit(m.Run())
}

// patience is how long anything may take before a test gives up. It measures nothing.
const patience = 4 * time.Minute

// command prepares pushcart with args in dir. The environment holds env only.
func command(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = dir
	cmd.Env = append(env, asProgram+"=1", "GORACE=atexit_sleep_ms=10")
	return cmd
}

// execute runs pushcart to its end.
func execute(t *testing.T, dir string, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := command(t, dir, env, args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// write makes a configuration in a directory of its own, which it returns.
func write(t *testing.T, yaml string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pushcart.yml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWrongConfiguration(t *testing.T) {
	t.Parallel()
	dir := write(t, "rtmp:\n  lisen: \":1935\"\nwindow: 30\nlatency: slow\n")
	const want = `pushcart.yml:2:3: unknown key "lisen"; did you mean "listen"?
pushcart.yml:3:9: window: 30 has no unit: write 30s for seconds, or use ms, m or h
pushcart.yml:4:10: latency: "slow" is no latency; did you mean "low"?
`
	for _, args := range [][]string{{}, {"serve"}, {"-c", "pushcart.yml"}, {"serve", "-c", "pushcart.yml"}, {"check"}, {"check", "pushcart.yml"}, {"key", "a"}, {"demo"}} {
		stdout, stderr, status := execute(t, dir, nil, args...)
		if status != exitUsage || stderr != want || stdout != "" {
			t.Errorf("%q: status %d, stdout %q, stderr\n%s", args, status, stdout, stderr)
		}
	}
}

func TestWrongCommandLine(t *testing.T) {
	for _, args := range [][]string{{"frobnicate"}, {"key"}, {"--nothing"}, {"check", "a", "b"}} {
		if stdout, stderr, status := execute(t, t.TempDir(), nil, args...); status != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
	if stdout, _, status := execute(t, t.TempDir(), nil, "--help"); status != 0 || !strings.Contains(stdout, "check") {
		t.Errorf("--help: status %d, %q", status, stdout)
	}
}

func TestCheck(t *testing.T) {
	stdout, stderr, status := execute(t, t.TempDir(), nil, "check")
	if status != 0 || stderr != "" || !strings.HasPrefix(stdout, "no file: the defaults are in force\n") || !strings.Contains(stdout, "only this machine can publish") {
		t.Errorf("no file: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	dir := write(t, "auth:\n  secret: 0123456789abcdef-of-mine\n")
	stdout, stderr, status = execute(t, dir, []string{"PUSHCART_WINDOW=1h", "PUSHCART_RTMP_LISEN=:1"}, "check", "-a")
	if status != 0 || stderr != "" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	for _, want := range []string{
		"pushcart.yml: all right\n",
		"window = 1h0m0s (from PUSHCART_WINDOW)\n",
		"PUSHCART_RTMP_LISEN is ignored",
		"PUSHCART_ORIGIN_LISTEN_TLS\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "of-mine") {
		t.Error("check shows the secret")
	}
	dir = write(t, "tls: {cert_file: none.pem, key_file: none.key}\n")
	if _, stderr, status = execute(t, dir, nil, "check"); status != exitUsage || !strings.Contains(stderr, "tls.key_file: open none.key: no such file") {
		t.Errorf("missing certificate: status %d, stderr %q", status, stderr)
	}
}

func TestKey(t *testing.T) {
	secret := []string{"PUSHCART_AUTH_SECRET=correct horse battery staple"}
	stdout, stderr, status := execute(t, t.TempDir(), secret, "key", "shop-42")
	if status != 0 || !regexp.MustCompile(`^shop-42-[a-z2-7]{16}\n$`).MatchString(stdout) || !strings.Contains(stderr, "rtmp://HOST:1935/live") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if stdout, stderr, status := execute(t, t.TempDir(), secret, "key", "shop 42"); status != exitFailure || stdout != "" || !strings.Contains(stderr, "character") {
		t.Errorf("wrong name: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if stdout, stderr, status := execute(t, t.TempDir(), nil, "key", "shop-42"); status != exitFailure || stdout != "" || !strings.Contains(stderr, "auth.secret") {
		t.Errorf("no secret: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestVersion(t *testing.T) {
	if stdout, _, status := execute(t, t.TempDir(), nil, "version"); status != 0 || !regexp.MustCompile(`^pushcart \S+.* go1\.\d+.*\n$`).MatchString(stdout) {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for key, env := range map[string]string{"rtmp.listen": "PUSHCART_RTMP_LISTEN", "rtsp.listen": "PUSHCART_RTSP_LISTEN", "origin.listen": "PUSHCART_ORIGIN_LISTEN", "admin.listen": "PUSHCART_ADMIN_LISTEN"} {
		stdout, stderr, status := execute(t, t.TempDir(), replace(onAnyPort, env+"="+l.Addr().String()))
		want := fmt.Sprintf("pushcart: %s: port %s is in use by another program: stop it, or set %s (or %s) to another address\n", key, port, key, env)
		if status != exitFailure || stdout != "" || stderr != want {
			t.Errorf("status %d, stdout %q, stderr %q, want %q", status, stdout, stderr, want)
		}
	}
}

// onAnyPort keeps tests out of each other's way, and everything on this machine.
var onAnyPort = []string{
	"PUSHCART_RTSP_LISTEN=off", "PUSHCART_RTSP_LISTEN_TLS=off",
	"PUSHCART_RTMP_LISTEN=127.0.0.1:0", "PUSHCART_ORIGIN_LISTEN=127.0.0.1:0", "PUSHCART_ADMIN_LISTEN=127.0.0.1:0", "PUSHCART_LOG_FORMAT=json",
}

// replace returns env with one variable set.
func replace(env []string, kv string) []string {
	name, _, _ := strings.Cut(kv, "=")
	out := []string{kv}
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			out = append(out, e)
		}
	}
	return out
}

// process is a server that runs.
type process struct {
	cmd  *exec.Cmd
	addr map[string]string // by key of the configuration
	exit chan error

	mu  sync.Mutex // guards log
	log []string   // messages so far
}

// start starts a server and waits until it listens.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: command(t, t.TempDir(), append(env, onAnyPort...), args...), addr: make(map[string]string), exit: make(chan error, 1)}
	pipe, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() })
	up := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			var line struct{ Msg, Key, Address string }
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				line.Msg = lines.Text() // such as a race detector's
			}
			switch line.Msg {
			case "listening":
				p.addr[line.Key] = line.Address
			case "publish":
				close(up)
			}
			p.mu.Lock()
			p.log = append(p.log, line.Msg)
			p.mu.Unlock()
		}
		p.exit <- p.cmd.Wait()
	}()
	select {
	case <-up:
	case err := <-p.exit:
		t.Fatalf("%v: %q", err, p.messages())
	}
	return p
}

func (p *process) messages() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.log...)
}

// get fetches a path and returns status and body.
func get(url string) (int, string, error) {
	res, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// eventually asks until the answer has what is wanted in it.
func eventually(t *testing.T, url, want string) string {
	t.Helper()
	var status int
	var body string
	var err error
	for end := time.Now().Add(patience / 2); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if status, body, err = get(url); err == nil && strings.Contains(body, want) {
			return body
		}
	}
	t.Fatalf("%s never had %q in it; at last: %d %v\n%s", url, want, status, err, body)
	return ""
}

// A whole evening: a host comes, viewers watch, an operator looks and cuts, another host comes, and the server
// is told to stop, while a viewer waits for the next part.
func TestServe(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	viewers, operators := "http://"+p.addr["origin.listen"], "http://"+p.addr["admin.listen"]
	eventually(t, operators+"/readyz", "ready")
	_, _, status := execute(t, t.TempDir(), []string{"PUSHCART_ADMIN_LISTEN=" + p.addr["admin.listen"]}, "healthcheck")
	if status != 0 {
		t.Errorf("healthcheck: status %d", status)
	}

	ctx, goHome := context.WithCancel(t.Context())
	defer goHome()
	for _, key := range []string{"first", "second"} {
		go (&demo.Host{URL: "rtmp://" + p.addr["rtmp.listen"] + "/live/" + key, Log: slog.New(slog.DiscardHandler)}).Run(ctx)
	}
	eventually(t, viewers+"/live/first/index.m3u8", "v1.m3u8")
	eventually(t, viewers+"/live/first/v1.m3u8", "#EXT-X-PART:")
	eventually(t, viewers+"/live/second/v1.m3u8", "#EXT-X-PART:")
	eventually(t, operators+"/v1/streams/live/first", `"state": "live"`)
	eventually(t, operators+"/v1/streams", `"name": "second"`)
	eventually(t, operators+"/metrics", `pushcart_streams{state="live"} 2`)

	req, _ := http.NewRequest(http.MethodDelete, operators+"/v1/streams/live/first", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatalf("cut: %v, %v", res, err)
	}
	res.Body.Close()
	eventually(t, viewers+"/live/first/v1.m3u8", "#EXT-X-ENDLIST")
	eventually(t, operators+"/v1/streams/live/first", `"state": "ended"`)

	// A viewer of the second show waits for more when the server is stopped: the show goes on when it is back.
	body := eventually(t, viewers+"/live/second/v1.m3u8", "#EXT-X-PRELOAD-HINT")
	var msn int64
	if _, err := fmt.Sscanf(body[strings.Index(body, "#EXT-X-MEDIA-SEQUENCE:"):], "#EXT-X-MEDIA-SEQUENCE:%d", &msn); err != nil {
		t.Fatal(err)
	}
	msn += int64(strings.Count(body, "#EXTINF:"))
	ends := make(chan string, 1)
	go func() {
		_, body, err := get(fmt.Sprintf("%s/live/second/v1.m3u8?_HLS_msn=%d", viewers, msn+1))
		ends <- fmt.Sprint(body, err)
	}()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if body := <-ends; strings.Contains(body, "#EXT-X-ENDLIST") {
		t.Errorf("the server ended the show: %s", body)
	}
	if err := <-p.exit; err != nil {
		t.Errorf("after SIGTERM: %v; %q", err, p.messages())
	}
	log := strings.Join(p.messages(), "\n")
	for _, want := range []string{"show started", "show cut by an operator", "show ended", "shutting down: shows go on when the server is back", "stopped"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in the log:\n%s", want, log)
		}
	}
	if strings.Contains(log, "giving up") || strings.Contains(log, "DATA RACE") {
		t.Errorf("log:\n%s", log)
	}
}

// Viewers who stay connected hold the end up, but not an operator who means it.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	idle, err := net.Dial("tcp", p.addr["origin.listen"])
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	eventually(t, "http://"+p.addr["admin.listen"]+"/metrics", "pushcart_origin_connections 1")
	p.cmd.Process.Signal(syscall.SIGINT)
	eventually(t, "http://"+p.addr["admin.listen"]+"/readyz", "shutting down")
	p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.exit
	if status := p.cmd.ProcessState.ExitCode(); status != exitFailure {
		t.Errorf("status %d; %q", status, p.messages())
	}
	if log := strings.Join(p.messages(), "\n"); !strings.Contains(log, "a second signal") || strings.Contains(log, "stopped") {
		t.Errorf("log: %s", log)
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	p := start(t, []string{"PUSHCART_AUTH_SECRET=keys are no obstacle to the demo"}, "demo")
	eventually(t, "http://"+p.addr["origin.listen"]+"/live/demo/v1.m3u8", "#EXT-X-PART:")
	eventually(t, "http://"+p.addr["origin.listen"]+"/live/demo/", "<html")
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := <-p.exit; err != nil {
		t.Errorf("after SIGTERM: %v; %q", err, p.messages())
	}
}
