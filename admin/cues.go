package admin

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushcart/cue"
)

// The write side of cues, below /v1/streams/live/{name}. The show need not be on: cues for a wall clock time
// and the run of show can be there before it.
//
//	GET    .../cues               the show's cues: a cue.Listing
//	POST   .../cues               makes a cue: 201, 200 if it is a repetition, 202 while it waits for a keyframe
//	GET    .../cues/{id}          the newest revision of a cue, with its content
//	PATCH  .../cues/{id}          revises it: a JSON merge patch
//	DELETE .../cues/{id}          undoes it; what it displaced comes back
//	GET    .../rundown            the run of show and where it is
//	PUT    .../rundown            takes a run of show, YAML or JSON, in place of the one that is there
//	DELETE .../rundown            takes it away
//	POST   .../rundown/next       puts its next item up; likewise previous, and undo for the last step
//	PUT    .../products/{product} what is true of a product now: stock, prices
//	GET    .../delay              how much the host's tool runs ahead of the uplink
//	PUT    .../delay              sets it: {"delay": "1.5s"}
//
// A write that has been answered 2xx is on disk. One with an Idempotency-Key can be sent again: it is done
// once, and answered the same.
const cuesPath = "/v1/streams/live/{name}/"

const (
	// cueTimeout is how long a write may take to be done. The disk is what takes time, if anything does.
	cueTimeout = requestTimeout - 5*time.Second
	// maxKey bounds an Idempotency-Key.
	maxKey = 255
	// maxLoads bounds the runs of show that are read at a time: each may have cue.MaxLoadBytes.
	maxLoads = 4
)

// cueRoutes are the handlers by path and method.
func (s *Server) cueRoutes() map[string]map[string]http.HandlerFunc {
	step := func(step func(*cue.Timeline, context.Context, []byte, string) (cue.Rundown, error)) http.HandlerFunc {
		return s.change(jsonOnly, func(c change) (result, error) {
			r, err := step(c.timeline, c.ctx, c.body, c.key)
			return result{body: r}, err
		})
	}
	return map[string]map[string]http.HandlerFunc{
		"cues": {
			http.MethodGet: s.look(func(t *cue.Timeline, _ *http.Request) (any, error) { return t.List(), nil }),
			http.MethodPost: s.change(jsonOnly, func(c change) (result, error) {
				r, err := c.timeline.Create(c.ctx, c.body, c.key)
				return made(c.r, r), err
			}),
		},
		"cues/{id}": {
			http.MethodGet: s.look(func(t *cue.Timeline, r *http.Request) (any, error) { return t.Get(r.PathValue("id")) }),
			http.MethodPatch: s.change(jsonPatch, func(c change) (result, error) {
				r, err := c.timeline.Revise(c.ctx, c.r.PathValue("id"), c.body, c.key)
				return changed(r), err
			}),
			http.MethodDelete: s.change(jsonOnly, func(c change) (result, error) {
				r, err := c.timeline.Undo(c.ctx, c.r.PathValue("id"), c.key)
				return changed(r), err
			}),
		},
		"rundown": {
			http.MethodGet: s.look(func(t *cue.Timeline, _ *http.Request) (any, error) { return t.Rundown(), nil }),
			http.MethodPut: s.oneOfFew(s.change(jsonOrYAML, func(c change) (result, error) {
				r, err := c.timeline.Load(c.ctx, c.body, c.key)
				return result{body: r}, err
			})),
			http.MethodDelete: s.change(jsonOnly, func(c change) (result, error) {
				r, err := c.timeline.Unload(c.ctx, c.key)
				return result{body: r}, err
			}),
		},
		"rundown/next":     {http.MethodPost: step((*cue.Timeline).Next)},
		"rundown/previous": {http.MethodPost: step((*cue.Timeline).Previous)},
		"rundown/undo": {http.MethodPost: step(func(t *cue.Timeline, ctx context.Context, _ []byte, key string) (cue.Rundown, error) {
			return t.UndoStep(ctx, key)
		})},
		"products/{product}": {
			http.MethodPut: s.change(jsonOnly, func(c change) (result, error) {
				f, err := c.timeline.SetFact(c.ctx, c.r.PathValue("product"), c.body, c.key)
				return result{body: f}, err
			}),
		},
		"delay": {
			http.MethodGet: s.look(func(t *cue.Timeline, _ *http.Request) (any, error) { return t.Settings(), nil }),
			http.MethodPut: s.change(jsonOnly, func(c change) (result, error) {
				set, err := c.timeline.Set(c.ctx, c.body, c.key)
				return result{body: set}, err
			}),
		},
	}
}

// handleCues adds the routes to mux, and for each path what answers to other methods.
func (s *Server) handleCues(mux *http.ServeMux) {
	for path, methods := range s.cueRoutes() {
		allow := slices.Sorted(maps.Keys(methods))
		for method, h := range methods {
			mux.HandleFunc(method+" "+cuesPath+path, h)
			if method == http.MethodGet {
				allow = append(allow, http.MethodHead)
			}
		}
		mux.HandleFunc(cuesPath+path, notAllowed(strings.Join(allow, ", ")))
	}
}

// look returns a handler that answers with what f reads of the show's cues.
func (s *Server) look(f func(*cue.Timeline, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := s.Cues.Timeline(r.PathValue("name"))
		if err != nil {
			failCue(w, err)
			return
		}
		v, err := f(t, r)
		if err != nil {
			failCue(w, err)
			return
		}
		answer(w, http.StatusOK, v)
	}
}

