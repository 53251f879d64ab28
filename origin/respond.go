package origin

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"pushcart/packager"
)

// kind is the kind of resource that a response is, or would have been. Caching, priority and statistics
// go by it.
type kind uint8

const (
	kindOther        kind = iota // refused before anybody looked
	kindPage                     // pages, health
	kindMultivariant             // index.m3u8
	kindPlaylist                 // a media playlist as it is now
	kindBlocking                 // a media playlist from a named position on
	kindVideo                    // initialization segments, segments, parts
	kindAudio
	kindCue       // cues/ID/REV.json: what a revision shows
	kindCueList   // cues.json: the present state
	kindCueEvents // cues/events: told as it happens
	numKinds
)

// caching is the one table of how long what may be kept (rfc8216bis appendix B), and how urgent it is
// (RFC 9218). td is the target duration in seconds.
var caching = [numKinds]struct {
	name     string
	control  func(td int) string
	priority string
}{
	kindOther: {name: "other"},
	kindPage:  {name: "page"},
	// A show that comes back with other codecs has another multivariant playlist.
	kindMultivariant: {"multivariant", func(td int) string { return maxAge(td) + ", stale-if-error=60" }, "u=1"},
	// Half a target duration. An ended playlist too: a new show may take the name.
	kindPlaylist: {"playlist", func(td int) string { return maxAge(max(1, td/2)) }, "u=1"},
	kindBlocking: {"blocking_playlist", func(td int) string { return maxAge(6 * td) }, "u=1"},
	// Names are unique for ever. Sound goes first: there is less of it and a gap in it is worse.
	kindVideo: {"video", func(int) string { return maxAge(86400) + ", immutable" }, "u=3"},
	kindAudio: {"audio", func(int) string { return maxAge(86400) + ", immutable" }, "u=2"},
	// A revision's content never changes. It is needed at its frame: before the media behind that.
	kindCue: {"cue", func(int) string { return maxAge(86400) + ", immutable" }, "u=2"},
	// Prices and stock. One second shields the origin from a crowd, and who can't wait listens to events.
	kindCueList: {"cue_list", func(int) string { return maxAge(1) }, "u=3"},
	// A cache would collect for ever, and a proxy that compresses, until its buffer is full.
	kindCueEvents: {"cue_events", func(int) string { return "no-store, no-transform" }, "u=5"},
}

func maxAge(seconds int) string { return "public, max-age=" + strconv.Itoa(seconds) }

// What a request can fail with, beside the errors of package packager.
var (
	errNoShow     = errors.New("no such show: it has not begun, or is over")
	errName       = errors.New("a stream's name is 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -")
	errDirectives = errors.New("_HLS_msn and _HLS_part must be integers, once each, and _HLS_part needs _HLS_msn")
	errMethod     = errors.New("only GET, HEAD and OPTIONS")
	errBody       = errors.New("a request for media has no body")
	errRange      = errors.New("the range begins behind the end")
	errCrowded    = errors.New("too many viewers are waiting: try again")
	errWaited     = errors.New("nothing new for three target durations: try again")
	errListeners  = errors.New("as many viewers listen as may: fetch cues.json every few seconds instead")
	errStopping   = errors.New("the server is stopping: try again")
	errGone       = errors.New("the viewer has gone")
)

// ErrAway is wrapped by errors of shows that can't be had at present. The whole error is a sentence for viewers, what is
// wrong first.
var ErrAway = errors.New("try again in a moment")

// failure says how an error is answered.
type failure struct {
	err    error
	status int
	// cache is what a CDN may do with the answer. A kept 503 would stall all its viewers, and a kept 400
	// or 404 those who ask a moment later with every right to. One second of 404 is enough to shield the
	// origin from a crowd that asks for what isn't there.
	cache []string
	retry bool // Retry-After
}

var (
	noStore = []string{"no-store"}
	briefly = []string{"max-age=1"}
)

// statusGone is counted for a viewer who left before there was an answer; nothing is sent.
const statusGone = 499

// failures is the one table of what each error means to a viewer.
var failures = []failure{
	{err: packager.ErrNotFound, status: http.StatusNotFound, cache: briefly},
	{err: errNoShow, status: http.StatusNotFound, cache: briefly},
	{err: errName, status: http.StatusNotFound, cache: briefly},
	{err: packager.ErrTooFar, status: http.StatusBadRequest, cache: noStore},
	{err: errDirectives, status: http.StatusBadRequest, cache: noStore},
	{err: errBody, status: http.StatusBadRequest, cache: noStore},
	{err: errMethod, status: http.StatusMethodNotAllowed, cache: noStore},
	{err: errRange, status: http.StatusRequestedRangeNotSatisfiable, cache: noStore},
	{err: ErrAway, status: http.StatusServiceUnavailable, cache: noStore, retry: true},
	{err: errWaited, status: http.StatusServiceUnavailable, cache: noStore, retry: true},
	{err: errCrowded, status: http.StatusServiceUnavailable, cache: noStore, retry: true},
	{err: errListeners, status: http.StatusServiceUnavailable, cache: noStore, retry: true},
	{err: errStopping, status: http.StatusServiceUnavailable, cache: noStore, retry: true},
	{err: errGone, status: statusGone},
}

