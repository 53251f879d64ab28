package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/config"
	"pushcart/cue"
	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

// TestCuesModel plays random shows: a producer who writes to the API what comes to mind, a host who goes and comes
// back, a server that is stopped and killed, a rendition that lags. For each frame, players that read date ranges
// have to show what the model says is up; the events in band and the state in each segment have to agree. CUE_SHOWS
// sets the number of shows, CUE_FIRST the seed of the first.
func TestCuesModel(t *testing.T) {
	shows, first := 4, 0
	if n, err := strconv.Atoi(os.Getenv("CUE_SHOWS")); err == nil {
		shows = n
	}
	if n, err := strconv.Atoi(os.Getenv("CUE_FIRST")); err == nil {
		first = n
	}
	for seed := first; seed < first+shows; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { newCueWorld(t, uint64(seed), dir).play() })
		})
	}
}

const (
	frameRate = 30
	// settled is how far behind the newest frame nothing changes any more: the hold-back, within which the past can be
	// written, and a part or two. For the rung, which lags, it is three times that.
	settled = 2 * time.Second
)

// cueWorld is a server with one show, who plays with it, and what should come of that.
type cueWorld struct {
	t      *testing.T
	random *rand.Rand
	// bFrames is the number of B-frames between two others.
	bFrames int
	dir     string
	lives   int // servers so far
	model   cueModel
	truth   *cueTruth

	server  *server
	stop    context.CancelFunc
	api     http.Handler
	viewers [2]*cueViewer

	pub     *stream.Publisher
	stream  *stream.Stream
	first   time.Duration // media time of frame 0
	next    int           // frame to come
	rung    *stream.Publisher
	tap     *stream.Reader
	lag     time.Duration
	late    []lateUnit
	pending chan answer // of writes that wait for a keyframe
	waiting int

	frames []time.Time       // dates of those that nobody has looked at yet
	texts  map[string]string // playlists by rendition, as they were read last
	parts  map[string]bool
	events map[string]map[string][]cueMessage // by rendition, and key
	ids    int
	log    []string
}

// lateUnit is a unit of the rung on its way.
type lateUnit struct {
	due time.Time
	au  media.AccessUnit
}

type answer struct {
	status int
	cue    cue.Reply
	error  string
}

func newCueWorld(t *testing.T, seed uint64, dir string) *cueWorld {
	time.Sleep(26 * 365 * 24 * time.Hour) // a bubble's clock begins in 2000, before sequence numbers do
	w := &cueWorld{
		t: t, random: rand.New(rand.NewPCG(seed, 3)), dir: dir,
		truth: &cueTruth{ranges: make(map[string][2]int64), docs: make(map[string][]byte)},
		texts: make(map[string]string), parts: make(map[string]bool), events: make(map[string]map[string][]cueMessage), pending: make(chan answer, 100),
	}
	for i, name := range []string{"v1", "v2"} {
		w.viewers[i] = &cueViewer{t: t, name: name, world: w, marks: make(map[string]*rangeMark)}
		w.events[name] = make(map[string][]cueMessage)
	}
	w.bFrames = int(seed % 3)
	w.start()
	return w
}

