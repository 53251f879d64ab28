package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// partConns is how many connections fetch parts at the same time, partSeconds how long at most: parts
// must not leave the window meanwhile.
const (
	partConns   = 64
	partSeconds = 6
)

// rate is how fast parts were served.
type rate struct {
	perSecond, client float64
	cpuEach           time.Duration
	size              int64 // mean, of a part
}

// partsSuite fetches the newest parts of a live show again and again, then the same files from nginx.
func partsSuite(ctx context.Context, o *options, r *report) error {
	servers := contenders(o)
	t := newTable(servers)
	t.columns = append(t.columns, "nginx, pushcart's files")
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = ""
	}
	rows := map[string][]rate{}
	for _, c := range servers {
		for _, kind := range []string{"video", "audio"} {
			served, static, err := measureParts(ctx, o, c, kind, nginx)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", c.name, kind, err)
			}
			rows[kind] = append(rows[kind], served)
			if c == servers[0] && nginx != "" {
				rows[kind+" nginx"] = []rate{static}
			}
		}
	}
	for _, kind := range []string{"video", "audio"} {
		all := append(rows[kind], rows[kind+" nginx"]...)
		line := func(what string, f func(rate) figure) {
			var figures []figure
			for _, v := range all {
				figures = append(figures, f(v))
			}
			for len(figures) < len(t.columns) {
				figures = append(figures, figure{})
			}
			t.row(kind+" parts: "+what, figures...)
		}
		line("mean size", func(v rate) figure { return measured("%.1f kB", float64(v.size)/1000) })
		line("requests per second", func(v rate) figure { return measured("%.0f", v.perSecond) })
		line("bytes per second", func(v rate) figure { return measured("%.0f MB/s", v.perSecond*float64(v.size)/1e6) })
		line("server's CPU per request", func(v rate) figure { return measured("%.1f µs", float64(v.cpuEach)/1000) })
		line("(CPU of the client, of one core)", func(v rate) figure { return measured("%.0f %%", 100*v.client) })
	}
	t.print(r.w)
	for _, kind := range []string{"video", "audio"} {
		if static := rows[kind+" nginx"]; len(static) > 0 {
			fmt.Fprintf(r.w, "\n%s parts: %s serves %.2f of nginx's rate.\n", kind, servers[0].name, rows[kind][0].perSecond/static[0].perSecond)
		}
	}
	fmt.Fprintf(r.w, "\n%d connections, HTTP/1.1 with keep-alive, one request at a time on each; the client is one thread and drops bodies in the kernel.\n", partConns)
	return nil
}

// measureParts serves one live show from c and fetches its newest parts; if nginx is given, it then
// serves what was fetched.
func measureParts(ctx context.Context, o *options, c *contender, kind, nginx string) (served, static rate, err error) {
	if err := c.start(o); err != nil {
		return served, static, err
	}
	defer c.stop()
	l, err := startLoad(ctx, o, c, 1, "s%d")
	if err != nil {
		return served, static, err
	}
	defer l.cmd.Process.Kill()
	rend, err := c.video(ctx, "s0", 20*time.Second)
	if err != nil {
		return served, static, err
	}
	if kind == "audio" {
		if rend, err = c.audio(ctx, "s0"); err != nil {
			return served, static, err
		}
	}
	if err := sleep(ctx, 8*time.Second); err != nil {
		return served, static, err
	}
	p, err := rend.load(ctx, rend.path.RequestURI())
	if err != nil {
		return served, static, err
	}
	if len(p.parts) < 6 {
		return served, static, errors.New("fewer than six parts are listed")
	}
	var targets []string
	var bodies [][]byte
	for _, uri := range p.parts[len(p.parts)-6:] {
		target := rend.resolve(uri)
		b, err := c.get(ctx, target)
		if err != nil {
			return served, static, err
		}
		targets, bodies = append(targets, target), append(bodies, b)
	}
	length := time.Duration(min(o.seconds, partSeconds)) * time.Second
	if o.profile != "" {
		go c.cpuProfile(int(length/time.Second), filepath.Join(o.profile, fmt.Sprintf("%s-%s-parts.pprof", c.name, kind)))
	}
	served, err = fetchParts(ctx, c, targets, bodies, length, func() (time.Duration, error) { return processTime(c.cmd.Process.Pid) })
	if err != nil || nginx == "" {
		return served, static, err
	}
	c.stop()
	static, err = serveStatic(ctx, o, nginx, targets, bodies, length)
	return served, static, err
}

