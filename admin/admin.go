// Package admin is the operators' door: what is on and how it is doing, ending a show, metrics, health
// and profiles. It has a listener of its own, which is not for the public.
//
//	GET    /v1/streams              all shows: {"streams": [...]}, each a Stream (stream.go)
//	GET    /v1/streams/live/{name}  one show
//	GET    /v1/streams/live/{name}/obs  what to paste into OBS for the show's ladder
//	DELETE /v1/streams/live/{name}  ends the show at once: 204. Its key stays barred for ten minutes,
//	                                since encoders come back by themselves
//	...    /v1/streams/live/{name}/cues, /rundown, /products, /delay
//	                                what is shown when (cues.go)
//	GET    /streams, /streams/live/{name}
//	                                the same for people (page.go)
//	GET    /metrics                 Prometheus
//	GET    /healthz                 200 while the process works
//	GET    /readyz                  200 while hosts and viewers are let in, else 503
//	GET    /debug/pprof/            profiles of the Go runtime
//
// What goes wrong is told as {"error": "a sentence"}. Fields are added as time goes by; none changes its
// name or its unit.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"pushcart/cue"
)

// Limits of a request.
const (
	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 64 << 10
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	requestTimeout = 30 * time.Second
	// maxProfile is the longest profile or trace that can be asked for.
	maxProfile = 5 * time.Minute
	// drainTimeout bounds Run's way out.
	drainTimeout = 2 * time.Second
)

// Source is where the shows are. Its methods are safe for any number of goroutines.
type Source interface {
	// Streams returns all shows that are on or can still be watched, by name.
	Streams() []Stream
	// Stream returns one of them.
	Stream(name string) (Stream, bool)
	// Cut ends a show that is on. It reports whether there was one.
	Cut(name string) bool
}

// Server answers operators. Its fields are set before it is used.
type Server struct {
	Config Config
	Source Source
	// Cues are the cues of all shows; nil for none, and no such paths.
	Cues *cue.Book
	// OBS answers /v1/streams/live/{name}/obs; nil for no such path.
	OBS http.Handler
	// Makes are the makes of encoder that OBS knows, for the page; none: it has no block for OBS.
	Makes []string
	// Watch returns the address of the viewers' page of a show for somebody who calls this machine host, "" for none; nil for none.
	Watch func(host, name string) string
	// Metrics answers /metrics.
	Metrics http.Handler
	// Ready returns nil while hosts and viewers are let in, else why not, in a sentence.
	Ready func() error
	Log   *slog.Logger
}

// Handler returns the routes, with their guards.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/streams", s.streams)
	mux.HandleFunc("GET /v1/streams/live/{name}", s.stream)
	mux.HandleFunc("DELETE /v1/streams/live/{name}", s.cut)
	s.handlePage(mux)
	mux.Handle("GET /metrics", s.Metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, status{"ok"}) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", profile(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", profile(pprof.Trace))
	for path, allow := range map[string]string{
		"/v1/streams": "GET, HEAD", "/v1/streams/live/{name}": "GET, HEAD, DELETE",
		pagePath: "GET, HEAD", pagePath + "/live/{name}": "GET, HEAD",
	} {
		mux.HandleFunc(path, notAllowed(allow))
	}
	if s.Cues != nil {
		s.handleCues(mux)
	}
	if s.OBS != nil {
		mux.Handle("GET /v1/streams/live/{name}/obs", s.OBS)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "there is nothing at this path: see /streams, /v1/streams, /metrics, /healthz, /readyz and /debug/pprof/")
	})
	return s.guard(mux)
}

// notAllowed answers to methods that a path does not have.
func notAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, "%s is not possible here: use %s", r.Method, allow)
	}
}

func (s *Server) streams(w http.ResponseWriter, r *http.Request) {
	list := s.Source.Streams()
	for i, st := range list {
		list[i] = s.withPage(st, r)
	}
	if list == nil {
		list = []Stream{} // [] in JSON, not null
	}
	answer(w, http.StatusOK, map[string][]Stream{"streams": list})
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	st, ok := s.Source.Stream(r.PathValue("name"))
	if !ok {
		failNoShow(w, r)
		return
	}
	answer(w, http.StatusOK, s.withPage(st, r))
}

func (s *Server) cut(w http.ResponseWriter, r *http.Request) {
	if !s.Source.Cut(r.PathValue("name")) {
		failNoShow(w, r)
		return
	}
	s.Log.Info("show cut by an operator", slog.String("stream", r.PathValue("name")), slog.String("operator", r.RemoteAddr))
	w.WriteHeader(http.StatusNoContent)
}

func failNoShow(w http.ResponseWriter, r *http.Request) {
	fail(w, http.StatusNotFound, "no show called %q is on", r.PathValue("name"))
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.Ready(); err != nil {
		fail(w, http.StatusServiceUnavailable, "%v", err)
		return
	}
	answer(w, http.StatusOK, status{"ready"})
}

type status struct {
	Status string `json:"status"`
}

// profile bounds how long a profile lasts, and lets it last that long.
func profile(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if sec, err := strconv.ParseFloat(r.FormValue("seconds"), 64); err == nil && sec > maxProfile.Seconds() {
			fail(w, http.StatusBadRequest, "seconds=%v is too long: ask for %v at most", sec, maxProfile.Seconds())
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(maxProfile + requestTimeout))
		h(w, r)
	}
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, code int, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("admin: %T is no JSON: %v", v, err)) // such as a NaN, which none of our numbers is
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	w.Write(append(body, '\n'))
}

// fail answers with an error, which is a sentence.
func fail(w http.ResponseWriter, code int, format string, args ...any) {
	answer(w, code, struct {
		Error string `json:"error"`
	}{fmt.Sprintf(format, args...)})
}

// Run serves operators on l, which it closes, until ctx ends; then it lets answers in progress end for a
// moment and returns nil.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(debugLog{s.Log}, "", 0),
	}
	stop := context.AfterFunc(ctx, func() {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if srv.Shutdown(drain) != nil {
			srv.Close()
		}
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: %s: %w", l.Addr(), err)
	}
	return nil
}

// debugLog takes what net/http has to say about its peers.
type debugLog struct{ log *slog.Logger }

func (l debugLog) Write(p []byte) (int, error) {
	l.log.Debug("admin: " + string(p))
	return len(p), nil
}