// start starts a server, and the players.
func (w *cueWorld) start() {
	conf := config.Default()
	conf.Cues.Dir = filepath.Join(w.dir, "cues"+strconv.Itoa(w.lives))
	conf.Stream.StateFile = filepath.Join(w.dir, "shows.json")
	s, err := newServer(conf, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.server, w.api = s, s.admin.Handler()
	s.cues.Open()
	s.takeUp()
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go s.on.run(ctx)
	for _, v := range w.viewers {
		go v.watch(ctx, s.counter)
	}
}

// end ends the server, in order or as kill -9 does, and starts the next.
func (w *cueWorld) restart(kill bool) {
	w.note("restart, kill %t", kill)
	w.forgetFrames()
	w.dropRung()
	if kill {
		w.lives++
		old, now := filepath.Join(w.dir, "cues"+strconv.Itoa(w.lives-1)), filepath.Join(w.dir, "cues"+strconv.Itoa(w.lives))
		if err := os.CopyFS(now, os.DirFS(old)); err != nil {
			w.t.Fatal(err)
		}
		if state, err := os.ReadFile(w.server.on.file); err == nil {
			defer os.WriteFile(w.server.on.file, state, 0o600)
		}
	}
	w.shutDown()
	w.pub, w.stream = nil, nil
}

func (w *cueWorld) shutDown() {
	w.server.on.close()
	w.server.cues.Close()
	w.server.hub.Close()
	w.server.shows.wait()
	w.stop()
	synctest.Wait()
}

func (w *cueWorld) note(format string, args ...any) {
	w.log = append(w.log, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// play plays the show.
func (w *cueWorld) play() {
	defer func() {
		if w.t.Failed() {
			w.t.Log(strings.Join(w.log, "\n"))
		}
		w.shutDown()
		time.Sleep(time.Hour) // lets timers end
	}()
	w.publish()
	for range 4 {
		w.live(time.Duration(8+w.random.IntN(25)) * time.Second)
		switch w.random.IntN(4) {
		case 0:
			w.note("host leaves")
			w.forgetFrames()
			w.dropRung()
			w.pub.Close(nil)
			w.absent()
		case 1:
			w.note("takeover") // the next one
		default:
			w.restart(w.random.IntN(2) == 0)
			if w.random.IntN(2) == 0 {
				time.Sleep(time.Duration(w.random.IntN(3000)) * time.Millisecond)
			}
			w.start()
			synctest.Wait()
			w.checkTruth("while the host is awaited")
			w.absent()
		}
		w.publish()
	}
	w.live(20 * time.Second)
	for w.waiting > 0 {
		w.live(time.Second)
	}
	w.checkTruth("at the end")
	w.checkEvents()
}

// absent lets time go by without a host. The producer writes on.
func (w *cueWorld) absent() {
	until := time.Now().Add(time.Duration(500+w.random.IntN(25_000)) * time.Millisecond)
	for time.Now().Before(until) {
		time.Sleep(time.Duration(100+w.random.IntN(2000)) * time.Millisecond)
		synctest.Wait()
		w.write()
	}
}

// publish has the host come, or come back, with a frame of the show's grid.
func (w *cueWorld) publish() {
	p, err := w.server.hub.Publish("shop", stream.Source{})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.stream != p.Stream() {
		w.stream, w.first, w.next = p.Stream(), time.Duration(1000+w.random.IntN(300))*time.Millisecond, 0
	}
	w.pub = p
	if err := p.Begin([]media.Track{mediatest.Video{}.Track(), mediatest.Audio{}.Track(), cue.Track}); err != nil {
		w.t.Fatal(err)
	}
	for w.date(w.next).Before(time.Now()) || w.next%60 != 0 {
		w.next++
	}
	w.lag = time.Duration(w.random.IntN(1500)) * time.Millisecond
	w.rung, err = w.server.hub.Join("shop", stream.Contribution{Role: "rung", Derived: true}, stream.Source{})
	if err != nil {
		w.t.Fatal(err)
	}
	track := mediatest.Video{}.Track()
	track.Label = "rung"
	if err := w.rung.Begin([]media.Track{track}); err != nil {
		w.t.Fatal(err)
	}
	w.tap = w.stream.NewReader()
	w.note("host publishes, the rung lags %v", w.lag)
}

func (w *cueWorld) dropRung() {
	w.tap.Close()
	w.rung.Close(nil)
	w.late = nil
}

// date is the program date-time of a frame.
func (w *cueWorld) date(frame int) time.Time { return w.stream.Start().Add(w.mediaTime(frame)) }

func (w *cueWorld) mediaTime(frame int) time.Duration {
	return w.first + time.Duration(frame)*time.Second/frameRate
}

// live sends frames in real time.
func (w *cueWorld) live(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); {
		time.Sleep(time.Until(w.date(w.next)))
		w.frame()
		w.takeAnswers()
		w.look()
		if w.random.IntN(25) == 0 {
			time.Sleep(5 * time.Millisecond) // a keyframe's cue is not taken back in the same instant
			w.write()
		}
	}
}

// frame sends a frame, with the sound that goes with it, and what the rung has made.
func (w *cueWorld) frame() {
	at := w.mediaTime(w.next)
	au := mediatest.Video{BFrames: w.bFrames}.Unit(w.next)
	composition := au.PTS - au.DTS
	au.DTS = media.Ticks(at, cue.Timescale)
	au.PTS = au.DTS + composition
	if err := w.pub.Write(au); err != nil {
		w.t.Fatal(err)
	}
	for _, v := range w.viewers {
		v.frames = append(v.frames, w.date(w.next))
	}
	w.next++
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	events, _ := w.tap.Next(ctx)
	for _, ev := range events {
		if ev.Kind == stream.EventUnit && ev.Unit.Track == 1 {
			w.late = append(w.late, lateUnit{time.Now().Add(w.lag), ev.Unit})
		}
	}
	for len(w.late) > 0 && !w.late[0].due.After(time.Now()) {
		if err := w.rung.Write(w.late[0].au); err != nil {
			w.t.Fatal(err)
		}
		w.late = w.late[1:]
	}
	synctest.Wait()
}

// look shows the frames that are old enough to players, and reads new parts.
func (w *cueWorld) look() {
	for i, v := range w.viewers {
		for len(v.frames) > 0 && time.Since(v.frames[0]) >= time.Duration(1+2*i)*settled && v.list != nil {
			at := milli(v.frames[0])
			if got, want := playerPicture(v.marks, at), w.model.picture(at); got != want {
				w.t.Errorf("%s: at %s players show %q, want %q", v.name, v.frames[0].UTC().Format("15:04:05.000"), got, want)
				w.model.explain(w.t, v.marks)
				w.t.FailNow()
			}
			v.frames = v.frames[1:]
		}
		w.readParts(v.name)
	}
}

// forgetFrames is for when the host or the server goes: players may never get the last frames, or hear of what was
// written about them since.
func (w *cueWorld) forgetFrames() {
	for _, v := range w.viewers {
		v.frames = nil
	}
}

// explain logs what is known and what was heard.
func (m *cueModel) explain(t *testing.T, marks map[string]*rangeMark) {
	for _, r := range m.revs {
		text := fmt.Sprintf("model %s %s %d-%d waits %t withdrawn %t", r.key(), r.slot, r.start, m.ends(r), r.waits, r.withdrawn)
		if h := marks[r.key()]; h != nil {
			text += fmt.Sprintf("; heard %d-%d", h.start, h.end)
		}
		t.Log(text)
	}
}

// readParts reads the parts that have come.
func (w *cueWorld) readParts(name string) {
	status, text := get200(w.server.counter, gone, "/live/shop/"+name+".m3u8")
	if len(text) == 0 || string(text) == w.texts[name] {
		return // there is none yet, or nothing new
	}
	w.texts[name] = string(text)
	m, err := m3u8.ParseMedia(text)
	if status != http.StatusOK || err != nil {
		w.t.Errorf("%s: %d %v", name, status, err)
		return
	}
	for _, s := range append(slices.Clone(m.Segments), m.Open) {
		for i, x := range s.Parts {
			if x.Gap || w.parts[x.URI] {
				continue
			}
			w.parts[x.URI] = true
			status, data := get200(w.server.counter, context.Background(), "/live/shop/"+x.URI)
			if status != http.StatusOK {
				w.t.Errorf("%s: %d", x.URI, status)
				continue
			}
			w.readPart(name, x.URI, i == 0, data)
		}
	}
}

func (w *cueWorld) readPart(name, uri string, first bool, data []byte) {
	list, f := readEvents(w.t, data)
	start := media.Duration(int64(f.BaseTime), cue.Timescale)
	begins := milli(w.stream.Start().Add(start))
	// What the others say is what v1 says, though more may be known by then.
	fresh := name == "v1" && time.Since(w.stream.Start().Add(start)) < 600*time.Millisecond // else there was something of it before anybody could read it
	var state []string
	for _, m := range list {
		switch m.Op {
		case "cue":
			key := fmt.Sprintf("%s.%d", m.ID, m.Rev)
			w.events[name][key] = append(w.events[name][key], m)
			r := w.model.find(m.ID, m.Rev)
			if r == nil || r.start != m.Start {
				w.t.Errorf("%s %s: an event says %s starts at %d; the model: %+v", name, uri, key, m.Start, r)
			} else if at := milli(w.stream.Start().Add(time.Duration(m.pts * float64(time.Second)))); at < r.start-1 || at > r.start+1 && at > begins+1 {
				w.t.Errorf("%s %s: the event of %s is at %d, want %d (the part begins at %d)", name, uri, key, at, r.start, begins)
			}
		case "state":
			if m.At != begins {
				w.t.Errorf("%s %s: a state is of %d, and the part begins at %d", name, uri, m.At, begins)
			}
			key := fmt.Sprintf("state %d, %d", m.At, m.N)
			w.events[name][key] = append(w.events[name][key], m)
			for _, c := range m.Cues {
				state = append(state, fmt.Sprintf("%v.%v", c[0], c[1]))
			}
		}
	}
	slices.Sort(state)
	if want := w.model.picture(begins); first && fresh && !w.model.endsAt(begins) && strings.Join(state, " ") != want {
		w.t.Errorf("%s %s: the state at %s is %q, want %q", name, uri, w.stream.Start().Add(start).UTC().Format("15:04:05.000"), state, want)
	}
	if !first && len(state) > 0 {
		w.t.Errorf("%s %s: there is a state in a part that is not the first", name, uri)
	}
}

// checkTruth looks whether all that was ever listed and is not long over is still there.
func (w *cueWorld) checkTruth(when string) {
	w.truth.mu.Lock()
	defer w.truth.mu.Unlock()
	for _, path := range slices.Sorted(mapsKeys(w.truth.docs)) {
		steps := strings.Split(path, "/")
		rev, _ := strconv.Atoi(strings.TrimSuffix(steps[len(steps)-1], ".json"))
		r := w.model.find(steps[len(steps)-2], rev)
		if r == nil || r.withdrawn || w.model.ends(r) <= max(r.start, time.Now().Add(-20*time.Second).UnixMilli()) {
			continue
		}
		w.truth.document(w.t, w.server.counter, path)
	}
	if w.t.Failed() {
		w.model.explain(w.t, w.viewers[0].marks)
		w.t.Fatalf("... %s", when)
	}
}

// checkEvents holds the events of both renditions against each other: each is there once, and the same, unless
// it came too late for its own part.
func (w *cueWorld) checkEvents() {
	for key, a := range w.events["v1"] {
		b := w.events["v2"][key]
		if len(a) > 1 || len(b) > 1 {
			w.t.Errorf("%s: %d and %d events", key, len(a), len(b))
		}
		if len(b) == 1 && a[0].pts == b[0].pts && a[0].bytes != b[0].bytes {
			w.t.Errorf("%s: the event is\n%s\nand\n%s", key, a[0].bytes, b[0].bytes)
		}
	}
}

func mapsKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// call asks the API.
func (w *cueWorld) call(method, path, body string) answer {
	r := httptest.NewRequest(method, "http://127.0.0.1/v1/streams/live/shop/"+path, strings.NewReader(body))
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	a := answer{status: rec.Code}
	if rec.Code >= 300 {
		var e struct{ Error string }
		json.Unmarshal(rec.Body.Bytes(), &e)
		a.error = e.Error
		return a
	}
	if err := json.NewDecoder(bytes.NewReader(rec.Body.Bytes())).Decode(&a.cue); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// write is one write of the producer.
func (w *cueWorld) write() {
	w.learn()
	switch n := w.random.IntN(20); {
	case n < 9:
		w.create()
	case n < 13:
		w.patch()
	case n < 17:
		w.undo()
	default:
		w.hide()
	}
	synctest.Wait()
}

// at is a time for a cue; wall is what it has to be, 0 if the answer is to say.
func (w *cueWorld) at() (text string, date int64) {
	now := time.Now()
	switch w.random.IntN(9) {
	case 0, 1, 2:
		return `"now"`, 0
	case 3:
		return fmt.Sprintf(`"+%dms"`, w.random.IntN(15_000)), 0
	case 4:
		return fmt.Sprintf(`"-%dms"`, w.random.IntN(1000)), 0
	case 5, 6:
		d := now.Add(time.Duration(w.random.IntN(14_000)) * time.Millisecond).Truncate(time.Millisecond)
		if w.pub == nil {
			d = d.Add(time.Hour) // it may begin with the show
		}
		return `"` + d.UTC().Format(time.RFC3339Nano) + `"`, milli(d)
	case 7:
		if w.stream == nil {
			return `"now"`, 0
		}
		m := float64(time.Since(w.stream.Start()).Milliseconds()+int64(w.random.IntN(12_000))) / 1000
		d := w.stream.Start().Add(time.Duration(m * float64(time.Second)).Round(time.Microsecond))
		return fmt.Sprintf(`{"media": %.3f}`, m), milli(d)
	}
	return `"keyframe"`, 0
}

func (w *cueWorld) create() {
	w.ids++
	id := fmt.Sprintf("c%d", w.ids)
	at, date := w.at()
	end, lasts := "", int64(0)
	if w.random.IntN(2) == 0 {
		lasts = 50 + w.random.Int64N(12_000)
		end = fmt.Sprintf(`, "duration": "%dms"`, lasts)
	}
	slot := []string{"main", "main", "side"}[w.random.IntN(3)]
	body := fmt.Sprintf(`{"id": %q, "slot": %q, "at": %s%s, "text": {"en": "no. %d"}}`, id, slot, at, end, w.ids)
	w.send(http.MethodPost, "cues", body, at, func(a answer) { w.made(a, date, lasts, never) })
}

func (w *cueWorld) hide() {
	at, date := w.at()
	body := fmt.Sprintf(`{"kind": "hide", "at": %s}`, at)
	w.send(http.MethodPost, "cues", body, at, func(a answer) { w.made(a, date, 0, never) })
}

// send sends a write, in the background if it may wait for a keyframe.
func (w *cueWorld) send(method, path, body, at string, done func(answer)) {
	if at != `"keyframe"` || w.pub == nil {
		a := w.call(method, path, body)
		w.note("%s %s %s: %d rev %d %s %s", method, path, body, a.status, a.cue.Rev, instants(a.cue.Cue), a.error)
		if a.status < 300 {
			done(a)
		} else if a.status >= 500 {
			w.t.Errorf("%s %s: %d %s", path, body, a.status, a.error)
		}
		return
	}
	a := make(chan answer, 1)
	go func() { a <- w.call(method, path, body) }()
	synctest.Wait()
	w.learnFrom(path, body, a, done)
}

func instants(c cue.Cue) string {
	text := ""
	for _, i := range []*cue.Instant{c.Start, c.End} {
		if i != nil && i.Date != nil {
			text += i.Date.Format("15:04:05.000 ")
		} else {
			text += "… "
		}
	}
	return text
}

// learnFrom looks what has come of a write for the next keyframe, which is still to be answered.
func (w *cueWorld) learnFrom(path, body string, a chan answer, done func(answer)) {
	select {
	case a := <-a:
		w.note("%s %s: %d rev %d %s %s", path, body, a.status, a.cue.Rev, instants(a.cue.Cue), a.error)
		if a.status < 300 {
			done(a)
		}
		return
	default:
	}
	var listing cue.Listing
	r := httptest.NewRecorder()
	w.api.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/v1/streams/live/shop/cues", nil))
	json.Unmarshal(r.Body.Bytes(), &listing)
	for _, c := range listing.Cues {
		if c.Waits == "keyframe" && w.model.find(c.ID, c.Rev) == nil {
			w.note("%s %s: waits as %s.%d", path, body, c.ID, c.Rev)
			done(answer{status: http.StatusAccepted, cue: cue.Reply{Cue: c}})
		}
	}
	w.waiting++
	go func() { w.pending <- <-a }()
}

// takeAnswers takes the answers of writes that have waited.
func (w *cueWorld) takeAnswers() {
	for {
		select {
		case <-w.pending:
			w.waiting--
		default:
			w.learn()
			return
		}
	}
}

// learn asks for the starts that nobody knew.
func (w *cueWorld) learn() {
	for _, r := range slices.Clone(w.model.revs) {
		if !r.waits || r.withdrawn || w.model.latest(r.id) != r {
			continue
		}
		a := w.call(http.MethodGet, "cues/"+r.id, "")
		c := a.cue.Cue
		if c.Rev != r.rev && a.status == http.StatusOK { // it was made anew by a restart
			r.withdrawn = true
			n := *r
			n.rev, n.withdrawn = c.Rev, false
			r = &n
			w.model.revs = append(w.model.revs, r)
			w.note("%s.%d was made anew as %d", r.id, r.rev-1, r.rev)
		}
		if a.status == http.StatusOK && c.Start != nil && c.Start.Media != nil {
			w.note("%s starts at %s", r.key(), instants(c))
			w.place(r, c)
		}
	}
}

// place takes what an answer says about times.
func (w *cueWorld) place(r *modelRev, c cue.Cue) {
	if r.waits = c.Start == nil || c.Start.Date == nil || c.Start.Media == nil; r.waits {
		return
	}
	r.start = milli(*c.Start.Date)
	if r.exact = r.start * 1e6; w.stream != nil {
		r.exact = w.stream.Start().UnixNano() + int64(*c.Start.Media*1e9)
	}
	if r.lasts > 0 {
		r.end = r.start + r.lasts
	}
	// Those that wait are in order of the keyframe, not of the write.
	w.model.revs = append(slices.DeleteFunc(w.model.revs, func(x *modelRev) bool { return x == r }), r)
	if w.stream != nil {
		if d := w.stream.Start().Add(time.Duration(*c.Start.Media * float64(time.Second))); d.Sub(*c.Start.Date).Abs() > time.Millisecond+time.Microsecond {
			w.t.Errorf("%s starts at media time %v, which is %v, and at %v", r.key(), *c.Start.Media, d, *c.Start.Date)
		}
	}
}

// made takes a revision into the model, which should start at date if that is not 0. It ends by itself at end, or if
// lasts is not 0, that much behind its start.
func (w *cueWorld) made(a answer, date, lasts, end int64) *modelRev {
	c := a.cue.Cue
	r := &modelRev{id: c.ID, rev: c.Rev, kind: c.Kind, slot: c.Slot, lasts: lasts, end: end}
	w.model.revs = append(w.model.revs, r)
	w.place(r, c)
	if date != 0 && !r.waits && r.start != date {
		w.t.Errorf("%s starts at %d, want %d", r.key(), r.start, date)
	}
	if !r.waits {
		end := int64(never)
		if c.End != nil {
			end = milli(*c.End.Date)
		}
		if want := w.model.ends(r); end != want {
			w.t.Errorf("%s ends at %d by the answer, want %d", r.key(), end, want)
		}
	}
	return r
}

// pick picks a cue of the model, not too old, "" if there is none.
func (w *cueWorld) pick() string {
	if len(w.model.revs) == 0 {
		return ""
	}
	n := min(len(w.model.revs), 8)
	return w.model.revs[len(w.model.revs)-1-w.random.IntN(n)].id
}

// state is what the API says of a cue.
func (w *cueWorld) state(id string) (cue.Cue, bool) {
	a := w.call(http.MethodGet, "cues/"+id, "")
	return a.cue.Cue, a.status == http.StatusOK
}

func (w *cueWorld) patch() {
	id := w.pick()
	before, ok := w.state(id)
	if id == "" || !ok {
		return
	}
	old := w.model.latest(id)
	var patch []string
	at, date := `"now"`, int64(0)
	if w.random.IntN(2) == 0 || before.State == cue.Over || before.State == cue.Withdrawn {
		at, date = w.at()
		patch = append(patch, `"at": `+at)
	} else if at = ""; before.Waits == "keyframe" {
		at = `"keyframe"`
	}
	lasts, end := old.lasts, old.end
	switch {
	case w.random.IntN(3) == 0:
		lasts = 50 + w.random.Int64N(9000)
		patch = append(patch, fmt.Sprintf(`"duration": "%dms"`, lasts))
	case before.State == cue.Active:
		lasts = 0
	case before.State != cue.Pending && lasts == 0:
		end = never
	}
	if w.random.IntN(2) == 0 || len(patch) == 0 || before.Waits == "keyframe" {
		patch = append(patch, fmt.Sprintf(`"text": {"en": "again %d"}`, w.random.IntN(1000)))
	}
	w.send(http.MethodPatch, "cues/"+id, "{"+strings.Join(patch, ", ")+"}", at, func(a answer) {
		if a.cue.Rev == old.rev { // its end has changed
			if lasts != 0 {
				old.lasts, old.end = lasts, old.start+lasts
			}
			return
		}
		if before.State == cue.Pending {
			old.withdrawn = true
		}
		r := w.made(a, 0, lasts, end)
		if date != 0 && !r.waits && r.start != max(date, w.model.before(r)) {
			w.t.Errorf("%s starts at %d, want %d", r.key(), r.start, date)
		}
	})
}

func (w *cueWorld) undo() {
	id := w.pick()
	before, ok := w.state(id)
	if id == "" || !ok {
		return
	}
	now := time.Now().UnixMilli()
	old := w.model.latest(id)
	a := w.call(http.MethodDelete, "cues/"+id, "")
	w.note("DELETE %s, which is %s: %d rev %d %s %s", id, before.State, a.status, a.cue.Rev, instants(a.cue.Cue), a.error)
	if a.status >= 300 || before.State == cue.Withdrawn || old.undone {
		return
	}
	if before.State == cue.Pending {
		old.withdrawn = true
		if a.cue.Rev == old.rev {
			return
		}
		old = w.model.find(id, a.cue.Rev)
	}
	if a.cue.State == cue.Withdrawn { // it was about to begin
		old.withdrawn = true
		return
	}
	if a.cue.End == nil {
		w.t.Errorf("%s was undone and has no end", old.key())
		return
	}
	back, certain := w.model.heldBefore(old, milli(*a.cue.End.Date))
	old.end, old.lasts, old.undone = milli(*a.cue.End.Date), 0, true
	if d := old.end - now; d < -300 || d > 300 {
		w.t.Errorf("%s was undone %d ms from now", old.key(), d)
	}
	got := ""
	if a.cue.Back != nil {
		got = a.cue.Back.ID
		w.note("back: %s.%d %s", a.cue.Back.ID, a.cue.Back.Rev, instants(*a.cue.Back))
		w.made(answer{cue: cue.Reply{Cue: *a.cue.Back}}, old.end, 0, w.model.latest(got).end)
	}
	want := ""
	if back != nil {
		want = back.id
	}
	if certain && got != want {
		w.t.Errorf("undoing %s has brought %s back, want %s", old.key(), cmp.Or(got, "nothing"), cmp.Or(want, "nothing"))
	}
}