// fetchParts asks for targets in turn, over and over, for a while.
func fetchParts(ctx context.Context, c *contender, targets []string, bodies [][]byte, length time.Duration,
	cpu func() (time.Duration, error)) (v rate, err error) {
	h, err := newHerd(c.origin, partConns)
	if err != nil {
		return v, err
	}
	defer h.close()
	var requests [][]byte
	for i, target := range targets {
		requests = append(requests, c.request(target))
		v.size += int64(len(bodies[i])) / int64(len(targets))
	}
	before, err := cpu()
	if err != nil {
		return v, err
	}
	own, _ := processTime(os.Getpid())
	begin := time.Now()
	for i := range h.conns {
		if err := h.send(i, requests[i%len(requests)]); err != nil {
			return v, err
		}
	}
	count := 0
	err = h.drive(ctx, func(a answer) (bool, error) {
		if a.status != http.StatusOK {
			return true, fmt.Errorf("status %d", a.status)
		}
		count++
		if a.at.Sub(begin) >= length {
			return true, nil
		}
		return false, h.send(a.conn, requests[(a.conn+count)%len(requests)])
	})
	if err != nil {
		return v, err
	}
	took := time.Since(begin)
	after, err := cpu()
	if err != nil {
		return v, err
	}
	ownAfter, _ := processTime(os.Getpid())
	v.perSecond, v.client = float64(count)/took.Seconds(), (ownAfter-own).Seconds()/took.Seconds()
	v.cpuEach = (after - before) / time.Duration(count)
	return v, nil
}

// serveStatic has nginx serve bodies under the paths of targets, and fetches them.
func serveStatic(ctx context.Context, o *options, nginx string, targets []string, bodies [][]byte, length time.Duration) (v rate, err error) {
	dir := filepath.Join(o.dir, "static")
	defer os.RemoveAll(dir)
	c := &contender{name: "nginx"}
	if err := freeAddresses(&c.origin); err != nil {
		return v, err
	}
	c.rtmp, c.pprof = c.origin, c.origin
	for i, target := range targets {
		u, err := url.Parse(target)
		if err != nil {
			return v, err
		}
		name := filepath.Join(dir, "root", filepath.FromSlash(u.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return v, err
		}
		if err := os.WriteFile(name, bodies[i], 0o644); err != nil {
			return v, err
		}
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, dir, dir, c.origin, filepath.Join(dir, "root"))
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return v, err
	}
	log, err := os.Create(filepath.Join(o.dir, "nginx.log"))
	if err != nil {
		return v, err
	}
	defer log.Close()
	c.cmd = exec.Command(nginx, "-c", conf, "-p", dir)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	if err := c.spawn(log.Name()); err != nil {
		return v, err
	}
	defer c.stop()
	return fetchParts(ctx, c, targets, bodies, length, func() (time.Duration, error) { return familyTime(c.cmd.Process.Pid) })
}

// nginxConfig is nginx at its best for this: two workers, sendfile, no logs, files kept open.
const nginxConfig = `daemon off;
user root;
worker_processes auto;
pid %s/pid;
error_log %s/error.log;
events { worker_connections 4096; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	open_file_cache max=1000;
	types { video/mp4 mp4 m4s; }
	server {
		listen %s;
		root %s;
	}
}
`

// familyTime is the processor time of a process and its children.
func familyTime(pid int) (time.Duration, error) {
	total, err := processTime(pid)
	if err != nil {
		return 0, err
	}
	for child := range strings.FieldsSeq(readFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))) {
		n, err := strconv.Atoi(child)
		if err != nil {
			return 0, err
		}
		d, err := processTime(n)
		if err != nil {
			return 0, err
		}
		total += d
	}
	return total, nil
}

// audio finds the playlist of a show's first audio rendition.
func (c *contender) audio(ctx context.Context, name string) (rendition, error) {
	path := fmt.Sprintf(c.playlist, name)
	b, err := c.get(ctx, path)
	if err != nil {
		return rendition{}, err
	}
	for line := range strings.Lines(string(b)) {
		list, ok := strings.CutPrefix(strings.TrimSpace(line), "#EXT-X-MEDIA:")
		if !ok || attribute(list, "TYPE") != "AUDIO" {
			continue
		}
		base, err := url.Parse(path)
		if err != nil {
			return rendition{}, err
		}
		u, err := base.Parse(attribute(list, "URI"))
		return rendition{c, u}, err
	}
	return rendition{}, errors.New(path + ": no audio rendition")
}
