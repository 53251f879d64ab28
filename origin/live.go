package origin

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"pushcart/packager"
)

// exchange is one request on its way to its answer. Exchanges are reused: nothing keeps one after serve.
type exchange struct {
	s *Server
	w http.ResponseWriter
	r *http.Request
	h http.Header // of w

	kind     kind
	room     *room
	target   time.Duration // of the show
	patience patience
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func newExchange(s *Server, w http.ResponseWriter, r *http.Request) *exchange {
	e := exchanges.Get().(*exchange)
	e.s, e.w, e.r, e.h = s, w, r, w.Header()
	return e
}

// release gives e back, and its place among the waiting if a show has panicked.
func (e *exchange) release() {
	e.patience.release()
	*e = exchange{}
	exchanges.Put(e)
}

// serveShow answers for what is in a show's directory.
func (e *exchange) serveShow(name, path string) {
	if isCuePath(path) {
		e.serveCues(name, path)
		return
	}
	show, ok := e.s.shows.Show(name)
	if !ok {
		e.fail(errNoShow)
		return
	}
	if len(path) > maxPathLen {
		e.fail(packager.ErrNotFound)
		return
	}
	e.room = e.s.rooms.enter(name, time.Now().Unix())
	e.target = max(show.TargetDuration(), time.Second)
	e.patience.reset(e.s, e.r.Context(), e.room, waitTargets*e.target)
	rendition, list := strings.CutSuffix(path, ".m3u8")
	switch {
	case !list:
		e.object(show, path)
	case rendition == "index":
		e.multivariant(show)
	default:
		e.playlist(show, rendition)
	}
}

// leave ends the wait that there may have been for an answer of the show. An error that only says that
// the wait was given up becomes the reason why.
func (e *exchange) leave(err error) error {
	if err != nil && !errors.Is(err, packager.ErrNotFound) && !errors.Is(err, packager.ErrTooFar) {
		if why := e.patience.Err(); why != nil {
			err = why
		}
	}
	e.patience.release()
	return err
}

// multivariant answers as soon as the show can be played.
func (e *exchange) multivariant(show Show) {
	e.kind = kindMultivariant
	doc, err := show.Multivariant(&e.patience)
	if err = e.leave(err); err != nil {
		e.fail(err)
		return
	}
	e.document(doc)
}

// playlist answers with a media playlist, once it has what the directives ask for (rfc8216bis 6.2.5.2).
// Once a show has ended, they mean nothing any more.
func (e *exchange) playlist(show Show, rendition string) {
	e.kind = kindPlaylist
	d := noDirectives
	if e.r.URL.RawQuery != "" && !show.Ended() {
		var err error
		if d, err = parseDirectives(e.r.URL.RawQuery); err != nil {
			e.fail(err)
			return
		}
		if d.msn >= 0 {
			e.kind = kindBlocking
		}
	}
	doc, err := show.Playlist(&e.patience, rendition, d.msn, d.part, d.skip)
	if err = e.leave(err); err != nil {
		e.fail(err)
		return
	}
	if e.kind == kindBlocking && show.Ended() {
		e.kind = kindPlaylist
	}
	if e.r.Method == http.MethodGet {
		covers := e.target
		if d.part >= 0 {
			covers = show.PartTarget()
		}
		e.room.watched.add(time.Now().Unix(), rendition, covers)
	}
	e.document(doc)
}

// document answers with a playlist, or with what there is to know of cues: compressed, or unchanged, if the viewer says so.
func (e *exchange) document(doc *packager.Document) {
	e.common()
	e.cacheable()
	h := e.h
	h["Vary"] = valueVary
	tags := e.s.values.tag(doc.ETag())
	gzip := acceptsGzip(e.r.Header["Accept-Encoding"])
	tag := tags.identity
	if gzip {
		tag = tags.gzip
	}
	h["Etag"] = tag
	if match := e.r.Header["If-None-Match"]; len(match) > 0 && matchesETag(match, tag[0]) {
		e.empty(http.StatusNotModified)
		return
	}
	h["Content-Type"] = e.kind.documentType()
	body := doc.Text()
	if gzip {
		h["Content-Encoding"] = valueGzip
		body = doc.Gzip()
	}
	h["Content-Length"] = e.s.values.number(int64(len(body)))
	e.deadline(int64(len(body)))
	n := 0
	if e.r.Method != http.MethodHead {
		n, _ = e.w.Write(body)
	}
	e.count(http.StatusOK, int64(n))
}

// object answers with a file of the show, or a range of it. It is complete before the first byte goes
// out, even if it has been waited for: players take the transfer's time for the line's rate
// (rfc8216bis B.1).
func (e *exchange) object(show Show, path string) {
	e.kind = kindVideo
	obj, err := show.Object(&e.patience, path)
	if err = e.leave(err); err != nil {
		e.fail(err)
		return
	}
	h := e.h
	switch obj.ContentType {
	case typeVideo[0]:
		h["Content-Type"] = typeVideo
	case typeAudio[0]:
		h["Content-Type"] = typeAudio
		e.kind = kindAudio
	default:
		h["Content-Type"] = []string{obj.ContentType}
	}
	h["Accept-Ranges"] = valueBytes
	if e.r.Method == http.MethodGet {
		switch part, use := parseRange(e.r.Header, obj.Size); use {
		case rangeOne:
			h["Content-Range"] = []string{contentRange(part, obj.Size)}
			e.send(http.StatusPartialContent, obj.Chunks, part)
			return
		case rangeUnsatisfiable:
			h["Content-Range"] = []string{"bytes */" + strconv.FormatInt(obj.Size, 10)}
			e.fail(errRange)
			return
		}
	}
	e.send(http.StatusOK, obj.Chunks, byteRange{0, obj.Size})
}

func contentRange(part byteRange, size int64) string {
	b := make([]byte, 0, 64)
	b = append(b, "bytes "...)
	b = strconv.AppendInt(b, part.off, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, part.off+part.n-1, 10)
	b = append(b, '/')
	b = strconv.AppendInt(b, size, 10)
	return string(b)
}

// send writes part of an object, chunk by chunk as they lie in the window.
func (e *exchange) send(status int, chunks [][]byte, part byteRange) {
	e.common()
	e.cacheable()
	e.h["Content-Length"] = e.s.values.number(part.n)
	e.deadline(part.n)
	e.w.WriteHeader(status)
	var sent int64
	if e.r.Method != http.MethodHead {
		sent = e.write(chunks, part)
	}
	e.count(status, sent)
}

func (e *exchange) write(chunks [][]byte, part byteRange) (sent int64) {
	for _, c := range chunks {
		if part.n == 0 {
			break
		}
		if part.off >= int64(len(c)) {
			part.off -= int64(len(c))
			continue
		}
		c = c[part.off:]
		c = c[:min(int64(len(c)), part.n)]
		n, err := e.w.Write(c)
		sent += int64(n)
		if err != nil {
			break // the viewer has gone, or is too slow
		}
		part.off, part.n = 0, part.n-int64(n)
	}
	return sent
}
