// Package origin is the counter of the house: it hands finished playlists, parts and segments to
// viewers and CDNs over HTTP, and lets them wait for the ones about to be born.
//
// Routes, all GET, HEAD and OPTIONS:
//
//	/live/{name}/index.m3u8          multivariant playlist
//	/live/{name}/{rendition}.m3u8    media playlist; _HLS_msn, _HLS_part, _HLS_skip
//	/live/{name}/{path...}           initialization segments, segments and parts
//	/live/{name}/cues.json           the cues' present state (cues.go)
//	/live/{name}/cues/{id}/{rev}.json, /live/{name}/cues/{id}/{rev}/{locale}.json
//	                                 what a revision of a cue shows
//	/live/{name}/cues/events         prices, stock and changes as they happen (events.go)
//	/live/{name}/, and all the rest  the handler for pages
//	/healthz                         for load balancers
//
// A request is split by hand (request.go), asked of the show (live.go), perhaps made to wait (wait.go),
// and answered out of two tables: caching by kind of resource, status by error (respond.go). Specs:
// draft-pantos-hls-rfc8216bis-22 sections 6.2.5 and appendix B, RFC 9110, 9111 and 9218.
package origin

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"pushcart/packager"
)

// Show is what viewers can see of one live event; *packager.Window is one. Its methods are safe for any
// number of goroutines. They return packager.ErrNotFound, packager.ErrTooFar or the error of ctx, and
// do not keep ctx. They touch ctx.Done only to wait: that is how a request is counted as waiting.
type Show interface {
	Multivariant(ctx context.Context) (*packager.Document, error)
	Playlist(ctx context.Context, rendition string, msn int64, part int, skip packager.Skip) (*packager.Document, error)
	Object(ctx context.Context, path string) (packager.Object, error)
	Ended() bool
	TargetDuration() time.Duration
	PartTarget() time.Duration
}

// Shows finds a show by its name. Show is called for each request, from any number of goroutines, and
// does not block.
type Shows interface {
	Show(name string) (Show, bool)
}

// Server answers viewers. It is an http.Handler; Run serves it on listeners.
type Server struct {
	// Cues is where the cues are. It is set before the server is used; by default there are none.
	Cues Cues
	// Hosts answers what hosts' programs ask, at HostsPath, and reads request bodies; nil for nobody. It is
	// set before the server is used.
	Hosts http.Handler

	cfg   Config
	shows Shows
	pages http.Handler
	log   *slog.Logger

	counters   counters
	waiting    gauge    // of all shows
	listening  gauge    // to events of all shows
	turnedAway sync.Map // net.Conn: one too many, and not counted among the connections
	rooms      rooms
	values     valueCache
	contents   contents
	boot       string // unlike that of any other process of this server: for what is numbered anew
}

// New returns a server of the given shows. Requests for /live/{name}/ and for anything outside of /live/
// go to pages, which may be nil. cfg has been validated.
func New(cfg Config, shows Shows, pages http.Handler, log *slog.Logger) *Server {
	if pages == nil {
		pages = http.NotFoundHandler()
	}
	return &Server{
		Cues: noCues{}, cfg: cfg.WithDefaults(), shows: shows, pages: pages, log: log,
		boot: strconv.FormatInt(time.Now().UnixNano(), 36),
	}
}

// HostsPath is where Hosts is: hosts reach this listener, and not the operators'.
const HostsPath = "/obs/"

// livePrefix is where the shows are.
const livePrefix = "/live/"

// ServeHTTP answers one request. It returns when the answer is written, or when the viewer has gone.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := newExchange(s, w, r)
	defer e.release()
	e.serve()
}

// serve finds out what is wanted.
func (e *exchange) serve() {
	if e.s.Hosts != nil && strings.HasPrefix(e.r.URL.Path, HostsPath) {
		e.deadline(pageBudget)
		e.s.Hosts.ServeHTTP(e.w, e.r)
		return
	}
	if e.r.ContentLength != 0 {
		e.refuseBody()
		return
	}
	rest, live := strings.CutPrefix(e.r.URL.Path, livePrefix)
	if !live {
		e.serveElsewhere()
		return
	}
	switch e.r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		e.preflight()
		return
	default:
		e.fail(errMethod)
		return
	}
	name, path, slash := strings.Cut(rest, "/")
	switch {
	case !validName(name):
		e.fail(errName)
	case !slash:
		e.redirectToPage(name)
	case path == "":
		e.page()
	default:
		e.serveShow(name, path)
	}
}

// serveElsewhere answers what is not below /live/.
func (e *exchange) serveElsewhere() {
	if e.r.URL.Path == "/healthz" {
		e.healthz()
		return
	}
	e.page()
}
