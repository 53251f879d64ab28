package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// contender is a server that is measured.
type contender struct {
	name string
	// prepare writes the configuration and returns the command line.
	prepare func(c *contender, o *options) ([]string, error)
	// header is sent with every viewer's request.
	header http.Header
	// playlist is the path of a show's multivariant playlist; %s is the show.
	playlist string

	rtmp, origin, pprof string // addresses, host:port
	cmd                 *exec.Cmd
	exited              chan struct{} // closed once the process is gone
}

// contenders returns those that can be measured: pushcart, then the peer if it is set.
func contenders(o *options) []*contender {
	all := []*contender{{name: "pushcart", prepare: preparePushcart, playlist: "/live/%s/index.m3u8"}}
	if o.peer != "" {
		all = append(all, &contender{name: "MediaMTX", prepare: prepareMediaMTX, playlist: "/live/%s/index.m3u8",
			// As a CDN it needs no session per viewer, and gets the same bytes every time, as pushcart
			// serves everyone.
			header: http.Header{"Authorization": {"Bearer bench"}}})
	}
	return slices.DeleteFunc(all, func(c *contender) bool { return o.only != "" && o.only != c.name })
}

// startTimeout is how long a server may take to listen, stopTimeout to exit.
const (
	startTimeout = 10 * time.Second
	stopTimeout  = 15 * time.Second
)

// start runs the server and returns when it listens. The caller calls stop.
func (c *contender) start(o *options) error {
	if err := freeAddresses(&c.rtmp, &c.origin, &c.pprof); err != nil {
		return err
	}
	args, err := c.prepare(c, o)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(o.dir, c.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	c.cmd = exec.Command(args[0], args[1:]...)
	c.cmd.Dir, c.cmd.Stdout, c.cmd.Stderr = o.dir, log, log
	return c.spawn(log.Name())
}

// spawn starts c.cmd and returns when all listeners accept connections.
func (c *contender) spawn(log string) error {
	if err := c.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	c.exited = exited
	go func() {
		c.cmd.Wait()
		close(exited)
	}()
	return c.awaitListeners(log)
}

// freeAddresses fills in addresses on loopback that nobody listens on.
func freeAddresses(all ...*string) error {
	for _, a := range all {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close() // held until each has its own
		*a = ln.Addr().String()
	}
	return nil
}

// awaitListeners returns when all three listeners accept connections.
func (c *contender) awaitListeners(log string) error {
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(50 * time.Millisecond) {
		up := 0
		for _, a := range []string{c.rtmp, c.origin, c.pprof} {
			if conn, err := net.Dial("tcp", a); err == nil {
				conn.Close()
				up++
			}
		}
		if up == 3 {
			return nil
		}
		select {
		case <-c.exited:
			return fmt.Errorf("%s exited at once: %v\n%s", c.name, c.cmd.ProcessState, tail(log))
		default:
		}
		if time.Now().After(deadline) {
			c.stop()
			return fmt.Errorf("%s does not listen after %v\n%s", c.name, startTimeout, tail(log))
		}
	}
}

func tail(name string) string {
	s := readFile(name)
	return s[max(0, len(s)-2000):]
}

// stop ends the server, by force if it does not go. A second call does nothing.
func (c *contender) stop() error {
	c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.exited:
		return nil
	case <-time.After(stopTimeout):
		c.cmd.Process.Kill()
		<-c.exited
		return fmt.Errorf("%s did not exit within %v of SIGTERM", c.name, stopTimeout)
	}
}

// preparePushcart: the low preset has parts of 0.3414 s, ten frames at 30 a second.
func preparePushcart(c *contender, o *options) ([]string, error) {
	name := filepath.Join(o.dir, "pushcart.yml")
	text := fmt.Sprintf("rtmp:\n  listen: %s\nrtsp:\n  listen: \"off\"\norigin:\n  listen: %s\nadmin:\n  listen: %s\nlatency: low\nwindow: %v\n",
		c.rtmp, c.origin, c.pprof, o.window)
	return []string{o.pushcart, "serve", "-c", name}, os.WriteFile(name, []byte(text), 0o644)
}

// prepareMediaMTX: its part duration is a minimum, so 330 ms makes ten frames.
func prepareMediaMTX(c *contender, o *options) ([]string, error) {
	name := filepath.Join(o.dir, "mediamtx.yml")
	text := fmt.Sprintf(`logLevel: warn
rtsp: no
srt: no
webrtc: no
moq: no
playback: no
pprof: yes
pprofAddress: %s
rtmp: yes
rtmpAddress: %s
hls: yes
hlsAddress: %s
hlsVariant: lowLatency
hlsAlwaysRemux: yes
hlsCDNSecret: bench
hlsSegmentCount: %d
hlsSegmentDuration: %v
hlsPartDuration: 330ms
paths:
  all_others:
`, c.pprof, c.rtmp, c.origin, int(o.window/o.segment), o.segment)
	return []string{o.peer, name}, os.WriteFile(name, []byte(text), 0o644)
}

// peerVersion asks the peer for its version.
func peerVersion(bin string) string {
	b, err := exec.Command(bin, "--version").Output()
	if err != nil {
		return "MediaMTX of unknown version"
	}
	return "MediaMTX " + strings.TrimSpace(string(b))
}

// client keeps a connection for every probe.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10_000}}

// get fetches a path of the origin.
func (c *contender) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+c.origin+path, nil)
	if err != nil {
		return nil, err
	}
	for k, v := range c.header {
		req.Header[k] = v
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	return b, err
}

// memory is a server's own account of its heap, after a collection, and of all that it ever allocated.
type memory struct{ heapInUse, heapAlloc, mallocs, totalAlloc int64 }

// heap has the server collect its garbage and returns what is left.
func (c *contender) heap() (m memory, err error) {
	resp, err := http.Get("http://" + c.pprof + "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return m, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "# "), " = ")
		n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		switch name {
		case "HeapInuse":
			m.heapInUse = n
		case "HeapAlloc":
			m.heapAlloc = n
		case "Mallocs":
			m.mallocs = n
		case "TotalAlloc":
			m.totalAlloc = n
		}
	}
	if m.heapInUse == 0 {
		return m, errors.New(c.name + ": no heap statistics at its pprof listener")
	}
	return m, nil
}

// cpuProfile takes a profile of the next seconds and writes it to a file.
func (c *contender) cpuProfile(seconds int, name string) error {
	resp, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", c.pprof, seconds))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}