// change is a write on its way.
type change struct {
	ctx      context.Context
	r        *http.Request
	timeline *cue.Timeline
	body     []byte
	key      string // from Idempotency-Key; may be empty
}

// result is what a write has come to.
type result struct {
	status   int // 200 if zero
	location string
	body     any
}

// made is the result of a write that makes a cue.
func made(r *http.Request, reply cue.Reply) result {
	res := changed(reply)
	if reply.Created {
		res.location = "/v1/streams/live/" + url.PathEscape(r.PathValue("name")) + "/cues/" + url.PathEscape(reply.ID)
		if res.status == 0 {
			res.status = http.StatusCreated
		}
	}
	return res
}

// changed is the result of a write to a cue.
func changed(reply cue.Reply) result {
	res := result{body: reply}
	if reply.Waits == "keyframe" {
		res.status = http.StatusAccepted
	}
	return res
}

// change returns a handler that reads a body of one of the given types and answers with what f makes of it.
func (s *Server) change(types []string, f func(change) (result, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, ok := idempotencyKey(r.Header["Idempotency-Key"])
		if !ok {
			fail(w, http.StatusBadRequest, "the Idempotency-Key must be there once, and be 1 to %d printable ASCII characters", maxKey)
			return
		}
		body, ok := readBody(w, r, types)
		if !ok {
			return
		}
		t, err := s.Cues.Timeline(r.PathValue("name"))
		if err != nil {
			failCue(w, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), cueTimeout)
		defer cancel()
		res, err := f(change{ctx, r, t, body, key})
		if err != nil {
			failCue(w, err)
			return
		}
		if res.location != "" {
			w.Header().Set("Location", res.location)
		}
		answer(w, cmp.Or(res.status, http.StatusOK), res.body)
	}
}

// oneOfFew lets maxLoads requests through at a time.
func (s *Server) oneOfFew(next http.HandlerFunc) http.HandlerFunc {
	places := make(chan struct{}, maxLoads)
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			next(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusTooManyRequests, "%d runs of show are being loaded already: send it again in a second", maxLoads)
		}
	}
}

// The types that a body may have. Without a Content-Type it is taken for what the path wants; curl -T sends none.
var (
	jsonOnly   = []string{"application/json"}
	jsonPatch  = []string{"application/merge-patch+json", "application/json"}
	jsonOrYAML = []string{"application/yaml", "application/json", "application/x-yaml", "text/yaml", "text/x-yaml"}
)

// readBody reads a body of one of the given types, within the limit that guard has set. It answers by itself
// if there is something wrong with it.
func readBody(w http.ResponseWriter, r *http.Request, types []string) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		fail(w, http.StatusRequestEntityTooLarge, "the body is larger than %d KiB: send less, or name long texts and pictures by their URLs", tooLarge.Limit>>10)
		return nil, false
	case err != nil:
		fail(w, http.StatusBadRequest, "the body has not arrived in full: send the request again")
		return nil, false
	}
	if ct := r.Header.Get("Content-Type"); ct != "" && len(body) > 0 {
		if kind, _, err := mime.ParseMediaType(ct); err != nil || !slices.Contains(types, kind) {
			w.Header().Set("Accept", strings.Join(types, ", "))
			fail(w, http.StatusUnsupportedMediaType, "the body is said to be %q: send it as %s (curl: --json, or -H 'Content-Type: %s')", ct, types[0], types[0])
			return nil, false
		}
	}
	return body, true
}

// maxBody is the limit of a request's body.
func maxBody(r *http.Request) int64 {
	if r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/v1/streams/live/") && strings.HasSuffix(r.URL.Path, "/rundown") {
		return cue.MaxLoadBytes
	}
	return maxBodyBytes
}

// idempotencyKey reads the header as people send it: bare, or as a quoted string as the draft has it
// (draft-ietf-httpapi-idempotency-key-header). None is fine.
func idempotencyKey(lines []string) (string, bool) {
	if len(lines) == 0 {
		return "", true
	}
	key := lines[0]
	if n := len(key); n >= 2 && key[0] == '"' && key[n-1] == '"' {
		key = key[1 : n-1]
	}
	printable := !strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	return key, len(lines) == 1 && key != "" && len(key) <= maxKey && printable
}

// cueStatus is the one table of what each refusal is over HTTP.
var cueStatus = map[cue.Code]int{
	cue.Invalid:     http.StatusUnprocessableEntity,
	cue.TooLarge:    http.StatusRequestEntityTooLarge,
	cue.NotFound:    http.StatusNotFound,
	cue.Conflict:    http.StatusConflict,
	cue.Full:        http.StatusConflict,
	cue.TooMany:     http.StatusTooManyRequests,
	cue.Unavailable: http.StatusServiceUnavailable,
}

// failCue answers with what a timeline refuses.
func failCue(w http.ResponseWriter, err error) {
	var refused *cue.Error
	status := http.StatusServiceUnavailable
	wait := time.Second
	if errors.As(err, &refused) {
		status, wait = cueStatus[refused.Code], max(wait, refused.RetryAfter)
	} else { // the time was up, or the caller has gone
		err = errors.New("it took too long: it may or may not have been done; send it again with the same id or Idempotency-Key, which does it once")
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	fail(w, status, "%v", err)
}