// failureOf finds err in the table. What isn't there is a fault of ours.
func failureOf(err error) failure {
	for _, f := range failures {
		if errors.Is(err, f.err) {
			return f
		}
	}
	return failure{err: err, status: http.StatusInternalServerError, cache: noStore}
}

// Header values that many responses share. They go into the header map as they are, without a copy;
// nobody modifies them.
var (
	valueAny        = []string{"*"}
	valueExpose     = []string{"Age, Content-Length, Content-Range, Date, ETag, Retry-After, Server-Timing"}
	valueMethods    = []string{"GET, HEAD, OPTIONS"}
	valueAsk        = []string{"*, If-None-Match, Last-Event-ID, Range"} // some browsers take * by the letter
	valueDay        = []string{"86400"}
	valueNosniff    = []string{"nosniff"}
	valueGzip       = []string{"gzip"}
	valueVary       = []string{"Accept-Encoding"}
	valueBytes      = []string{"bytes"}
	valueClose      = []string{"close"}
	valueRetryAfter = []string{"1"}
	typePlaylist    = []string{"application/vnd.apple.mpegurl"}
	valueNo         = []string{"no"}
	typeJSON        = []string{"application/json"}
	typeEvents      = []string{"text/event-stream"}
	typeVideo       = []string{"video/mp4"}
	typeAudio       = []string{"audio/mp4"}
	typeText        = []string{"text/plain; charset=utf-8"}
)

// maxTarget is the longest target duration, in seconds, that has its own header values.
const maxTarget = 60

// cacheValues and priorityValues are caching as header values.
var cacheValues, priorityValues = func() (cache [numKinds][maxTarget + 1][]string, priority [numKinds][]string) {
	for k, c := range caching {
		if c.control == nil {
			continue
		}
		priority[k] = []string{c.priority}
		for td := range cache[k] {
			cache[k][td] = []string{c.control(td)}
		}
	}
	return cache, priority
}()

// cacheable sets what a good answer of e.kind may be kept for, and its priority.
func (e *exchange) cacheable() {
	td := int(e.target / time.Second)
	e.h["Cache-Control"] = cacheValues[e.kind][min(td, maxTarget)]
	e.h["Priority"] = priorityValues[e.kind]
}

// common sets what every response below /live/ carries, errors among them: players on other sites may
// read it all.
func (e *exchange) common() {
	e.h["Access-Control-Allow-Origin"] = valueAny
	e.h["Access-Control-Expose-Headers"] = valueExpose
	e.h["X-Content-Type-Options"] = valueNosniff
}

// fail answers with an error: one line of text.
func (e *exchange) fail(err error) {
	f := failureOf(err)
	if f.status == statusGone {
		e.count(statusGone, 0)
		return
	}
	if f.status == http.StatusInternalServerError {
		e.s.log.Error("origin: unexpected error", "path", e.r.URL.Path, "error", err)
		err = errors.New("internal error")
	}
	e.common()
	h := e.h
	delete(h, "Content-Encoding")
	h["Cache-Control"] = f.cache
	h["Content-Type"] = typeText
	if f.retry {
		h["Retry-After"] = valueRetryAfter
	}
	switch err {
	case errMethod:
		h["Allow"] = valueMethods
	case errStopping, errBody:
		h["Connection"] = valueClose // HTTP/2 turns it into GOAWAY
	}
	e.text(f.status, err.Error()+"\n")
}

// text answers with a short text. Its Content-Type and caching have been set.
func (e *exchange) text(status int, text string) {
	e.h["Content-Length"] = e.s.values.number(int64(len(text)))
	e.deadline(int64(len(text)))
	e.w.WriteHeader(status)
	n := 0
	if e.r.Method != http.MethodHead {
		n, _ = e.w.Write([]byte(text))
	}
	e.count(status, int64(n))
}

// empty answers with headers only.
func (e *exchange) empty(status int) {
	e.deadline(0)
	e.w.WriteHeader(status)
	e.count(status, 0)
}

// preflight answers OPTIONS (Fetch standard, CORS preflight).
func (e *exchange) preflight() {
	e.common()
	e.h["Access-Control-Allow-Methods"] = valueMethods
	e.h["Access-Control-Allow-Headers"] = valueAsk
	e.h["Access-Control-Max-Age"] = valueDay
	e.h["Allow"] = valueMethods
	e.h["Cache-Control"] = noStore
	e.empty(http.StatusNoContent)
}

// deadline gives the reader the time to take size bytes, from now on. It holds for the connection
// (HTTP/1.1) or the stream (HTTP/2), and the next response sets its own.
func (e *exchange) deadline(size int64) {
	d := writeTimeout + time.Duration(size)*time.Second/time.Duration(e.s.cfg.MinRate)
	// An error means a test's writer, which has no deadlines.
	_ = http.NewResponseController(e.w).SetWriteDeadline(time.Now().Add(d))
}
