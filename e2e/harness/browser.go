package harness

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Browser is a node process that drives a headless Chromium (browser/driver.mjs). It is safe for concurrent
// use.
type Browser struct {
	cmd *exec.Cmd
	in  io.WriteCloser

	mu      sync.Mutex
	last    int
	waiting map[int]chan answer
	dead    error
}

type answer struct {
	ID    int             `json:"id"`
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`
}

// commandTimeout bounds every command to the browser. It is longer than the driver's own timeouts.
const commandTimeout = Patience + time.Minute

// dir is the e2e directory, wherever the tests run.
func dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// StartBrowser starts the driver; browsers are launched when the first page is opened.
func StartBrowser() (*Browser, error) {
	cmd := exec.Command("node", "driver.mjs")
	cmd.Dir = filepath.Join(dir(), "browser")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &Browser{cmd: cmd, in: in, waiting: make(map[int]chan answer)}
	go b.listen(out)
	return b, nil
}

// Close ends the browser.
func (b *Browser) Close() {
	b.in.Close()
	done := make(chan struct{})
	go func() { b.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		b.cmd.Process.Kill()
		<-done
	}
}

func (b *Browser) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20) // reports of a minute are long
	for lines.Scan() {
		var a answer
		if json.Unmarshal(lines.Bytes(), &a) != nil {
			continue
		}
		b.mu.Lock()
		if c := b.waiting[a.ID]; c != nil {
			c <- a
			delete(b.waiting, a.ID)
		}
		b.mu.Unlock()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dead = fmt.Errorf("the browser's driver has ended: %v", lines.Err())
	for id, c := range b.waiting {
		c <- answer{Error: b.dead.Error()}
		delete(b.waiting, id)
	}
}

// do sends a command and decodes its answer into value, unless that is nil.
func (b *Browser) do(command map[string]any, value any) error {
	b.mu.Lock()
	if b.dead != nil {
		b.mu.Unlock()
		return b.dead
	}
	b.last++
	c := make(chan answer, 1)
	b.waiting[b.last] = c
	command["id"] = b.last
	line, err := json.Marshal(command)
	if err == nil {
		_, err = b.in.Write(append(line, '\n'))
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case a := <-c:
		if a.Error != "" {
			return fmt.Errorf("%v: %s", command["cmd"], a.Error)
		}
		if value == nil {
			return nil
		}
		return json.Unmarshal(a.Value, value)
	case <-time.After(commandTimeout):
		return fmt.Errorf("%v: no answer within %v", command["cmd"], commandTimeout)
	}
}

// PageOptions say how a page is opened.
type PageOptions struct {
	Width, Height int
	// Strict opens it in a browser that refuses sound until the viewer has touched the page.
	Strict bool
}

// Page is a browser's page with the observer in it. Its methods end the test if the browser fails.
type Page struct {
	t     testing.TB
	b     *Browser
	id    int
	noted map[float64]bool // the observer's samples, by wall time (ms), that have been looked at
}

// Open opens url. The page is closed with the test.
func (b *Browser) Open(t testing.TB, url string, o PageOptions) *Page {
	t.Helper()
	if o.Width == 0 {
		o.Width, o.Height = 1280, 720
	}
	var opened struct {
		Page    int
		Version string
	}
	err := b.do(map[string]any{"cmd": "open", "url": url, "width": o.Width, "height": o.Height, "strict": o.Strict}, &opened)
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{t: t, b: b, id: opened.Page, noted: make(map[float64]bool)}
	t.Cleanup(func() {
		if t.Failed() {
			p.explain()
		}
		p.Close()
	})
	return p
}

// explain says what the page looked like when its test failed.
func (p *Page) explain() {
	var r Report
	if err := p.b.do(map[string]any{"cmd": "report", "page": p.id}, &r); err != nil {
		return // closed already
	}
	p.t.Logf("page: phase %q, %q, video at %.2f s, %d frames, events %v", r.Phase, r.Headline, r.Time, len(r.Frames), tail(r.Events, 12))
	for _, line := range tail(r.Console, 30) {
		p.t.Log("console:", line)
	}
	path := Artefact(p.t, "failed.png")
	if p.b.do(map[string]any{"cmd": "shot", "page": p.id, "path": path}, nil) == nil {
		p.t.Log("screenshot:", path)
	}
}

func tail[T any](s []T, n int) []T { return s[max(0, len(s)-n):] }

// Close closes the page. It may be closed more than once.
func (p *Page) Close() { p.b.do(map[string]any{"cmd": "close", "page": p.id}, nil) }

// Report returns what the observer has seen from since on; everything if since is zero.
func (p *Page) Report(since time.Time) Report {
	p.t.Helper()
	var r Report
	ms := 0.0
	if !since.IsZero() {
		ms = float64(since.UnixMilli())
	}
	if err := p.b.do(map[string]any{"cmd": "report", "page": p.id, "since": ms}, &r); err != nil {
		p.t.Fatal(err)
	}
	p.meter(r)
	return r
}

// meter notes how late the page's own timer was.
func (p *Page) meter(r Report) {
	for i := 1; i < len(r.Samples); i++ {
		was, is := r.Samples[i-1].At, r.Samples[i].At
		if p.noted[is] {
			continue
		}
		p.noted[is] = true
		if late := time.Duration((is - was - sampleMs) * float64(time.Millisecond)); late >= lateWake {
			noteLate(time.UnixMilli(int64(was+sampleMs)), late)
		}
	}
}

// Evaluate decodes the value of a JavaScript expression into value.
func (p *Page) Evaluate(js string, value any) {
	p.t.Helper()
	if err := p.b.do(map[string]any{"cmd": "evaluate", "page": p.id, "js": js}, value); err != nil {
		p.t.Fatal(err)
	}
}

// Click clicks an element.
func (p *Page) Click(selector string) {
	p.t.Helper()
	if err := p.b.do(map[string]any{"cmd": "click", "page": p.id, "selector": selector}, nil); err != nil {
		p.t.Fatal(err)
	}
}

// Offline takes the page's network away, or gives it back.
func (p *Page) Offline(offline bool) {
	p.t.Helper()
	if err := p.b.do(map[string]any{"cmd": "offline", "page": p.id, "offline": offline}, nil); err != nil {
		p.t.Fatal(err)
	}
}

// Screenshot writes a picture of the page.
func (p *Page) Screenshot(path string) {
	p.t.Helper()
	if err := p.b.do(map[string]any{"cmd": "shot", "page": p.id, "path": path}, nil); err != nil {
		p.t.Fatal(err)
	}
}

// Throttle gives the page a network of so many kilobits a second with a round trip of 40 ms; zero lifts that.
func (p *Page) Throttle(kilobitsPerSecond int) {
	p.t.Helper()
	if err := p.b.do(map[string]any{"cmd": "throttle", "page": p.id, "kbps": kilobitsPerSecond}, nil); err != nil {
		p.t.Fatal(err)
	}
}

// Until waits until the page's report of the last three seconds satisfies ok, and returns it. The test ends if that
// takes longer than Patience.
func (p *Page) Until(what string, ok func(Report) bool) Report {
	p.t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(200 * time.Millisecond) {
		r := p.Report(time.Now().Add(-3 * time.Second))
		if ok(r) {
			return r
		}
		if time.Now().After(end) {
			p.t.Fatalf("%s: not within %v; the page says %q (%s)", what, Patience, r.Headline, r.Phase)
		}
	}
}

// UntilTrue waits until a JavaScript expression is true. One that throws is not: a player that is made anew is away for
// a moment.
func (p *Page) UntilTrue(what, js string) {
	p.t.Helper()
	var value bool
	var err error
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		value = false
		if err = p.b.do(map[string]any{"cmd": "evaluate", "page": p.id, "js": "!!(" + js + ")"}, &value); err == nil && value {
			return
		}
	}
	p.t.Fatalf("%s: not within %v (%v)", what, Patience, err)
}

// UntilPlaying waits until the picture (or, without one, the sound) moves.
func (p *Page) UntilPlaying() Report {
	p.t.Helper()
	return p.Until("playing", func(r Report) bool { return r.Phase == "playing" })
}

// Plays waits until so much of the show has been played, in as many stretches as it takes, and returns what the
// observer saw since the call; the page plays at that moment. On a busy machine that may take several times as long as
// the play, but not more than Patience without any.
func (p *Page) Plays(d time.Duration) Report {
	p.t.Helper()
	began := time.Now()
	r := p.Report(began)
	played, moved := 0.0, began
	for {
		before, asked := r, time.Now()
		time.Sleep(200 * time.Millisecond)
		r = p.Report(began)
		// A seek is no play, and a player that was made anew has a timeline of its own.
		if step := r.Time - before.Time; step > 0 {
			played += min(step, 1.5*time.Since(asked).Seconds())
			moved = time.Now()
		}
		switch {
		case r.Phase == "playing" && played >= d.Seconds():
			return r
		case time.Since(moved) > Patience:
			p.t.Fatalf("%v of play: after %.1f s the page has stood still for %v; it says %q (%s)", d, played, Patience, r.Headline, r.Phase)
		case time.Since(began) > 10*d+2*Patience:
			p.t.Fatalf("%v of play: only %.1f s in %v; the page says %q (%s)", d, played, time.Since(began).Round(time.Second), r.Headline, r.Phase)
		}
	}
}
